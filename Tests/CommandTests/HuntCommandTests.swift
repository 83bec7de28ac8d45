import Foundation
import Tables
import TestKit
import Testing

/// Hunting queries at the terminal, with content of one's own.
@Suite(.serialized) struct HuntCommandTests {
    static let hunt = """
        id: 5b0e7c11-2222-4333-8444-555566667777
        name: "TITLE"
        description: Finds what a test looks for.
        requiredDataConnectors: []
        tactics: [Execution]
        relevantTechniques: [T1204.002]
        query: |
          DeviceProcessEvents
          | where FileName == "none.exe"
        entityMappings:
          - entityType: Host
            fieldMappings:
              - identifier: HostName
                columnName: DeviceName
        version: 1.0.0
        vestige:
          slug: own-test
          mark: strong
          blind: [1]
          needs: [DeviceProcessEvents]
        """

    private func list(_ text: String, _ more: String...) async throws -> CommandTests.Outcome {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(text, to: folder + "/own/Hunts/own-test.yaml")
        try FolderWriter.write("workspace: w.vestige\ncontent: [own]\n", to: folder + "/vestige.yaml")
        return try await CommandTests.run(["hunt", "list"] + more, in: folder)
    }

    /// What a program reads is exact, also where a terminal would be steered by it.
    @Test func jsonKeepsEveryCharacter() async throws {
        let title = "odd \u{202E}name\u{2028}end"
        let outcome = try await list(Self.hunt.replacing("TITLE", with: title), "--format", "json")
        #expect(outcome.status == 0, "\(outcome.err)")
        let hunts = try #require(try JSON(parsing: outcome.out).array)
        #expect(hunts.first { $0["name"]?.string == "own-test" }?["title"]?.string == title)
    }

    @Test func aFileThatCannotBeUsedIsNamed() async throws {
        let whole = try await list(Self.hunt)
        #expect(whole.out.contains("own-test") && !whole.err.contains("left out"), "\(whole.err)")
        for (old, new) in [("mark: strong", "mark: loud"), ("blind: [1]", "blind: [1]\n  tested: []")] {
            let outcome = try await list(Self.hunt.replacing(old, with: new))
            #expect(outcome.err.contains("left out") && outcome.err.contains("own-test.yaml"), "\(outcome.err)")
            #expect(!outcome.out.contains("own-test\t"))
        }
    }
}

/// Hunts that are run by a timer or by themselves.
@Suite(.serialized) struct HuntScheduleTests {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(HuntCommandTests.hunt, to: folder + "/own/Hunts/own-test.yaml")
        try FolderWriter.write("workspace: w.vestige\ncontent: [own]\n", to: folder + "/vestige.yaml")
        let row = #"{"DeviceId": "d1", "DeviceName": "pc-1", "FileName": "none.exe", "ReportId": 1, "#
        try FolderWriter.write(
            row + #""Timestamp": "2026-09-01T00:00:00Z", "TimeGenerated": "2026-09-01T00:00:00Z"}"# + "\n",
            to: folder + "/DeviceProcessEvents.ndjson")
        let imported = try await CommandTests.run(["import", "DeviceProcessEvents.ndjson"], in: folder)
        #expect(imported.status == 0, "\(imported.err)")
        try await body(folder)
    }

    @Test func whatIsDueIsRunOnceAndRemembered() async throws {
        try await inFolder { folder async throws in
            let before = try await CommandTests.run(["hunt", "list"], in: folder)
            #expect(before.status == 0 && !before.out.contains("last run"), "\(before.err)")
            let turn = ["hunt", "run", "own-test", "di-tampering", "--schedule", "--once"]
            let first = try await CommandTests.run(turn, in: folder)
            #expect(first.status == 0 && first.out.contains("1 new of 1 row"), "\(first.out)\(first.err)")
            #expect(first.err.contains("2 hunts: 1 found something (1 row)"), "\(first.err)")
            #expect(first.err.contains("1 not answered: no rows of DeviceEvents"), "\(first.err)")
            let again = try await CommandTests.run(turn, in: folder)
            #expect(again.status == 0 && again.out == "" && again.err == "", "\(again.out)\(again.err)")
            let list = try await CommandTests.run(["hunt", "list", "--format", "json"], in: folder)
            let hunts = try #require(try JSON(parsing: list.out).array)
            let own = hunts.first { $0["name"]?.string == "own-test" }?["lastRun"]
            #expect(own?["rows"]?.integer == 1 && own?["new"]?.integer == 1, "\(list.out.prefix(300))")
            let silent = hunts.first { $0["name"]?.string == "di-tampering" }?["lastRun"]
            #expect(silent?["problem"]?.string == "no rows of DeviceEvents")
            let page = try await CommandTests.run(["hunt", "list"], in: folder)
            #expect(page.out.contains("last run"), "\(page.out.prefix(300))")
        }
    }

    @Test func aRunNamesItsHuntAndWhatItCannotSee() async throws {
        try await inFolder { folder async throws in
            let found = try await CommandTests.run(["hunt", "run", "own-test"], in: folder)
            #expect(
                found.status == 0 && found.out.hasPrefix("own-test  TITLE\n  strong, T1204.002: 1 row\n"),
                "\(found.out)")
            #expect(found.out.contains("pc-1") && found.out.contains("1 hunts: 1 found something (1 row)"))
            let none = try await CommandTests.run(["hunt", "run", "ex-double-extension"], in: folder)
            #expect(none.out.contains("blind to whether the program did what it was told"), "\(none.out)")
            for wrong in [["--once"], ["--schedule", "--every", "1s"], ["--schedule", "--every", "soon"]] {
                let refused = try await CommandTests.run(["hunt", "run"] + wrong, in: folder)
                #expect(refused.status == 2, "\(wrong): \(refused.err)")
            }
        }
    }
}

