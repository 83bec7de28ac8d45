import Content
import Foundation
import KQLEngine
import Tables
import Testing
import Workspace

@testable import Forensics

/// Runs of rules over a real workspace: windows, triggers, grouping, suppression, incidents, late rows.
@Suite struct RuleRunnerTests {
    /// A workspace of its own with `DeviceLogonEvents`, and rules that are written here.
    private final class Site {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rules-\(UUID().uuidString)")
        let workspace: Workspace
        let schema: Schema

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            workspace = try Workspace(path: folder.appendingPathComponent("w.db").path)
            try workspace.declare(Estate.library.tables.mapValues(\.schema))
            schema = try #require(Estate.library.tables["DeviceLogonEvents"]?.schema)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func add(_ rows: [[String: String]]) throws {
            let values = rows.map { Estate.row("DeviceLogonEvents", $0, now: 0) }
            try workspace.append(
                Batch(schema: schema, rows: values), to: "DeviceLogonEvents", run: "test", now: SystemClock.now())
        }

        /// A rule in YAML with what a test says over what all have.
        func rule(
            _ settings: String,
            query: String = "DeviceLogonEvents | project TimeGenerated, DeviceName, AccountName, RemoteIP"
        )
            throws -> AnalyticsRule
        {
            var lines = [
                "id": "id: 0c2d9a4e-1111-4222-8333-444455556666", "name": "name: A rule",
                "description": "description: Finds.",
                "severity": "severity: Medium", "queryFrequency": "queryFrequency: 1h",
                "queryPeriod": "queryPeriod: 1h",
                "triggerOperator": "triggerOperator: gt", "triggerThreshold": "triggerThreshold: 0",
                "tactics": "tactics: [CredentialAccess]", "relevantTechniques": "relevantTechniques: [T1110]",
                "version": "version: 1.0.0", "kind": "kind: Scheduled",
            ]
            var extra: [String] = []
            for line in settings.split(separator: "\n").map(String.init) {
                let key = String(line.prefix { $0 != ":" })
                if lines[key] != nil { lines[key] = line } else { extra.append(line) }
            }
            if lines["kind"] == "kind: NRT" {
                for key in ["queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"] { lines[key] = nil }
            }
            let content = folder.appendingPathComponent("content-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: content.appendingPathComponent("Rules"), withIntermediateDirectories: true)
            let text = (Array(lines.values) + extra + ["query: |", "  " + query]).joined(separator: "\n") + "\n"
            try text.write(to: content.appendingPathComponent("Rules/rule.yaml"), atomically: true, encoding: .utf8)
            let (library, problems) = ContentLibrary.load(folders: [content.path])
            #expect(problems.map(\.description) == [])
            return try #require(library.rules.first)
        }

        func run(_ rule: AnalyticsRule, _ times: [String], asSentinel: Bool = false) throws -> RuleRunner.Outcome {
            let provider = try WorkspaceProvider(
                workspace, functions: Estate.library.functionDeclarations,
                declared: Estate.library.tables.mapValues(\.schema))
            let table = try #require(Estate.library.tables[RuleRunner.table])
            let runner = RuleRunner(workspace, provider: provider, schema: table.schema, asSentinel: asSentinel)
            let outcome = try runner.run(rule, at: times.map(Estate.time))
            if let error = outcome.error { throw error }
            return outcome
        }

        var stored: Int { (try? workspace.rowCount(ofTable: RuleRunner.table)) ?? -1 }
    }

    private func logon(_ time: String, _ device: String = "srv1", account: String = "anna", ip: String = "10.0.0.1")
        -> [String: String]
    {
        ["TimeGenerated": time, "DeviceName": device, "AccountName": account, "RemoteIP": ip]
    }

