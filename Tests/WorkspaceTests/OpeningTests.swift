import Foundation
import GRDB
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

#if canImport(Glibc)
    import Glibc
#endif

/// How files are opened: what questions may do to one, and which files are nobody's business.
@Suite struct OpeningTests {
    private static let schema = Schema([("TimeGenerated", .datetime), ("n", .long), ("text", .string)])

    private static func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try body(folder)
    }

    /// Makes a workspace with some rows and closes it.
    private static func make(_ path: String, rows: Int = 10) throws {
        let workspace = try Workspace(path: path)
        try workspace.declare("T", schema)
        let values = (0..<rows).map { [Value.datetime(Int64($0)), .long(Int64($0)), .string("row \($0)")] }
        try workspace.append(Batch(schema: schema, rows: values), to: "T", run: "r", now: 1)
    }

    private static func sum(_ workspace: Workspace) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run("T | summarize sum(n)").primary.rows()
    }

    /// Name, size, time and content of every file of a folder.
    private static func look(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let path = folder + "/" + name
            let facts = try FileManager.default.attributesOfItem(atPath: path)
            let bytes = FileManager.default.contents(atPath: path).map { Checksum.of([UInt8]($0)) } ?? 0
            return "\(name) \(facts[.size] ?? "") \(facts[.modificationDate] ?? "") \(bytes)"
        }
    }

    @Test func questionsLeaveTheFileAndItsFolderAsTheyWere() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            try Self.make(path)
            let before = try Self.look(folder)
            #expect(before.count == 1, "\(before)")
            for _ in 0..<100 {
                let workspace = try Workspace(reading: path)
                #expect(try Self.sum(workspace) == [[.long(45)]])
                _ = try (workspace.schemas(), workspace.runHistories(), workspace.outboxSizes(), workspace.rowCounts())
                #expect(throws: WorkspaceError.self) { try workspace.declare("U", Self.schema) }
            }
            #expect(try Self.look(folder) == before)
        }
    }

    @Test func aThousandLooksChangeNothing() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            try Self.make(path)
            let before = try Self.look(folder)
            for i in 0..<1_000 {
                let workspace = try Workspace(reading: path, mapsPages: i % 2 == 0)
                switch i % 4 {
                case 0: #expect(try Self.sum(workspace) == [[.long(45)]])
                case 1: _ = try (workspace.runHistories(), workspace.outboxSizes(), workspace.holds())
                case 2: _ = try workspace.growth(since: 0)
                default: _ = try workspace.statistics(ofTable: "T")
                }
            }
            #expect(try Self.look(folder) == before)
        }
    }

    @Test func aQuestionBesideAWriterIsAnsweredAtOnce() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            try Self.make(path)
            let still = try Workspace(reading: path)
            #expect(try Self.sum(still) == [[.long(45)]])
            for kind in ["IMMEDIATE", "EXCLUSIVE"] {
                let writer = try DatabaseQueue(path: path)
                try writer.writeWithoutTransaction { db in
                    try db.execute(sql: "BEGIN \(kind)")
                    let started = ContinuousClock.now
                    #expect(try Self.sum(try Workspace(reading: path)) == [[.long(45)]])
                    #expect(try Self.sum(still) == [[.long(45)]])
                    #expect(ContinuousClock.now - started < .seconds(2), "\(kind)")
                    try db.execute(sql: "ROLLBACK")
                }
            }
        }
    }

    /// A reader that was there before the file, and one that was there before the writer, see what is written.
    @Test func readersSeeWhatComes() throws {
        try Self.inFolder { folder in
            let path = folder + "/sub/w.vestige"
            let early = try Workspace(reading: path)
            #expect(try early.schemas().isEmpty)
            #expect(!FileManager.default.fileExists(atPath: folder + "/sub"))
            try Self.make(path)
            #expect(try Self.sum(early) == [[.long(45)]])
            let writer = try Workspace(path: path)
            let batch = Batch(schema: Self.schema, rows: [[.datetime(1), .long(100), .string("")]])
            try writer.append(batch, to: "T", run: "r", now: 2)
            #expect(try Self.sum(early) == [[.long(145)]])
            try writer.append(batch, to: "T", run: "r", now: 2)
            #expect(try Self.sum(early) == [[.long(245)]])
        }
    }

    /// A file that took another's place is the one that is read.
    @Test func aRestoredFileIsReadAnew() throws {
        try Self.inFolder { folder in
            try Self.make(folder + "/a", rows: 10)
            try Self.make(folder + "/b", rows: 3)
            let reader = try Workspace(reading: folder + "/a")
            #expect(try Self.sum(reader) == [[.long(45)]])
            #expect(rename(folder + "/b", folder + "/a") == 0)
            #expect(try Self.sum(reader) == [[.long(3)]])
        }
    }

    @Test func filesOfOthersStayAsTheyAre() throws {
        try Self.inFolder { folder in
            func sqlite(_ name: String, _ sql: String) throws {
                let database = try DatabaseQueue(path: folder + "/" + name)
                try database.writeWithoutTransaction { try $0.execute(sql: sql) }
            }
            try sqlite("places.db", "CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, title TEXT)")
            try sqlite("wal.db", "PRAGMA journal_mode = WAL; CREATE TABLE moz (id INTEGER)")
            try sqlite("some.db", "CREATE TABLE meta (name, value); CREATE TABLE tables (name, columns)")
            try sqlite("id.db", "PRAGMA application_id = 42; CREATE TABLE bookmarks (id)")
            try Self.make(folder + "/newer.db")
            try sqlite("newer.db", "UPDATE meta SET value = 99 WHERE name = 'format'")
            try Self.make(folder + "/less.db")
            try sqlite("less.db", "DROP TABLE outbox")
            try String(repeating: "not a database ", count: 200).write(
                toFile: folder + "/text.db", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: folder + "/folder.db", withIntermediateDirectories: false)
            let cases = [
                ("places.db", "another program"), ("wal.db", "another program"), ("some.db", "another program"),
                ("id.db", "another program"), ("newer.db", "newer vestige (format 99"), ("less.db", "lacks outbox"),
                ("text.db", "is not a workspace"), ("folder.db", "is a folder"),
            ]
            let before = try Self.look(folder)
            for (name, reason) in cases {
                #expect("\(name) for writing") { try Workspace(path: folder + "/" + name) } throws: {
                    ($0 as? WorkspaceError)?.message.contains(reason) == true
                }
                #expect("\(name) for reading") { try Workspace(reading: folder + "/" + name) } throws: {
                    ($0 as? WorkspaceError)?.message.contains(reason) == true
                }
            }
            #expect(try Self.look(folder) == before)
        }
    }

    /// An empty file is what a program leaves that was ended while it made a workspace, or `mktemp`.
    @Test func anEmptyFileIsNoWorkspaceYet() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            #expect(!Workspace.exists(path))
            #expect(try Workspace(reading: path).schemas().isEmpty)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == 0)
            try Self.make(path)
            #expect(try Self.sum(Workspace(reading: path)) == [[.long(45)]])
        }
    }

    @Test func newFilesAreTheirOwnersAndNoLinkIsFollowed() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            let old = umask(0o022)
            defer { umask(old) }
            let workspace = try Workspace(path: path)
            let lock = try CollectorLock.take(workspace: path)
            #expect(lock != nil)
            for name in ["w.vestige", "w.vestige-wal", "w.vestige-shm", "w.vestige-collector"] {
                let facts = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
                #expect(facts[.posixPermissions] as? Int == 0o600, "\(name)")
            }
            withExtendedLifetime(workspace) {}
            let victim = folder + "/victim"
            try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
            for (name, open) in [
                ("x-collector", { _ = try CollectorLock.take(workspace: $0) }),
                ("y-wal", { _ = try Workspace(path: $0) }),
                ("z-journal", { _ = try Workspace(path: $0) }),
            ] as [(String, (String) throws -> Void)] {
                try FileManager.default.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: victim)
                #expect("\(name)") { try open(folder + "/" + name.prefix { $0 != "-" }) } throws: {
                    ($0 as? WorkspaceError)?.message.contains("is a link") == true
                }
            }
            try FileManager.default.linkItem(atPath: victim, toPath: folder + "/h-collector")
            #expect(throws: WorkspaceError.self) { try CollectorLock.take(workspace: folder + "/h") }
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
            // A link that leads nowhere makes no file elsewhere; one that leads to a workspace is the operator's.
            try FileManager.default.createSymbolicLink(atPath: folder + "/n", withDestinationPath: folder + "/nowhere")
            #expect(throws: WorkspaceError.self) { try Workspace(path: folder + "/n") }
            #expect(!FileManager.default.fileExists(atPath: folder + "/nowhere"))
            try FileManager.default.createSymbolicLink(atPath: folder + "/l", withDestinationPath: path)
            #expect(throws: Never.self) { try Workspace(path: folder + "/l") }
        }
    }

    @Test func aPrivateFileIsMadeOnceAndAsAWhole() throws {
        try Self.inFolder { folder in
            let path = folder + "/key"
            let (before, isMade) = (try PrivateFile.contents(path), try PrivateFile.create(path, [1, 2, 3]))
            let (isMadeAgain, after) = (try PrivateFile.create(path, [4]), try PrivateFile.contents(path))
            #expect(before == nil && isMade && !isMadeAgain && after == [1, 2, 3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["key"])
        }
    }

    /// Programs that make one workspace at the same time, each in a folder that is not there yet.
    @Test(arguments: 1...10) func manyMayMakeOneWorkspace(round: Int) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/a/b/w.vestige"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for i in 0..<8 {
                group.addTask {
                    let workspace = try Workspace(path: path)
                    try workspace.declare("T", Self.schema)
                    let row: [Value] = [.datetime(1), .long(Int64(1 << i)), .string("")]
                    try workspace.append(Batch(schema: Self.schema, rows: [row]), to: "T", run: "r", now: 1)
                }
            }
            try await group.waitForAll()
        }
        #expect(try Self.sum(Workspace(reading: path)) == [[.long(255)]])
        #expect(try Workspace(reading: path).verify().damage.isEmpty)
    }

    /// A journal that a program left which was killed is read, and stays.
    @Test func aJournalThatWasLeftIsRead() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            try Self.make(path)
            let writer = try Workspace(path: path)
            try writer.append(
                Batch(schema: Self.schema, rows: [[.datetime(1), .long(1_000), .string("")]]), to: "T", run: "r", now: 1
            )
            // What is on the disk while the writer lives is what is there when it is killed.
            let copy = folder + "/copy.vestige"
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
            withExtendedLifetime(writer) {}
            let wal = FileManager.default.contents(atPath: copy + "-wal")
            #expect((wal?.count ?? 0) > 0)
            #expect(try Self.sum(Workspace(reading: copy)) == [[.long(1_045)]])
            #expect(FileManager.default.contents(atPath: copy + "-wal") == wal)
            #expect(FileManager.default.contentsEqual(atPath: copy, andPath: path))
        }
    }
}
