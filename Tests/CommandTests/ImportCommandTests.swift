import Foundation
import TestKit
import Testing

/// Import and export as a user runs them.
@Suite(.serialized) struct ImportCommandTests {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await body(folder)
    }

    private func rows(_ query: String, in folder: String) async throws -> String {
        let outcome = try await CommandTests.run(["query", "--quiet", "--format", "csv", query], in: folder)
        #expect(outcome.status == 0, "\(outcome.err)")
        return outcome.out
    }

    @Test func anImportSaysWhatTheFileIs() async throws {
        try await inFolder { folder in
            let text = "Name;Owner\r\nk-2;Åse\r\n"
            try Data(text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }).write(
                to: URL(fileURLWithPath: folder + "/f.csv"))
            let done = try await CommandTests.run(["import", "f.csv", "--table", "T"], in: folder)
            #expect(done.status == 0)
            #expect(done.err.contains("1 row of f.csv in table T"))
            #expect(done.err.contains("read as CSV with ';', UTF-16LE, 2 columns, 1 row"))
            #expect(try await rows("T | project Name, Owner", in: folder) == "Name,Owner\r\nk-2,Åse\r\n")
            for wrong in [
                ["import", "f.csv"], ["import", "f.csv", "--table", "T", "--encoding", "klingon"],
                ["import", "f.csv", "--table", "T", "--separator", "ab"],
                ["import", "f.csv", "--table", "T", "--schema", "a:long, a:long"], ["import", "none", "--table", "T"],
                ["export", "out", "--from", "soon"], ["export", "out", "--from", "2026-02-01", "--to", "2026-01-01"],
                ["export", "out", "--workspace", "none.vestige"], ["import", "f.csv", "--table", "no name"],
            ] {
                #expect(try await CommandTests.run(wrong, in: folder).status == 2, "\(wrong)")
            }
        }
    }

    /// Named before anything else is asked for, and before a workspace is made.
    @Test func aFileThatIsNotThereIsNamed() async throws {
        try await inFolder { folder in
            for arguments in [["absent.csv"], ["absent.csv", "--table", "T"], ["absent.csv", "--watchlist", "W"]] {
                let outcome = try await CommandTests.run(["import"] + arguments, in: folder)
                #expect(outcome.status == 2 && outcome.err.contains("there is no file or folder absent.csv"))
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/vestige.db"))
        }
    }

    @Test func watchlistsAreLookedAtToo() async throws {
        try await inFolder { folder in
            try FolderWriter.write("Upn;Level\r\na@x;\"1;2\"\r\n", to: folder + "/w.csv")
            let done = try await CommandTests.run(["import", "w.csv", "--watchlist", "Admins"], in: folder)
            #expect(done.status == 0 && done.err.contains("CSV with ';'"), "\(done.err)")
            #expect(
                try await rows("_GetWatchlist('Admins') | project SearchKey, Level", in: folder)
                    == "SearchKey,Level\r\na@x,1;2\r\n")
            try FolderWriter.write("Upn,Level\r\n\"a@x,1\r\n", to: folder + "/bad.csv")
            let bad = try await CommandTests.run(["import", "bad.csv", "--watchlist", "Admins"], in: folder)
            #expect(bad.status == 1 && bad.err.contains("quote"))
            try FolderWriter.write("[{\"Upn\":\"a@x\"}]", to: folder + "/bad.csv")
            let json = try await CommandTests.run(["import", "bad.csv", "--watchlist", "Admins"], in: folder)
            #expect(json.status == 1 && json.err.contains("it is JSON"))
        }
    }

    @Test func aFolderGoesOutAndInAgain() async throws {
        try await inFolder { folder in
            try FolderWriter.write("{\"Name\":\"a\",\"Bag\":{\"x\":1}}\n", to: folder + "/in/T.ndjson")
            try FolderWriter.write("DeviceId,DeviceName\nd-1,w-1\n", to: folder + "/in/DeviceInfo.csv")
            try FolderWriter.write("DeviceId\n\"d-2\n", to: folder + "/in/DeviceEvents.csv")
            let first = try await CommandTests.run(["import", "in"], in: folder)
            #expect(
                first.status == 1 && first.err.contains("1 of 3 tables were not imported: DeviceEvents"), "\(first.err)"
            )
            let export = try await CommandTests.run(["export", "out", "--gzip"], in: folder)
            #expect(export.status == 0 && export.err.contains("2 rows of 2 tables are in out"), "\(export.err)")
            #expect(try await CommandTests.run(["export", "out", "--gzip"], in: folder).status == 2)
            for round in 0..<2 {
                let again = try await CommandTests.run(["import", "out", "--workspace", "again.vestige"], in: folder)
                #expect(again.status == 0, "\(again.err)")
                #expect(again.err.contains("1 row there already") == (round == 1))
            }
            for query in [
                "T | project TimeGenerated, Name, tostring(Bag)", "DeviceInfo | project TimeGenerated, DeviceId, RowId",
            ] {
                let there = try await CommandTests.run(
                    ["query", "--quiet", "--format", "csv", "--workspace", "again.vestige", query], in: folder)
                #expect(there.out == (try await rows(query, in: folder)) && there.out.count > 40)
            }
        }
    }

    @Test func anExportThatCannotBeWrittenIsAnError() async throws {
        try await inFolder { folder in
            let lines = (0..<60_000).map {
                "\(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)-\(UInt64($0) &* 0xD6E8_FEB8_6659_FD93)"
            }
            try FolderWriter.write("a\n" + lines.joined(separator: "\n"), to: folder + "/big.csv")
            #expect(try await CommandTests.run(["import", "big.csv", "--table", "T"], in: folder).status == 0)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            // The file may grow to 500 kB: the kernel refuses more, as a full disk does.
            process.arguments = [
                "-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" export out --table T 2>err", CommandTests.program,
            ]
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.environment = ["PATH": "/usr/bin:/bin", "VESTIGE_CONTENT": Repository.content]
            try process.run()
            try await CommandTests.end(of: process)
            let text = try String(contentsOfFile: folder + "/err", encoding: .utf8)
            #expect(process.terminationStatus == 1)
            #expect(text.contains("the export stopped") && text.contains("out/T.ndjson"), "\(text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/out") == [])
        }
    }

    /// Whoever is killed while rows take the place of others leaves all of the old ones or all of the new.
    @Test func aReplacementIsWholeOrNotAtAll() async throws {
        let kills = ProcessInfo.processInfo.environment["VESTIGE_KILLS"].flatMap { Int($0) } ?? 12
        try await inFolder { folder in
            func write(_ rows: Int, _ word: String, to name: String) throws {
                let records = (0..<rows).map {
                    "{\"Id\":\($0),\"Word\":\"\(word)-\($0 &* 7919 % 10_007)\",\"Kind\":\"\(word)\"}"
                }
                try FolderWriter.write("[" + records.joined(separator: ",\n") + "]", to: folder + "/" + name)
            }
            try write(500, "old", to: "old.json")
            try write(60_000, "new", to: "new.json")
            #expect(try await CommandTests.run(["import", "old.json", "--table", "T"], in: folder).status == 0)
            func replace() throws -> Process {
                try CommandTests.start(["import", "new.json", "--table", "T", "--replace", "--quiet"], in: folder)
            }
            let began = ContinuousClock.now
            try await CommandTests.end(of: try replace())
            var whole = (ContinuousClock.now - began) / .milliseconds(1)
            #expect(
                try await CommandTests.run(["import", "old.json", "--table", "T", "--replace"], in: folder).status == 0)
            var killed = 0
            var tries = 0
            while killed < kills, tries < 3 * kills {
                tries += 1
                let start = ContinuousClock.now
                let process = try replace()
                // From the beginning of the work to just before its end.
                let instant = whole * (0.2 + 0.8 * Double(killed) / Double(kills))
                while process.isRunning, (ContinuousClock.now - start) / .milliseconds(1) < instant {
                    try await Task.sleep(for: .milliseconds(1))
                }
                let isKilled = process.isRunning
                if isKilled { kill(process.processIdentifier, SIGKILL) }
                try await CommandTests.end(of: process)
                let found = try await rows("T | summarize n = count() by Kind", in: folder)
                #expect(["Kind,n\r\nold,500\r\n", "Kind,n\r\nnew,60000\r\n"].contains(found), "\(found)")
                if isKilled {
                    killed += 1
                } else {
                    whole = min(whole, (ContinuousClock.now - start) / .milliseconds(1))
                }
                if found.contains("new") {
                    #expect(
                        try await CommandTests.run(["import", "old.json", "--table", "T", "--replace"], in: folder)
                            .status == 0)
                }
            }
            #expect(killed == kills)
        }
    }
}
