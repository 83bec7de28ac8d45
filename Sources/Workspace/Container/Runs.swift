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
    /// Times of which rows may be missing.
    package let gaps: Int
    package let error: String?

    package init(
        id: String, source: String, started: Int64, ended: Int64, rowsRead: Int, rowsChanged: Int, bytes: Int,
        gaps: Int = 0, error: String?
    ) {
        self.id = id
        self.source = source
        self.started = started
        self.ended = ended
        self.rowsRead = rowsRead
        self.rowsChanged = rowsChanged
        self.bytes = bytes
        self.gaps = gaps
        self.error = error
    }
}

/// All runs of a source at a glance.
package struct RunHistory: Sendable {
    package let last: RunRecord
    /// When the last run that succeeded began, ticks.
    package let lastSuccess: Int64?
    package let runs: Int
    package let failures: Int
    /// Runs that failed since the last that succeeded.
    package let failuresInARow: Int
    /// Sums over all runs.
    package let rowsRead: Int
    package let rowsKept: Int
    package let bytes: Int
    package let gaps: Int
}

extension Workspace {
    /// Every source that ever ran, by name.
    package func runHistories() throws(WorkspaceError) -> [RunHistory] {
        let last = try lastRuns()
        return try read { db in
            try last.map { run in
                let sums = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) AS runs, count(error) AS failures, total(rows_read) AS read, total(rows_changed) AS kept, total(bytes) AS bytes, total(gaps) AS gaps,
                            max(iif(error IS NULL, started, NULL)) AS success FROM runs WHERE source = ?
                        """, arguments: [run.source])
                guard let sums else { throw DamagedRow(column: "source", found: "another name than before") }
                let success: Int64? = try sums.storedIfAny("success")
                let inARow =
                    try Int.fetchOne(
                        db, sql: "SELECT count(*) FROM runs WHERE source = ? AND started > ?",
                        arguments: [run.source, success ?? Int64.min]) ?? 0
                return RunHistory(
                    last: run, lastSuccess: success, runs: try sums.stored("runs"),
                    failures: try sums.stored("failures"), failuresInARow: inARow, rowsRead: try sums.stored("read"),
                    rowsKept: try sums.stored("kept"), bytes: try sums.stored("bytes"), gaps: try sums.stored("gaps"))
            }
        }
    }

    /// Remembers a run that failed and changed nothing.
    package func note(_ record: RunRecord) throws(WorkspaceError) { try write { try Self.insert(record, $0) } }

    static func insert(_ r: RunRecord, _ db: Database) throws {
        try db.execute(
            sql: RowChecksums.runs.insertion("OR REPLACE"),
            arguments: [r.id, r.source, r.started, r.ended, r.rowsRead, r.rowsChanged, r.bytes, r.error, r.gaps])
    }

    /// The last run of every source.
    package func lastRuns() throws(WorkspaceError) -> [RunRecord] {
        try read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT * FROM runs r WHERE started = (SELECT max(started) FROM runs WHERE source = r.source) ORDER BY source"
            )
            .map { row in
                RunRecord(
                    id: try row.stored("id"), source: try row.stored("source"), started: try row.stored("started"),
                    ended: try row.stored("ended"), rowsRead: try row.stored("rows_read"),
                    rowsChanged: try row.stored("rows_changed"), bytes: try row.stored("bytes"),
                    gaps: try row.stored("gaps"), error: try row.storedIfAny("error"))
            }
        }
    }
}
