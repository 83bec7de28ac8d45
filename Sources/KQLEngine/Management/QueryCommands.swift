import KQL
import Tables

/// The commands that show and stop queries
/// (https://learn.microsoft.com/kusto/management/show-queries-command,
/// https://learn.microsoft.com/kusto/management/cancel-query-command).
extension ManagementCommands {
    /// Whether a command shows or stops queries, and does nothing else: it is answered without waiting for its turn
    /// behind them. One whose rows a query goes on with is a query like any other.
    package static func isAboutQueries(_ text: String) -> Bool {
        let command = CommandText(text)
        guard command.pipeline.allSatisfy(\.isWhitespace) else { return false }
        let words = command.words.map { $0.lowercased() }
        return words.starts(with: [".cancel", "query"]) || words.starts(with: [".show", "queries"])
            || words.starts(with: [".show", "running", "queries"])
    }

    func runningQueries() -> Batch {
        let now = SystemClock.now()
        let all = queries?.running ?? []
        let rows = all.filter { asker == nil || $0.client.name == asker }.map { run -> [Value] in
            [
                .string(run.activity), .string(QueryPrivacy.hidden(run.text)), .string(database),
                .datetime(run.startTicks), .datetime(now),
                .timespan(max(0, now - run.startTicks)),
                .string(run.stopReason == nil ? "InProgress" : "Cancelling"),
                GUID(run.id.uuidString).map { .guid($0) } ?? .null, .string(run.client.name), .string(""), .null, .null,
                .string(run.client.address), .long(Int64(run.held)), .null, .string(run.client.description), .null,
                .null, .string("default"),
            ]
        }
        return Self.batch(CommandSchemas.queries, rows)
    }

    /// - Parameter properties: `(reason = "…")`.
    func cancelled(_ id: String, _ properties: String) throws -> Batch {
        guard let queries else {
            throw QueryError.runtime("there are no queries of others here: this one runs alone")
        }
        let reason = properties.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        let count = queries.cancel(activity: id, of: asker)
        return Self.batch(
            CommandSchemas.cancelled,
            [[.string(id), .string(reason.filter { !"\"'()".contains($0) }.trimmed), .bool(count > 0)]])
    }
}
