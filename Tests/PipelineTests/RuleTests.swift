import Content
import Foundation
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Data collection rules of ten streams each: what goes where, what is not sent, and what one rule refuses.
@Suite(.serialized) struct RuleTests {
    private typealias Rule = LogsIngestionConfiguration.Rule

    private static func configuration(_ lab: RunningLab, _ rules: [LogsIngestionConfiguration.Rule]) -> Configuration {
        var configuration = lab.configuration
        configuration.sinks = [SinkConfiguration(name: "sentinel", kind: LogsIngestionConfiguration(rules: rules))]
        return configuration
    }

    private static func health(_ rig: Rig, _ configuration: Configuration) throws -> HealthReport.Sink {
        try #require(try HealthReport(rig.workspace, rig.library, configuration, now: 1).sinks.first)
    }

    @Test func fiveLawfulRulesTakeEverythingThatIsToBeSent() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let rig = try await Rig(lab)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sinks[0].notes == [] && report.sinks[0].refused == 0)
            #expect(try rig.workspace.outboxCounts().isEmpty)
            let received = try await lab.received()
            for (table, rows) in try rig.workspace.rowCounts() {
                #expect(received["Custom-\(SentTable.name(of: table))"] == Int64(rows), "\(table)")
            }
            // Nothing that arrived has lost a column or a value on its way.
            for record in try await lab.records("Custom-MDEAlerts_CL") {
                #expect(record.bagValue?["AlertTitle"]?.text.isEmpty == false && record.bagValue?["Title"] == nil)
            }
            await rig.connections.close()
        }
    }

    /// A table in no rule costs nothing: no outbox, no error, one word in the status.
    @Test func aTableInNoRuleIsNotSentByDecision() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let rule = Rule(endpoint: lab.cloud, rule: "dcr-posture", tables: ["MDEMachines_CL", "DeviceInfo_CL"])
            let configuration = Self.configuration(lab, [rule])
            let rig = try await Rig(lab, configuration, only: ["mde-machines", "iot-devices", "mde-devices"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try rig.workspace.outboxCounts().isEmpty)
            #expect(try await lab.received().keys.sorted() == ["Custom-DeviceInfo_CL", "Custom-MDEMachines_CL"])
            let sink = try Self.health(rig, configuration)
            #expect(sink.unsent.contains("IoTDevices_CL") && !sink.unsent.contains("DeviceInfo") && !sink.isFailing)
            #expect(sink.parts.count == 1 && sink.parts[0].tables == ["DeviceInfo", "MDEMachines_CL"])
            await rig.connections.close()
        }
    }

    /// What waited for a table that the configuration no longer sends leaves the outbox.
    @Test func aTableThatIsTakenOutOfTheRulesWaitsNoLonger() async throws {
        try await RunningLab.use(devices: 10) { lab in
            var rig = try await Rig(lab, only: ["mde-machines", "iot-devices"])
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"dcr-ot","times":99,"status":403}"#)
            let first = await rig.run()
            #expect(first.failures.count == 1 && first.failures[0].rendered.contains("rule ot (dcr-ot) stopped"))
            #expect(try rig.workspace.outboxSizes()["sentinel"]?.rows == 20)
            #expect(try await lab.received() == ["Custom-MDEMachines_CL": 10])
            await rig.connections.close()
            let rule = Rule(endpoint: lab.cloud, rule: "dcr-posture", tables: ["posture"])
            rig = try await Rig(lab, Self.configuration(lab, [rule]), only: ["mde-machines", "iot-devices"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try rig.workspace.outboxCounts().isEmpty)
            await rig.connections.close()
        }
    }

    /// One rule and no list: what it declares is sent, the rest is told of once.
    @Test func aRuleWithoutAListDecidesByItself() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = Self.configuration(lab, [Rule(endpoint: lab.cloud, rule: "dcr-ot")])
            let rig = try await Rig(lab, configuration, only: ["mde-machines", "iot-devices", "mde-devices"])
            let first = await rig.run()
            #expect(first.failures.map(\.rendered) == [])
            #expect(first.sinks[0].leftOut.sorted() == ["DeviceInfo", "MDEMachines_CL"])
            #expect(first.sinks[0].notes.count == 1 && first.sinks[0].notes[0].contains("not in its rule"))
            #expect(try rig.workspace.outboxCounts().isEmpty)
            #expect(try await lab.received() == ["Custom-IoTDevices_CL": 20])
            lab.lab.clock.advance(days: 8)
            let second = await rig.run()
            #expect(second.failures.map(\.rendered) == [] && second.sinks[0].leftOut == [])
            #expect(try rig.workspace.outboxCounts().isEmpty)
            let sink = try Self.health(rig, configuration)
            #expect(sink.parts[0].leftOut == ["DeviceInfo", "MDEMachines_CL"] && sink.parts[0].tables == nil)
            // Once the stream is declared, its rows go out, and nobody speaks of it any more.
            let table = try #require(rig.library.tables["MDEMachines_CL"]).sent
            try lab.lab.declare(rule: "ot", streams: [table.stream: table.declaration])
            lab.lab.clock.advance(days: 8)
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try await lab.received()["Custom-MDEMachines_CL"] ?? 0 >= 10)
            #expect(try Self.health(rig, configuration).parts[0].leftOut == ["DeviceInfo"])
            // A stream that took rows and is refused now is a fault, and its rows wait.
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"streams/Custom-IoTDevices_CL","times":1,"status":404}"#)
            lab.lab.clock.advance(days: 8)
            let fault = await rig.run()
            #expect(fault.failures.count == 1 && fault.failures[0].title.contains("IoTDevices_CL is held back"))
            #expect(try Self.health(rig, configuration).parts[0].held.map(\.table) == ["IoTDevices_CL"])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try Self.health(rig, configuration).parts[0].held.isEmpty)
            await rig.connections.close()
        }
    }

    /// Five sinks of one rule each, as the old shorthand has them: together they get everything, and nothing waits.
    @Test func fiveSinksOfOneRuleEachEndWell() async throws {
        try await RunningLab.use(devices: 10) { lab in
            var configuration = lab.configuration
            configuration.sinks = Repository.library().ruleGroups.keys.sorted().map {
                SinkConfiguration(
                    name: "s-\($0)",
                    kind: LogsIngestionConfiguration(rules: [Rule(endpoint: lab.cloud, rule: "dcr-\($0)")]))
            }
            let rig = try await Rig(lab, configuration)
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try rig.workspace.outboxCounts().isEmpty)
            let received = try await lab.received()
            for (table, rows) in try rig.workspace.rowCounts() {
                #expect(received["Custom-\(SentTable.name(of: table))"] == Int64(rows), "\(table)")
            }
            await rig.connections.close()
        }
    }

    /// An address that takes nothing is no decision: rows wait, and it is said.
    @Test(arguments: ["dcr-nowhere", "dcr-empty"]) func aRuleThatTakesNothingIsAFault(_ id: String) async throws {
        try await RunningLab.use(devices: 10) { lab in
            try lab.lab.declare(rule: "empty", id: "dcr-empty", streams: [:])
            let configuration = Self.configuration(lab, [Rule(endpoint: lab.cloud, rule: id)])
            let rig = try await Rig(lab, configuration, only: ["mde-machines", "iot-devices"])
            let report = await rig.run()
            #expect(report.failures.count == 1 && report.failures[0].title.contains("2 tables are held back"))
            #expect(try rig.workspace.outboxSizes()["sentinel"]?.rows == 30)
            #expect(report.sinks[0].leftOut == [])
            await rig.connections.close()
        }
    }

    /// One rule is refused for good, and more waits for it than may: only the sources of its tables pause.
    @Test func whatOneRuleRefusesPausesNothingElse() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let rig = try await Rig(lab, only: ["mde-machines", "iot-devices", "mde-devices"])
            let clock = lab.lab.clock
            let collector = Collector(
                workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks, spoolBytesMax: 100
            ) { clock.now }
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"dcr-ot","times":99,"status":403}"#)
            #expect((await collector.run(rig.connections.endpoints)).sources.count == 3)
            lab.lab.clock.advance(days: 8)
            let second = await collector.run(rig.connections.endpoints)
            #expect(second.sources.map(\.source) == ["mde-devices", "mde-machines"])
            #expect(second.sources.allSatisfy { $0.error == nil && $0.counts.kept > 0 })
            #expect(second.spool?.title == "collecting into IoTDevices_CL pauses: sink sentinel does not take it")
            #expect(second.spool?.means?.contains("403") == true)
            #expect(try rig.workspace.outboxSizesByTable()["sentinel"]?.keys.sorted() == ["IoTDevices_CL"])
            _ = try await lab.control("POST", "/lab/faults/clear")
            let third = await collector.run(rig.connections.endpoints)
            #expect(third.failures.map(\.rendered) == [] && third.sources.count == 3)
            await rig.connections.close()
        }
    }

    @Test func theTableOfHealthSaysWhatIsNotInARule() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = Self.configuration(lab, [Rule(endpoint: lab.cloud, rule: "dcr-posture")])
            let rig = try await Rig(lab, configuration, only: ["mde-machines", "iot-devices"])
            let collector = Collector(
                workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks, writesHealth: true)
            let report = await collector.run(rig.connections.endpoints)
            #expect(report.failures.map(\.rendered) == [])
            let notes = try rig.query("VestigeHealth_CL | where SubjectKind == 'Sink' | project tostring(Notes[0])")
            #expect(notes.count == 1 && notes[0][0].text.contains("not in its rule, and not sent: IoTDevices_CL"))
            await rig.connections.close()
        }
    }
}
