import Foundation
import KQLEngine
import Logging
import Tables

/// Log lines as JSON objects, one a line, on standard error: for whoever collects logs.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    let label: String

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var bag = Bag([
            ("time", .string(DateTime.format(SystemClock.now()))), ("level", .string(event.level.rawValue)),
            ("message", .string("\(event.message)")),
        ])
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, new in new }).sorted(by: {
            $0.key < $1.key
        }) {
            bag[key] = Self.value(value)
        }
        let line = SteeringCharacters.escaped(inJSON: JSONWriter.string(.bag(bag)))
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    private static func value(_ value: Logger.Metadata.Value) -> Value {
        switch value {
        case .string(let text): Int64(text).map { .long($0) } ?? .string(text)
        case .stringConvertible(let thing): Int64(thing.description).map { .long($0) } ?? .string(thing.description)
        case .array(let items): .array(items.map(Self.value))
        case .dictionary(let pairs): .bag(Bag(pairs.sorted { $0.key < $1.key }.map { ($0.key, Self.value($0.value)) }))
        }
    }
}
