import Foundation
import GRDB
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

/// Files of earlier formats: read as they are, and brought up to date by whoever writes.
@Suite struct MigrationTests {
    private static let schema = Schema([("TimeGenerated", .datetime), ("n", .long), ("text", .string)])

    /// A file as the program wrote it that knew the steps up to one: segments without checksums, a digest key, a run, and the rest.
    private static func make(_ path: String, through step: String) throws {
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL")
            try db.inTransaction(.immediate) {
                Checksum.addFunction(to: db)
                try WorkspaceFormat.migrate(db, through: step)
                try db.execute(
                    sql: "INSERT INTO meta VALUES ('digest-key', ?)", arguments: [DigestKey([1, 2, 3, 4]).data])
                try db.execute(
                    sql: "INSERT INTO tables VALUES ('T', ?)", arguments: [Workspace.encode(schema)])
                let rows = (0..<50).map { [Value.datetime(Int64($0)), .long(Int64($0)), .string("t\($0 % 5)")] }
                let batch = Batch(schema: schema, rows: rows)
                try db.execute(sql: "INSERT INTO extents VALUES (1, 'T', 50, 0, 49, 7, 'run-1')")
                for (i, column) in schema.columns.enumerated() {
                    let bytes = SegmentCoding.encode(try batch.column(i).dictionaryCoded())
                    try db.execute(
                        sql: "INSERT INTO segments VALUES (1, ?, ?, NULL, NULL, ?)",
                        arguments: [column.name, column.type.name, Data([1] + bytes[9...])])
                }
                try db.execute(sql: "INSERT INTO checkpoints VALUES ('src', '{}')")
                try db.execute(sql: "INSERT INTO outbox VALUES ('sentinel', 1)")
                let columns = "id, source, started, ended, rows_read, rows_changed, bytes, error"
                try db.execute(sql: "INSERT INTO runs (\(columns)) VALUES ('run-1', 'src', 7, 8, 50, 50, 9, NULL)")
                if step == "3" {
                    try db.execute(
                        sql: "INSERT INTO state VALUES ('src', 1, ?)",
                        arguments: [
                            StateBucket.data([
                                StateEntry(
                                    key: RowDigest(high: 1, low: 2), content: RowDigest(high: 3, low: 4), place: .none)
                            ])
                        ])
                }
                return .commit
            }
        }
        try database.close()
    }

    private static func sum(_ workspace: Workspace) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: [:]))
            .run("T | where text == 't1' and n < 40 | summarize sum(n), count()").primary.rows()
    }

    private static func look(_ workspace: Workspace) throws {
        #expect(try sum(workspace) == [[.long(148), .long(8)]])
        let history = try #require(try workspace.runHistories().first)
        #expect(history.last.source == "src" && history.rowsRead == 50 && history.gaps == 0)
        #expect(try workspace.outboxSizes()["sentinel"]?.rows == 50)
        #expect(try workspace.deliveryTotals().isEmpty && workspace.clockCorrections().isEmpty)
        #expect(try workspace.checkpoint(of: "src") == "{}" && workspace.progress(of: "src") == nil)
        #expect(workspace.digestKey == DigestKey([1, 2, 3, 4]))
    }

    @Test(arguments: ["1", "2", "3"]) func earlierFormatsAreReadAsTheyAre(step: String) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w"
        try Self.make(path, through: step)
        let before = FileManager.default.contents(atPath: path)
        let reader = try Workspace(reading: path)
        try Self.look(reader)
        #expect(try reader.stateCount(of: "src") == (step == "3" ? 1 : 0))
        #expect(try reader.verify().damage.isEmpty)
        #expect(FileManager.default.contents(atPath: path) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["w"])
        // A writer brings it up to date, and loses nothing of it.
        do {
            let writer = try Workspace(path: path)
            try Self.look(writer)
            #expect(try writer.stateCount(of: "src") == (step == "3" ? 1 : 0))
            try writer.append(
                Batch(schema: Self.schema, rows: [[.datetime(1), .long(2), .string("t1")]]), to: "T", run: "r", now: 9)
        }
        #expect(try Self.sum(reader) == [[.long(150), .long(9)]])
        let report = try Workspace(reading: path).verify()
        #expect(report.damage.isEmpty, "\(report.damage)")
        // The three old segments, and the state, which is not written anew.
        #expect(report.withoutChecksum == (step == "3" ? 4 : 3))
        let format = try DatabaseQueue(path: path).read { db in
            [
                try Int.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'format'"),
                try Int.fetchOne(db, sql: "PRAGMA application_id"),
            ]
        }
        #expect(format == [Workspace.format, 0x5645_5354])
    }

    /// The file's format and the segments' versions are raised together.
    @Test func formatsKnowEachOther() {
        #expect(WorkspaceFormat.current == 3 && SegmentCoding.version == 2)
        #expect(SegmentCoding.versions.upperBound == SegmentCoding.version)
    }
}
