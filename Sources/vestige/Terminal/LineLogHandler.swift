import Foundation
import KQLEngine
import Logging
import Tables

/// Log lines on standard error. An event is one line, whatever is in its message.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let label: String
    private let format: Logs.Format

    init(label: String, format: Logs.Format) {
        self.label = label
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, new in new })
        let line = Self.line(format, event.level, "\(event.message)", facts, label: label, at: SystemClock.now())
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    /// An event as one line, without what steers a terminal.
    static func line(
        _ format: Logs.Format, _ level: Logger.Level, _ message: String, _ facts: Logger.Metadata, label: String,
        at time: Int64
    ) -> String {
        let facts = facts.sorted { $0.key < $1.key }
        switch format {
        case .text:
            let parts = facts.map { " \($0.key)=\($0.value)" }.joined()
            let time = DateTime.format(time).prefix(19)
            let line: TerminalText = "\(time)Z \(level.rawValue) \(label):\(parts) \(message)"
            return line.text
        case .json:
            var bag = Bag([
                ("time", .string(DateTime.format(time))), ("level", .string(level.rawValue)),
                ("message", .string(message)),
            ])
            for (key, value) in facts { bag[key] = Self.value(value) }
            return SteeringCharacters.escaped(inJSON: JSONWriter.string(.bag(bag)))
        }
    }

    /// Numbers stay numbers for whoever collects the lines.
    private static func value(_ value: Logger.Metadata.Value) -> Value {
        switch value {
        case .string(let text): Int64(text).map { .long($0) } ?? .string(text)
        case .stringConvertible(let thing): Int64(thing.description).map { .long($0) } ?? .string(thing.description)
        case .array(let items): .array(items.map(Self.value))
        case .dictionary(let pairs): .bag(Bag(pairs.sorted { $0.key < $1.key }.map { ($0.key, Self.value($0.value)) }))
        }
    }
}