    @Test func windowsAreHalfOpenAndRunsAreNotDoneAgain() throws {
        let site = try Site()
        try site.add(
            ["2026-09-01T01:00:00Z", "2026-09-01T01:59:59.9999999Z", "2026-09-01T02:00:00Z"].map { logon($0) })
        let rule = try site.rule("")
        let first = try site.run(rule, ["2026-09-01T02:00:00Z"])
        #expect(first.findings.map(\.events) == [2])
        #expect(first.findings[0].windowStart == Estate.time("2026-09-01T01:00:00Z"))
        let both = try site.run(rule, ["2026-09-01T02:00:00Z", "2026-09-01T03:00:00Z"])
        #expect(both.doneBefore == 1 && both.findings.map(\.events) == [1])
        let again = try site.run(rule, ["2026-09-01T02:00:00Z", "2026-09-01T03:00:00Z"])
        #expect(again.findings.isEmpty && again.doneBefore == 2)
        #expect(site.stored == 2)
    }

    @Test func overlapsTellAResultOnceAndAsSentinelTwice() throws {
        let site = try Site()
        try site.add([logon("2026-09-01T01:30:00Z"), logon("2026-09-01T02:30:00Z", account: "bert")])
        let rule = try site.rule("queryPeriod: 2h\neventGroupingSettings: {aggregationKind: AlertPerResult}")
        let times = ["2026-09-01T02:00:00Z", "2026-09-01T03:00:00Z", "2026-09-01T04:00:00Z"]
        #expect(try site.run(rule, times).findings.count == 2)
        #expect(try site.run(rule, times, asSentinel: true).findings.count == 4)
        let single = try site.rule("id: 0c2d9a4e-1111-4222-8333-444455556667\nqueryPeriod: 2h")
        // The second window holds one that is new beside one that was told; the third only one that was told.
        #expect(try site.run(single, times).findings.map(\.events) == [1, 2])
        #expect(try site.run(single, times, asSentinel: true).findings.map(\.events) == [1, 2, 1])
    }

    @Test(arguments: [
        ("gt", 1, true), ("gt", 2, false), ("lt", 3, true), ("lt", 2, false), ("eq", 2, true), ("ne", 2, false),
    ])
    func triggersCompareTheNumberOfResults(_ comparison: String, _ threshold: Int, _ isRaised: Bool) throws {
        let site = try Site()
        try site.add([logon("2026-09-01T01:10:00Z"), logon("2026-09-01T01:20:00Z")])
        let rule = try site.rule("triggerOperator: \(comparison)\ntriggerThreshold: \(threshold)")
        #expect(try site.run(rule, ["2026-09-01T02:00:00Z"]).findings.isEmpty != isRaised)
    }

    @Test func nothingFoundCanBeTheFinding() throws {
        let site = try Site()
        let rule = try site.rule("triggerOperator: lt\ntriggerThreshold: 1")
        let outcome = try site.run(rule, ["2026-09-01T02:00:00Z", "2026-09-01T03:00:00Z"])
        #expect(outcome.findings.map(\.events) == [0, 0])
        #expect(outcome.findings[0].name == "A rule")
    }

    @Test func alertsOfOneRunHaveABound() throws {
        let site = try Site()
        try site.add((0..<151).map { logon("2026-09-01T01:10:00Z", account: "a\($0)") })
        let rule = try site.rule("eventGroupingSettings: {aggregationKind: AlertPerResult}")
        let findings = try site.run(rule, ["2026-09-01T02:00:00Z"]).findings
        #expect(findings.count == 150 && findings.last?.events == 151 && findings[148].events == 1)
        let fast = try site.rule(
            "id: 0c2d9a4e-1111-4222-8333-444455556668\nkind: NRT\neventGroupingSettings: {aggregationKind: AlertPerResult}"
        )
        let burst = try site.run(fast, ["2026-09-01T01:11:00Z"]).findings
        #expect(burst.count == 30 && burst.last?.events == 151)
    }

