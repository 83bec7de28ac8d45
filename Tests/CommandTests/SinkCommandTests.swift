import Foundation
import Tables
import TestKit
import Testing

/// Feeding a Sentinel workspace, as a user does it: lawful rules, what is not sent, and mistakes in the configuration.
@Suite(.serialized) struct SinkCommandTests {
    private func write(_ lab: RunningLab, _ more: String) throws -> String {
        let identity = lab.lab.options.identity
        let text = """
            workspace: \(lab.folder)/sink.vestige
            sources: [mde-machines, mde-devices, iot-devices, cisa-kev]
            feeds: {cisa-kev: "\(lab.cloud)/feeds/known_exploited_vulnerabilities.json"}
            tenant: {tenantId: \(identity.tenant), clientId: \(identity.client), clientSecret: "file:\(lab.folder)/secret",
              loginHost: "\(lab.cloud)", graphHost: "\(lab.cloud)", endpointHost: "\(lab.cloud)"}
            sensors: [{name: plant, host: "\(lab.sensor)", token: "file:\(lab.folder)/token", certificate: "\(lab.folder)/sensor.pem"}]

            """
        try FolderWriter.write(identity.secret, to: lab.folder + "/secret")
        try FolderWriter.write(identity.sensorToken, to: lab.folder + "/token")
        try FolderWriter.write(text + more, to: lab.folder + "/vestige.yaml")
        return lab.folder + "/vestige.yaml"
    }

    private func sink(_ lab: RunningLab, _ rules: String) -> String {
        "sinks:\n  - name: sentinel\n    kind: logs-ingestion\n    endpoint: \(lab.cloud)\n\(rules)"
    }

    private func status(_ lab: RunningLab, _ file: String) async throws -> (status: Int32, sink: JSON) {
        let told = try await CommandTests.run(["status", "--format", "json", "--config", file], in: lab.folder)
        return (told.status, try JSON(parsing: told.out)["sinks"]?[0] ?? nil)
    }

