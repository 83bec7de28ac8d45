import Foundation
import GRDB
import KQLEngine
import Tables

/// What was removed of a table, or would be.
package struct Removal: Sendable, Equatable {
    package let table: String
    package var rows = 0
    /// As stored, of the extents that held them.
    package var bytes = 0
    /// The observation times of the removed rows, ticks; nil when none are known.
    package var low: Int64?
    package var high: Int64?

    package init(table: String) { self.table = table }

    mutating func include(low: Int64?, high: Int64?) {
        self.low = [self.low, low].compactMap { $0 }.min()
        self.high = [self.high, high].compactMap { $0 }.max()
    }
}

/// Takes rows out for good. What is removed is overwritten in the file, and its pages are used anew.
extension Workspace {
    /// Rows of a table that meet a condition, counted and not removed.
    ///
    /// - Parameter isGone: says of each row of an extent, which has all of the table's columns, whether it goes.
    package func removable(from table: String, where isGone: (Batch) throws -> [Bool]) throws -> Removal {
        var removal = Removal(table: table)
        _ = try selection(from: table, isGone, &removal)
        return removal
    }

    /// Removes rows of a table that meet a condition, all or none. Rows that a sink has still to get are not sent. The
    /// program that calls
    /// has the collector's lock: a collector keeps in memory where rows are.
    ///
    /// - Parameter now: ticks.
    /// - Throws: `WorkspaceError` also when a hold covers the table; what `isGone` throws.
    package func remove(from table: String, now: Int64, where isGone: (Batch) throws -> [Bool]) throws -> Removal {
        var removal = Removal(table: table)
        try read { try Self.refuseHeld(table, $0) }
        let chosen = try selection(from: table, isGone, &removal)
        guard !chosen.isEmpty, let schema = try schemas()[table] else { return removal }
        try writeOver { db in
            try Self.refuseHeld(table, db)
            var moved: [Int64: [RowPlace]] = [:]
            for (info, mask) in chosen {
                let kept = mask.indices.filter { !mask[$0] }
                var places = [RowPlace](repeating: .none, count: info.rows)
                if !kept.isEmpty {
                    guard
                        let row = try Row.fetchOne(
                            db, sql: "SELECT run, created FROM extents WHERE id = ?", arguments: [info.id])
                    else {
                        throw WorkspaceError(
                            "table \(table) changed meanwhile; nothing was removed", next: "run the command again")
                    }
                    // Value by value: a dictionary that went along would keep the texts of what is removed.
                    let whole = self.extent(info, schema: schema, table: table)
                    let rest = Batch(schema: schema, rows: try kept.map { try whole.row($0) })
                    let new = try Self.insert(
                        rest, into: table, run: try row.stored("run"), now: try row.stored("created"), db)
                    guard let target = new.first, new.count == 1 else {
                        preconditionFailure("a part of an extent fits into one")
                    }
                    for (i, row) in kept.enumerated() { places[row] = RowPlace(extent: target.id, row: i) }
                    try db.execute(
                        sql: """
                            INSERT INTO outbox (sink, extent, checksum)
                            SELECT sink, ?1, checksum_of(sink, ?1) FROM outbox WHERE extent = ?2
                            """, arguments: [target.id, info.id])
                }
                moved[info.id] = places
            }
            try Self.deleteExtents(chosen.map(\.0.id), now: now, db)
            try Self.movePlaces(moved, db)
        }
        return removal
    }

    private func selection(from table: String, _ isGone: (Batch) throws -> [Bool], _ removal: inout Removal) throws
        -> [(ExtentInfo, [Bool])]
    {
        guard let schema = try schemas()[table] else {
            throw WorkspaceError(
                "there is no table \(table)", next: "see which there are with: vestige status --tables")
        }
        var chosen: [(ExtentInfo, [Bool])] = []
        for info in try extents(of: table, matching: []) {
            let batch = extent(info, schema: schema, table: table)
            let mask = try isGone(batch)
            precondition(mask.count == info.rows, "every row is judged")
            let count = mask.count { $0 }
            guard count > 0 else { continue }
            chosen.append((info, mask))
            removal.rows += count
            removal.bytes += try storedBytes(of: info.id)
            if let times = try batch.column(named: "TimeGenerated"), times.type == .datetime {
                for (row, goes) in mask.enumerated() where goes {
                    if case .datetime(let ticks) = times[row] { removal.include(low: ticks, high: ticks) }
                }
            }
        }
        return chosen
    }

