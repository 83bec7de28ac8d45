import Foundation
import GRDB
import Tables

/// A run that is under way, as stored: its rows wait apart from their table, and its changes of the state apart from the state, until
/// it is published as a whole. A run that was cut off goes on from `progress`.
extension Workspace {
    private static func staging(_ source: String) -> String { stagingPrefix + source }

    /// The buckets of a source, as the last run left them and as the run that is under way has changed them since.
    package func buckets(of source: String, _ ids: [Int64]) throws(WorkspaceError) -> [StateBucket] {
        try read { db in
            let stored = try db.cachedStatement(sql: "SELECT entries FROM state WHERE source = ? AND bucket = ?")
            let staged = try db.cachedStatement(sql: "SELECT entries, seen FROM staged WHERE source = ? AND bucket = ?")
            return try ids.map { id in
                var entries: [StateEntry]?
                var seen: [UInt64] = []
                let rows = try Row.fetchCursor(staged, arguments: [source, id])
                while let row = try rows.next() {
                    entries = try row.withUnsafeData(atIndex: 0) { $0?.withUnsafeBytes { StateBucket.entries($0) } }
                    seen = try row.withUnsafeData(atIndex: 1) { $0?.withUnsafeBytes { StateBucket.words($0) } ?? [] }
                }
                if entries == nil {
                    let rows = try Row.fetchCursor(stored, arguments: [source, id])
                    while let row = try rows.next() {
                        entries = try row.withUnsafeData(atIndex: 0) { $0?.withUnsafeBytes { StateBucket.entries($0) } }
                    }
                }
                return StateBucket(id: id, entries: entries ?? [], seen: seen)
            }
        }
    }

    /// Rows that the last run of a source left behind.
    package func stateCount(of source: String) throws(WorkspaceError) -> Int {
        try read {
            try Int.fetchOne(
                $0, sql: "SELECT coalesce(sum(length(entries)), 0) FROM state WHERE source = ?", arguments: [source])
                ?? 0
        }
            / StateBucket.entryBytes
    }

    /// Stores a part of a run that is under way, out of everybody's sight.
    ///
    /// - Parameters:
    ///   - started: when the run began, ticks.
    ///   - progress: how the run goes on from here.
    ///   - isCoded: whether the rows' texts have a dictionary of distinct entries already, each of which is used.
    ///   - buckets: gives the buckets to store, once it is known where the rows are.
    package func stage(
        _ batch: Batch?, of source: String, started: Int64, progress: String, isCoded: Bool = false,
        buckets: ([ExtentInfo]) throws -> [StateBucket]
    ) throws(WorkspaceError) {
        try write { db in
            var extents: [ExtentInfo] = []
            if let batch, batch.count > 0 {
                extents = try Self.insert(
                    batch, into: Self.staging(source), run: source, now: started, isCoded: isCoded, db)
            }
            let statement = try db.cachedStatement(sql: RowChecksums.staged.insertion("OR REPLACE"))
            let seenOnly = try db.cachedStatement(
                sql: """
                    INSERT INTO staged (source, bucket, entries, seen, is_complete, checksum)
                    VALUES (?1, ?2, NULL, ?3, ?4, checksum_of(?1, ?2, NULL, ?3, ?4))
                    ON CONFLICT (source, bucket) DO UPDATE SET seen = excluded.seen, is_complete = excluded.is_complete,
                        checksum = checksum_of(source, bucket, entries, excluded.seen, excluded.is_complete)
                    """)
            for bucket in try buckets(extents) {
                let seen = StateBucket.data(bucket.seen)
                if bucket.hasNewEntries {
                    try statement.execute(arguments: [
                        source, bucket.id, StateBucket.data(bucket.entries), seen, bucket.isComplete,
                    ])
                } else {
                    try seenOnly.execute(arguments: [source, bucket.id, seen, bucket.isComplete])
                }
            }
            try db.execute(sql: RowChecksums.progress.insertion("OR REPLACE"), arguments: [source, progress])
        }
    }

