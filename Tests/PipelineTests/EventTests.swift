import Azure
import Content
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Events by windows of time: none is missed, whatever an answer has room for and whenever events arrive.
@Suite(.serialized) struct EventTests {
    private static let standing: Int64 = 639_079_200_000_000_000
    private static let hour = 3_600 * DateTime.ticksPerSecond
    private static let query =
        "DeviceProcessEvents | order by DeviceId asc, Timestamp asc | project DeviceId, Timestamp, ReportId, ProcessCommandLine, SHA256"

    /// A rig over one source of events.
    private static func rig(
        _ lab: RunningLab, _ name: String, devices: [String] = [], range: Range<Int64>? = nil,
        source: String = "mde-process-events"
    ) async throws -> Rig {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        configuration.investigation.sources = [source]
        configuration.investigation.devices = devices
        var choice = SourceEndpoint.Choice()
        (choice.devices, choice.range) = (devices, range)
        return try await Rig(lab, configuration, only: [source], choice: range == nil ? nil : choice)
    }

    @Test func fullAnswersAreAskedForAgainInHalvesAndLateEventsCome() async throws {
        try await RunningLab.use(devices: 12, standing: Self.standing, huntingRowsMax: 60) { lab in
            let rig = try await Self.rig(lab, "events")
            let start = lab.lab.clock.now - 24 * Self.hour
            var pages = 0
            for _ in 0..<4 {
                let report = await rig.run()
                #expect(report.failures.map(\.rendered) == [])
                pages += report.sources[0].pages
                lab.lab.clock.advance(hours: 2)
            }
            // Many answers, none of them full.
            #expect(pages > 8)
            // What arrives late was there when the last run looked.
            let settled = lab.lab.clock.now - 3 * Self.hour
            let truth = try await Self.rig(lab, "truth", range: start..<settled)
            #expect((await truth.run()).failures.map(\.rendered) == [])
            let expected = try truth.query(Self.query)
            let found = try rig.query(
                Self.query.replacing(
                    "| order", with: "| where Timestamp < datetime(\(DateTime.format(settled))) | order"))
            #expect(expected.count > 200)
            #expect(found == expected)
            // Nothing twice, and times to the last tick.
            #expect(
                try rig.query(
                    "DeviceProcessEvents | summarize n = count() by DeviceId, Timestamp, ReportId | where n > 1"
                ).isEmpty)
            #expect(
                try rig.query("DeviceProcessEvents | where datetime_part('nanosecond', Timestamp) % 1000 != 0 | count")[
                    0][0] != .long(0))
            await rig.connections.close()
            await truth.connections.close()
        }
    }

    @Test func onlyChosenDevicesAreAskedAbout() async throws {
        try await RunningLab.use(devices: 12, standing: Self.standing) { lab in
            let machines = try await Rig(lab, only: ["mde-machines"])
            #expect((await machines.run()).failures.map(\.rendered) == [])
            let all = try machines.query(
                "MDEMachines_CL | where OnboardingStatus == 'Onboarded' | project MachineId, ComputerDnsName | order by MachineId asc"
            )
            let (first, second) = (all[0], all[1])
            // By its id, and by the first part of its name in capitals.
            let short = second[1].text.prefix { $0 != "." }.uppercased()
            let rig = try await Self.rig(lab, "chosen", devices: [first[0].text, short])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(
                try rig.query("DeviceProcessEvents | distinct DeviceId | order by DeviceId asc").map { $0[0] } == [
                    first[0], second[0],
                ])
            await rig.connections.close()
            await machines.connections.close()
        }
    }

    @Test func aTimeThatSomebodyChoseLeavesTheRegularReadingAlone() async throws {
        try await RunningLab.use(devices: 6, standing: Self.standing) { lab in
            let regular = try await Self.rig(lab, "both")
            #expect((await regular.run()).failures.map(\.rendered) == [])
            let now = lab.lab.clock.now
            let old = try await Self.rig(lab, "both", range: now - 240 * Self.hour..<now - 216 * Self.hour)
            lab.lab.clock.advance(hours: 5)
            #expect((await old.run()).failures.map(\.rendered) == [])
            #expect((await regular.run()).failures.map(\.rendered) == [])
            let hours = try regular.query(
                "DeviceProcessEvents | summarize by bin(Timestamp, 1d), Recent = Timestamp > datetime(\(DateTime.format(now - 24 * Self.hour)))"
            )
            #expect(hours.count >= 3)
            // The five hours since were read by the regular run, though another ran between.
            #expect(
                try regular.query("DeviceProcessEvents | where Timestamp >= datetime(\(DateTime.format(now))) | count")[
                    0][0] != .long(0))
            await regular.connections.close()
            await old.connections.close()
        }
    }

    @Test func aWindowThatFailsIsReadAgainByTheNextRun() async throws {
        try await RunningLab.use(devices: 12, standing: Self.standing, huntingRowsMax: 60) { lab in
            let rig = try await Self.rig(lab, "rough")
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"runHuntingQuery","after":6,"times":3,"status":503,"retryAfter":0}"#)
            let rough = await rig.run()
            #expect(rough.failures.count == 1)
            #expect(rough.sources[0].counts.added > 0)
            #expect((await rig.run()).failures.map(\.rendered) == [])
            let now = lab.lab.clock.now
            let truth = try await Self.rig(lab, "truth", range: now - 24 * Self.hour..<now)
            #expect((await truth.run()).failures.map(\.rendered) == [])
            #expect(try rig.query(Self.query) == truth.query(Self.query))
            await rig.connections.close()
            await truth.connections.close()
        }
    }

    @Test(arguments: [
        "mde-network-events", "mde-file-events", "mde-registry-events", "mde-logon-events", "mde-image-load-events",
        "mde-device-events",
        "mde-file-certificate-info", "mde-alert-info", "mde-alert-evidence",
    ])
    func everyTableOfEventsIsRead(source: String) async throws {
        try await RunningLab.use(devices: 60, standing: Self.standing) { lab in
            let now = lab.lab.clock.now
            let rig = try await Self.rig(lab, "one", range: now - 48 * Self.hour..<now, source: source)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].notes == [])
            #expect(report.sources[0].counts.added > 0)
            #expect(report.sources[0].counts.added == report.sources[0].counts.read)
            await rig.connections.close()
        }
    }
}
