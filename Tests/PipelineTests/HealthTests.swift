import Content
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// What an operator is told about how collecting goes.
@Suite(.serialized) struct HealthTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func collector(_ rig: Rig, _ lab: RunningLab) -> Collector {
        let clock = lab.lab.clock
        return Collector(
            workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks, writesHealth: true
        ) { clock.now }
    }

    @Test func whatRanWhatFailedAndWhatWaitsIsTold() async throws {
        try await RunningLab.use(devices: 10, standing: Self.standing) { lab in
            let configuration = lab.configuration
            let rig = try await Rig(lab, only: ["mde-machines", "iot-devices"])
            let collector = Self.collector(rig, lab)
            #expect(await collector.run(rig.connections.endpoints).failures.map(\.rendered) == [])
            let began = lab.lab.clock.now
            lab.lab.clock.advance(hours: 3)
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"/api/machines","times":100,"status":503,"retryAfter":0}"#)
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"dataCollectionRules","times":100,"status":403}"#)
            #expect(await collector.run(rig.connections.endpoints).failures.count == 2)
            lab.lab.clock.advance(hours: 1)
            let report = try HealthReport(rig.workspace, rig.library, configuration, now: lab.lab.clock.now)
            let machines = try #require(report.sources.first { $0.name == "mde-machines" })
            #expect(machines.isFailing && machines.history.failuresInARow == 1 && machines.history.runs == 2)
            #expect(machines.history.lastSuccess == began && machines.lagSeconds == 4 * 3_600)
            // What failed is tried again soon, whatever its schedule.
            #expect(machines.nextRun <= began + 3 * 3_600 * DateTime.ticksPerSecond + 16 * 60 * DateTime.ticksPerSecond)
            let devices = try #require(report.sources.first { $0.name == "iot-devices@plant" })
            #expect(
                !devices.isFailing && devices.history.rowsRead == 40 && devices.history.rowsKept == 20
                    && devices.saving == 0.5)
            let sink = try #require(report.sinks.first)
            #expect(sink.isFailing && sink.deliveries.rows == 10 + 20 + 2 + 1 && sink.deliveries.bytes > 500)
            // The rows of health: of two sources, and of the delivery that failed.
            #expect(sink.waiting.rows == 3)

            let text = PrometheusText.write(report)
            for line in [
                "# TYPE vestige_source_up gauge", #"vestige_source_up{source="mde-machines"} 0"#,
                #"vestige_source_lag_seconds{source="mde-machines"} 14400"#,
                #"vestige_source_rows_read_total{source="iot-devices@plant"} 40"#,
                #"vestige_sink_rows_sent_total{sink="sentinel"} 33"#,
                #"vestige_sink_rows_waiting{sink="sentinel"} 3"#, #"vestige_table_rows{table="IoTDevices_CL"} 20"#,
            ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)") }
            // Every sample belongs to a family that was announced.
            let families = Set(
                text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }.map { $0.split(separator: " ")[2] })
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(families.contains(line.prefix { $0 != "{" && $0 != " " }))
            }

            let rows = try rig.query(
                "VestigeHealth_CL | sort by TimeGenerated asc, SubjectKind asc, Subject asc | project SubjectKind, Subject, Status, RowsRead, RowsKept, RowsSent"
            )
            #expect(
                rows.map { $0.map(\.text).joined(separator: " ") } == [
                    "Sink sentinel Success   32", "Source iot-devices@plant Success 20 20 ",
                    "Source mde-machines Success 10 10 ",
                    "Sink sentinel Failure   0", "Source iot-devices@plant Success 20 0 ",
                    "Source mde-machines Failure 0 0 ",
                ])
            _ = try await lab.control("POST", "/lab/faults/clear")
            #expect(await collector.run(rig.connections.endpoints).failures.map(\.rendered) == [])
            #expect(try await lab.received()["Custom-VestigeHealth_CL"] == 9)
            await rig.connections.close()
        }
    }

    /// A source whose service is slow keeps no other from its time, and does not overlap itself.
    @Test func aSlowSourceKeepsNoOtherFromRunning() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let rig = try await Rig(lab, only: ["mde-machines", "iot-devices"])
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"/api/machines","times":100,"holds":true}"#)
            let planner = RunPlanner(
                library: rig.library,
                schedules: ["mde-machines": .every(seconds: 1), "iot-devices": .every(seconds: 1)])
            let collector = Collector(workspace: rig.workspace, library: rig.library, sinks: rig.connections.sinks)
            let reports = AsyncStream.makeStream(of: [String].self)
            let service = CollectService(
                collector: collector, endpoints: rig.connections.endpoints, planner: planner, workspace: rig.workspace,
                looksEvery: .milliseconds(20)
            ) { reports.continuation.yield($0.sources.map(\.source)) }
            let running = Task { try await service.run() }
            func runs() throws -> [String: Int] {
                Dictionary(try rig.workspace.runHistories().map { ($0.last.source, $0.runs) }) { _, new in new }
            }
            // While one waits for its answer, the other runs again and again.
            while try runs()["iot-devices@plant", default: 0] < 3 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try runs()["mde-machines"] == nil)
            _ = try await lab.control("POST", "/lab/faults/clear")
            for await sources in reports.stream where sources.contains("mde-machines") { break }
            #expect(lab.lab.faults.first?.met == 1)
            running.cancel()
            _ = try? await running.value
            #expect(try await lab.received() == ["Custom-MDEMachines_CL": 10, "Custom-IoTDevices_CL": 20])
            await rig.connections.close()
        }
    }

    /// A stream that nobody declared holds back its own rows and no others.
    @Test func aTableThatASinkDoesNotTakeHoldsBackNoOther() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let rig = try await Rig(lab, only: ["mde-machines", "iot-devices"])
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"streams/Custom-IoTDevices_CL","times":2,"status":400}"#)
            let first = await rig.run()
            #expect(
                first.failures.count == 1 && first.failures[0].rendered.contains("IoTDevices_CL"),
                "\(first.failures.map(\.rendered))")
            #expect(try await lab.received() == ["Custom-MDEMachines_CL": 10])
            #expect((await rig.run()).failures.map(\.rendered) == [])
            #expect(try await lab.received() == ["Custom-MDEMachines_CL": 10, "Custom-IoTDevices_CL": 20])
            await rig.connections.close()
        }
    }
}
