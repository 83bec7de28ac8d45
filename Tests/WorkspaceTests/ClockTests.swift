import Foundation
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

/// Clocks that were wrong: which one was, and what becomes of what it wrote.
@Suite struct ClockTests {
    private static let day = DateTime.ticksPerDay
    private static let start = DateTime.parse("2026-11-01") ?? 0
    private static let schema = Schema([("TimeGenerated", .datetime), ("key", .string), ("state", .string)])

    private static func days(_ numbers: Double...) -> [Int64] { numbers.map { start + Int64($0 * Double(day)) } }

    @Test func aLeapTellsAClockThatWasAhead() {
        func wasAhead(_ times: [Int64], _ now: Double) -> Bool {
            ClockJudgement.wasAhead(times, now: Self.days(now)[0])
        }
        // A year ahead: at the first run of all, after some days, for some days.
        #expect(wasAhead(Self.days(370), 0.1))
        #expect(wasAhead(Self.days(0, 1, 2, 373), 4))
        #expect(wasAhead(Self.days(0, 1, 2, 373, 374, 375), 6))
        // A history without leaps, of which half has not come yet by this clock: it is behind now.
        #expect(!wasAhead(Self.days(0, 1, 2, 3, 4, 5, 6, 7), 3.5))
        #expect(!wasAhead(Self.days(0, 7, 14, 21, 28, 35), 15))
        // Nothing is later than it is; and a clock that says a time before this program was written is the one that is wrong.
        #expect(!wasAhead(Self.days(0, 1), 2))
        #expect(!wasAhead(Self.days(0, 1, 2), -8_000))
        #expect(!wasAhead([], 0))
    }

    private static func write(_ workspace: Workspace, _ state: String, at time: Int64) throws {
        let source = "src"
        let batch = Batch(schema: schema, rows: [[.datetime(time), .string("k"), .string(state)]])
        try workspace.stage(batch, of: source, started: time, progress: "{}") { _ in [] }
        let record = RunRecord(
            id: "run at \(time)", source: source, started: time, ended: time + 1, rowsRead: 1, rowsChanged: 1, bytes: 1,
            error: nil)
        try workspace.publish(record, to: "T", checkpoint: "{}", sinks: [])
    }

    private static func query(_ workspace: Workspace, _ text: String) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(text).primary.rows()
    }

    @Test func whatAnAheadClockWroteTakesItsPlace() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w")
        try workspace.declare("T", Self.schema)
        try workspace.declare("Imported", Self.schema)
        let times = Self.days(0, 1, 372, 373)
        for (time, state) in zip(times, ["a", "b", "c", "d"]) { try Self.write(workspace, state, at: time) }
        // An import of those days keeps the times that its rows came with.
        let own = Batch(schema: Self.schema, rows: [[.datetime(Self.days(-3)[0]), .string("k"), .string("own")]])
        try workspace.append(own, to: "Imported", run: "import", now: times[3])
        try workspace.noteDelivery(to: "s", rows: 1, bytes: 1, refused: 0, error: nil, now: times[3])
        let now = Self.days(3)[0]
        #expect(try workspace.futureRows(now: now)?.rows == 3)
        let correction = ClockCorrection(
            found: now, ahead: times[3] - now, low: times[2], extents: 3, rows: 2)
        #expect(try workspace.correctClock(now: now) == .corrected(correction))
        #expect(try workspace.clockCorrections() == [correction])
        try Self.write(workspace, "e", at: now)
        #expect(
            try Self.query(workspace, "T | order by TimeGenerated asc | project TimeGenerated, state") == [
                [.datetime(times[0]), .string("a")], [.datetime(times[1]), .string("b")],
                [.datetime(now - Self.day - 1), .string("c")], [.datetime(now - 1), .string("d")],
                [.datetime(now), .string("e")],
            ])
        #expect(
            try Self.query(workspace, "T | summarize arg_max(TimeGenerated, *) by key | project state") == [
                [.string("e")]
            ])
        #expect(
            try Self.query(workspace, "T | where TimeGenerated > datetime(2027-01-01) | count") == [[.long(0)]])
        #expect(try Self.query(workspace, "Imported | project TimeGenerated") == [[.datetime(Self.days(-3)[0])]])
        #expect(try workspace.futureRows(now: now) == nil)
        #expect(try workspace.lastStart(of: "src") == now)
        #expect(try workspace.deliveryTotals()["s"]?.lastSuccess == now)
        // Once is enough, and the file is whole.
        #expect(try workspace.correctClock(now: now) == .right)
        #expect(try workspace.verify().damage.isEmpty)
    }

    @Test func aClockThatIsBehindMovesNothing() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w")
        try workspace.declare("T", Self.schema)
        let times = Self.days(0, 1, 2, 3, 4, 5)
        for time in times { try Self.write(workspace, "x", at: time) }
        #expect(try workspace.correctClock(now: times[2] + 5) == .behind(times[5] - times[2] - 5))
        #expect(try Self.query(workspace, "T | summarize max(TimeGenerated)") == [[.datetime(times[5])]])
        // A few minutes are no matter.
        #expect(try workspace.correctClock(now: times[5] - 5 * 60 * DateTime.ticksPerSecond) == .right)
    }
}
