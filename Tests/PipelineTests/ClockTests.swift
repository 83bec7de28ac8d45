import Foundation
import KQLEngine
import Pipeline
import Synchronization
import Tables
import TestKit
import Testing
import Workspace

/// Collecting with a clock that was wrong for a while.
@Suite(.serialized) struct ClockTests {
    private static let sources = ["mde-machines", "iot-alerts"]
    private static let newest = "MDEMachines_CL | summarize arg_max(TimeGenerated, *) by MachineId"

    /// A clock of a test's own.
    private final class Hand: Sendable {
        private let state: Mutex<Int64>
        init(_ ticks: Int64) { state = Mutex(ticks) }
        var now: Int64 { state.withLock { $0 } }
        func set(_ ticks: Int64) { state.withLock { $0 = ticks } }
    }

    /// - Parameter keyframeDays: 0 for a full copy at every run.
    private func collector(_ rig: Rig, _ hand: Hand, keyframeDays: Int = 7) -> Collector {
        Collector(
            workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks, keyframeDays: keyframeDays
        ) { hand.now }
    }

    @Test func aClockThatWasAheadDecidesNothing() async throws {
        try await RunningLab.use(devices: 12) { lab in
            let rig = try await Rig(lab, only: Self.sources)
            let right = SystemClock.now()
            let hand = Hand(right + 370 * DateTime.ticksPerDay)
            let collector = collector(rig, hand)
            let ahead = await collector.run(rig.connections.endpoints)
            #expect(ahead.failures.map(\.rendered) == [] && ahead.clock == nil)
            // What changed since.
            lab.lab.clock.advance(days: 1)
            hand.set(right)
            let service = CollectService(
                collector: collector, endpoints: rig.connections.endpoints,
                planner: RunPlanner(library: rig.library, schedules: [:]), workspace: rig.workspace, clock: { hand.now }
            ) { _ in }
            #expect(try Set(service.due().map(\.name)) == Set(rig.connections.endpoints.map(\.name)))
            var health = try HealthReport(rig.workspace, rig.library, lab.configuration, now: hand.now)
            #expect(health.clock.lines.first?.contains("370 days ahead") == true, "\(health.clock.lines)")
            #expect(health.sources.allSatisfy { $0.nextRun <= hand.now })
            let report = await collector.run(rig.connections.endpoints)
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.clock?.contains("the clock was 370 days ahead") == true, "\(report.clock ?? "nothing")")
            // The newest state is what the service says now, whoever asks how.
            let truth = try await Rig(
                lab,
                {
                    var c = lab.configuration; c.workspace = lab.folder + "/truth.vestige"; c.sinks = []; return c
                }(),
                only: Self.sources)
            #expect(await truth.run().failures.map(\.rendered) == [])
            let columns =
                " | project MachineId, HealthStatus, RiskScore, ExposureLevel | order by MachineId asc"
            #expect(try rig.query(Self.newest + columns) == truth.query(Self.newest + columns))
            #expect(try rig.query("MachinesAt(now())" + columns) == truth.query(Self.newest + columns))
            #expect(try rig.query("MDEMachines_CL | where TimeGenerated > now() + 1h | count") == [[.long(0)]])
            // Events that were known stay known, and the next runs are in time.
            #expect(
                try rig.query("IoTAlerts_CL | summarize n = count() by AlertId, SensorName | where n > 1 | count") == [
                    [.long(0)]
                ])
            #expect(try service.due().isEmpty)
            health = try HealthReport(rig.workspace, rig.library, lab.configuration, now: hand.now)
            #expect(health.clock.future == nil && health.clock.corrections.count == 1)
            #expect(health.sources.allSatisfy { $0.nextRun > hand.now && $0.lagSeconds == 0 })
            #expect(await collector.run(rig.connections.endpoints).clock == nil)
            await rig.connections.close()
            await truth.connections.close()
        }
    }

    /// A clock that goes back a little, or far while nobody can tell why, leaves the order of rows as that of runs.
    @Test func aClockThatGoesBackLeavesTheOrderOfRuns() async throws {
        try await RunningLab.use(devices: 6) { lab in
            let rig = try await Rig(lab, only: ["mde-machines"])
            let right = SystemClock.now()
            let hand = Hand(right)
            let collector = collector(rig, hand, keyframeDays: 0)
            for day in 0..<4 {
                hand.set(right + Int64(day) * DateTime.ticksPerDay)
                #expect(await collector.run(rig.connections.endpoints).failures.map(\.rendered) == [])
                lab.lab.clock.advance(days: 1)
            }
            for back in [5 * 60 * DateTime.ticksPerSecond, 3 * DateTime.ticksPerDay] {
                hand.set(right + 3 * DateTime.ticksPerDay - back)
                let report = await collector.run(rig.connections.endpoints)
                #expect(report.failures.map(\.rendered) == [])
                #expect((report.clock?.contains("behind the last run") == true) == (back > DateTime.ticksPerDay))
                lab.lab.clock.advance(days: 1)
            }
            let runs = try rig.query(
                "MDEMachines_CL | summarize by TimeGenerated | order by TimeGenerated asc | project d = tolong((TimeGenerated - prev(TimeGenerated)) / 1tick)"
            ).compactMap { $0[0].longValue }
            #expect(runs.count == 5 && runs.allSatisfy { $0 > 0 })
            #expect(runs.suffix(2) == [1, 1], "\(runs)")
            // Due again after a rest, and not every few seconds.
            let service = CollectService(
                collector: collector, endpoints: rig.connections.endpoints,
                planner: RunPlanner(library: rig.library, schedules: [:]), workspace: rig.workspace, clock: { hand.now }
            ) { _ in }
            #expect(try service.due().count == 1)
            await rig.connections.close()
        }
    }
}
