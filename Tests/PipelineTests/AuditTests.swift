import Foundation
import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

@testable import Pipeline

/// The file of who asked what: nothing in it can be changed, left out or put in without its showing.
@Suite struct AuditTests {
    private func entry(_ i: Int, query: String? = nil) -> AuditEntry {
        var entry = AuditEntry(.query, .success, time: DateTime.unixEpoch + Int64(i) * DateTime.ticksPerSecond)
        (entry.actor, entry.address, entry.rows, entry.status) = ("anna", "10.0.0.1", i, 200)
        entry.query = query ?? "print \(i)"
        return entry
    }

    private func use(_ body: (AuditFile) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try body(AuditFile(folder + "/x.audit"))
    }

    private func text(_ file: AuditFile) throws -> String { try String(contentsOfFile: file.path, encoding: .utf8) }

    private func lines(_ file: AuditFile) throws -> [String] { try text(file).split(separator: "\n").map(String.init) }

    private func write(_ lines: [String], to file: AuditFile) throws {
        try FolderWriter.write(lines.map { $0 + "\n" }.joined(), to: file.path)
    }

    @Test func entriesFollowFromEachOther() throws {
        try use { file in
            for i in 1...5 { try file.append([entry(i), entry(i + 100)]) }
            let report = try file.verify()
            #expect(report.faults == [] && report.entries == 10 && report.head.sequence == 10)
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let first = try JSON(parsing: lines(file)[0])
            #expect(first["PreviousHash"]?.string == String(repeating: "0", count: 64))
            #expect(first["Actor"]?.string == "anna" && first["RowCount"]?.integer == 1)
            #expect(try JSON(parsing: lines(file)[1])["PreviousHash"] == first["Hash"])
        }
    }