    private func storedBytes(of extent: Int64) throws -> Int {
        try read {
            try Int.fetchOne(
                $0, sql: "SELECT coalesce(sum(length(data)), 0) FROM segments WHERE extent = ?", arguments: [extent])
                ?? 0
        }
    }

    /// A transaction in which what is deleted is overwritten (https://www.sqlite.org/pragma.html#pragma_secure_delete),
    /// and behind which
    /// the journal holds nothing of it.
    func writeOver(_ body: (Database) throws -> Void) throws {
        try writeAlone { db in
            try db.execute(sql: "PRAGMA secure_delete = ON")
            defer { try? db.execute(sql: "PRAGMA secure_delete = OFF") }
            try db.inTransaction(.immediate) {
                try body(db)
                return .commit
            }
            try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    /// Drops extents, with their columns and filters. A number that an extent had is never given to another one, since
    /// the state of
    /// sources knows rows by it.
    static func deleteExtents(_ ids: [Int64], now: Int64, _ db: Database) throws {
        let top = try Int64.fetchOne(db, sql: "SELECT max(id) FROM extents") ?? 0
        for id in ids {
            try db.execute(sql: "DELETE FROM outbox WHERE extent = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM extents WHERE id = ?", arguments: [id])
        }
        let left = try Int64.fetchOne(db, sql: "SELECT max(id) FROM extents") ?? 0
        if left < top {
            try db.execute(
                sql:
                    """
                    INSERT INTO extents (id, table_name, rows, created, run, columns)
                    VALUES (?, ?, 0, ?, 'removed', 0)
                    """,
                arguments: [top, removedTable, now])
            try RowChecksums.extents.seal(db, where: "id = ?", arguments: [top])
        }
        try db.execute(
            sql: "DELETE FROM extents WHERE table_name = ? AND id < (SELECT max(id) FROM extents)",
            arguments: [removedTable])
    }

    /// Under which an extent without rows keeps the highest number.
    private static let removedTable = stagingPrefix + "removed"

    /// Tells the state of sources where rows are now.
    private static func movePlaces(_ moved: [Int64: [RowPlace]], _ db: Database) throws {
        for (name, checksums) in [("state", RowChecksums.state), ("staged", RowChecksums.staged)] {
            let rows = try Row.fetchAll(
                db, sql: "SELECT source, bucket, entries FROM \(name) WHERE entries IS NOT NULL")
            for row in rows {
                let (source, bucket): (String, Int64) = (try row.stored("source"), try row.stored("bucket"))
                let bytes: Data = try row.stored("entries")
                var entries = bytes.withUnsafeBytes { StateBucket.entries($0) }
                var isChanged = false
                for i in entries.indices {
                    let place = entries[i].place
                    guard let places = moved[place.extent], place.row < places.count else { continue }
                    entries[i].place = places[place.row]
                    isChanged = true
                }
                guard isChanged else { continue }
                try db.execute(
                    sql: "UPDATE \(name) SET entries = ? WHERE source = ? AND bucket = ?",
                    arguments: [StateBucket.data(entries), source, bucket])
                try checksums.seal(db, where: "source = ? AND bucket = ?", arguments: [source, bucket])
            }
        }
    }

    /// Gives the space of what was removed back to the disk: the file is written anew.
    ///
    /// - Returns: bytes of the file before and after.
    package func compact() throws(WorkspaceError) -> (before: Int, after: Int) {
        let before = sizeBytes
        do {
            try writeAlone { db in
                try db.execute(sql: "VACUUM")
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        } catch { throw WorkspaceError.wrap(error, path: path) }
        return (before, sizeBytes)
    }

    /// Bytes of the file that hold nothing, and bytes of rows that came since a time.
    package func growth(since: Int64) throws(WorkspaceError) -> (free: Int, added: Int) {
        try read { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            let added =
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT coalesce(sum(length(s.data)), 0) FROM segments s JOIN extents e ON e.id = s.extent
                        WHERE e.created >= ?
                        """, arguments: [since]) ?? 0
            return (pages * size, added)
        }
    }
}
