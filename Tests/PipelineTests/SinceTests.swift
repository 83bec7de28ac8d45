import Content
import Pipeline
import Tables
import TestKit
import Testing

/// Calls that ask for what is new, and the bounds of how far back a service goes.
@Suite(.serialized) struct SinceTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func rig(_ lab: RunningLab, _ name: String, _ only: [String]) async throws -> Rig {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        configuration.managers = [configuration.sensors[0]]
        configuration.managers[0].name = "console"
        return try await Rig(lab, configuration, only: only)
    }

    /// The queries of the calls of a path that a run sends.
    private static func calls(_ lab: RunningLab, _ path: String, _ body: () async throws -> Void) async throws
        -> [String]
    {
        let before = lab.lab.requests.count
        try await body()
        return lab.lab.requests.dropFirst(before).filter { $0.contains(path) }
    }

    @Test func alertsAreAskedForSinceTheLastChange() async throws {
        try await RunningLab.use(devices: 200, otDevices: 3, tokenLifetime: 10_000_000, standing: Self.standing) {
            lab in
            let rig = try await Self.rig(lab, "alerts", ["mde-alerts"])
            let first = try await Self.calls(lab, "/api/alerts") {
                #expect((await rig.run()).failures.map(\.rendered) == [])
            }
            #expect(first.count == 1 && !first[0].contains("$filter"))
            let all = try rig.query("MDEAlerts_CL | count")[0][0].longValue ?? 0
            #expect(all > 0)
            lab.lab.clock.advance(days: 1)
            let second = try await Self.calls(lab, "/api/alerts") {
                #expect((await rig.run()).failures.map(\.rendered) == [])
            }
            // From the last change by the service's own clock, the day's beginning, with an hour before it.
            #expect(
                second.count == 1 && second[0].contains("$filter=lastUpdateTime ge 2026-02-28T23:00:00Z"), "\(second)")
            // What does not come is not gone.
            #expect(try rig.query("MDEAlerts_CL | where ChangeType == 'Removed' | count") == [[.long(0)]])
            lab.lab.clock.advance(days: 1)
            #expect((await rig.run()).failures.map(\.rendered) == [])
            // An old alert that changed comes as a change.
            #expect(
                try rig.query("MDEAlerts_CL | where ChangeType == 'Changed' and Status == 'Resolved' | count")[0][0]
                    .longValue ?? 0 > 0)
            // With the keyframe everything is read, and is the truth.
            lab.lab.clock.advance(days: 6)
            let full = try await Self.calls(lab, "/api/alerts") {
                #expect((await rig.run()).failures.map(\.rendered) == [])
            }
            #expect(!full[0].contains("$filter"))
            let truth = try await Self.rig(lab, "truth", ["mde-alerts"])
            #expect((await truth.run()).failures.map(\.rendered) == [])
            let latest = """
                MDEAlerts_CL | summarize arg_max(TimeGenerated, Status, LastUpdateTime, ChangeType) by AlertId
                | where ChangeType != 'Removed' | project AlertId, Status, LastUpdateTime | order by AlertId asc
                """
            #expect(try rig.query(latest) == truth.query(latest))
        }
    }

    @Test(arguments: [("iot-alerts", "/api/v1/alerts"), ("iot-manager-alerts", "/external/v2/alerts")])
    func plantAlertsAreAskedForSinceTheLastOne(_ source: String, _ path: String) async throws {
        try await RunningLab.use(devices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, "plant", [source])
            let first = try await Self.calls(lab, path) { _ = await rig.run() }
            #expect(first.count == 1 && !first[0].contains("fromTime"))
            lab.lab.clock.advance(hours: 5)
            let second = try await Self.calls(lab, path) {
                #expect((await rig.run()).failures.map(\.rendered) == [])
            }
            #expect(second.count == 1 && second[0].contains("fromTime="))
            // Nothing twice and nothing missed, after a day and after weeks.
            for days in [1, 20, 40] {
                lab.lab.clock.advance(days: days)
                #expect((await rig.run()).failures.map(\.rendered) == [])
            }
            #expect(
                try rig.query("IoTAlerts_CL | summarize n = count() by SensorName, AlertId, AlertTime | where n > 1")
                    == [])
        }
    }

    /// Days off, and whether rows of the delta are out of reach then.
    @Test(arguments: [(1, false), (13, false), (15, true), (31, true), (400, true)])
    func aDeltaGoesOnFromTheVendorsBound(_ days: Int, _ hasGap: Bool) async throws {
        try await RunningLab.use(devices: 6, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, "delta", ["mde-vulnerability-changes"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            let began = lab.lab.clock.now
            lab.lab.clock.advance(days: days)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            let gaps = report.sources[0].gaps
            #expect(gaps.isEmpty != hasGap)
            if hasGap {
                #expect(gaps[0].from == began)
                let bound = lab.lab.clock.now - 14 * DateTime.ticksPerDay
                #expect(gaps[0].to >= bound && gaps[0].to <= bound + 2 * 3_600 * DateTime.ticksPerSecond)
                #expect(report.sources[0].notes.contains { $0.contains("goes back 14 days only") })
            }
            let history = try #require(try rig.workspace.runHistories().first)
            #expect(history.gaps == (hasGap ? 1 : 0))
            // The next run has nothing to catch up with.
            lab.lab.clock.advance(hours: 6)
            #expect((await rig.run()).sources[0].gaps == [])
        }
    }

    /// Every source that is shipped goes on by itself, however long it was off.
    @Test(arguments: [1, 15, 31, 400]) func everySourceHealsByItself(_ days: Int) async throws {
        try await RunningLab.use(devices: 8, otDevices: 5, standing: Self.standing, configure: { $0.eventsPerDay = 2 })
        {
            lab in
            var configuration = lab.configuration
            configuration.sinks = []
            configuration.managers = [configuration.sensors[0]]
            configuration.managers[0].name = "console"
            configuration.tenant?.subscriptions = []
            configuration.tenant?.managementHost = lab.cloud
            // Lists that run on demand have a place, so that nothing is asked of their publishers.
            configuration.feeds["cve-records"] = "\(lab.cloud)/feeds/cves.json"
            configuration.feeds["vex-statements"] = "\(lab.cloud)/feeds/vex/lab.json"
            let library = Repository.library()
            let machines = try await Rig(lab, configuration, only: ["mde-machines"])
            _ = await machines.run()
            let device = try machines.query(
                "MDEMachines_CL | where OSPlatform startswith 'Windows' | take 1 | project MachineId")
            configuration.investigation.devices = device.map { $0[0].text }
            let rig = try await Rig(lab, configuration, only: library.sources.map(\.id))
            let first = await rig.run()
            #expect(first.failures.map(\.rendered) == [])
            #expect(first.sources.count == library.sources.count)
            lab.lab.clock.advance(days: days)
            let second = await rig.run()
            #expect(second.failures.map(\.rendered) == [])
            // What has a bound and was off for longer says so; nothing else does.
            for outcome in second.sources {
                let id = String(outcome.source.prefix { $0 != "@" })
                let source = try #require(library.sources.first { $0.id == id })
                let isBeyond = source.lookbackMax.map { $0 < days * 86_400 } ?? false
                if isBeyond { #expect(!outcome.gaps.isEmpty, "\(id)") }
                if !isBeyond, !outcome.gaps.isEmpty {
                    // An answer with the latest rows only may be full of news.
                    guard case .sensor(let call) = source.request, call.cap != nil else {
                        Issue.record("\(id) has a gap after \(days) days")
                        continue
                    }
                }
            }
        }
    }

    @Test func everySourceWithALimitedReachSaysSo() {
        let bounded = Repository.library().sources.filter { $0.lookbackMax != nil }
        let windows = Repository.library().sources.filter { $0.window != nil }
        #expect(windows.allSatisfy { $0.lookbackMax == 30 * 86_400 })
        #expect(Set(bounded.map(\.id)).isSuperset(of: ["mde-vulnerability-changes", "iot-events", "nvd-modified"]))
        for source in Repository.library().sources {
            guard let first = source.since?.first, let bound = source.lookbackMax else { continue }
            #expect(first < bound, "\(source.id)")
        }
    }
}