    @Test func everyKindOfChangeShows() throws {
        try use { file in
            try file.append((1...6).map { entry($0) })
            let whole = try lines(file)
            let head = try file.verify().head
            func faults(_ change: (inout [String]) -> Void, expecting: AuditFile.Head? = nil) throws -> [String] {
                var changed = whole
                change(&changed)
                try write(changed, to: file)
                return try file.verify(expecting: expecting).faults
            }
            #expect(try faults { _ in } == [])
            #expect(try faults({ $0[2] = $0[2].replacing("anna", with: "rita") }).count == 1)
            #expect(
                try faults({ $0[2] = $0[2].replacing("\"RowCount\":3", with: "\"RowCount\":0") })[0].contains("line 3"))
            #expect(try faults({ $0[2] += " " }) != [])
            #expect(try faults({ $0.remove(at: 2) })[0].contains("1 entries before it are missing"))
            #expect(try faults({ $0.swapAt(2, 3) }) != [])
            #expect(try faults({ $0.insert($0[1], at: 2) }) != [])
            #expect(try faults({ $0.insert("", at: 2) }) != [] || lines(file).count == 6)
            #expect(try faults({ $0.insert("{}", at: 0) }) != [])
            #expect(try faults({ $0[0] = "not json" }) != [])
            // The end alone can be cut without the chain's showing it: what was collected does.
            #expect(try faults({ $0.removeLast(2) }) == [])
            #expect(try faults({ $0.removeLast(2) }, expecting: head)[0].contains("the end was cut off"))
            #expect(try faults({ _ in }, expecting: head) == [])
            // A whole new chain is another.
            try FileManager.default.removeItem(atPath: file.path)
            try file.append((1...6).map { entry($0 + 50) })
            #expect(try file.verify().faults == [] && file.verify(expecting: head).faults != [])
        }
    }

    /// Each byte of a line counts.
    @Test func noByteCanBeChanged() throws {
        try use { file in
            try file.append([entry(1), entry(2)])
            let bytes = Array(try text(file).utf8)
            for i in stride(from: 0, to: bytes.count, by: 7) {
                var changed = bytes
                changed[i] ^= 1
                try Data(changed).write(to: URL(fileURLWithPath: file.path))
                #expect(try file.verify().faults != [], "byte \(i)")
            }
        }
    }

    @Test func aTornLineIsToldAndTheChainGoesOn() throws {
        try use { file in
            try file.append([entry(1), entry(2)])
            let whole = try text(file)
            for cut in [1, 40, 200] {
                try FolderWriter.write(String(whole.dropLast(cut)), to: file.path)
                #expect(try file.verify().faults.count == 1)
                try file.append([entry(3)])
                let report = try file.verify()
                #expect(report.faults == [] && report.entries == 3, "\(cut): \(report)")
                let told = try JSON(parsing: lines(file)[1])
                #expect(told["Action"]?.string == "Audit" && told["Reason"]?.string?.contains("had no end") == true)
            }
            // Only a beginning: nothing was whole yet.
            try FolderWriter.write(String(whole.prefix(30)), to: file.path)
            try file.append([entry(3)])
            #expect(try file.verify().entries == 2)
        }
    }

    @Test func nothingIsWrittenBehindWhatIsNoAudit() throws {
        try use { file in
            for text in ["notes of somebody\n", "{}\n", "\n", String(repeating: "x", count: 300_000)] {
                try FolderWriter.write(text, to: file.path)
                #expect(throws: OperatorError.self) { try file.append([entry(1)]) }
                #expect(try self.text(file) == text)
            }
            try FileManager.default.removeItem(atPath: file.path)
            try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "/dev/null")
            #expect(throws: OperatorError.self) { try file.append([entry(1)]) }
        }
    }

    @Test func programsThatWriteAtTheSameTimeMakeOneChain() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for i in 0..<8 { tasks.addTask { for j in 0..<10 { try file.append([entry(i * 100 + j)]) } } }
            try await tasks.waitForAll()
        }
        let report = try file.verify()
        #expect(report.faults == [] && report.entries == 80)
    }

    @Test func longQueriesAreCutWhereACharacterEnds() throws {
        try use { file in
            let query = "print '" + String(repeating: "é🔒", count: 2_000) + "'"
            try file.append([entry(1, query: query), entry(1, query: query + " ")])
            let (one, two) = (try JSON(parsing: lines(file)[0]), try JSON(parsing: lines(file)[1]))
            let kept = try #require(one["QueryText"]?.string)
            #expect(kept.utf8.count <= 4_096 + 3 && query.hasPrefix(kept.dropLast()) && !kept.contains("\u{FFFD}"))
            #expect(one["QueryHash"] != two["QueryHash"] && one["QueryText"] == two["QueryText"])
            // A line is one line, whatever is in it.
            var odd = entry(2, query: "print 1\n| take 1\r\n\u{1B}[31m\u{0}")
            odd.actor = "a\nb\"}"
            try file.append([odd])
            #expect(try lines(file).count == 3 && file.verify().faults == [])
        }
    }

    // MARK: Collecting

    private func intake(_ folder: String, _ file: AuditFile) throws -> (Workspace, AuditIntake) {
        let workspace = try Workspace(path: folder + "/w.vestige")
        let table = try #require(Repository.library().tables[AuditIntake.table])
        try workspace.declare(table.name, table.schema)
        return (workspace, AuditIntake(workspace: workspace, file: file, schema: table.schema, sinks: ["sentinel"]))
    }

    private func rows(_ workspace: Workspace, _ query: String) throws -> [[Value]] {
        let provider = try WorkspaceProvider(workspace, functions: [:], notes: Repository.library().notes)
        return try Engine(provider: provider).run(query).primary.rows()
    }

    @Test func whatIsNewIsTakenInOnce() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit")
        let (workspace, intake) = try intake(folder, file)
        #expect(try intake.take(now: SystemClock.now()) == 0)
        #expect(try AuditIntake.last(in: workspace) == nil)
        try file.append((1...3).map { entry($0) })
        #expect(try intake.take(now: SystemClock.now()) == 3)
        #expect(try intake.take(now: SystemClock.now()) == 0)
        try file.append([entry(4)])
        #expect(try intake.take(now: SystemClock.now()) == 1)
        #expect(try AuditIntake.last(in: workspace) == file.verify().head)
        let found = try rows(
            workspace,
            "VestigeAudit_CL | sort by Sequence asc | project Sequence, Actor, RowCount, StatusCode, QueryText, Hash, PreviousHash"
        )
        #expect(found.map { $0[0] } == (1...4).map { .long($0) })
        #expect(found[3][1] == .string("anna") && found[3][2] == .long(4) && found[3][4] == .string("print 4"))
        #expect(found[3][6] == found[2][5])
        #expect(try workspace.outboxSizes()["sentinel"]?.rows == 4)
    }

    @Test func aFileThatWasChangedIsTakenInUpToThere() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit")
        let (workspace, intake) = try intake(folder, file)
        try file.append((1...2).map { entry($0) })
        try intake.take(now: 1)
        try file.append((3...6).map { entry($0) })
        var changed = try lines(file)
        changed[4] = changed[4].replacing("anna", with: "rita")
        try write(changed, to: file)
        #expect(throws: OperatorError.self) { try intake.take(now: 1) }
        #expect(try rows(workspace, "VestigeAudit_CL | count") == [[.long(4)]])
        #expect(throws: OperatorError.self) { try intake.take(now: 1) }
        #expect(try rows(workspace, "VestigeAudit_CL | count") == [[.long(4)]], "rows were taken in twice")
        // Another file in its place is not believed either, until somebody says so.
        try FileManager.default.removeItem(atPath: file.path)
        try file.append((1...9).map { entry($0 + 20) })
        #expect(throws: OperatorError.self) { try intake.take(now: 1) }
        try AuditIntake.restart(in: workspace)
        #expect(try intake.take(now: 1) == 9)
    }

    @Test func aLineThatIsBeingWrittenWaits() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit")
        let (_, intake) = try intake(folder, file)
        try file.append([entry(1), entry(2)])
        let whole = try text(file)
        try FolderWriter.write(String(whole.dropLast(20)), to: file.path)
        #expect(try intake.take(now: 1) == 1)
        try FolderWriter.write(whole, to: file.path)
        #expect(try intake.take(now: 1) == 1)
    }

    // MARK: Parts

    /// A full file is put aside, and the chain goes on: nobody sees a seam.
    @Test func aFullFileIsPutAsideAndTheChainGoesOn() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit", bytesMax: 2_000)
        let (workspace, intake) = try intake(folder, file)
        for i in 1...6 { try file.append([entry(i)]) }
        #expect(try intake.take(now: 1) == 6)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for i in 0..<4 { tasks.addTask { for j in 0..<10 { try file.append([self.entry(i * 100 + j)]) } } }
            try await tasks.waitForAll()
        }
        let aside = file.aside
        #expect(aside.count >= 5 && aside.map(\.last) == aside.map(\.last).sorted())
        let report = try file.verify(expecting: AuditIntake.last(in: workspace))
        #expect(report.faults == [] && report.entries == 46 && report.head.sequence == 46)
        #expect(try intake.take(now: 1) == 40 && intake.take(now: 1) == 0)
        #expect(
            try rows(workspace, "VestigeAudit_CL | summarize count(), dcount(Sequence), max(Sequence)")
                == [[.long(46), .long(46), .long(46)]])
        let modes = try aside.map {
            try FileManager.default.attributesOfItem(atPath: $0.path)[.posixPermissions] as? Int
        }
        #expect(modes.allSatisfy { $0 == 0o600 })
        // A part that lies by itself, as in an archive, is judged by itself.
        #expect(try AuditFile(aside[2].path).verify().faults == [])
        // The newest may just have been put aside, and nothing have been written since.
        try? FileManager.default.removeItem(atPath: file.path)
        try file.append([entry(7)])
        let last = try file.verify().head.sequence
        #expect(last == (file.aside.last?.last ?? 0) + 1 || file.aside.last?.last == last)
    }

    /// What is changed in a part shows as well as in the file that is written, and so does a part that is missing.
    @Test func aChangedOrMissingPartShows() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit", bytesMax: 1_500)
        for i in 1...12 { try file.append([entry(i)]) }
        let aside = file.aside
        let second = try #require(aside.dropFirst().first)
        let whole = try String(contentsOfFile: second.path, encoding: .utf8)
        #expect(try file.verify().faults == [])
        try FolderWriter.write(whole.replacing("anna", with: "rita"), to: second.path)
        let faults = try file.verify().faults
        #expect(faults.first?.hasPrefix((second.path as NSString).lastPathComponent + " line 1") == true, "\(faults)")
        try FileManager.default.removeItem(atPath: second.path)
        #expect(try file.verify().faults.first?.contains("entries before it are missing") == true)
        // Behind a last part that is no audit nothing is written.
        try? FileManager.default.removeItem(atPath: file.path)
        let last = try #require(file.aside.last)
        try FolderWriter.write("notes of somebody\n", to: last.path)
        #expect(throws: OperatorError.self) { try file.append([entry(1)]) }
    }
}
