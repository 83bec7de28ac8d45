import Tables

/// What happened to one source in a run.
package struct SourceOutcome: Sendable {
    package let source: String
    package let table: String
    package var counts = ChangeCounts()
    package var pages = 0
    /// Bytes of the answers.
    package var bytes = 0
    package var seconds = 0.0
    package var notes: [String] = []
    package var error: OperatorError?
    /// What would be stored and sent, in a dry run.
    package var preview: [Batch] = []

    package init(source: String, table: String) {
        self.source = source
        self.table = table
    }
}

package struct CollectReport: Sendable {
    package var sources: [SourceOutcome] = []
    package var sinks: [DeliveryOutcome] = []

    package var failures: [OperatorError] { sources.compactMap(\.error) + sinks.compactMap(\.error) }
}

/// Progress of a run, for a person who watches.
package enum CollectProgress: Sendable {
    case started(source: String)
    case page(source: String, rows: Int)
    case finished(SourceOutcome)
    case sending(sink: String)
}
