import Foundation
import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

/// The program as a service: one collector at a time, a standby, the handler of Azure Functions, the doctor.
@Suite(.serialized) struct OperationTests {
    private func write(_ lab: RunningLab) throws -> String {
        let identity = lab.lab.options.identity
        let text = """
            workspace: \(lab.folder)/operation.vestige
            sources: [mde-machines]
            schedules: {mde-machines: 10s}
            tenant: {tenantId: \(identity.tenant), clientId: \(identity.client), clientSecret: "file:\(lab.folder)/secret", loginHost: "\(lab.cloud)",
                graphHost: "\(lab.cloud)", endpointHost: "\(lab.cloud)"}
            """
        try FolderWriter.write(identity.secret, to: lab.folder + "/secret")
        try FolderWriter.write(text, to: lab.folder + "/operation.yaml")
        return lab.folder + "/operation.yaml"
    }

    private func wait(_ seconds: Double, until done: () -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if done() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return done()
    }

    @Test func oneCollectorAtATimeAndAStandbyTakesOver() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = try write(lab)
            let workspace = lab.folder + "/operation.vestige"
            let first = try CommandTests.start(["collect", "--config", configuration], in: lab.folder)
            #expect(try await wait(120) { CollectorLock.owner(workspace: workspace) == "\(first.processIdentifier)" })
            let refused = try await CommandTests.run(["collect", "--once", "--config", configuration], in: lab.folder)
            #expect(
                refused.status == 2 && refused.err.contains("process \(first.processIdentifier) has it"),
                "\(refused.err)")
            let second = CommandTests.process(["collect", "--standby", "--config", configuration], in: lab.folder)
            let log = lab.folder + "/standby"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            second.standardError = FileHandle(forWritingAtPath: log)
            second.standardOutput = FileHandle.nullDevice
            second.standardInput = FileHandle.nullDevice
            try second.run()
            #expect(
                try await wait(120) {
                    (try? String(contentsOfFile: log, encoding: .utf8))?.contains("standing by") == true
                })
            #expect(second.isRunning && CollectorLock.owner(workspace: workspace) == "\(first.processIdentifier)")
            let taken = SystemClock.now()
            kill(first.processIdentifier, SIGKILL)
            #expect(try await wait(120) { CollectorLock.owner(workspace: workspace) == "\(second.processIdentifier)" })
            // Until it has collected, it may not listen to being asked to end yet.
            let path = workspace
            #expect(try await wait(120) { ((try? Workspace(path: path).lastRuns().first?.started) ?? 0) > taken })
            second.terminate()
            try await CommandTests.end(of: second)
            #expect(second.terminationStatus == 0)
        }
    }

    /// Those who watch a collector: Prometheus, a supervisor, and whoever collects logs.
    @Test func metricsHealthAndLogLines() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = try write(lab)
            let text = try String(contentsOfFile: configuration, encoding: .utf8)
            try FolderWriter.write(text + "\nmetrics: 127.0.0.1:0\n", to: configuration)
            let collector = CommandTests.process(
                ["collect", "--log", "json", "--config", configuration], in: lab.folder)
            let log = lab.folder + "/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            collector.standardError = FileHandle(forWritingAtPath: log)
            collector.standardOutput = FileHandle.nullDevice
            collector.standardInput = FileHandle.nullDevice
            try collector.run()
            func lines() -> [Bag] {
                ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                    (try? JSONReader.parse($0))?.bagValue
                }
            }
            func address() -> String? {
                (try? String(contentsOfFile: log, encoding: .utf8))?.firstMatch(of: /metrics on (http:.+?)\/metrics/)
                    .map { String($0.1) }
            }
            #expect(
                try await wait(120) {
                    address() != nil && lines().contains { $0["message"] == .string("source collected") }
                })
            let base = try #require(address())
            let metrics = try await lab.send("GET", base + "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.body.contains(#"vestige_source_up{source="mde-machines"} 1"#), "\(metrics.body)")
            #expect(try await lab.send("GET", base + "/healthz").body == "ok\n")
            #expect(try await lab.send("GET", base + "/anything").status == 404)
            let line = try #require(lines().first { $0["message"] == .string("source collected") })
            #expect(
                line["source"] == .string("mde-machines") && line["rowsRead"] == .long(10)
                    && line["level"] == .string("info"))
            // What fails says what to do.
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"/api/machines","times":100,"status":403}"#)
            #expect(try await wait(120) { lines().contains { $0["message"] == .string("source failed") } })
            let failed = try #require(lines().first { $0["message"] == .string("source failed") })
            #expect(failed["level"] == .string("error") && failed["next"]?.text.contains("Machine.Read.All") == true)
            let told = try await CommandTests.run(["status", "--config", configuration], in: lab.folder)
            #expect(
                told.status == 1 && told.out.contains("Machine.Read.All") && told.out.contains("mde-machines"),
                "\(told.out)")
            collector.terminate()
            try await CommandTests.end(of: collector)
            #expect(collector.terminationStatus == 0)
        }
    }

    @Test func aHangupReadsTheConfigurationAgain() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = try write(lab)
            let path = lab.folder + "/operation.vestige"
            let collector = CommandTests.process(["collect", "--config", configuration], in: lab.folder)
            let log = lab.folder + "/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            collector.standardError = FileHandle(forWritingAtPath: log)
            collector.standardOutput = FileHandle.nullDevice
            collector.standardInput = FileHandle.nullDevice
            try collector.run()
            func ran() -> Set<String> { Set((try? Workspace(path: path).lastRuns().map(\.source)) ?? []) }
            func said(_ text: String) -> Bool {
                (try? String(contentsOfFile: log, encoding: .utf8))?.contains(text) == true
            }
            #expect(try await wait(120) { ran() == ["mde-machines"] })
            let good = try String(contentsOfFile: configuration, encoding: .utf8)
            // What cannot be read changes nothing.
            try FolderWriter.write(good.replacing("schedules:", with: "scheduls:"), to: configuration)
            kill(collector.processIdentifier, SIGHUP)
            #expect(
                try await wait(120) { said("scheduls") && said("collecting goes on with the configuration as it was") })
            #expect(collector.isRunning)
            try FolderWriter.write(
                good.replacing("[mde-machines]", with: "[mde-machines, mde-recommendations]"), to: configuration)
            kill(collector.processIdentifier, SIGHUP)
            #expect(try await wait(120) { ran() == ["mde-machines", "mde-recommendations"] })
            #expect(said("the configuration was read again"))
            collector.terminate()
            try await CommandTests.end(of: collector)
            #expect(collector.terminationStatus == 0)
        }
    }

    @Test func theFunctionsHostIsAnswered() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let configuration = try write(lab)
            let port = Int.random(in: 40_000..<60_000)
            let handler = try CommandTests.start(
                ["functions", "--config", configuration], in: lab.folder,
                environment: ["FUNCTIONS_CUSTOMHANDLER_PORT": "\(port)"])
            defer { handler.terminate() }
            let base = "http://127.0.0.1:\(port)"
            var isReady = false
            for _ in 0..<200 where !isReady {
                isReady = (try? await lab.send("GET", base + "/"))?.status == 200
                if !isReady { try await Task.sleep(for: .milliseconds(100)) }
            }
            #expect(isReady)
            let call = """
                {"Data":{"tick":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"collect"}}}
                """
            let answer = try await lab.send("POST", base + "/collect", call)
            #expect(
                answer.status == 200 && answer.body.contains("\"Outputs\":{}") && answer.body.contains("10 rows read"),
                "\(answer.body)")
            // Not due again: a run that does nothing is a success.
            let again = try await lab.send("POST", base + "/collect", call)
            #expect(again.status == 200 && again.body.contains("0 rows read"), "\(again.body)")
        }
    }

    @Test func theDoctorSaysWhatToGrantAndFails() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let configuration = try write(lab)
            let well = try await CommandTests.run(["doctor", "--config", configuration], in: lab.folder)
            #expect(
                well.status == 0 && well.out.contains("✓ tenant: permission Machine.Read.All: granted"),
                "\(well.out)\(well.err)")
            _ = try await lab.control("POST", "/lab/roles/withhold", "[\"Machine.Read.All\"]")
            let ill = try await CommandTests.run(
                ["doctor", "--config", configuration, "--format", "json"], in: lab.folder)
            #expect(
                ill.status == 1 && ill.out.contains("\"outcome\":\"failed\"")
                    && ill.out.contains("Grant admin consent"), "\(ill.out)")
            #expect(!ill.out.contains(lab.lab.options.identity.secret))
        }
    }
}