    @Test func suppressionEndsAtItsLength() throws {
        let site = try Site()
        try site.add((1...5).map { logon("2026-09-01T0\($0):30:00Z", account: "a\($0)") })
        let rule = try site.rule("suppressionEnabled: true\nsuppressionDuration: 2h")
        let outcome = try site.run(rule, (2...6).map { "2026-09-01T0\($0):00:00Z" })
        #expect(
            outcome.findings.map { String(DateTime.format($0.time).prefix(16)) } == [
                "2026-09-01T02:00", "2026-09-01T04:00", "2026-09-01T06:00",
            ])
        #expect(outcome.suppressed == 2)
    }

    @Test func entitiesDetailsAndTextsComeFromTheResults() throws {
        let site = try Site()
        try site.add([
            logon("2026-09-01T01:10:00Z", ip: ""), logon("2026-09-01T01:20:00Z", account: "bert", ip: "203.0.113.9"),
            logon("2026-09-01T01:30:00Z", account: "bert", ip: "203.0.113.9"),
        ])
        let rule = try site.rule(
            """
            entityMappings: [{entityType: Host, fieldMappings: [{identifier: FullName, columnName: DeviceName}]}, {entityType: IP, fieldMappings: [{identifier: Address, columnName: RemoteIP}]}]
            customDetails: {Who: AccountName, Tries: Count}
            alertDetailsOverride: {alertDisplayNameFormat: '{{ Count }} logons on {{DeviceName}}', alertDescriptionFormat: 'from {{Empty}}', alertSeverityColumnName: Level, alertTacticsColumnName: Aims}
            """,
            query: """
                DeviceLogonEvents | summarize Count = count() by DeviceName, AccountName, RemoteIP | sort by Count desc | extend Empty = "", Level = iff(Count > 1, "high", "Urgent"), Aims = "Lateral Movement, Impact"
                """)
        let finding = try #require(try site.run(rule, ["2026-09-01T02:00:00Z"]).findings.first)
        #expect(
            finding.entities.map(\.json.text) == [
                #"{"type":"Host","FullName":"srv1"}"#, #"{"type":"IP","Address":"203.0.113.9"}"#,
            ])
        #expect(
            finding.customDetails.map { "\($0.key)=\($0.values.joined(separator: "|"))" } == [
                "Who=bert|anna", "Tries=2|1",
            ])
        #expect(finding.name == "2 logons on srv1")
        #expect(finding.description == "Finds.")
        #expect(finding.severity == .high)
        #expect(finding.tactics == ["LateralMovement", "Impact"])
    }

    @Test func incidentsTakeFindingsForSoLongAfterTheFirst() throws {
        let site = try Site()
        try site.add((1...6).map { logon("2026-09-01T0\($0):30:00Z", account: "a\($0)") })
        let grouped = """
            entityMappings: [{entityType: Host, fieldMappings: [{identifier: FullName, columnName: DeviceName}]}]
            incidentConfiguration: {createIncident: true, groupingConfiguration: {enabled: true, lookbackDuration: PT2H, matchingMethod: AllEntities}}
            """
        let outcome = try site.run(try site.rule(grouped), (2...7).map { "2026-09-01T0\($0):00:00Z" })
        let incidents = outcome.findings.map(\.incident)
        // 02, 03 and 04 are one; 05 is more than two hours after the first.
        #expect(Set(incidents.prefix(3)).count == 1 && Set(incidents.suffix(3)).count == 1)
        #expect(incidents[2] != incidents[3])
        let none = try site.rule(
            "id: 0c2d9a4e-1111-4222-8333-444455556669\nincidentConfiguration: {createIncident: false}")
        #expect(try site.run(none, ["2026-09-01T02:00:00Z"]).findings.map(\.incident) == [nil])
        let apart = try site.rule("id: 0c2d9a4e-1111-4222-8333-44445555666a")
        let alone = try site.run(apart, ["2026-09-01T02:00:00Z", "2026-09-01T03:00:00Z"]).findings.map(\.incident)
        #expect(alone[0] != nil && alone[0] != alone[1])
    }

    @Test func incidentsAreGroupedByWhatTheRuleSelects() throws {
        let site = try Site()
        try site.add([
            logon("2026-09-01T01:10:00Z", account: "a"), logon("2026-09-01T01:20:00Z", "srv2", account: "a"),
            logon("2026-09-01T01:30:00Z", account: "b"),
        ])
        let rule = try site.rule(
            """
            entityMappings: [{entityType: Host, fieldMappings: [{identifier: FullName, columnName: DeviceName}]}]
            customDetails: {Who: AccountName}
            eventGroupingSettings: {aggregationKind: AlertPerResult}
            incidentConfiguration: {createIncident: true, groupingConfiguration: {enabled: true, matchingMethod: Selected, groupByCustomDetails: [Who]}}
            """)
        let incidents = try site.run(rule, ["2026-09-01T02:00:00Z"]).findings.map(\.incident)
        #expect(incidents[0] == incidents[1] && incidents[0] != incidents[2])
    }

    @Test func nearRealTimeRulesLookAtEachRowOnceByArrival() throws {
        let site = try Site()
        try site.add([logon("2026-09-01T01:00:30Z"), logon("2026-09-01T01:01:30Z", account: "bert")])
        let rule = try site.rule("kind: NRT\neventGroupingSettings: {aggregationKind: AlertPerResult}")
        let first = try site.run(rule, (1...3).map { "2026-09-01T01:0\($0):00Z" })
        #expect(first.findings.map { DateTime.format($0.time).dropFirst(14).prefix(2) } == ["01", "02"])
        // A row that was stored late is looked at by the next run, however old it is.
        try site.add([logon("2026-09-01T01:00:10Z", account: "late"), logon("2026-09-01T01:03:10Z", account: "carl")])
        let second = try site.run(rule, ["2026-09-01T01:04:00Z", "2026-09-01T01:05:00Z"])
        #expect(second.findings.count == 2)
        #expect(try site.run(rule, ["2026-09-01T01:06:00Z"]).findings.isEmpty)
    }

    @Test func whatIsSuppressedIsNotCaughtUpByArrivalEither() throws {
        let site = try Site()
        try site.add((1...4).map { logon("2026-09-01T01:0\($0):30Z", account: "a\($0)") })
        let rule = try site.rule("kind: NRT\nsuppressionEnabled: true\nsuppressionDuration: 2m")
        let outcome = try site.run(rule, (2...5).map { "2026-09-01T01:0\($0):00Z" })
        #expect(outcome.findings.map(\.events) == [1, 1] && outcome.suppressed == 2)
    }

    @Test func lateRowsAreCountedAndFoundByALongerPeriod() throws {
        let site = try Site()
        let times = ["2026-09-01T02:00:00Z"]
        try site.add([logon("2026-09-01T01:10:00Z")])
        let exact = try site.rule("")
        let long = try site.rule("id: 0c2d9a4e-1111-4222-8333-44445555666b\nqueryPeriod: 3h")
        _ = try (site.run(exact, times), site.run(long, times))
        try site.add([logon("2026-09-01T01:20:00Z", account: "late")])
        let lost = try site.run(exact, ["2026-09-01T03:00:00Z"])
        #expect(lost.findings.isEmpty && lost.late == 1)
        let found = try site.run(long, ["2026-09-01T03:00:00Z"])
        #expect(found.findings.map(\.events) == [2] && found.late == 1)
        #expect(try site.run(long, ["2026-09-01T04:00:00Z"]).late == 0)
    }

    @Test func theWindowHoldsInsideFunctionsAndNowIsItsEnd() throws {
        let site = try Site()
        try site.add([logon("2026-09-01T00:10:00Z"), logon("2026-09-01T01:10:00Z")])
        let rule = try site.rule(
            "",
            query:
                "let all = () { DeviceLogonEvents }; all() | extend Now = now(), Stored = ingestion_time() | where Stored > datetime(2026-09-02) and Now == datetime(2026-09-01T02:00:00Z)"
        )
        #expect(try site.run(rule, ["2026-09-01T02:00:00Z"]).findings.map(\.events) == [1])
    }

    @Test func aQueryThatFailsIsToldAndDoneAgain() throws {
        let site = try Site()
        let rule = try site.rule("", query: "NoSuchTable | count")
        #expect(throws: (any Error).self) { try site.run(rule, ["2026-09-01T02:00:00Z"]) }
        #expect(site.stored == 0)
        let mended = try site.rule("triggerOperator: lt\ntriggerThreshold: 1")
        #expect(try site.run(mended, ["2026-09-01T02:00:00Z"]).findings.count == 1)
    }
}
