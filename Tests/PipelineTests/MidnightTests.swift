import KQLEngine
import Lab
import Pipeline
import Tables
import TestKit
import Testing

/// A lab tells the same whatever the hour is, so that no test depends on when it runs.
@Suite struct MidnightTests {
    private static let midnight: Int64 = 639_079_200_000_000_000
    private static let minute = 60 * DateTime.ticksPerSecond

    @Test func aDayOfTheLabEndsWhenItIsAdvanced() {
        let clock = LabClock(standing: Self.midnight - Self.minute)
        let day = clock.midnight
        #expect(day == Self.midnight - DateTime.ticksPerDay)
        clock.advance(hours: 1)
        #expect(clock.now > Self.midnight && clock.midnight == day && clock.day == 0)
        clock.advance(days: 1)
        #expect(clock.midnight == Self.midnight && clock.midnight <= clock.now)
        #expect(LabClock(startDaysAgo: 3, standing: Self.midnight).midnight == Self.midnight - 3 * DateTime.ticksPerDay)
    }

    @Test(arguments: [1, 17, 23 * 60 + 59] as [Int64])
    func stateIsTheSameAfterMidnight(_ minutes: Int64) async throws {
        try await RunningLab.use(devices: 30, otDevices: 10, standing: Self.midnight + minutes * Self.minute) { lab in
            // A delta tells of nothing on the first day.
            lab.lab.clock.advance(days: 1)
            let rig = try await Rig(lab)
            let collector = Collector(workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks) {
                lab.lab.clock.now
            }
            let first = await collector.run(rig.connections.endpoints)
            #expect(first.failures.map(\.rendered) == [])
            let changes = first.sources.first { $0.source == "mde-vulnerability-changes" }
            #expect((changes?.counts.read ?? 0) > 0, "a delta is there at any hour")
            lab.lab.clock.advance(hours: 2)
            let second = await collector.run(rig.connections.endpoints)
            #expect(second.failures.map(\.rendered) == [])
            let states = Set(rig.library.tables.values.filter { $0.kind == .state }.map(\.name))
            for source in second.sources where states.contains(source.table) {
                #expect(source.counts.kept == 0, "\(source.source)")
            }
            let late = try rig.query(
                """
                DeviceTvmSecureConfigurationAssessment
                | where Timestamp > datetime(\(DateTime.format(lab.lab.clock.now)))
                """)
            #expect(late.isEmpty, "nothing was assessed in the future")
        }
    }
}
