import Content
import Pipeline
import Tables
import TestKit
import Testing

/// What every kind of paging must bear: a page that comes twice, a page that cannot be read, a short last page, and a run
/// that goes on where another stopped.
@Suite(.serialized) struct PagingTests {
    /// 2026-03-01.
    private static let standing: Int64 = 639_079_200_000_000_000

    /// A source of each kind, with pages small enough to be several.
    private struct Scenario {
        let source: String
        /// Part of the path of its pages' calls.
        let path: String
        /// Pages that pass before one fails; 0 for a source in one piece.
        var after = 1
        var pageSize: Int?
        var devices = 40
        var otDevices = 20
        var asFiles = false
        /// Whether pages behind one that fails are read in the same run.
        var goesPast = false
    }

    private static func scenario(_ kind: PagingKind) -> Scenario {
        switch kind {
        case .link: Scenario(source: "mde-software-vulnerabilities", path: "VulnerabilitiesByMachine", pageSize: 40)
        // The pages are full to the last row: an empty one ends them.
        case .skip: Scenario(source: "mde-machines", path: "/api/machines?", pageSize: 10, goesPast: true)
        case .number: Scenario(source: "iot-manager-devices", path: "integration/devices", pageSize: 5)
        case .token: Scenario(source: "iot-cloud-devices", path: "ResourceGraph", otDevices: 1_100)
        case .device: Scenario(source: "mde-missing-kbs", path: "getmissingkbs", goesPast: true)
        case .variant: Scenario(source: "iot-events", path: "/api/v1/events")
        case .division: Scenario(source: "mde-windows-health", path: "runHuntingQuery", goesPast: true)
        case .window: Scenario(source: "mde-process-events", path: "runHuntingQuery", devices: 12, goesPast: true)
        case .file:
            Scenario(source: "mde-software-vulnerabilities", path: "/blob/", asFiles: true, goesPast: true)
        case .feed: Scenario(source: "cisa-kev", path: "feeds/known", after: 0)
        }
    }

    private static func rig(_ lab: RunningLab, _ scenario: Scenario, _ name: String) async throws -> Rig {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        configuration.exports = scenario.asFiles ? .files : .pages
        configuration.managers = [configuration.sensors[0]]
        configuration.managers[0].name = "console"
        configuration.tenant?.subscriptions = []
        configuration.tenant?.managementHost = lab.cloud
        configuration.investigation.since = 5 * 86_400
        if scenario.source == "mde-missing-kbs" { configuration.investigation.devices = try await machines(lab) }
        let changes = scenario.pageSize.map { [scenario.source: Overlay.set("pageSize", String($0))] } ?? [:]
        let library = try Overlay.library(in: lab.folder, sources: changes)
        return try await Rig(lab, configuration, only: [scenario.source], library: library)
    }

    /// Ids of some devices.
    private static func machines(_ lab: RunningLab) async throws -> [String] {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/machines.vestige"
        configuration.sinks = []
        let rig = try await Rig(lab, configuration, only: ["mde-machines"])
        _ = await rig.run()
        return try rig.query(
            "MDEMachines_CL | where OSPlatform startswith 'Windows' | top 5 by MachineId | project MachineId"
        )
        .map { $0[0].text }
    }

    /// The keys that a table holds now.
    private static func keys(_ rig: Rig, _ scenario: Scenario) throws -> [String] {
        let source = rig.library.sources.first { $0.id == scenario.source }
        let table = try #require(source.flatMap { rig.library.tables[$0.table] })
        let key = table.key.joined(separator: ", ")
        return try rig.query(
            "\(table.name) | summarize arg_max(TimeGenerated, ChangeType) by \(key) | where ChangeType != 'Removed' | project \(key)"
        ).map { JSONWriter.string(.array($0)) }.sorted()
    }

    private static func removed(_ rig: Rig, _ scenario: Scenario) throws -> Int64? {
        let table = rig.library.sources.first { $0.id == scenario.source }?.table ?? ""
        return try rig.query("\(table) | where ChangeType == 'Removed' | count")[0][0].longValue
    }

    private static func use(
        _ scenario: Scenario, _ body: @Sendable @escaping (RunningLab) async throws -> Void
    ) async throws {
        try await RunningLab.use(
            devices: scenario.devices, otDevices: scenario.otDevices, tokenLifetime: 1_000_000, standing: standing,
            exportFileRows: 60, body)
    }

    @Test(arguments: PagingKind.allCases) func aPageThatComesTwiceCountsOnce(_ kind: PagingKind) async throws {
        let scenario = Self.scenario(kind)
        try await Self.use(scenario) { lab in
            let whole = try await Self.rig(lab, scenario, "whole")
            #expect((await whole.run()).failures.map(\.rendered) == [])
            let expected = try Self.keys(whole, scenario)
            #expect(expected.count > 1)
            let again = try await Self.rig(lab, scenario, "again")
            // The service answers, the connection breaks, and the same page is asked for again.
            _ = try await lab.control(
                "POST", "/lab/faults",
                #"{"path":"\#(scenario.path)","after":\#(scenario.after),"times":1,"resets":true}"#)
            #expect((await again.run()).failures.map(\.rendered) == [])
            #expect(try Self.keys(again, scenario) == expected)
            #expect(lab.lab.requests.contains { $0.contains(scenario.path) })
        }
    }

    @Test(arguments: PagingKind.allCases) func aPageThatCannotBeReadRemovesNothing(_ kind: PagingKind) async throws {
        let scenario = Self.scenario(kind)
        try await Self.use(scenario) { lab in
            let rig = try await Self.rig(lab, scenario, "lost")
            #expect((await rig.run()).failures.map(\.rendered) == [])
            let expected = try Self.keys(rig, scenario)
            lab.lab.clock.advance(hours: 49)
            // As often as a call is tried.
            _ = try await lab.control(
                "POST", "/lab/faults",
                #"{"path":"\#(scenario.path)","after":\#(scenario.after),"times":3,"status":503,"retryAfter":0}"#)
            let report = await rig.run()
            #expect(report.failures.count == 1)
            #expect(try Self.removed(rig, scenario) == 0)
            let first = lab.lab.requests.count
            let next = await rig.run()
            #expect(next.failures.map(\.rendered) == [])
            #expect(try Set(Self.keys(rig, scenario)).isSuperset(of: expected))
            if !scenario.goesPast, scenario.after > 0, kind != .variant {
                // It goes on behind the page that was read before.
                let asked = lab.lab.requests.dropFirst(first).first { $0.contains(scenario.path) } ?? ""
                #expect(["skiptoken", "page=1", "ResourceGraph"].contains { asked.contains($0) }, "\(asked)")
            }
        }
    }
}
