import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

@Suite(.serialized) struct CollectTests {
    @Test func everyFeedArrivesInWorkspaceAndSink() async throws {
        // Enough devices for a phone among them.
        try await RunningLab.use(devices: 80) { lab in
            // A delta tells of nothing on the first day.
            lab.lab.clock.advance(days: 1)
            var configuration = lab.configuration
            configuration.managers = [configuration.sensors[0]]
            configuration.managers[0].name = "console"
            configuration.tenant?.managementHost = lab.cloud
            configuration.tenant?.subscriptions = []
            let rig = try await Rig(lab, configuration)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.count == rig.library.sources.filter { !$0.isOnDemand }.count)
            for source in report.sources { #expect(source.counts.read > 0, "\(source.source) read nothing") }
            let stored = try rig.workspace.rowCounts()
            #expect(stored.count > 30)
            let received = try await lab.received()
            for (table, rows) in stored {
                #expect(received["Custom-\(SentTable.name(of: table))"] == Int64(rows), "\(table)")
            }
            #expect(try rig.workspace.outboxCounts().isEmpty)
            await rig.connections.close()
        }
    }

    @Test func secondRunSendsNothingAndDriftOnlyItsChanges() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            _ = await rig.run()
            let again = await rig.run()
            #expect(again.failures.map(\.rendered) == [])
            #expect(again.sources.count > 30)
            let stateTables = Set(rig.library.tables.values.filter { $0.kind == .state }.map(\.name))
            for s in again.sources where stateTables.contains(s.table) { #expect(s.counts.kept == 0, "\(s.source)") }
            lab.lab.clock.advance(days: 1)
            let next = await rig.run()
            let windows = try #require(next.sources.first { $0.source == "mde-windows-health" })
            #expect(windows.counts.changed > 0)
            #expect(windows.counts.changed < windows.counts.read / 10)
            #expect(next.sinks[0].rowsBySource["mde-windows-health"] == windows.counts.kept)
            // One query gives a setting's history.
            let device = try rig.query(
                "DeviceTvmSecureConfigurationAssessment | where ChangeType == 'Changed' and ConfigurationId == 'scid-2011' | take 1 | project DeviceId"
            )[0][0]
            .text
            let history = try rig.query("SettingHistory('\(device)', 'scid-2011')")
            #expect(history.map { $0[1].text } == ["Added", "Changed"])
            await rig.connections.close()
        }
    }

    @Test func keyframeSendsEveryRowAgain() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            _ = await rig.run()
            lab.lab.clock.advance(days: 7)
            let report = await rig.run()
            let kb = try #require(report.sources.first { $0.source == "mde-configuration-kb" })
            #expect(kb.counts.snapshot == kb.counts.read && kb.counts.read > 0)
            // The state as of now is the same with and without the copy.
            let now = try rig.query("ConfigurationAt(now() + 30d) | count")
            let all = try rig.query(
                "DeviceTvmSecureConfigurationAssessment | distinct DeviceId, ConfigurationId | count")
            #expect(now == all)
            await rig.connections.close()
        }
    }

    @Test func aPageCutOnceAndAThrottledCallAreReadAgain() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"runHuntingQuery","truncates":true,"times":1}"#)
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"/api/machines","status":429,"retryAfter":0,"times":1}"#)
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"dataCollectionRules","status":503,"times":1}"#)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            await rig.connections.close()
        }
    }

    @Test func aTokenThatExpiresIsRenewed() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            #expect(await rig.run().failures.map(\.rendered) == [])
            // Tokens last an hour of the lab's; the collector still holds those of before.
            lab.lab.clock.advance(hours: 2)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.contains { $0.source == "mde-machines" && $0.counts.read > 0 })
            await rig.connections.close()
        }
    }

    @Test func anEmptyAnswerDoesNotEmptyTheState() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            _ = await rig.run()
            let before = try rig.query("MachinesAt(now()) | count")
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"/api/machines","status":200,"times":1,"body":"{\"value\":[]}"}"#)
            let only = rig.connections.endpoints.filter { $0.name == "mde-machines" }
            let report = await rig.collector.run(only)
            #expect(report.failures.first?.rendered.contains("--allow-empty") == true)
            #expect(try rig.query("MachinesAt(now()) | count") == before)
            await rig.connections.close()
        }
    }

    @Test func aDryRunChangesNothing() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            let report = await rig.collector.run(rig.connections.endpoints, isDryRun: true)
            let given = report.sources.filter { $0.counts.read > 0 }
            #expect(given.count > 30 && given.allSatisfy { !$0.preview.isEmpty })
            #expect(try rig.workspace.rowCounts().isEmpty)
            #expect(try await lab.received().isEmpty)
            await rig.connections.close()
        }
    }
}

