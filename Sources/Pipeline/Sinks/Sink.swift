import Tables

/// Where rows go besides the workspace.
///
/// A sink may get the same rows again after a crash or a time-out; their `RowId` tells.
package protocol Sink: Sendable {
    var name: String { get }
    /// Which tables go there, and by which part of the sink.
    var plan: SinkPlan { get }
    /// Sends rows of a table.
    ///
    /// - Returns: the bytes on the wire, and the rows that the sink will never take, each with the reason.
    /// - Throws: `ServiceError` with status 400 or 404 for what concerns this table only; anything else concerns the
    ///   whole part of the sink that the table goes by. The whole batch is sent again later.
    func send(_ batch: Batch, table: String) async throws -> SinkReceipt
    /// Whether a part of the sink takes any table at all: asked when it refused all that it was offered.
    func takesAny(_ part: String) async -> Bool
}

extension Sink {
    package var plan: SinkPlan { .everything }
    package func takesAny(_ part: String) async -> Bool { true }
}

/// Which tables a sink gets. Its parts, such as data collection rules, fail apart from each other.
package struct SinkPlan: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        /// A rule's immutable id; empty for a sink of one part.
        package let id: String
        /// What it is called where people read about it.
        package let title: String
        /// Names of its tables; nil when it takes what the service takes: who sends there finds out.
        package let tables: [String]?

        package init(id: String, title: String, tables: [String]?) {
            self.id = id
            self.title = title
            self.tables = tables
        }
    }

    package let parts: [Part]
    private let partOfTable: [String: String]

    package init(_ parts: [Part]) {
        self.parts = parts
        var partOfTable: [String: String] = [:]
        for part in parts { for table in part.tables ?? [] { partOfTable[table] = part.id } }
        self.partOfTable = partOfTable
    }

    /// One part that gets every table, whose place is made for them.
    package static let everything = SinkPlan([])

    /// The part that a table goes by; nil for a table that is not sent, by decision.
    package func part(of table: String) -> String? {
        if parts.isEmpty { return "" }
        return partOfTable[table] ?? parts.first { $0.tables == nil }?.id
    }

    /// Whether the service decides which tables a part takes.
    func isOpen(_ part: String) -> Bool { parts.contains { $0.id == part && $0.tables == nil } }

    /// The tables among these that are not sent, by decision.
    package func unsent(of tables: some Sequence<String>) -> [String] { tables.filter { part(of: $0) == nil }.sorted() }
}

/// What became of a batch.
package struct SinkReceipt: Sendable {
    package var bytes = 0
    package var refused: [RefusedRow] = []
    /// Values that were cut because the service keeps no longer ones, counted by column. They are whole in the
    /// workspace.
    package var shortened: [String: Int] = [:]

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
