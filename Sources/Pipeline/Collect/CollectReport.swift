import Foundation
import Tables
import Workspace

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
    /// Times of which rows may be missing, since the service keeps the latest only.
    package var gaps: [Gap] = []
    /// What the run is called in the workspace.
    let runID = UUID().uuidString.lowercased()
    /// What would be stored and sent, in a dry run.
    package var preview: [Batch] = []

    package init(source: String, table: String) {
        self.source = source
        self.table = table
    }

    /// What the workspace keeps of it; ticks.
    func record(started: Int64, ended: Int64) -> RunRecord {
        RunRecord(
            id: runID, source: source, started: started, ended: ended, rowsRead: counts.read, rowsChanged: counts.kept,
            bytes: bytes, gaps: gaps.count,
            error: error.map { [$0.got, $0.means].compactMap { $0 }.joined(separator: ": ") })
    }
}

package struct CollectReport: Sendable {
    package var sources: [SourceOutcome] = []
    package var sinks: [DeliveryOutcome] = []
    /// Why some or all of the sources did not run: a sink does not keep up. Nil when all of them ran.
    package var spool: OperatorError?
    /// Why what the server wrote down of who asked what was not taken in.
    package var audit: OperatorError?
    /// What was past its time, and is removed.
    package var removed: [Removal] = []
    /// Why what is past its time could not be removed.
    package var retention: OperatorError?
    /// What is wrong, or was until now, with this machine's clock; nil when nothing is.
    package var clock: String?
    package var followUp = FollowUp()

    package var failures: [OperatorError] {
        [spool, audit, retention].compactMap { $0 } + sources.compactMap(\.error) + sinks.flatMap(\.errors)
            + followUp.failures
    }

    /// The failures, those of one cause as one: a wrong secret stops every source of a tenant, and is one thing to
    /// mend.
    package var distinctFailures: [OperatorError] {
        var causes: [String] = []
        var byCause: [String: (first: OperatorError, names: [String])] = [:]
        let named =
            sources.compactMap { s in s.error.map { (s.source, $0) } }
            + sinks.flatMap { s in s.errors.map { ("sink \(s.sink)", $0) } }
        for (name, error) in named {
            let cause = [error.means, error.next].compactMap { $0 }.joined(separator: "\n")
            if byCause[cause] == nil { causes.append(cause) }
            byCause[cause, default: (error, [])].names.append(name)
        }
        return [spool, audit, retention].compactMap { $0 }
            + causes.compactMap { cause in
                guard let (first, names) = byCause[cause] else { return nil }
                var error = first
                if names.count > 1 {
                    error.title = "\(names.count) stopped for one reason: \(names.joined(separator: ", "))"
                }
                return error
            } + followUp.failures
    }
}

/// What was done with new rows after they were stored, before anything was sent: rules that ran.
package struct FollowUp: Sendable {
    /// What is worth telling, a sentence each.
    package var notes: [String]
    package var failures: [OperatorError]

    package init(notes: [String] = [], failures: [OperatorError] = []) {
        self.notes = notes
        self.failures = failures
    }
}

/// Progress of a run, for a person who watches.
package enum CollectProgress: Sendable {
    case started(source: String)
    case page(source: String, rows: Int)
    case finished(SourceOutcome)
    case sending(sink: String)
}
