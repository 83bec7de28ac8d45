import Foundation
import GRDB
import KQLEngine
import Tables

/// Which rows of a table are past their time.
package struct ExpiryRule: Sendable {
    package let table: String
    /// Ticks: rows observed before it may go.
    package let before: Int64
    /// Columns that tell one thing from another, for a table of states: what was true at `before` stays. Nil for
    /// events.
    package let key: [String]?

    package init(table: String, before: Int64, key: [String]?) {
        self.table = table
        self.before = before
        self.key = key
    }
}

extension Workspace {
    /// A group of rows that may go as a whole.
    private struct Candidate {
        let info: ExtentInfo
        let low: Int64
        let high: Int64
        /// Whether a sink has still to get it.
        let waits: Bool
    }

    /// Removes what is past its time, extent by extent: rows go when all that were stored with them may.
    ///
    /// Of a table of states, the last row of each thing before the time stays, with what was stored with it, so that
    /// "as of" answers
    /// for every time from `rule.before` on as it did before. What a sink has still to get stays, and so does all under
    /// a hold.
    ///
    /// - Parameters:
    ///   - isOwn: says whether rows of a source's run are meant, by the source's name; nil for rows of no run, as of
    ///   imports.
    ///   - isTrial: whether rows are counted only.
    ///   - now: ticks.
    package func expire(
        _ rule: ExpiryRule, isTrial: Bool, now: Int64, isOwn: (String?) -> Bool = { _ in true }
    ) throws -> Removal {
        var removal = Removal(table: rule.table)
        if try holds().contains(where: { $0.covers(rule.table) }) { return removal }
        let all = try candidates(of: rule.table, isOwn)
        var expired = all.filter { $0.high < rule.before && !$0.waits }
        if let key = rule.key { expired = try withoutLast(expired, of: all, rule, key) }
        guard !expired.isEmpty else { return removal }
        for candidate in expired {
            removal.rows += candidate.info.rows
            removal.include(low: candidate.low, high: candidate.high)
        }
        removal.bytes = try read { db in
            try expired.reduce(0) { sum, candidate in
                sum
                    + (try Int.fetchOne(
                        db, sql: "SELECT sum(length(data)) FROM segments WHERE extent = ?",
                        arguments: [candidate.info.id]) ?? 0)
            }
        }
        if !isTrial {
            try writeOver { db in
                try Self.refuseHeld(rule.table, db)
                try Self.deleteExtents(expired.map(\.info.id), now: now, db)
            }
        }
        return removal
    }

    /// Extents whose times are known.
    private func candidates(of table: String, _ isOwn: (String?) -> Bool) throws -> [Candidate] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT e.id, e.rows, e.time_low, e.time_high, r.source,
                        EXISTS (SELECT 1 FROM outbox o WHERE o.extent = e.id) AS waits
                    FROM extents e LEFT JOIN runs r ON r.id = e.run
                    WHERE e.table_name = ? AND e.time_high IS NOT NULL AND e.time_low IS NOT NULL
                    """, arguments: [table])
            return try rows.compactMap { row in
                guard isOwn(try row.storedIfAny("source")) else { return nil }
                return Candidate(
                    info: ExtentInfo(id: try row.stored("id"), rows: try row.stored("rows")),
                    low: try row.stored("time_low"), high: try row.stored("time_high"), waits: try row.stored("waits"))
            }
        }
    }

    /// The extents that hold no thing's last row before the time, nor the word that one is gone whose earlier rows
    /// stay.
    private func withoutLast(
        _ expired: [Candidate], of all: [Candidate], _ rule: ExpiryRule, _ key: [String]
    ) throws -> [Candidate] {
        guard let stored = try schemas()[rule.table] else { return [] }
        let names = ["SourceName"] + key
        let wanted = names + ["TimeGenerated", "ChangeType"]
        let schema = Schema(wanted.compactMap { name in stored.index(of: name).map { stored[$0] } })
        guard schema.count == wanted.count else { return [] }
        let digests = RowDigests(key: digestKey)
        /// By thing: when it was seen last before the time, in which extent, and whether it was gone then.
        var last: [RowDigest: (time: Int64, extent: Int64, isGone: Bool)] = [:]
        /// Calls `body` with each row of before the time.
        func eachRow(_ body: (RowDigest, Int64, Bool, Int64) -> Void) throws {
            for candidate in all where candidate.low < rule.before {
                let batch = extent(candidate.info, schema: schema, table: rule.table)
                let things = try digests(of: batch, columns: names)
                let (times, kinds) = (try batch.column(schema.count - 2), try batch.column(schema.count - 1))
                for row in 0..<batch.count {
                    guard case .datetime(let time) = times[row], time < rule.before else { continue }
                    body(things[row], time, kinds[row] == .string("Removed"), candidate.info.id)
                }
            }
        }
        try eachRow { thing, time, isGone, extent in
            if let known = last[thing], known.time >= time { return }
            last[thing] = (time, extent, isGone)
        }
        let gone = last.filter(\.value.isGone)
        var needed = Set(last.values.filter { !$0.isGone }.map(\.extent))
        needed.formUnion(Set(all.map(\.info.id)).subtracting(expired.map(\.info.id)))
        var places: [RowDigest: Set<Int64>] = [:]
        if !gone.isEmpty {
            try eachRow { thing, _, _, extent in if gone[thing] != nil { places[thing, default: []].insert(extent) } }
        }
        // One extent that stays may hold an earlier row of another thing that is gone.
        while true {
            let more = Set(
                places.compactMap { thing, extents -> Int64? in
                    guard let end = gone[thing]?.extent, !needed.contains(end), !extents.isDisjoint(with: needed) else {
                        return nil
                    }
                    return end
                })
            if more.isEmpty { break }
            needed.formUnion(more)
        }
        return expired.filter { !needed.contains($0.info.id) }
    }
}
