import Foundation
import Tables
import TestKit
import Testing

/// Accounts, tokens and the audit at the terminal, and a server that is shared through a proxy.
@Suite(.serialized) struct ShareCommandTests {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await body(folder)
    }

    /// Runs the program with something on its standard input.
    private func run(_ arguments: [String], in folder: String, input: String) async throws -> CommandTests.Outcome {
        let process = CommandTests.process(arguments, in: folder)
        let (out, err, pipe) = (folder + "/out-\(UUID().uuidString)", folder + "/err-\(UUID().uuidString)", Pipe())
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        process.standardInput = pipe
        try process.run()
        try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try pipe.fileHandleForWriting.close()
        try await CommandTests.end(of: process)
        return CommandTests.Outcome(
            status: process.terminationStatus, out: try String(contentsOfFile: out, encoding: .utf8),
            err: try String(contentsOfFile: err, encoding: .utf8))
    }

    @Test func accountsAreMadeChangedAndRemoved() async throws {
        try await inFolder { folder async throws in
            let weak = try await run(["user", "add", "anna"], in: folder, input: "short\n")
            #expect(weak.status == 2 && weak.err.contains("fewer than 12"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/vestige.db.accounts"))
            let added = try await run(
                ["user", "add", "anna", "--role", "analyst"], in: folder, input: "four words of mine\n")
            #expect(added.status == 0 && !added.err.contains("four words"), "\(added.err)")
            let list = try await CommandTests.run(["user", "list"], in: folder)
            #expect(list.out.contains("anna") && list.out.contains("analyst"))
            let twice = try await run(["user", "add", "ANNA"], in: folder, input: "four words of mine\n")
            #expect(twice.status == 2 && twice.err.contains("already"))
            let odd = try await run(["user", "add", "a/../b"], in: folder, input: "four words of mine\n")
            #expect(odd.status == 2)
            let role = try await CommandTests.run(["user", "password", "anna", "--role", "reader"], in: folder)
            #expect(role.status == 0)
            #expect(try await CommandTests.run(["user", "list"], in: folder).out.contains("reader"))
            #expect(try await CommandTests.run(["user", "remove", "nobody"], in: folder).status == 2)
            #expect(try await CommandTests.run(["user", "remove", "anna"], in: folder).status == 0)
            // Who may come in is changed by nobody without a word.
            let audit = try String(contentsOfFile: folder + "/vestige.db.audit", encoding: .utf8)
            for command in ["user add anna --role analyst", "user password anna --role reader", "user remove anna"] {
                #expect(audit.contains("vestige \(command)"), "\(command)")
            }
            #expect(!audit.contains("four words of mine"))
            #expect(try await CommandTests.run(["audit", "verify"], in: folder).status == 0)
        }
    }

    @Test func aTokenIsShownOnce() async throws {
        try await inFolder { folder async throws in
            let made = try await CommandTests.run(["token", "create", "grafana", "--expires", "12h"], in: folder)
            let secret = made.out.trimmingCharacters(in: .newlines)
            #expect(made.status == 0 && secret.hasPrefix("vst_") && secret.utf8.count == 56, "\(made.out)")
            let list = try await CommandTests.run(["token", "list"], in: folder)
            #expect(list.out.contains(secret.prefix(12)) && !list.out.contains(secret))
            for file in ["/vestige.db.accounts", "/vestige.db.audit"] {
                #expect(!(try String(contentsOfFile: folder + file, encoding: .utf8)).contains(secret))
            }
            for wrong in ["0s", "-1d", "999d", "soon"] {
                #expect(
                    try await CommandTests.run(["token", "create", "x", "--expires=\(wrong)"], in: folder).status == 2)
            }
            #expect(try await CommandTests.run(["token", "create", "grafana"], in: folder).status == 2)
            #expect(try await CommandTests.run(["token", "revoke", "grafana"], in: folder).status == 0)
            #expect(try await CommandTests.run(["token", "revoke", "grafana"], in: folder).status == 2)
        }
    }

    @Test func theAuditsEndIsMissedOnceItWasCollected() async throws {
        try await inFolder { folder async throws in
            for name in ["a", "b", "c"] {
                #expect(try await CommandTests.run(["token", "create", name], in: folder).status == 0)
            }
            let none = try await CommandTests.run(["workspace", "verify"], in: folder)
            #expect(none.status == 2)
            try FolderWriter.write(
                "sources: [cisa-kev]\nfeeds: {cisa-kev: \"file:kev.json\"}\n", to: folder + "/vestige.yaml")
            _ = try await CommandTests.run(["collect", "--once"], in: folder)
            let rows = try await CommandTests.run(
                ["query", "VestigeAudit_CL | count", "--format", "csv"], in: folder)
            #expect(rows.out.contains("3"), "\(rows.out)\(rows.err)")
            let path = folder + "/vestige.db.audit"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            try FolderWriter.write(lines.dropLast().map { $0 + "\n" }.joined(), to: path)
            let verified = try await CommandTests.run(["audit", "verify"], in: folder)
            #expect(verified.status == 1 && verified.out.contains("cut off"), "\(verified.out)")
            // Whoever checks the workspace hears of it as well.
            let whole = try await CommandTests.run(["workspace", "verify"], in: folder)
            #expect(whole.status == 1 && whole.out.contains("audit, line 2: entry 3"), "\(whole.out)\(whole.err)")
            let json = try await CommandTests.run(["workspace", "verify", "--format", "json"], in: folder)
            let audit = try JSON(parsing: Array(json.out.utf8))["audit"]
            #expect(json.status == 1 && audit?["entries"]?.integer == 2 && audit?["faults"]?.array?.count == 1)
            let collected = try await CommandTests.run(["collect", "--once"], in: folder)
            #expect(collected.status != 0 && collected.err.contains("is not the one that was collected"))
            #expect(try await CommandTests.run(["audit", "restart"], in: folder).status == 0)
            let again = try await CommandTests.run(["collect", "--once"], in: folder)
            #expect(!again.err.contains("is not the one that was collected"))
        }
    }

    /// A server behind a proxy: asked with a token, ended in the middle, and nothing that was asked is missing.
    @Test func aServerThatIsEndedHasWrittenDownWhatItAnswered() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let folder = lab.folder
            try FolderWriter.write("server: {address: https://workbench.example}\n", to: folder + "/vestige.yaml")
            let none = try await CommandTests.run(["serve", "--listen", "127.0.0.1:0"], in: folder)
            #expect(none.status == 2 && none.err.contains("nobody could sign in"))
            let made = try await CommandTests.run(["token", "create", "t", "--calls-per-minute", "10000"], in: folder)
            let secret = made.out.trimmingCharacters(in: .newlines)
            let server = CommandTests.process(["serve", "--listen", "127.0.0.1:0"], in: folder)
            let log = folder + "/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            server.standardError = FileHandle(forWritingAtPath: log)
            server.standardOutput = FileHandle.nullDevice
            server.standardInput = FileHandle.nullDevice
            try server.run()
            let base = try #require(try await address(in: log))
            let bare = try await lab.send("GET", base + "/metrics")
            #expect(bare.status == 401)
            let bearer = [("Authorization", "Bearer \(secret)"), ("X-Forwarded-For", "evil, 10.9.8.7")]
            for i in 0..<20 {
                let query = base + "/v1/rest/query?db=Vestige&csl=print%20\(i)"
                #expect(try await lab.send("GET", query, headers: bearer).status == 200)
            }
            // Somebody asks for much and reads nothing of it: the server ends all the same.
            let port = try #require(Int(base.split(separator: ":").last ?? ""))
            let idle = try RawConnection(port: port)
            let much = "/v1/rest/query?db=Vestige&csl=range%20i%20from%201%20to%20400000%20step%201"
            idle.send(
                "GET \(much) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(secret)\r\n\r\n")
            #expect(try await appears("400000", in: folder + "/vestige.db.audit"))
            kill(server.processIdentifier, SIGTERM)
            let began = ContinuousClock.now
            try await CommandTests.end(of: server)
            #expect(server.terminationStatus == 0 && ContinuousClock.now - began < .seconds(10))
            withExtendedLifetime(idle) {}
            let verified = try await CommandTests.run(["audit", "verify", "--format", "json"], in: folder)
            #expect(verified.status == 0, "\(verified.out)")
            let text = try String(contentsOfFile: folder + "/vestige.db.audit", encoding: .utf8)
            let queries = text.split(separator: "\n").filter { $0.contains("\"Action\":\"Query\"") }
            #expect(queries.count == 21 && !text.contains(secret))
            #expect(queries.dropLast().allSatisfy { $0.contains("\"ClientAddress\":\"10.9.8.7\"") })
            #expect(text.contains("the server starts") && text.ranges(of: "the server ends").count == 1)
        }
    }

    /// Whether a file comes to hold a text.
    private func appears(_ text: String, in file: String) async throws -> Bool {
        for _ in 0..<400 {
            if try String(contentsOfFile: file, encoding: .utf8).contains(text) { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Where a server says that it listens.
    private func address(in log: String) async throws -> String? {
        for _ in 0..<400 {
            let text = try String(contentsOfFile: log, encoding: .utf8)
            if let match = text.firstMatch(of: /by (http:\/\/127\.0\.0\.1:\d+)/) { return String(match.1) }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }
}
