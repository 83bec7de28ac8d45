import Azure
import Logging

/// Hands log lines on without the secrets in them.
struct DiscreetLogHandler: LogHandler {
    private var inner: any LogHandler

    init(_ inner: any LogHandler) { self.inner = inner }

    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue.mapValues(Self.hidden) }
    }

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue.map(Self.hidden) }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(Secret.hidden(in: event.message.description))"
        event.metadata = event.metadata?.mapValues(Self.hidden)
        inner.log(event: event)
    }

    private static func hidden(_ value: Logger.Metadata.Value) -> Logger.Metadata.Value {
        switch value {
        case .string(let text): .string(Secret.hidden(in: text))
        case .stringConvertible(let thing): .string(Secret.hidden(in: thing.description))
        case .array(let items): .array(items.map(hidden))
        case .dictionary(let pairs): .dictionary(pairs.mapValues(hidden))
        }
    }
}
