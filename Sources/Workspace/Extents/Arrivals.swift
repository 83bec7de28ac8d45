import GRDB
import KQLEngine
import Tables

/// A part of a table with when it was stored: what came after something else was looked at has a higher id.
package struct StoredExtent: Sendable {
    package let info: ExtentInfo
    /// Ticks.
    package let stored: Int64
}

extension Workspace {
    /// The parts of a table in which rows may meet the predicates, in the order in which they were stored.
    package func storedExtents(of table: String, matching predicates: [ScanPredicate]) throws(WorkspaceError)
        -> [StoredExtent]
    {
        let extents = try extents(of: table, matching: predicates)
        let times = try read { db in
            try Row.fetchAll(db, sql: "SELECT id, created FROM extents WHERE table_name = ?", arguments: [table])
                .reduce(into: [Int64: Int64]()) { $0[try $1.stored("id")] = try $1.stored("created") }
        }
        // One that was taken away in between is not there any more.
        return extents.compactMap { info in times[info.id].map { StoredExtent(info: info, stored: $0) } }
    }

    /// The id of the part that was stored last, of any table; 0 when nothing was.
    package func lastExtent() throws(WorkspaceError) -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT coalesce(max(id), 0) FROM extents") ?? 0 }
    }

    /// What was remembered under names that begin alike, as `remember` and `append` got it.
    package func memories(_ prefix: String) throws(WorkspaceError) -> [String: String] {
        try read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT name, value FROM meta WHERE name >= ?1 AND name < ?1 || char(1114111)",
                arguments: [prefix])
            return try rows.reduce(into: [:]) { $0[try $1.stored("name")] = try $1.stored("value") }
        }
    }

    /// Adds rows and remembers texts, together or not at all.
    ///
    /// - Parameters:
    ///   - batch: nil when there are no rows.
    ///   - memories: texts by name; one of the same name is replaced.
    ///   - sinks: who has to get the rows too.
    package func append(
        _ batch: Batch?, to table: String, run: String, now: Int64, sinks: [String],
        remembering memories: [String: String]
    ) throws(WorkspaceError) {
        try write { db in
            if let batch, batch.count > 0 {
                for extent in try Self.insert(batch, into: table, run: run, now: now, db) {
                    for sink in sinks {
                        try db.execute(sql: RowChecksums.outbox.insertion(), arguments: [sink, extent.id])
                    }
                }
            }
            for (name, text) in memories.sorted(by: { $0.key < $1.key }) {
                try db.execute(sql: RowChecksums.meta.insertion("OR REPLACE"), arguments: [name, text])
            }
        }
    }
}
