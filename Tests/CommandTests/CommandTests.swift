import Foundation
import TestKit
import Testing

/// The program itself, as a user runs it.
@Suite(.serialized) struct CommandTests {
    struct Outcome {
        let status: Int32
        let out: String
        let err: String
    }

    /// The program that was built beside the tests.
    static let program: String = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for _ in 0..<6 {
            let candidate = folder.appendingPathComponent("vestige").path
            if FileManager.default.isExecutableFile(atPath: candidate),
                !FileManager.default.fileExists(atPath: candidate + "/Package.swift")
            {
                return candidate
            }
            folder.deleteLastPathComponent()
        }
        return Repository.root + "/.build/debug/vestige"
    }()

    static func process(_ arguments: [String], in folder: String) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ["PATH": "/usr/bin:/bin", "VESTIGE_CONTENT": Repository.content, "HOME": folder]
        return process
    }

    /// Starts the program and does not wait for its end.
    static func start(_ arguments: [String], in folder: String, environment: [String: String] = [:]) throws -> Process {
        let process = process(arguments, in: folder)
        process.environment?.merge(environment) { _, new in new }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs the program to its end; the thread goes on with other tests, the lab's among them, meanwhile.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) async throws -> Outcome {
        let process = process(arguments, in: folder)
        process.environment?.merge(environment) { _, new in new }
        let (out, err) = (folder + "/out-\(UUID().uuidString)", folder + "/err-\(UUID().uuidString)")
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try await end(of: process)
        return Outcome(
            status: process.terminationStatus, out: try String(contentsOfFile: out, encoding: .utf8),
            err: try String(contentsOfFile: err, encoding: .utf8))
    }

    static func end(of process: Process) async throws {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await body(folder)
    }

    @Test func badKQLLeavesWithOneAndItsPlace() async throws {
        try await inFolder { folder in
            let check = try await Self.run(["check", "DeviceInfo | where DeviceNam has 'x'"], in: folder)
            #expect(check.status == 1)
            #expect(check.err.contains("query:1:20") && check.err.contains("did you mean DeviceName?"))
            #expect(try await Self.run(["check", "DeviceInfo | where DeviceName has 'x'"], in: folder).status == 0)
            #expect(try await Self.run(["query", "NoSuchTable | take 1"], in: folder).status == 1)
        }
    }

    @Test func badConfigurationLeavesWithTwo() async throws {
        try await inFolder { folder in
            try FolderWriter.write("workspace: w.vestige\ntenat: {}\n", to: folder + "/vestige.yaml")
            let typo = try await Self.run(["collect", "--once"], in: folder)
            #expect(typo.status == 2)
            #expect(typo.err.contains("vestige.yaml:") && typo.err.contains("did you mean 'tenant'"))
            try FolderWriter.write("tenant:\n  tenantId: [\n", to: folder + "/vestige.yaml")
            let broken = try await Self.run(["collect", "--once"], in: folder)
            #expect(broken.status == 2)
            #expect(broken.err.contains("not valid YAML"))
            try FolderWriter.write(
                "tenant: {tenantId: t, clientId: c, clientSecret: hunter2}\n", to: folder + "/vestige.yaml")
            let open = try await Self.run(["collect", "--once"], in: folder)
            #expect(open.status == 2)
            #expect(open.err.contains("env:NAME") && !open.err.contains("hunter2"))
            #expect(try await Self.run(["collect", "--no-such-option"], in: folder).status == 2)
            #expect(try await Self.run(["import", "nothing.json", "--table", "T"], in: folder).status == 2)
        }
    }

    @Test func nothingConfiguredNamesTheWaysForward() async throws {
        try await inFolder { folder in
            let outcome = try await Self.run(["collect", "--once"], in: folder)
            #expect(outcome.status == 2)
            #expect(outcome.err.contains("vestige demo"))
        }
    }

    @Test func importedFilesAnswerQuestions() async throws {
        try await inFolder { folder in
            try FolderWriter.write(
                #"{"title":"t","items":[{"cve":"CVE-1","added":"2026-01-02"},{"cve":"CVE-2","added":"2026-02-03"}]}"#,
                to: folder + "/k.json")
            try FolderWriter.write(
                "{\"id\":1,\"inner\":{\"a\":\"x\"}}\n{\"id\":2,\"inner\":{\"a\":\"y\"}}\n", to: folder + "/n.jsonl")
            try FolderWriter.write("cve,score\nCVE-1,9.8\nCVE-2,5\n", to: folder + "/s.csv")
            for (file, table) in [("k.json", "Known"), ("n.jsonl", "Lines"), ("s.csv", "Scores")] {
                #expect(try await Self.run(["import", file, "--table", table, "--quiet"], in: folder).status == 0)
            }
            let joined = try await Self.run(
                [
                    "query", "--format", "csv", "--quiet",
                    "Known | join kind=inner Scores on cve | where added > datetime(2026-01-01) | top 1 by score desc | project cve, score, year = getyear(added)",
                ], in: folder)
            #expect(joined.out == "cve,score,year\r\nCVE-1,9.8,2026\r\n")
            let lines = try await Self.run(
                ["query", "--format", "json", "Lines | where inner.a == 'y' | project id"], in: folder)
            #expect(lines.out == "{\"columns\":[{\"name\":\"id\",\"type\":\"long\"}],\"rows\":[[2]]}\n")
            try FolderWriter.write("{\"id\":1}\n{\"id\":\n", to: folder + "/bad.jsonl")
            let bad = try await Self.run(["import", "bad.jsonl", "--table", "Bad"], in: folder)
            #expect(bad.status == 1)
            #expect(bad.err.contains("line 2") && bad.err.contains("nothing was changed"))
        }
    }

    /// A full disk stops the work with one message, and what was stored stays.
    @Test func aFullDiskIsSaidSo() async throws {
        try await inFolder { folder in
            let lines = (0..<60_000).map {
                "\(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)-\(UInt64($0) &* 0xD6E8_FEB8_6659_FD93)"
            }
            try FolderWriter.write("a\n" + lines.joined(separator: "\n"), to: folder + "/big.csv")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            // The file may grow to 500 kB: the kernel refuses more, as a full disk does.
            process.arguments = [
                "-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" import big.csv --table T 2>err", Self.program,
            ]
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.environment = ["PATH": "/usr/bin:/bin", "VESTIGE_CONTENT": Repository.content]
            try process.run()
            try await Self.end(of: process)
            let text = try String(contentsOfFile: folder + "/err", encoding: .utf8)
            #expect(process.terminationStatus == 1)
            #expect(text.contains("disk is full") && text.contains("free space"), "\(text)")
            #expect(try await Self.run(["query", "print 1"], in: folder).status == 0)
        }
    }
}