    @Test func whatNoRuleNamesIsNotSentAndIsSaidOnce() async throws {
        try await RunningLab.use(devices: 10) { lab in
            lab.declareStreams(Repository.library())
            let file = try write(
                lab,
                sink(
                    lab,
                    "    rules:\n      - {rule: dcr-posture, tables: posture}\n      - {rule: dcr-ot, tables: ot}\n"))
            let run = try await CommandTests.run(["collect", "--once", "--config", file], in: lab.folder)
            #expect(run.status == 0, "\(run.err)")
            let (code, told) = try await status(lab, file)
            #expect(
                code == 0 && told["rowsWaiting"] == 0
                    && told["notSent"] == ["KnownExploitedVulnerabilities_CL", "VestigeFindings_CL"])
            #expect(told["rules"]?.array?.map { $0["rule"] } == ["posture (dcr-posture)", "ot (dcr-ot)"])
            let text = try await CommandTests.run(["status", "--config", file], in: lab.folder)
            #expect(text.out.components(separatedBy: "by decision").count == 2)
            let doctor = try await CommandTests.run(["doctor", "--config", file], in: lab.folder)
            #expect(doctor.out.components(separatedBy: "by decision").count == 2, "\(doctor.out)")
            #expect(
                doctor.out.contains("✓ sink sentinel, rule ot (dcr-ot): stream Custom-IoTDevices_CL: accepts records"))
        }
    }

    /// The shorthand: the rule decides, the run says once what it left out.
    @Test func oneRuleWithoutAListEndsWell() async throws {
        try await RunningLab.use(devices: 10) { lab in
            lab.declareStreams(Repository.library())
            let file = try write(lab, sink(lab, "    rule: dcr-ot\n"))
            let first = try await CommandTests.run(["collect", "--once", "--config", file], in: lab.folder)
            #expect(first.status == 0 && first.err.contains("not in its rule, and not sent: "), "\(first.err)")
            let second = try await CommandTests.run(["collect", "--once", "--config", file], in: lab.folder)
            #expect(second.status == 0 && !second.err.contains("not in its rule"), "\(second.err)")
            let (code, told) = try await status(lab, file)
            #expect(code == 0 && told["rowsWaiting"] == 0)
            #expect(told["rules"]?[0]?["notInRule"]?.array?.contains("DeviceInfo") == true)
            #expect(told["rules"]?[0]?["tables"] == .null)
        }
    }

    @Test(arguments: [
        ("    rule: dcr-ot\n    tables: [ot, posture]\n", "19 tables go by the rule dcr-ot"),
        ("    rule: dcr-ot\n    tables: [IoTDevice_CL]\n", "did you mean IoTDevices_CL?"),
        ("    rule: dcr-ot\nfeeds2: {}\n", "unknown field 'feeds2'"),
        ("    rule: dcr-ot\nschedules: {iot-device: 5m}\n", "did you mean iot-devices?"),
    ])
    func aMistakeStopsBeforeAnythingIsCollected(_ text: String, _ reason: String) async throws {
        try await RunningLab.use(devices: 5) { lab in
            let file = try write(lab, sink(lab, text))
            let run = try await CommandTests.run(["collect", "--once", "--config", file], in: lab.folder)
            #expect(run.status == 2 && run.err.contains(reason) && run.err.contains("vestige.yaml:"), "\(run.err)")
            #expect(try await lab.received().isEmpty)
        }
    }

    @Test func theDoctorNamesAListThatIsNotThere() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let file = try write(lab, "")
            let good = try await CommandTests.run(["doctor", "--config", file], in: lab.folder)
            #expect(good.status == 0 && good.out.contains("✓ source cisa-kev: address: "), "\(good.out)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let wrong = text.replacing(/feeds: \{.*\}/, with: "feeds: {cisa-kev: 'file:nowhere.json'}")
            try FolderWriter.write(wrong, to: file)
            let bad = try await CommandTests.run(["doctor", "--config", file], in: lab.folder)
            #expect(bad.status == 1 && bad.out.contains("the file nowhere.json is not there"), "\(bad.out)")
            try FolderWriter.write(text.replacing("vulnerabilities.json", with: "nothing.json"), to: file)
            let gone = try await CommandTests.run(["doctor", "--config", file], in: lab.folder)
            #expect(gone.status == 1 && gone.out.contains("✗ source cisa-kev: address: "), "\(gone.out)")
        }
    }

    /// A lab that somebody starts, its configuration, and the demo: five rules of ten streams at most, and nothing
    /// waits.
    @Test func theLabsOwnConfigurationAndTheDemoAreLawful() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let lab = try CommandTests.start(
            [
                "lab", "serve", "--devices", "20", "--ot-devices", "10", "--port", "0", "--sensor-port", "0",
                "--write-config", "lab.yaml",
            ], in: folder)
        defer { lab.terminate() }
        let end = ContinuousClock.now + .seconds(60)
        while !FileManager.default.fileExists(atPath: folder + "/lab.yaml"), ContinuousClock.now < end, lab.isRunning {
            await Task.yield()
        }
        let doctor = try await CommandTests.run(["doctor", "--config", "lab.yaml"], in: folder)
        #expect(doctor.status == 0 && doctor.out.contains("streams of 10 at most"), "\(doctor.out)\(doctor.err)")
        let run = try await CommandTests.run(["collect", "--once", "--config", "lab.yaml"], in: folder)
        #expect(run.status == 0, "\(run.err)")
        let told = try await CommandTests.run(["status", "--format", "json", "--config", "lab.yaml"], in: folder)
        let sink = try JSON(parsing: told.out)["sinks"]?[0]
        #expect(told.status == 0 && sink?["rowsWaiting"] == 0 && sink?["rowsRefused"] == 0)
        #expect(sink?["rules"]?.array?.count == 5 && (sink?["rowsSent"]?.integer ?? 0) > 1_000)
        let demo = try await CommandTests.run(
            [
                "demo", "--no-serve", "--devices", "20", "--ot-devices", "10", "--days", "2", "--workspace",
                "d.vestige",
            ], in: folder)
        #expect(
            demo.status == 0 && demo.err.contains("5 data collection rules; nothing waits"), "\(demo.out)\(demo.err)")
    }
}
