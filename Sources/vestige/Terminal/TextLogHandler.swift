import Foundation
import KQLEngine
import Logging
import Tables

/// Log lines for people, on standard error. An event is one line, whatever is in its message.
struct TextLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    let label: String

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, new in new })
        let line = Self.line(event.level, "\(event.message)", facts, label: label, at: SystemClock.now())
        try? FileHandle.standardError.write(contentsOf: Data((line.text + "\n").utf8))
    }

    static func line(
        _ level: Logger.Level, _ message: String, _ facts: Logger.Metadata, label: String, at time: Int64
    ) -> TerminalText {
        let parts = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(DateTime.format(time).prefix(19))Z \(level.rawValue) \(label):\(parts) \(message)"
    }
}
