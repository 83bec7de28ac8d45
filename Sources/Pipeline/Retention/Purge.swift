import Content
import KQL
import KQLEngine
import Tables
import Workspace

/// Removes rows on request: those of one table that meet a condition in KQL.
package struct Purge: Sendable {
    private let workspace: Workspace
    private let library: ContentLibrary
    private let table: String
    private let condition: String
    private let query: PreparedQuery
    private static let rowColumn = "_VestigeRow"

    /// - Parameter condition: what stands behind `where`.
    /// - Throws: `OperatorError` when there is no such table, or when the condition is not valid.
    package init(workspace: Workspace, library: ContentLibrary, table: String, condition: String, now: Int64) throws {
        self.workspace = workspace
        self.library = library
        self.table = table
        self.condition = condition
        guard let schema = try workspace.schemas()[table] else {
            throw OperatorError(
                "nothing was removed", got: "there is no table \(table)",
                next: "see which there are with: vestige status --tables", isConfiguration: true)
        }
        guard table != RemovalRecord.table else {
            throw OperatorError(
                "nothing was removed", got: "\(table) says what was removed", means: "records stay",
                isConfiguration: true)
        }
        var options = QueryOptions()
        options.rowCountMax = nil
        options.now = now
        let rows = Self.numbered(schema)
        do {
            // One expression, about one row: a pipe, or a bracket that closes what it did not open, would make another
            // query of it.
            let signs = try Lexer.tokens(of: condition).filter { $0.kind == .sign }.map(\.text)
            var depth = 0
            for sign in signs {
                depth += sign == "(" ? 1 : sign == ")" ? -1 : 0
                guard depth >= 0, sign != "|", sign != ";" else {
                    throw QueryError.runtime("a condition is one expression")
                }
            }
            let prepared = try Engine(provider: Self.provider(library, table, rows, [])).prepare(
                "['\(table)'] | where (\(condition)) | project \(Self.rowColumn)", options: options)
            guard let prepared else { throw QueryError.runtime("a condition looks at one row at a time") }
            query = prepared
        } catch let problem as Diagnostic {
            throw OperatorError(
                "nothing was removed", got: problem.message, next: "correct --where", isConfiguration: true)
        } catch let error as QueryError {
            throw OperatorError(
                "nothing was removed", got: error.message, next: "correct --where", isConfiguration: true)
        }
    }

    /// Counts what would go.
    package func trial() throws -> Removal { try workspace.removable(from: table, where: isGone) }

    /// Removes it, and records that.
    ///
    /// - Parameter now: ticks.
    package func run(reason: String, person: String, now: Int64) throws -> Removal {
        try RemovalRecord.check(library)
        let removal = try workspace.remove(from: table, now: now, where: isGone)
        try RemovalRecord(
            kind: .purge, tables: [table], condition: condition, reason: reason, person: person, removal: removal
        ).write(to: workspace, library, now: now)
        return removal
    }

    private func isGone(_ batch: Batch) throws -> [Bool] {
        let schema = Self.numbered(batch.schema)
        let numbers = Column(.long, values: (0..<batch.count).map { .long(Int64($0)) })
        let columns = batch.schema.columns.indices.map { batch.lazyColumn($0) } + [LazyColumn(numbers)]
        let rows = Batch(schema: schema, columns: columns, count: batch.count)
        var mask = [Bool](repeating: false, count: batch.count)
        let found = try query.run(over: Self.provider(library, table, schema, [rows])).primary.batch
        for row in 0..<found.count {
            if case .long(let number) = try found.column(0)[row] { mask[Int(number)] = true }
        }
        return mask
    }

    private static func numbered(_ schema: Schema) -> Schema {
        Schema(schema.columns + [ColumnSpec(rowColumn, .long)])
    }

    private static func provider(
        _ library: ContentLibrary, _ table: String, _ schema: Schema, _ batches: [Batch]
    ) -> MemoryTables {
        let tables = MemoryTables()
        tables.set(table, schema: schema, batches: batches)
        for (name, declaration) in library.functionDeclarations { tables.setFunction(name, declaration) }
        for (name, batch) in library.watchlistTables { tables.set(name, schema: batch.schema, batches: [batch]) }
        return tables
    }
}
