import Foundation
import GRDB

/// The outcome of one run of a source, kept for `vestige status`.
package struct RunRecord: Sendable {
    package let id: String
    package let source: String
    /// Ticks.
    package let started: Int64
    package let ended: Int64
    package let rowsRead: Int
    package let rowsChanged: Int
    package let bytes: Int
    package let error: String?

    package init(
        id: String, source: String, started: Int64, ended: Int64, rowsRead: Int, rowsChanged: Int, bytes: Int, error: String?
    ) {
        self.id = id
        self.source = source
        self.started = started
        self.ended = ended
        self.rowsRead = rowsRead
        self.rowsChanged = rowsChanged
        self.bytes = bytes
        self.error = error
    }
}

extension Workspace {
    /// Remembers a run that failed and changed nothing.
    package func note(_ record: RunRecord) throws(WorkspaceError) { try write { try Self.insert(record, $0) } }

    static func insert(_ r: RunRecord, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [r.id, r.source, r.started, r.ended, r.rowsRead, r.rowsChanged, r.bytes, r.error])
    }

    /// The last run of every source.
    package func lastRuns() throws(WorkspaceError) -> [RunRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM runs r WHERE started = (SELECT max(started) FROM runs WHERE source = r.source) ORDER BY source")
                .map { row in
                    RunRecord(
                        id: row["id"], source: row["source"], started: row["started"], ended: row["ended"], rowsRead: row["rows_read"],
                        rowsChanged: row["rows_changed"], bytes: row["bytes"], error: row["error"])
                }
        }
    }

    /// Sums over all runs that succeeded.
    package func runTotals() throws(WorkspaceError) -> (runs: Int, read: Int, kept: Int) {
        try read { db in
            let row = try Row.fetchOne(db, sql: "SELECT count(*) AS n, total(rows_read) AS r, total(rows_changed) AS c FROM runs WHERE error IS NULL")
            return (row?["n"] ?? 0, row?["r"] ?? 0, row?["c"] ?? 0)
        }
    }
}
