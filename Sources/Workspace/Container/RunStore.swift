import Foundation
import GRDB
import Tables

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

/// A row's place in a source's state: its key's hash, its content's hash and the key columns' values.
package struct StateEntry: Sendable {
    package let key: [UInt8]
    package let hash: [UInt8]
    /// JSON of the key columns.
    package let keyValues: String

    package init(key: [UInt8], hash: [UInt8], keyValues: String) {
        self.key = key
        self.hash = hash
        self.keyValues = keyValues
    }
}

/// Everything that one run changes; it is committed as a whole or not at all.
package struct RunCommit: Sendable {
    package var table: String
    package var batches: [Batch] = []
    package var upserts: [StateEntry] = []
    package var removals: [[UInt8]] = []
    package var checkpoint: String?
    package var sinks: [String] = []

    package init(table: String) { self.table = table }
}

extension Workspace {
    /// What the last run of a source left behind, by key.
    package func state(of source: String) throws(WorkspaceError) -> [[UInt8]: StateEntry] {
        try read { db in
            var out: [[UInt8]: StateEntry] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT key, hash, key_values FROM state WHERE source = ?", arguments: [source])
            while let row = try rows.next() {
                let key = [UInt8](row["key"] as Data)
                out[key] = StateEntry(key: key, hash: [UInt8](row["hash"] as Data), keyValues: row["key_values"])
            }
            return out
        }
    }

    package func checkpoint(of source: String) throws(WorkspaceError) -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM checkpoints WHERE source = ?", arguments: [source]) }
    }

    /// Stores a run: its rows, its source's new state and checkpoint, and what each sink still has to get, in one transaction.
    package func commit(_ commit: RunCommit, _ record: RunRecord, now: Int64) throws(WorkspaceError) {
        try write { db in
            for batch in commit.batches where batch.count > 0 {
                for id in try Self.insert(batch, into: commit.table, run: record.id, now: now, db) {
                    for sink in commit.sinks {
                        try db.execute(sql: "INSERT INTO outbox VALUES (?, ?)", arguments: [sink, id])
                    }
                }
            }
            let upsert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)")
            for e in commit.upserts {
                try upsert.execute(arguments: [record.source, Data(e.key), Data(e.hash), e.keyValues])
            }
            let remove = try db.cachedStatement(sql: "DELETE FROM state WHERE source = ? AND key = ?")
            for key in commit.removals { try remove.execute(arguments: [record.source, Data(key)]) }
            if let checkpoint = commit.checkpoint {
                try db.execute(sql: "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", arguments: [record.source, checkpoint])
            }
            try Self.insert(record, db)
        }
    }

    /// Remembers a run that failed and changed nothing.
    package func note(_ record: RunRecord) throws(WorkspaceError) { try write { try Self.insert(record, $0) } }

    private static func insert(_ r: RunRecord, _ db: Database) throws {
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

    // MARK: Outbox

    /// What a sink still has to get, oldest first: the extent and its table.
    package func pending(for sink: String) throws(WorkspaceError) -> [(extent: ExtentInfo, table: String)] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT e.id, e.rows, e.table_name FROM outbox o JOIN extents e ON e.id = o.extent WHERE o.sink = ? ORDER BY e.id",
                arguments: [sink]
            ).map { (ExtentInfo(id: $0["id"], rows: $0["rows"]), $0["table_name"]) }
        }
    }

    /// A sink has an extent: it need not get it again.
    package func acknowledge(_ extent: ExtentInfo, by sink: String) throws(WorkspaceError) {
        try write { try $0.execute(sql: "DELETE FROM outbox WHERE sink = ? AND extent = ?", arguments: [sink, extent.id]) }
    }

    /// Extents that each sink still has to get.
    package func outboxCounts() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            var out: [String: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT sink, count(*) AS n FROM outbox GROUP BY sink") { out[row["sink"]] = row["n"] }
            return out
        }
    }
}
