import Foundation
import GRDB
import Tables

/// Times that a wrong clock wrote. The order of rows by `TimeGenerated` is the order of runs, whatever the clock did in between
/// (docs/adr, "The order of runs is the order of rows").
extension Workspace {
    /// The column under which an extent keeps what a wrong clock said; no table shows it.
    private static let saidColumn = "~TimeGenerated"
    private static let timeColumn = "TimeGenerated"

    /// Compares the clock with what was written before. When the clock was ahead then, what it wrote is moved to just before `now`,
    /// in one transaction; what it said is kept beside.
    ///
    /// - Parameter now: ticks.
    package func correctClock(now: Int64) throws(WorkspaceError) -> ClockState {
        let newest = try read { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(coalesce((SELECT max(created) FROM extents), 0), coalesce((SELECT max(started) FROM runs), 0))
                    """) ?? 0
        }
        guard newest > now + ClockJudgement.tolerance else { return .right }
        return try write { db in
            let times = try Int64.fetchAll(
                db, sql: "SELECT created AS t FROM extents UNION SELECT started FROM runs ORDER BY t")
            guard ClockJudgement.wasAhead(times, now: now) else { return .behind(newest - now) }
            return .corrected(try Self.correct(ClockJudgement.corrected(times, now: now), now: now, db))
        }
    }

    private static func correct(_ places: [Int64: Int64], now: Int64, _ db: Database) throws -> ClockCorrection {
        let future = try Row.fetchAll(
            db, sql: "SELECT id, rows, time_low, time_high, created FROM extents WHERE created > ?", arguments: [now])
        var rows = 0
        for row in future {
            let (id, created): (Int64, Int64) = (try row.stored("id"), try row.stored("created"))
            let count: Int = try row.stored("rows")
            guard let place = places[created] else { continue }
            let low: Int64? = try row.storedIfAny("time_low")
            // Rows of an import may have times of their own, which this clock did not write.
            if low == created, try row.storedIfAny("time_high") == created {
                rows += count
                try move(id, rows: count, from: created, to: place, db)
            }
            try db.execute(sql: "UPDATE extents SET created = ? WHERE id = ?", arguments: [place, id])
            try RowChecksums.extents.seal(db, where: "id = ?", arguments: [id])
        }
        for (time, place) in places {
            try db.execute(
                sql: "UPDATE runs SET started = ?, ended = max(?, ended - ?) WHERE started = ?",
                arguments: [place, place, time - place, time])
        }
        try RowChecksums.runs.seal(db)
        try db.execute(
            sql: "UPDATE deliveries SET last_success = min(last_success, ?1), last_failure = min(last_failure, ?1)",
            arguments: [now])
        try RowChecksums.deliveries.seal(db)
        let correction = ClockCorrection(
            found: now, ahead: (places.keys.max() ?? now) - now, low: places.keys.min() ?? now, extents: future.count,
            rows: rows)
        try db.execute(
            sql: RowChecksums.clock.insertion("OR REPLACE"),
            arguments: [
                correction.found, correction.ahead, correction.low, correction.extents, correction.rows,
            ])
        return correction
    }

    /// Gives the rows of an extent another time.
    private static func move(_ extent: Int64, rows: Int, from said: Int64, to time: Int64, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM segments WHERE extent = ? AND name = ?", arguments: [extent, timeColumn])
        for (name, ticks) in [(timeColumn, time), (saidColumn, said)] {
            let isKept = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM segments WHERE extent = ? AND name = ?)",
                arguments: [extent, name])
            // What the clock said first stays.
            if isKept == true { continue }
            let column = Tables.Column(constant: .datetime(ticks), .datetime, count: rows)
            try insertSegment(column, named: name, of: extent, db)
        }
        try db.execute(
            sql: """
                UPDATE extents SET time_low = ?1, time_high = ?1, columns = iif(columns IS NULL, NULL,
                    (SELECT count(*) FROM segments WHERE extent = ?2)) WHERE id = ?2
                """, arguments: [time, extent])
    }

    /// Every correction, the last first.
    package func clockCorrections() throws(WorkspaceError) -> [ClockCorrection] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM clock ORDER BY found DESC").map { row in
                ClockCorrection(
                    found: try row.stored("found"), ahead: try row.stored("ahead"), low: try row.stored("low"),
                    extents: try row.stored("extents"), rows: try row.stored("rows"))
            }
        }
    }

    /// Rows that were written later than it is now; nil when there are none.
    ///
    /// - Parameter now: ticks.
    package func futureRows(now: Int64) throws(WorkspaceError) -> FutureRows? {
        try read { db in
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) AS n, coalesce(sum(rows), 0) AS rows, max(created) AS last FROM extents
                        WHERE created > ? AND table_name NOT LIKE '~%'
                        """, arguments: [now + ClockJudgement.tolerance]),
                let last: Int64 = try row.storedIfAny("last")
            else { return nil }
            return FutureRows(extents: try row.stored("n"), rows: try row.stored("rows"), ahead: last - now)
        }
    }

    /// When a source's last run began, ticks; nil when none did.
    package func lastStart(of source: String) throws(WorkspaceError) -> Int64? {
        try read {
            try Int64.fetchOne($0, sql: "SELECT max(started) FROM runs WHERE source = ?", arguments: [source])
        }
    }
}
