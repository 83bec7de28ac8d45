import Foundation
import Tables
import TestKit
import Testing

/// Investigations at the terminal over a tenant in which something happens: events on demand, and watching.
@Suite(.serialized) struct ScenarioCommandTests {
    static func write(_ lab: RunningLab, _ more: String = "") throws -> String {
        let identity = lab.lab.options.identity
        let text = """
            workspace: \(lab.folder)/scene.vestige
            sources: [mde-machines, mde-devices, mde-alerts, mde-secure-configuration]
            tenant: {tenantId: \(identity.tenant), clientId: \(identity.client), clientSecret: "file:\(lab.folder)/secret",
              loginHost: "\(lab.cloud)", graphHost: "\(lab.cloud)", endpointHost: "\(lab.cloud)"}

            """
        try FolderWriter.write(identity.secret, to: lab.folder + "/secret")
        try FolderWriter.write(text + more, to: lab.folder + "/vestige.yaml")
        return lab.folder + "/vestige.yaml"
    }

    static func play(
        _ id: String, _ body: @Sendable (RunningLab) async throws -> Void
    ) async throws {
        let scenario = try Repository.scenario(id)
        try await RunningLab.use(devices: 4, otDevices: 4, configure: { $0.scenarios = [scenario] }, body)
    }

    static func collect(_ lab: RunningLab, _ file: String) async throws -> CommandTests.Outcome {
        let run = try await CommandTests.run(["collect", "--once", "--config", file], in: lab.folder)
        #expect(run.status == 0, "\(run.err)")
        return run
    }

    @Test func eventsAreAskedForWhereTheyAreMissing() async throws {
        try await Self.play("macro-to-ransomware") { lab in
            let file = try Self.write(lab)
            _ = try await Self.collect(lab, file)
            let before = try await CommandTests.run(["investigate", "--config", file], in: lab.folder)
            #expect(before.status == 0 && before.out.hasPrefix("NOT KNOWN"), "\(before.out)\(before.err)")
            #expect(before.out.contains("from lis-ws-9101.contoso.example between"), "\(before.out)")
            #expect(before.out.contains("--fetch asks the tenant for them"))
            let after = try await CommandTests.run(["investigate", "--fetch", "--config", file], in: lab.folder)
            #expect(after.status == 0 && after.out.hasPrefix("SOMEONE GOT IN"), "\(after.out)\(after.err)")
            // The file server had no alert: the workstation's connections led there.
            #expect(after.err.contains("events of lis-file-9102.contoso.example"), "\(after.err)")
            #expect(after.out.contains("lis-file-9102.contoso.example files-encrypted"), "\(after.out)")
            #expect(!after.out.contains("--fetch asks"))
            // Nothing is asked twice.
            let hunts = lab.lab.requests.filter { $0.contains("runHuntingQuery") }.count
            let again = try await CommandTests.run(["investigate", "--fetch", "--config", file], in: lab.folder)
            #expect(again.out.hasPrefix("SOMEONE GOT IN") && !again.err.contains("lis-file-9102"), "\(again.err)")
            #expect(lab.lab.requests.filter { $0.contains("runHuntingQuery") }.count <= hunts + 7)
        }
    }

    @Test func withoutATenantNobodyCanBeAsked() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write("workspace: \(folder)/empty.vestige\n", to: folder + "/vestige.yaml")
        let run = try await CommandTests.run(["investigate", "--fetch"], in: folder)
        #expect(run.status == 2 && run.err.contains("there is no tenant to ask for events"), "\(run.err)")
    }

    @Test func watchingTellsWhatIsNew() async throws {
        try await Self.play("macro-to-ransomware") { lab in
            let file = try Self.write(lab)
            _ = try await Self.collect(lab, file)
            let out = lab.folder + "/watched"
            _ = FileManager.default.createFile(atPath: out, contents: nil)
            let watch = CommandTests.process(["investigate", "--watch", "--config", file], in: lab.folder)
            watch.standardOutput = FileHandle(forWritingAtPath: out)
            watch.standardError = FileHandle.nullDevice
            watch.standardInput = FileHandle.nullDevice
            try watch.run()
            defer { watch.terminate() }
            func told(_ text: String) async throws -> Bool {
                let end = ContinuousClock.now + .seconds(120)
                while ContinuousClock.now < end, watch.isRunning {
                    if try String(contentsOfFile: out, encoding: .utf8).contains(text) { return true }
                    try await Task.sleep(for: .milliseconds(50))
                }
                return false
            }
            #expect(try await told("NOT KNOWN"))
            _ = try await CommandTests.run(["investigate", "--fetch", "--config", file], in: lab.folder)
            #expect(try await told("+ verdict: intrusion"))
            #expect(try await told("files-encrypted on lis-file-9102.contoso.example"))
        }
    }

    @Test func scenariosAreListedAndAWrongNameIsTold() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let list = try await CommandTests.run(["lab", "list"], in: folder)
        #expect(list.status == 0 && list.out.contains("quiet-plant"), "\(list.out)\(list.err)")
        let wrong = try await CommandTests.run(["demo", "--no-serve", "--scenario", "quiet-plan"], in: folder)
        #expect(wrong.status == 2 && wrong.err.contains("there is no scenario quiet-plan"), "\(wrong.err)")
    }

    @Test func theDemoEndsWithAnInvestigation() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let demo = try await CommandTests.run(
            [
                "demo", "--no-serve", "--devices", "6", "--ot-devices", "6", "--days", "5", "--workspace", "d.vestige",
            ], in: folder)
        #expect(demo.status == 0, "\(demo.err)")
        for part in [
            "SOMEONE GOT IN", "vendor-access on muc-ews-9401", "ot.remote_access on muc-ews-9401",
            "plc-program-changed on PLC-MIXING-942", "scid-2501 on osl-ws-9601",
            "vestige investigate --workspace d.vestige",
        ] { #expect(demo.err.contains(part), "\(part) in \(demo.err)") }
    }
}
