import Tables

/// Where rows go besides the workspace.
///
/// A sink may get the same rows again after a crash or a time-out; their `RowId` tells.
package protocol Sink: Sendable {
    var name: String { get }
    /// Sends rows of a table.
    ///
    /// - Returns: the bytes on the wire, and the rows that the sink will never take, each with the reason. Other failures are thrown:
    ///   the whole batch is sent again later.
    func send(_ batch: Batch, table: String) async throws -> SinkReceipt
}

/// What became of a batch.
package struct SinkReceipt: Sendable {
    package var bytes = 0
    package var refused: [RefusedRow] = []

    package init(bytes: Int = 0, refused: [RefusedRow] = []) {
        self.bytes = bytes
        self.refused = refused
    }
}

/// A row that a sink will never take.
package struct RefusedRow: Sendable {
    package let row: Int
    package let reason: String
}

/// The column that carries a row's own time where `TimeGenerated` may be rewritten: Azure replaces times that are older than two days
/// (https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated).
package enum ObservedTime {
    package static let name = "ObservedTime"
    static let alias = [(name: name, column: "TimeGenerated")]
}