@Suite(.serialized) struct FailureTests {
    private func failures(_ change: @Sendable (inout Configuration, RunningLab) async throws -> Void) async throws -> (
        texts: [String], good: Set<String>
    ) {
        try await RunningLab.use { lab in
            var configuration = lab.configuration
            try await change(&configuration, lab)
            let rig = try await Rig(lab, configuration)
            let report = await rig.run()
            await rig.connections.close()
            let good = report.sources.filter { $0.error == nil }.map(\.source)
            return ((rig.connections.failures + report.distinctFailures).map(\.rendered), Set(good))
        }
    }

    @Test func wrongSecret() async throws {
        let (texts, good) = try await failures { c, _ in
            c.tenant?.identity = .secret(.value(Secret("a-wrong-password")))
        }
        #expect(texts.count == 1)
        #expect(texts.contains { $0.contains("AADSTS7000215") && $0.contains("copy the secret's value") })
        #expect(!texts.joined().contains("a-wrong-password"))
        #expect(good.contains("iot-devices@plant"))
    }

    @Test func unknownTenant() async throws {
        let (texts, good) = try await failures { c, _ in c.tenant?.tenantID = "00000000-0000-4000-8000-000000000000" }
        #expect(texts.contains { $0.contains("AADSTS90002") && $0.contains("check 'tenantId'") })
        #expect(good.contains("iot-events@plant"))
    }

    @Test func missingPermission() async throws {
        let (texts, good) = try await failures { _, lab in
            _ = try await lab.control("POST", "/lab/roles/withhold", #"["ThreatHunting.Read.All"]"#)
        }
        #expect(texts.contains { $0.contains("403") && $0.contains("grant ThreatHunting.Read.All") })
        #expect(good.isSuperset(of: ["mde-machines", "iot-cves@plant"]))
    }

    @Test func unreachableSensor() async throws {
        let (texts, good) = try await failures { c, _ in c.sensors[0].host = "https://127.0.0.1:9" }
        #expect(texts.contains { $0.contains("no connection to 127.0.0.1:9") && $0.contains("curl") })
        #expect(good.contains("mde-windows-health"))
    }

    @Test func untrustedCertificate() async throws {
        let (texts, good) = try await failures { c, _ in c.sensors[0].trust = .system }
        #expect(texts.contains { $0.contains("is not trusted") && $0.contains("openssl s_client") })
        #expect(good.contains("mde-machines"))
    }

    @Test func wrongSensorToken() async throws {
        let (texts, _) = try await failures { c, _ in c.sensors[0].token = .value(Secret("0123")) }
        #expect(texts.contains { $0.contains("does not accept the access token") && $0.contains("Access tokens") })
    }

    @Test func malformedPage() async throws {
        let (texts, good) = try await failures { _, lab in
            _ = try await lab.control(
                "POST", "/lab/faults",
                #"{"path":"SoftwareVulnerabilitiesByMachine","status":200,"times":9,"body":"{\"value\":[{\"id\":"}"#)
        }
        #expect(texts.contains { $0.contains("malformed JSON") && $0.contains("byte") && $0.contains("page 1") })
        #expect(good.contains("mde-machines"))
    }

    @Test func undeclaredStreamKeepsRowsInTheOutbox() async throws {
        try await RunningLab.use { lab in
            let rig = try await Rig(lab)
            _ = try await lab.control(
                "POST", "/lab/faults",
                #"{"path":"dataCollectionRules","status":403,"times":5,"body":"{\"error\":{\"code\":\"OperationFailed\",\"message\":\"no\"}}"}"#
            )
            let report = await rig.run()
            #expect(report.failures.first?.rendered.contains("Monitoring Metrics Publisher") == true)
            #expect(try rig.workspace.outboxCounts()["sentinel"] ?? 0 > 0)
            #expect(await rig.run().failures.isEmpty)
            let received = try await lab.received()
            #expect(received.count > 15)
            for (table, rows) in try rig.workspace.rowCounts() {
                #expect(received["Custom-\(SentTable.name(of: table))"] == Int64(rows), "\(table)")
            }
            await rig.connections.close()
        }
    }
}