/// Hunts and rules over the rows in their files.
@Suite(.serialized) struct ContentTestCommandTests {
    private static let tests = """
          tests:
            - name: one
              hits: HITS
              rows:
                DeviceProcessEvents:
                  - {FileName: none.exe}
                  - {FileName: some.exe}
        """

    private func test(_ more: String, _ arguments: String...) async throws -> CommandTests.Outcome {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let hunt = HuntCommandTests.hunt.replacing("==", with: "=~") + "\n" + more + "\n"
        try FolderWriter.write(hunt, to: folder + "/own/Hunts/own-test.yaml")
        try FolderWriter.write("workspace: w.vestige\ncontent: [own]\n", to: folder + "/vestige.yaml")
        return try await CommandTests.run(["hunt", "test"] + arguments, in: folder)
    }

    @Test func aHuntIsTriedOverItsRows() async throws {
        let right = try await test(Self.tests.replacing("HITS", with: "1"), "own-test")
        #expect(right.status == 0 && right.out == "1 queries, 1 tests: all right\n", "\(right.out)\(right.err)")
        let wrong = try await test(Self.tests.replacing("HITS", with: "2"), "OWN-TEST")
        #expect(wrong.status == 1 && wrong.out.contains("1 queries, 1 tests: 1 failed"), "\(wrong.out)\(wrong.err)")
        #expect(wrong.out.contains("own-test.yaml:") && wrong.out.contains("one: 1 results, 2 wanted"), "\(wrong.out)")
        let bare = try await test("", "5b0e7c11-2222-4333-8444-555566667777")
        #expect(bare.status == 0 && bare.err.contains("no rows to try: own-test"), "\(bare.err)")
        let unknown = try await test("", "own-tst")
        #expect(unknown.status == 2 && unknown.err.contains("no hunting query own-tst"), "\(unknown.err)")
    }

    @Test func rulesAreTriedToo() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let outcome = try await CommandTests.run(["rules", "test", "r-recovery"], in: folder)
        #expect(outcome.status == 0 && outcome.out == "1 queries, 2 tests: all right\n", "\(outcome.out)\(outcome.err)")
    }
}

/// Cases beside a workspace.
@Suite(.serialized) struct CaseCommandTests {
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write("workspace: w.vestige\n", to: folder + "/vestige.yaml")
        try FolderWriter.write(
            #"{"AlertId": "a1", "Title": "t", "TimeGenerated": "2026-09-01T00:00:00Z"}"# + "\n",
            to: folder + "/AlertInfo.ndjson")
        let imported = try await CommandTests.run(["import", "AlertInfo.ndjson"], in: folder)
        #expect(imported.status == 0, "\(imported.err)")
        let opened = try await CommandTests.run(["case", "open", "one"], in: folder)
        #expect(opened.status == 0 && opened.err.contains("unknown"), "\(opened.err)")
        try await body(folder)
    }

    /// People who write at the same time take turns: the ledger holds what all of them said.
    @Test func notesAtTheSameTimeAreAllKept() async throws {
        try await inFolder { folder async throws in
            let outcomes = try await withThrowingTaskGroup(of: Int32.self) { group in
                for i in 0..<6 {
                    group.addTask {
                        try await CommandTests.run(
                            ["case", "note", "one", "note \(i)", "--author", "w\(i)"], in: folder
                        )
                        .status
                    }
                }
                return try await group.reduce(into: [Int32]()) { $0.append($1) }
            }
            #expect(outcomes == Array(repeating: 0, count: 6))
            let shown = try await CommandTests.run(["case", "show", "one"], in: folder)
            for i in 0..<6 { #expect(shown.out.contains("note \(i)"), "\(shown.out)") }
            #expect(try await CommandTests.run(["case", "verify", "one"], in: folder).status == 0)
        }
    }

    @Test func aNameIsNoPath() async throws {
        try await inFolder { folder async throws in
            for name in ["../w.vestige.cases/one", "a/b", ".hidden", ""] {
                for command in ["verify", "show", "open"] {
                    let outcome = try await CommandTests.run(["case", command, name], in: folder)
                    #expect(outcome.status == 2 && outcome.err.contains("cannot be called"), "\(outcome.err)")
                }
            }
        }
    }
}
