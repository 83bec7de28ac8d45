import Azure
import Content
import Foundation
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Feeds that are asked for in other ways than pages: devices one by one, deltas, management consoles, Resource Graph, monthly lists.
@Suite(.serialized) struct MoreFeedTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func rig(
        _ lab: RunningLab, _ only: [String], devices: [String] = [], _ change: (inout Configuration) -> Void = { _ in }
    ) async throws -> Rig {
        var configuration = lab.configuration
        configuration.sinks = []
        configuration.investigation.devices = devices
        change(&configuration)
        return try await Rig(lab, configuration, only: only)
    }

    private static func withConsole(_ lab: RunningLab, _ configuration: inout Configuration) {
        var console = configuration.sensors[0]
        console.name = "console"
        configuration.managers = [console]
    }

    @Test func usersAndMissingUpdatesOfChosenDevices() async throws {
        try await RunningLab.use(devices: 20, standing: Self.standing) { lab in
            let machines = try await Self.rig(lab, ["mde-machines"])
            #expect((await machines.run()).failures.map(\.rendered) == [])
            let all = try machines.query(
                "MDEMachines_CL | where OSPlatform startswith 'Windows' | project MachineId, ComputerDnsName | order by MachineId asc"
            )
            let sources = ["mde-logon-users", "mde-missing-kbs"]
            let none = try await Self.rig(lab, sources)
            let unasked = await none.run()
            #expect(unasked.failures.count == 2 && unasked.failures.allSatisfy { $0.isConfiguration })
            let unknown = try await Self.rig(lab, sources, devices: ["no-such-device"])
            let refused = await unknown.run()
            #expect(refused.failures.count == 2 && refused.failures.allSatisfy { $0.isConfiguration })
            #expect(refused.failures.map(\.rendered).filter { !$0.contains("no-such-device") } == [])

            let rig = try await Self.rig(
                lab, sources,
                devices: [
                    all[0][0].text, String(all[1][1].text.prefix { $0 != "." }), String(repeating: "0", count: 40),
                ])
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.flatMap(\.notes) == [])
            #expect(
                try rig.query("MDELogonUsers_CL | distinct DeviceId | order by DeviceId asc") == [
                    [all[0][0]], [all[1][0]],
                ])
            let missing = try rig.query("MDEMissingKbs_CL | count")[0][0].longValue ?? 0
            #expect(missing > 0)
            // Only of devices that are asked about something can be gone.
            let fewer = try await Self.rig(lab, sources, devices: [all[0][0].text])
            for _ in 0..<40 {
                lab.lab.clock.advance(days: 1)
                #expect((await fewer.run()).failures.map(\.rendered) == [])
            }
            #expect(
                try fewer.query("MDEMissingKbs_CL | where ChangeType == 'Removed' | distinct DeviceId") == [[all[0][0]]]
            )
            for r in [machines, none, unknown, rig, fewer] { await r.connections.close() }
        }
    }

    @Test func theDeltaTellsWhatWholeSnapshotsTell() async throws {
        try await RunningLab.use(devices: 30, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["mde-vulnerability-changes", "mde-software-vulnerabilities"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            for _ in 0..<5 {
                lab.lab.clock.advance(days: 1)
                lab.lab.clock.advance(hours: 2)
                #expect((await rig.run()).failures.map(\.rendered) == [])
                lab.lab.clock.advance(hours: -2)
            }
            func pairs(_ table: String, _ condition: String) throws -> [String] {
                try rig.query(
                    "\(table) | where \(condition) | distinct DeviceId, CveId | order by DeviceId asc, CveId asc"
                ).map {
                    $0.map(\.text).joined(separator: " ")
                }
            }
            let fixed = try pairs("DeviceVulnerabilityChanges_CL", "ChangeStatus == 'Fixed'")
            #expect(fixed.count > 5)
            #expect(try fixed == pairs("DeviceTvmSoftwareVulnerabilities", "ChangeType == 'Removed'"))
            // A delta that goes back further than its last run tells nothing twice.
            #expect(
                try rig.query(
                    "DeviceVulnerabilityChanges_CL | summarize n = count() by DeviceId, CveId, ChangeStatus, ChangeTime | where n > 1"
                ).isEmpty)
            await rig.connections.close()
        }
    }

    @Test func aManagementConsoleTellsOfAllItsSensors() async throws {
        try await RunningLab.use(devices: 5, otDevices: 1_200, standing: Self.standing) { lab in
            let sources = ["iot-manager-devices", "iot-manager-appliances", "iot-manager-alerts"]
            let rig = try await Self.rig(lab, sources) { Self.withConsole(lab, &$0) }
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.flatMap(\.notes) == [])
            // Three pages of 500 at most, and none is read twice.
            #expect(report.sources.first { $0.source == "iot-manager-devices@console" }?.pages == 3)
            let devices = try rig.query(
                "IoTManagedDevices_CL | summarize count(), dcount(DeviceId), countif(isempty(SiteName) or isempty(ZoneName) or isempty(DeviceType)), countif(array_length(SensorIds) == 2), countif(array_length(MacAddresses) == 1), make_set(ManagerName)"
            )
            #expect(devices[0].map(\.text) == ["1200", "1200", "0", "240", "1200", "[\"console\"]"])
            #expect(
                try rig.query(
                    "IoTAppliances_CL | distinct ApplianceName, ConnectionState, ZoneId | order by ApplianceName asc"
                ).map { $0.map(\.text) } == [
                    ["sensor-1", "SYNCED", "11"], ["sensor-2", "SYNCED", "12"],
                ])
            let alerts = try rig.query(
                "IoTAlerts_CL | summarize count(), countif(isempty(SiteName)), countif(isnotnull(DestinationDeviceId)) by SensorName | order by SensorName asc"
            )
            #expect(
                alerts.map { $0[0].text } == ["sensor-1", "sensor-2"]
                    && alerts.allSatisfy { $0[2] == .long(0) && $0[3] == .long(0) })
            let again = await rig.run()
            #expect(again.failures.map(\.rendered) == [] && again.sources.count == 3)
            #expect(again.sources.allSatisfy { $0.counts.kept == 0 && $0.counts.read > 0 })
            await rig.connections.close()
        }
    }

    @Test func cloudConnectedPlantsAreReadFromResourceGraph() async throws {
        try await RunningLab.use(devices: 5, otDevices: 1_100, standing: Self.standing) { lab in
            let sources = ["iot-cloud-devices", "iot-cloud-sensors", "iot-cloud-alerts"]
            let idle = try await Self.rig(lab, sources)
            #expect(idle.connections.endpoints.isEmpty && idle.connections.idle.sorted() == sources.sorted())
            let rig = try await Self.rig(lab, sources) {
                $0.tenant?.managementHost = lab.cloud
                $0.tenant?.subscriptions = ["6f1d6d6a-0000-4000-8000-1ab000000009"]
            }
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.flatMap(\.notes) == [])
            let devices = try rig.query(
                "IoTCloudDevices_CL | summarize count(), dcount(ResourceId), countif(isempty(SiteName) or isempty(SensorName) or isempty(PurdueLevel)), countif(array_length(MacAddresses) == 1), countif(isnull(LastSeen))"
            )
            #expect(devices[0].map(\.text) == ["1100", "1100", "0", "1100", "0"])
            #expect(
                try rig.query(
                    "IoTCloudSensors_CL | project ResourceKind, SensorName, SiteName, SensorStatus | order by SensorName asc"
                ).map { $0.map(\.text) }
                    == [
                        ["Site", "", "Lisbon", ""], ["Sensor", "sensor-1", "Lisbon", "Ok"],
                        ["Sensor", "sensor-2", "Lisbon", "Ok"],
                    ])
            #expect(
                try rig.query("IoTCloudAlerts_CL | where isnotempty(AlertName) and isnotnull(StartTime) | count")[0][0]
                    == .long(20))
            for r in [idle, rig] { await r.connections.close() }
        }
    }

    @Test func publicListsOfVulnerabilities() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            // The clock stands in March, of which there is nothing yet.
            let rig = try await Self.rig(lab, ["nvd-modified", "msrc-updates"]) {
                $0.feeds["msrc-updates"] = "\(lab.cloud)/feeds/cvrf/{month}"
            }
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            let nvd = try rig.query(
                "NvdVulnerabilities_CL | where CveId == 'CVE-2025-29824' | project PublishedDate, CvssVersion, CvssScore, CvssSeverity, Cwes, Description"
            )
            #expect(nvd.count == 1)
            #expect(
                nvd[0].map(\.text).dropLast() == [
                    "2025-04-08T10:15:00.1230000Z", "3.1", "7.8", "HIGH", "[\"CWE-416\"]",
                ])
            #expect(nvd[0][5].text.contains("use after free"))
            let msrc = try rig.query(
                "MsrcVulnerabilities_CL | where CveId == 'CVE-2025-29824' | project Severity, IsExploited, IsPubliclyDisclosed, CvssScore, KbIds, LastRevision"
            )
            #expect(
                msrc.map { $0.map(\.text) } == [
                    ["Important", "true", "false", "7.8", "[\"5030000\"]", "2026-02-10T08:00:00.0000000Z"]
                ], "\(msrc)")
            // A list of what changed lately says nothing of the others.
            let file = lab.folder + "/one.json"
            try FolderWriter.write(
                #"{"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"CVE-2026-0001","published":"2026-01-02T00:00:00.000"}}]}"#,
                to: file)
            let next = try await Self.rig(lab, ["nvd-modified"]) { $0.feeds["nvd-modified"] = file }
            let second = await next.run()
            #expect(second.failures.map(\.rendered) == [])
            #expect(second.sources[0].counts.added == 1 && second.sources[0].counts.removed == 0)
            for r in [rig, next] { await r.connections.close() }
        }
    }

    @Test(arguments: [ExportPreference.pages, .files]) func settingsByTheRESTInterface(exports: ExportPreference)
        async throws
    {
        try await RunningLab.use(devices: 40, standing: Self.standing) { lab in
            let rest = try await Self.rig(lab, ["mde-secure-configuration"]) { $0.exports = exports }
            let hunting = try await Self.rig(
                lab, ["mde-windows-health", "mde-macos-health", "mde-linux-health", "mde-other-health"]
            ) {
                $0.workspace = lab.folder + "/hunting.vestige"
            }
            for rig in [rest, hunting] {
                let report = await rig.run()
                #expect(report.failures.map(\.rendered) == [])
                #expect(report.sources.flatMap(\.notes) == [])
            }
            let question =
                "DeviceTvmSecureConfigurationAssessment | project DeviceId, ConfigurationId, IsCompliant, IsApplicable, ConfigurationImpact | order by DeviceId asc, ConfigurationId asc"
            let found = try rest.query(question)
            #expect(found.count > 500)
            #expect(try found == hunting.query(question))
            for rig in [rest, hunting] { await rig.connections.close() }
        }
    }

    /// Several sensors that see the same devices: rows of each, and one of all.
    @Test func severalSensorsSeeOneAssetOnce() async throws {
        try await RunningLab.use(devices: 5, otDevices: 30, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["iot-devices"]) {
                var second = $0.sensors[0]
                second.name = "turbine-hall"
                $0.sensors.append(second)
            }
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.map(\.source) == ["iot-devices@plant", "iot-devices@turbine-hall"])
            #expect(try rig.query("IoTDevicesAt(now() + 30d) | count")[0][0] == .long(60))
            #expect(
                try rig.query("IoTAssetsAt(now() + 30d) | summarize count(), min(SeenBy), max(SeenBy)")[0].map(\.text)
                    == ["30", "2", "2"])
            await rig.connections.close()
        }
    }

    /// "Devices with this vulnerability on that day" is one question.
    @Test func devicesWithAVulnerabilityOnADay() async throws {
        try await RunningLab.use(devices: 40, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["mde-software-vulnerabilities"])
            var truth: [[[Value]]] = []
            var days: [Int64] = []
            let cve = "CVE-2025-29824"
            for day in 0..<4 {
                if day > 0 { lab.lab.clock.advance(days: 1) }
                #expect((await rig.run()).failures.map(\.rendered) == [])
                days.append(lab.lab.clock.now)
                // What a workspace that knows nothing else sees on that day.
                let fresh = try await Self.rig(lab, ["mde-software-vulnerabilities"]) {
                    $0.workspace = "\(lab.folder)/day-\(day).vestige"
                }
                #expect((await fresh.run()).failures.map(\.rendered) == [])
                truth.append(
                    try fresh.query(
                        "DeviceTvmSoftwareVulnerabilities | where CveId == '\(cve)' | distinct DeviceId | order by DeviceId asc"
                    ))
                await fresh.connections.close()
            }
            for (day, expected) in zip(days, truth) {
                let found = try rig.query(
                    "VulnerabilitiesAt(datetime(\(DateTime.format(day)))) | where CveId == '\(cve)' | distinct DeviceId | order by DeviceId asc"
                )
                #expect(found == expected && !expected.isEmpty)
            }
            #expect(Set(truth.map { "\($0)" }).count > 1)
            await rig.connections.close()
        }
    }

    /// The timeline of a busy sensor: while the cap allows it nothing is missed, and where it does not, the gap is told of.
    @Test func eventsThatNobodyCouldReadAreToldOf() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["iot-events"])
            let first = await rig.run()
            #expect(first.failures.map(\.rendered) == [] && first.sources[0].gaps.isEmpty)
            // Every six minutes an event: a hundred last for ten hours.
            for _ in 0..<4 {
                lab.lab.clock.advance(hours: 6)
                let report = await rig.run()
                #expect(
                    report.failures.map(\.rendered) == [] && report.sources[0].gaps.isEmpty,
                    "\(report.sources[0].notes)")
            }
            let latest = try rig.query("IoTEvents_CL | summarize max(EventTime)")[0][0]
            let spacing = try rig.query(
                "IoTEvents_CL | order by EventTime asc | extend d = EventTime - prev(EventTime) | where EventTime > ago(10d) | summarize max(d)"
            )
            #expect(spacing[0][0].text < "00:15:00", "\(spacing)")
            lab.lab.clock.advance(hours: 15)
            let late = await rig.run()
            #expect(late.failures.map(\.rendered) == [])
            let gap = try #require(late.sources[0].gaps.first)
            #expect(.datetime(gap.from) == latest && gap.to > gap.from)
            #expect(late.sources[0].notes.contains { $0.contains("may be missing") })
            #expect(try rig.workspace.runHistories()[0].gaps == 1)
            // Kinds that matter are asked for by themselves, and reach further back than the gap.
            let inGap = try rig.query(
                "IoTEvents_CL | where EventTime > datetime(\(DateTime.format(gap.from))) and EventTime < datetime(\(DateTime.format(gap.to))) | distinct EventType"
            )
            #expect(!inGap.isEmpty)
            await rig.connections.close()
        }
    }
}
