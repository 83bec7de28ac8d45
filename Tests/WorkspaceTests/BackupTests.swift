import Foundation
import GRDB
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

/// Copies of a workspace: whole whatever is written meanwhile, theirs alone, and never over another file.
@Suite struct BackupTests {
    private static let schema = Schema([("TimeGenerated", .datetime), ("n", .long), ("text", .string)])

    private static func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try body(folder)
    }

    private static func batch(_ numbers: Range<Int>) -> Batch {
        Batch(
            schema: schema,
            rows: numbers.map { [.datetime(Int64($0)), .long(Int64($0)), .string("row \($0) of many")] })
    }

    private static func make(_ path: String, rows: Int = 5_000) throws -> Workspace {
        let workspace = try Workspace(path: path)
        try workspace.declare("T", schema)
        try workspace.append(batch(0..<rows), to: "T", run: "r", now: 1)
        return workspace
    }

    private static func count(_ path: String) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(Workspace(reading: path), functions: [:])).run("T | count").primary
            .rows()
    }

    @Test func aCopyIsWholeItsOwnersAndHasItsSumBesideIt() throws {
        try Self.inFolder { folder in
            let old = umask(0)
            defer { umask(old) }
            let workspace = try Self.make(folder + "/w.vestige")
            let receipt = try workspace.backup(to: folder + "/copy.db")
            #expect(receipt.rows == 5_000 && receipt.sum.count == 64)
            for name in ["copy.db", "copy.db.sha256"] {
                let facts = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
                #expect(facts[.posixPermissions] as? Int == 0o600, "\(name)")
            }
            let stated = try String(contentsOfFile: folder + "/copy.db.sha256", encoding: .utf8)
            #expect(stated == "\(receipt.sum)  copy.db\n")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!names.contains { $0.contains("-new-") || $0.hasPrefix("copy.db-") }, "\(names)")
            #expect(try Workspace(reading: folder + "/copy.db").digestKey.data == workspace.digestKey.data)
            // Neither a copy nor its sum takes the place of another file, and a link is not followed.
            #expect(throws: WorkspaceError.self) { try workspace.backup(to: folder + "/copy.db") }
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link", withDestinationPath: folder + "/nowhere")
            #expect(throws: WorkspaceError.self) { try workspace.backup(to: folder + "/link") }
            try "mine".write(toFile: folder + "/other.db.sha256", atomically: true, encoding: .utf8)
            #expect(throws: WorkspaceError.self) { try workspace.backup(to: folder + "/other.db") }
            #expect(!FileManager.default.fileExists(atPath: folder + "/other.db"))
            #expect(try String(contentsOfFile: folder + "/other.db.sha256", encoding: .utf8) == "mine")
        }
    }

    /// Every batch is there or not, and those before it are.
    @Test func aCopyBesideAWriterIsOfOneInstant() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w.vestige"
        let workspace = try Self.make(path, rows: 1_000)
        let writing = Task.detached {
            for i in 1...40 { try workspace.append(Self.batch(i * 1_000..<(i + 1) * 1_000), to: "T", run: "r", now: 1) }
        }
        var counts: [Int64] = []
        for i in 0..<4 {
            _ = try Workspace(reading: path).backup(to: folder + "/copy\(i).db")
            let count = try #require(try Self.count(folder + "/copy\(i).db")[0][0].longValue)
            #expect(count % 1_000 == 0)
            counts.append(count)
        }
        try await writing.value
        #expect(counts == counts.sorted())
        #expect(try Self.count(path) == [[.long(41_000)]])
    }

    @Test func aBackupIsRestoredWhereNothingIs() throws {
        try Self.inFolder { folder in
            _ = try Self.make(folder + "/w.vestige").backup(to: folder + "/copy.db")
            let receipt = try Workspace.restore(folder + "/copy.db", to: folder + "/r.vestige", acceptsDamage: false)
            #expect(receipt.rows == 5_000)
            #expect(try Self.count(folder + "/r.vestige") == [[.long(5_000)]])
            for taken in ["r.vestige", "x.vestige"] {
                if taken == "x.vestige" { _ = try PrivateFile.create(folder + "/x.vestige-wal") }
                #expect(throws: WorkspaceError.self) {
                    try Workspace.restore(folder + "/copy.db", to: folder + "/" + taken, acceptsDamage: true)
                }
            }
            #expect(throws: WorkspaceError.self) {
                try Workspace.restore(folder + "/none.db", to: folder + "/y.vestige", acceptsDamage: false)
            }
        }
    }

    /// A byte that changed is noticed by the sum, and without it by what the workspace knows of itself.
    @Test func aDamagedBackupIsRestoredOnlyWhenAsked() throws {
        try Self.inFolder { folder in
            let copy = folder + "/copy.db"
            _ = try Self.make(folder + "/w.vestige").backup(to: copy)
            let database = try DatabaseQueue(path: copy)
            try database.write { db in
                var data = try #require(try Data.fetchOne(db, sql: "SELECT data FROM segments WHERE name = 'n'"))
                data[data.count / 2] ^= 0x40
                try db.execute(sql: "UPDATE segments SET data = ? WHERE name = 'n'", arguments: [data])
            }
            try database.close()
            #expect("the sum") {
                try Workspace.restore(copy, to: folder + "/r.vestige", acceptsDamage: false)
            } throws: { ($0 as? WorkspaceError)?.message.contains("not as it was written") == true }
            try FileManager.default.removeItem(atPath: copy + ".sha256")
            #expect("the checksums") {
                try Workspace.restore(copy, to: folder + "/r.vestige", acceptsDamage: false)
            } throws: { ($0 as? WorkspaceError)?.message.contains("is damaged") == true }
            #expect(!FileManager.default.fileExists(atPath: folder + "/r.vestige"))
            _ = try Workspace.restore(copy, to: folder + "/r.vestige", acceptsDamage: true)
            let rows = try Engine(
                provider: WorkspaceProvider(Workspace(reading: folder + "/r.vestige"), functions: [:])
            )
            .run("T | summarize count() by text | count").primary.rows()
            #expect(rows == [[.long(5_000)]])
            // No backup is made of a damaged workspace.
            #expect(throws: WorkspaceError.self) {
                try Workspace(reading: folder + "/r.vestige").backup(to: folder + "/b.db")
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/b.db"))
        }
    }

    /// The columns of one table that cannot be read are told by its rows, and the other tables are as they were.
    @Test func damageOfOneTablesColumnsIsThatTables() throws {
        try Self.inFolder { folder in
            let path = folder + "/w.vestige"
            do {
                let workspace = try Self.make(path)
                try workspace.declare("U", Self.schema)
                try workspace.append(Self.batch(0..<7), to: "U", run: "r", now: 1)
            }
            let database = try DatabaseQueue(path: path)
            try database.write { try $0.execute(sql: "UPDATE tables SET columns = '[[\"TimeGen' WHERE name = 'U'") }
            try database.close()
            let reading = try Workspace(reading: path)
            let engine = try Engine(provider: WorkspaceProvider(reading, functions: [:]))
            #expect(try engine.run("T | count").primary.rows() == [[.long(5_000)]])
            #expect(try engine.run("U | summarize sum(n)").primary.rows() == [[.long(21)]])
            #expect(try reading.verify().damage.contains { $0.table == "U" })
            // Whoever writes to the table next mends its columns.
            try Workspace(path: path).declare("U", Self.schema)
            #expect(try Workspace(reading: path).schemas()["U"] == Self.schema)
        }
    }

    @Test func newFoldersAreTheirOwnersOnly() throws {
        try Self.inFolder { folder in
            let old = umask(0)
            defer { umask(old) }
            try PrivateFile.makeFolder(folder + "/a/b//c/")
            for name in ["a", "a/b", "a/b/c"] {
                let facts = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
                #expect(facts[.posixPermissions] as? Int == 0o700, "\(name)")
            }
            _ = try PrivateFile.create(folder + "/file")
            #expect(throws: WorkspaceError.self) { try PrivateFile.makeFolder(folder + "/file/d") }
            #expect(throws: WorkspaceError.self) { try PrivateFile.makeFolder(folder + "/file") }
            let victim = folder + "/victim"
            try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: victim)
            #expect(throws: WorkspaceError.self) { try PrivateFile.append(to: folder + "/link") }
            try PrivateFile.replace(folder + "/link", [1])
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
            #expect(try PrivateFile.contents(folder + "/link") == [1])
        }
    }
}