    /// How the run of a source that was cut off goes on; nil when none was.
    package func progress(of source: String) throws(WorkspaceError) -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM progress WHERE source = ?", arguments: [source]) }
    }

    /// Drops what a run that was cut off has stored.
    package func discardRun(of source: String) throws(WorkspaceError) {
        try write { db in
            guard
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM progress WHERE source = ?)", arguments: [source]) == true
            else { return }
            try db.execute(sql: "DELETE FROM extents WHERE table_name = ?", arguments: [Self.staging(source)])
            try Self.forgetStaged(source, db)
        }
    }

    private static func forgetStaged(_ source: String, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM staged WHERE source = ?", arguments: [source])
        try db.execute(sql: "DELETE FROM progress WHERE source = ?", arguments: [source])
    }

    /// Buckets with rows that the run which is under way has not come upon, in the order of their ids.
    ///
    /// - Parameters:
    ///   - last: the id of the last bucket that was looked at; nil to begin.
    ///   - onlyTouched: whether buckets that the run did not look at count as complete.
    package func incompleteBuckets(of source: String, after last: Int64?, limit: Int, onlyTouched: Bool = false)
        throws(WorkspaceError) -> [Int64]
    {
        try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT s.bucket FROM state s \(onlyTouched ? "" : "LEFT") JOIN staged t ON t.source = s.source AND t.bucket = s.bucket
                    WHERE s.source = ? AND s.bucket > ? AND coalesce(t.is_complete, 0) = 0 ORDER BY s.bucket LIMIT ?
                    """, arguments: [source, last ?? Int64.min, limit])
        }
    }

    /// Makes a run's rows, its state and its checkpoint the workspace's, and tells each sink what it has to get, in one transaction.
    ///
    /// - Parameters:
    /// Forgets where a source goes on: it begins anew.
    package func forgetCheckpoint(of source: String) throws(WorkspaceError) {
        try write { try $0.execute(sql: "DELETE FROM checkpoints WHERE source = ?", arguments: [source]) }
    }

    ///   - forgottenBelow: buckets with lower ids that the run did not come upon are dropped.
    package func publish(
        _ record: RunRecord, to table: String, checkpoint: String, sinks: [String], forgottenBelow: Int64? = nil
    ) throws(WorkspaceError) {
        try write { db in
            let source = record.source
            let hidden = Self.staging(source)
            for sink in sinks {
                try db.execute(
                    sql: """
                        INSERT INTO outbox (sink, extent, checksum)
                        SELECT ?1, id, checksum_of(?1, id) FROM extents WHERE table_name = ?2
                        """, arguments: [sink, hidden])
            }
            try db.execute(
                sql: "UPDATE extents SET table_name = ?, run = ? WHERE table_name = ?",
                arguments: [table, record.id, hidden])
            try RowChecksums.extents.seal(
                db, where: "table_name = ? AND run = ?", arguments: [table, record.id])
            if let forgottenBelow {
                try db.execute(
                    sql: """
                        DELETE FROM state WHERE source = ? AND bucket < ?
                        AND NOT EXISTS (SELECT 1 FROM staged t WHERE t.source = state.source AND t.bucket = state.bucket)
                        """, arguments: [source, forgottenBelow])
            }
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO state (source, bucket, entries, checksum)
                    SELECT source, bucket, entries, \(RowChecksums.state.expression) FROM staged
                    WHERE source = ? AND entries IS NOT NULL
                    """, arguments: [source])
            try db.execute(sql: "DELETE FROM state WHERE source = ? AND length(entries) = 0", arguments: [source])
            try Self.forgetStaged(source, db)
            try db.execute(sql: RowChecksums.checkpoints.insertion("OR REPLACE"), arguments: [source, checkpoint])
            try Self.insert(record, db)
        }
    }

    package func checkpoint(of source: String) throws(WorkspaceError) -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM checkpoints WHERE source = ?", arguments: [source]) }
    }

    /// Some columns of stored rows, in the order asked for; a row whose extent is no longer there is nil.
    package func rows(at places: [RowPlace], columns: [ColumnSpec]) throws -> [[Value]?] {
        var out = [[Value]?](repeating: nil, count: places.count)
        let schema = Schema(columns)
        for (extent, wanted) in Dictionary(grouping: places.indices, by: { places[$0].extent }) {
            guard
                let rows = try read({
                    try Int.fetchOne($0, sql: "SELECT rows FROM extents WHERE id = ?", arguments: [extent])
                })
            else { continue }
            let batch = self.extent(ExtentInfo(id: extent, rows: rows), schema: schema)
            for i in wanted where places[i].row < rows { out[i] = try batch.row(places[i].row) }
        }
        return out
    }
}
