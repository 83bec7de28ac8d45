import Foundation
import TestKit
import Testing
import Workspace

/// What commands that only ask do to files, and what becomes of what they print.
@Suite(.serialized) struct QuestionTests {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write("a,b\n1,x\n2,y\n", to: folder + "/f.csv")
        try await body(folder)
    }

    private func files(_ folder: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".db") })
    }

    /// Runs a line of shell, in which `vestige` is the program.
    private func shell(_ line: String, in folder: String) async throws -> CommandTests.Outcome {
        let process = CommandTests.process([], in: folder)
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "vestige() { \"$0\" \"$@\"; }; \(line)", CommandTests.program]
        let (out, err) = (folder + "/out", folder + "/err")
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try await CommandTests.end(of: process)
        return CommandTests.Outcome(
            status: process.terminationStatus, out: try String(contentsOfFile: out, encoding: .utf8),
            err: try String(contentsOfFile: err, encoding: .utf8))
    }

    /// A workspace that is not there is told by name, and no question makes one.
    @Test func noQuestionMakesAWorkspace() async throws {
        try await inFolder { folder in
            for question in [
                ["status"], ["query", "print 1"], ["check", "print 1"], ["workbook", "render", "posture"],
                ["workspace", "verify"],
            ] {
                let outcome = try await CommandTests.run(question + ["--workspace", "nosuch.db"], in: folder)
                #expect(outcome.status == 2 && outcome.err.contains("nosuch.db"), "\(question): \(outcome.err)")
            }
            try FolderWriter.write("workspace: w.db\n", to: folder + "/vestige.yaml")
            for question in [
                ["status"], ["status", "--format", "json"], ["query", "MDEMachines_CL | count"],
                ["check", "MDEMachines_CL | count"], ["content", "check"], ["collect", "--list"],
            ] {
                #expect(try await CommandTests.run(question, in: folder).status == 0, "\(question)")
            }
            // Nor does a dry run, or the doctor, whatever they find.
            _ = try await CommandTests.run(["collect", "--once", "--dry-run"], in: folder)
            _ = try await CommandTests.run(["doctor"], in: folder)
            #expect(try files(folder).isEmpty)
        }
    }

    /// Every question leaves the file as it was, an old mark of its time among it.
    @Test func everyQuestionLeavesTheFileAsItWas() async throws {
        try await inFolder { folder in
            #expect(
                try await CommandTests.run(["import", "f.csv", "--table", "T", "--workspace", "w.db"], in: folder)
                    .status == 0)
            let path = folder + "/w.db"
            let old = Date(timeIntervalSince1970: 1_000_000_000)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
            let before = FileManager.default.contents(atPath: path)
            for question in [
                ["status"], ["status", "--tables"], ["query", "T | count"], ["check", "T | where a == 1"],
                ["query", "MDEMachines_CL | count"], ["query", ".show tables"], ["workbook", "render", "posture"],
                ["workspace", "verify"], ["doctor"],
            ] {
                let outcome = try await CommandTests.run(question + ["--workspace", "w.db"], in: folder)
                #expect(question == ["doctor"] || outcome.status == 0, "\(question): \(outcome.err)")
            }
            #expect(FileManager.default.contents(atPath: path) == before)
            let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            #expect(date == old)
            #expect(try files(folder) == ["w.db"])
        }
    }

    /// On media that cannot be written to, a workspace is read like any other.
    @Test func readOnlyMediaAreRead() async throws {
        try await inFolder { folder in
            let place = folder + "/evidence"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            #expect(
                try await CommandTests.run(
                    ["import", "f.csv", "--table", "T", "--workspace", "evidence/w.db"], in: folder
                ).status == 0)
            try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: place + "/w.db")
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: place)
            defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place) }
            for question in [["status"], ["query", "T | count"], ["workspace", "verify"]] {
                let outcome = try await CommandTests.run(question + ["--workspace", "evidence/w.db"], in: folder)
                #expect(outcome.status == 0, "\(question): \(outcome.err)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["w.db"])
        }
    }

    @Test func importsIntoOneNewFileAtOnceAllGoIn() async throws {
        try await inFolder { folder in
            for round in 0..<4 {
                let line = """
                    for i in 1 2 3 4 5 6; do vestige import f.csv --table T$i --workspace new\(round).db --quiet & done
                    for job in $(jobs -p); do wait $job || echo failed; done
                    vestige query --workspace new\(round).db --format csv --quiet 'union T1, T2, T3, T4, T5, T6 | count'
                    """
                let outcome = try await shell(line, in: folder)
                #expect(outcome.out == "Count\r\n12\r\n", "\(outcome.out)\(outcome.err)")
            }
        }
    }

    /// A full disk behind standard output is the command's failure; a reader that has seen enough is none.
    @Test(arguments: [
        "query --format csv 'range x from 1 to 200000 step 1'", "query --format json 'print 1'",
        "query --format ndjson 'print 1'", "query 'print 1'", "status", "--help", "--version", "collect --list",
        "content document", "workbook list", "query '.show tables'",
    ])
    func whatCannotBeWrittenIsAnError(command: String) async throws {
        try await inFolder { folder in
            let full = try await shell("vestige \(command) > /dev/full", in: folder)
            #expect(full.status == 1 && full.err.contains("standard output could not be written"), "\(full.err)")
            let closed = try await shell(
                "vestige \(command) 2> told | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}", in: folder)
            #expect(closed.status == 0)
            let told = try String(contentsOfFile: folder + "/told", encoding: .utf8)
            #expect(!told.contains("error"), "\(told)")
        }
    }

    @Test func verifyNamesTheDamageAndFails() async throws {
        try await inFolder { folder in
            let rows = (0..<3_000).map { "\($0 &* 7_919),\($0)-\($0 &* 104_729)" }.joined(separator: "\n")
            try FolderWriter.write("a,b\n\(rows)\n", to: folder + "/f.csv")
            _ = try await CommandTests.run(["import", "f.csv", "--table", "T", "--workspace", "w.db"], in: folder)
            let good = try await CommandTests.run(["workspace", "verify", "--workspace", "w.db"], in: folder)
            #expect(good.status == 0 && good.err.contains("all as it was written"), "\(good.err)")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/w.db"))
            let place = try #require(bytes.range(of: Data("1500-\(1_500 * 104_729)".utf8))).lowerBound
            bytes[place] ^= 1
            try bytes.write(to: URL(fileURLWithPath: folder + "/w.db"))
            let bad = try await CommandTests.run(["workspace", "verify", "--workspace", "w.db"], in: folder)
            #expect(bad.status == 1 && bad.out.contains("table T, extent 1, column b"), "\(bad.out)\(bad.err)")
            let json = try await CommandTests.run(
                ["workspace", "verify", "--workspace", "w.db", "--format", "json"], in: folder)
            #expect(json.status == 1 && json.out.contains(#""table":"T","extent":1,"column":"b""#), "\(json.out)")
            let query = try await CommandTests.run(
                ["query", "--workspace", "w.db", "T | summarize dcount(b)"], in: folder)
            #expect(query.status == 1 && query.err.contains("table T, extent 1, column b is damaged"), "\(query.err)")
            #expect(
                try await CommandTests.run(["query", "--workspace", "w.db", "T | summarize sum(a)"], in: folder).status
                    == 0)
        }
    }
}
