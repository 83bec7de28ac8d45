import Content
import Forensics
import Tables
import TestKit
import Testing
import Workspace

/// What the schedule remembers of hunts.
@Suite struct HuntRunnerTests {
    private func hunt(_ slug: String) throws -> HuntDefinition {
        try #require(Estate.library.hunts.first { $0.slug == slug })
    }

    /// A run tells only what the one before it did not have; what went and came back is new again.
    @Test func onlyNewRowsAreNew() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w.vestige")
        let tampering = try hunt("di-tampering")
        var estate = Estate()
        var now = Estate.time("2026-09-01T12:00:00Z")
        func run() throws -> HuntRunner.Answer {
            now += 864_000_000_000
            return try HuntRunner(estate.tables, clock: { now }).run(tampering, remembering: workspace)
        }
        let silent = try run()
        #expect(silent.table == nil && silent.run.problem == "no rows of DeviceEvents")
        for (device, count) in [("d1", 1), ("d2", 2)] {
            estate.add("DeviceEvents", ["DeviceId": device, "ActionType": "TamperingAttempt"], at: "2026-09-01T10:00")
            let answer = try run()
            #expect(answer.run.rows == count && answer.run.new == 1 && answer.run.problem == nil)
            #expect(answer.new == [count - 1])
        }
        let same = try run()
        #expect(same.run == HuntRun(time: now, rows: 2, new: 0) && same.new == [])
        #expect(try HuntRunner.runs(in: workspace) == ["di-tampering": same.run])
        #expect(try run().run.new == 0)
    }

    @Test func dueIsWhatHasNotRunForTheTime() throws {
        let hunts = [try hunt("di-tampering"), try hunt("ca-ntds"), try hunt("im-note"), try hunt("ds-burst")]
        let now = Estate.time("2026-09-02T12:00:00Z")
        func run(_ time: String) -> HuntRun { HuntRun(time: Estate.time(time), rows: 0, new: 0) }
        let runs = [
            "di-tampering": run("2026-09-02T11:01:00Z"), "ca-ntds": run("2026-09-02T11:00:00Z"),
            // A clock that was put back since.
            "im-note": run("2026-09-09T00:00:00Z"),
        ]
        let due = HuntRunner.due(hunts, runs, frequency: 36_000_000_000, now: now)
        #expect(due.map(\.slug) == ["ca-ntds", "im-note", "ds-burst"])
    }
}
