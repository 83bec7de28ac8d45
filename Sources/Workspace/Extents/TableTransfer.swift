import GRDB
import KQLEngine
import Tables

/// Whole tables on their way in and out.
extension Workspace {
    /// Adds rows, some at a time, and all of them or none: whoever looks meanwhile, or after the program was killed,
    /// sees the table as it was before or as it is at the end.
    ///
    /// - Parameters:
    ///   - schema: the columns as declared before the first row; rows with further columns declare those.
    ///   - replaces: whether the table's rows are dropped first.
    ///   - next: gives rows until nil. The workspace can be read meanwhile, as it was before.
    /// - Throws: `WorkspaceError`, or what `next` throws.
    package func load(
        _ table: String, _ schema: Schema, run: String, now: Int64, replaces: Bool, next: () throws -> Batch?
    ) throws {
        var failure: (any Error)?
        do {
            try write { db in
                if replaces { try Self.drop(table, db) }
                try Self.declare(table, schema, db)
                var declared = Set(schema.columns)
                while true {
                    let batch: Batch?
                    do { batch = try next() } catch {
                        failure = error
                        throw error
                    }
                    guard let batch else { return }
                    let added = batch.schema.columns.filter { !declared.contains($0) }
                    if !added.isEmpty {
                        try Self.declare(table, Schema(schema.columns + added), db)
                        declared.formUnion(added)
                    }
                    _ = try Self.insert(batch, into: table, run: run, now: now, db)
                }
            }
        } catch { throw failure ?? error }
    }

    /// Goes through a table's extents in the order in which they were written.
    ///
    /// - Parameters:
    ///   - columns: the columns that are read, in this order; the table's own names.
    ///   - times: extents that have no row of these times are passed over; ticks.
    /// - Throws: `WorkspaceError` also when rows are dropped while they are read.
    package func eachExtent(
        of table: String, columns names: [String], times: Range<Int64>? = nil, _ body: (Batch) throws -> Void
    ) throws {
        guard let stored = try schemas()[table] else { return }
        let schema = Schema(names.compactMap { name in stored.index(of: name).map { stored[$0] } })
        var predicates: [ScanPredicate] = []
        if let times {
            predicates = [
                ScanPredicate(
                    column: "TimeGenerated", comparison: .greaterOrEqual, value: .datetime(times.lowerBound)),
                ScanPredicate(column: "TimeGenerated", comparison: .less, value: .datetime(times.upperBound)),
            ]
        }
        for info in try extents(of: table, matching: predicates) {
            try body(extent(info, schema: schema, table: table))
            let isThere = try read { db in
                try Bool.fetchOne(db, sql: "SELECT 1 FROM extents WHERE id = ?", arguments: [info.id]) ?? false
            }
            guard isThere else {
                throw WorkspaceError(
                    "rows of table \(table) were dropped while they were read", next: "run the command again")
            }
        }
    }
}
