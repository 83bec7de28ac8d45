import Crypto
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

/// 128 bits of SHA-256: which row, or which content.
package struct RowDigest: Sendable, Hashable {
    package let high: UInt64
    package let low: UInt64

    /// The digest of the bytes collected in `buffer`.
    package init(of buffer: [UInt8]) {
        let words = SHA256.hash(data: buffer).withUnsafeBytes { ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self)) }
        high = UInt64(bigEndian: words.0)
        low = UInt64(bigEndian: words.1)
    }

    init(_ data: Data) {
        var words: [UInt64] = [0, 0]
        for (i, byte) in data.prefix(16).enumerated() { words[i / 8] = words[i / 8] << 8 | UInt64(byte) }
        high = words[0]
        low = words[1]
    }

    var data: Data { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Data($0) } }

    /// 32 hexadecimal digits.
    package var hex: String { Hex.string(high, width: 16) + Hex.string(low, width: 16) }
}

/// A row in a source's state: its key's digest, its content's digest, and the key's values to name it when it is gone.
package struct StateEntry: Sendable {
    package let key: RowDigest
    package let content: RowDigest
    /// For a state table, a JSON array of the key columns' values; for an event table, the event's time in ticks.
    package let label: String

    package init(key: RowDigest, content: RowDigest, label: String) {
        self.key = key
        self.content = content
        self.label = label
    }
}

/// Everything that one run changes; it is committed as a whole or not at all.
package struct RunCommit: Sendable {
    package var table: String
    package var batches: [Batch] = []
    package var upserts: [StateEntry] = []
    package var removals: [RowDigest] = []
    package var checkpoint: String?
    package var sinks: [String] = []

    package init(table: String) { self.table = table }
}

extension Workspace {
    /// What the last run of a source left behind: the content's digest by the key's.
    package func state(of source: String) throws(WorkspaceError) -> [RowDigest: RowDigest] {
        try read { db in
            var out: [RowDigest: RowDigest] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT key, hash FROM state WHERE source = ?", arguments: [source])
            while let row = try rows.next() { out[RowDigest(row["key"] as Data)] = RowDigest(row["hash"] as Data) }
            return out
        }
    }

    /// The labels of some of a source's state entries.
    package func labels(of source: String, _ keys: [RowDigest]) throws(WorkspaceError) -> [String] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT key_values FROM state WHERE source = ? AND key = ?")
            return try keys.map { try String.fetchOne(statement, arguments: [source, $0.data]) ?? "[]" }
        }
    }

    /// Keys of a source's state whose label is a number below `limit`: events that are too old to come again.
    package func keys(of source: String, labelBelow limit: Int64) throws(WorkspaceError) -> [RowDigest] {
        try read { db in
            try Data.fetchAll(db, sql: "SELECT key FROM state WHERE source = ? AND CAST(key_values AS INTEGER) < ?", arguments: [source, limit])
                .map { RowDigest($0) }
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
                try upsert.execute(arguments: [record.source, e.key.data, e.content.data, e.label])
            }
            let remove = try db.cachedStatement(sql: "DELETE FROM state WHERE source = ? AND key = ?")
            for key in commit.removals { try remove.execute(arguments: [record.source, key.data]) }
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

    /// Sums over all runs that succeeded.
    package func runTotals() throws(WorkspaceError) -> (runs: Int, read: Int, kept: Int) {
        try read { db in
            let row = try Row.fetchOne(db, sql: "SELECT count(*) AS n, total(rows_read) AS r, total(rows_changed) AS c FROM runs WHERE error IS NULL")
            return (row?["n"] ?? 0, row?["r"] ?? 0, row?["c"] ?? 0)
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

    /// Bytes that wait for each sink, as stored.
    package func outboxBytes() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            let sql = "SELECT o.sink AS sink, coalesce(sum(length(s.data)), 0) AS n FROM outbox o LEFT JOIN segments s ON s.extent = o.extent GROUP BY o.sink"
            return Dictionary(uniqueKeysWithValues: try Row.fetchAll(db, sql: sql).map { ($0["sink"] as String, $0["n"] as Int) })
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
