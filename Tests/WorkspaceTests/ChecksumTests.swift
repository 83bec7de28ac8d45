import Foundation
import GRDB
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

/// What becomes of a file that is not as it was written.
@Suite struct ChecksumTests {
    /// Vectors of the reference implementation, xxHash 0.8.
    @Test func theChecksumIsXXH64() {
        #expect(Checksum.of([UInt8]()) == 0xEF46_DB37_51D8_E999)
        #expect(Checksum.of([UInt8](), seed: 1) == 0xD5AF_BA13_36A3_BE4B)
        #expect(Checksum.of(Array("a".utf8)) == 0xD24E_C4F1_A98C_6E5B)
        #expect(Checksum.of(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
        #expect(Checksum.of(Array("message digest".utf8)) == 0x066E_D728_FCEE_B3BE)
        #expect(
            Checksum.of(Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8))
                == 0xAAA4_6907_D304_7814)
    }

    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("n", .long), ("text", .string), ("more", .dynamic),
    ])

    /// A workspace with something in every table of the file.
    private static func make(_ path: String) throws {
        let workspace = try Workspace(path: path)
        for table in ["T", "U"] {
            try workspace.declare(table, schema)
            let rows = (0..<4_200).map { i -> [Value] in
                [
                    .datetime(Int64(i) * 10), .long(Int64(i % 97)), .string("a longer text with number \(i % 2_000)"),
                    .array([.long(Int64(i % 3))]),
                ]
            }
            try workspace.append(
                Batch(schema: schema, rows: rows), to: table, run: "import", now: 50_000, sinks: ["sentinel"])
        }
        for source in ["published", "under way"] {
            let batch = Batch(schema: schema, rows: [[.datetime(7), .long(7), .string("seven"), .null]])
            try workspace.stage(batch, of: source, started: 60_000, progress: "{}") { extents in
                var bucket = StateBucket(id: 3)
                if case .added(let entry) = bucket.note(
                    RowDigest(high: 1, low: 2), RowDigest(high: 3, low: 4), keepsContent: false)
                {
                    bucket.place(entry, at: RowPlace(extent: extents[0].id, row: 0))
                }
                return [bucket]
            }
        }
        let record = RunRecord(
            id: "run-1", source: "published", started: 60_000, ended: 60_001, rowsRead: 1, rowsChanged: 1, bytes: 9,
            error: nil)
        try workspace.publish(record, to: "T", checkpoint: "{}", sinks: ["sentinel"])
        try workspace.noteDelivery(to: "sentinel", rows: 1, bytes: 1, refused: 0, error: nil, now: 60_002)
    }

    /// All that anybody may ask of a workspace, as text.
    private static func dump(_ path: String) throws -> String {
        let workspace = try Workspace(reading: path)
        var out = ""
        for table in ["T", "U"] {
            let engine = Engine(provider: try WorkspaceProvider(workspace, functions: [:]))
            for query in [
                "\(table) | order by TimeGenerated asc, n asc", "\(table) | where text has 'number 77'",
                "\(table) | where n == 7 and TimeGenerated < datetime(0001-01-01 00:00:00.001)",
                "\(table) | where text == 'a longer text with number 1999' | count",
            ] {
                out += "\(try engine.run(query).primary.rows())\n"
            }
        }
        out += "\(try workspace.schemas().sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })\n"
        out += "\(try workspace.runHistories()) \(try workspace.deliveryTotals())\n"
        out += "\(try workspace.pending(for: "sentinel")) \(try workspace.checkpoint(of: "published") ?? "")\n"
        out += "\(try workspace.buckets(of: "published", [3])) \(try workspace.progress(of: "under way") ?? "")\n"
        out += "\(try workspace.buckets(of: "under way", [3])) \(workspace.digestKey.words)\n"
        return out
    }

    @Test func whatWasWrittenVerifies() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try Self.make(folder + "/w")
        let report = try Workspace(reading: folder + "/w").verify()
        #expect(report.damage.isEmpty, "\(report.damage)")
        #expect(report.withoutChecksum == 0)
        #expect(report.extents == 4 && report.rows == 8_402 && report.segments == 16 && report.tables == 2)
    }

    /// A single byte that changed is found, or makes no difference to anybody.
    @Test(arguments: 1...6) func aChangedByteIsFoundOrWithoutEffect(seed: UInt64) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w"
        try Self.make(path)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        let whole = try Self.dump(path)
        var z = seed &* 0x9E37_79B9_7F4A_7C15
        func below(_ n: Int) -> Int {
            z = z &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((z >> 33) % UInt64(n))
        }
        var found = 0
        for round in 0..<30 {
            var bytes = good
            // Half of them in the first pages, where the file's structure and its small tables are; most where something stands.
            var place = 0
            repeat {
                place = round % 2 == 0 ? below(good.count) : below(min(good.count, 20 * 16_384))
            } while round % 5 != 0 && good[place] == 0
            bytes[place] ^= UInt8(1 + below(255))
            let copy = "\(folder)/c\(round)"
            try bytes.write(to: URL(fileURLWithPath: copy))
            let isClean = (try? Workspace(reading: copy).verify().damage.isEmpty) ?? false
            if isClean {
                #expect(
                    (try? Self.dump(copy)) == whole, "seed \(seed): byte \(place) changed an answer and was not found")
            } else {
                found += 1
            }
            try FileManager.default.removeItem(atPath: copy)
        }
        #expect(found > 5)
    }

    /// Damage keeps to its place: the query that meets it names it, and everything else is answered.
    @Test func damageKeepsToItsPlace() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w"
        try Self.make(path)
        let database = try DatabaseQueue(path: path)
        let extent = try database.write { db in
            let extent = try Int64.fetchOne(db, sql: "SELECT min(id) FROM extents WHERE table_name = 'T'") ?? 0
            var data =
                try Data.fetchOne(
                    db, sql: "SELECT data FROM segments WHERE extent = ? AND name = 'n'", arguments: [extent]) ?? Data()
            data[data.count / 2] ^= 1
            try db.execute(
                sql: "UPDATE segments SET data = ? WHERE extent = ? AND name = 'n'", arguments: [data, extent])
            return extent
        }
        try database.close()
        let workspace = try Workspace(reading: path)
        let engine = Engine(provider: try WorkspaceProvider(workspace, functions: [:]))
        #expect("the damaged column") { try engine.run("T | summarize sum(n)") } throws: {
            "\($0)".contains("table T, extent \(extent), column n is damaged")
        }
        #expect(try engine.run("T | summarize dcount(text)").primary.count == 1)
        #expect(try engine.run("U | summarize sum(n)").primary.count == 1)
        let damage = try workspace.verify().damage
        #expect(damage.map(\.table) == ["T"] && damage.map(\.extent) == [extent] && damage.map(\.column) == ["n"])
    }

    /// A segment in another's place is damage, though its bytes are whole.
    @Test func aSegmentInAnothersPlaceIsFound() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w"
        try Self.make(path)
        for change in [
            "UPDATE segments SET data = (SELECT data FROM segments s WHERE s.extent = 2 AND s.name = segments.name) WHERE extent = 1",
            "UPDATE segments SET low = 50 WHERE extent = 1 AND name = 'n'",
            "DELETE FROM segments WHERE extent = 2 AND name = 'n'",
            "UPDATE extents SET rows = 4199 WHERE id = 1", "UPDATE extents SET table_name = 'U' WHERE id = 1",
            "DELETE FROM tables WHERE name = 'U'", "UPDATE filters SET data = zeroblob(length(data)) WHERE extent = 1",
            "UPDATE checkpoints SET value = '{\"run\":1}'", "UPDATE runs SET rows_read = 2",
            "INSERT INTO outbox VALUES ('sentinel', 99, NULL)", "UPDATE state SET entries = substr(entries, 2)",
            "DROP INDEX extents_by_table", "DELETE FROM meta WHERE name = 'digest-key'", "PRAGMA application_id = 0",
        ] {
            let copy = folder + "/copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let database = try DatabaseQueue(path: copy)
            try database.writeWithoutTransaction { try $0.execute(sql: change) }
            try database.close()
            #expect(try !Workspace(reading: copy).verify().damage.isEmpty, "\(change)")
        }
    }

    /// Segments of earlier files have no checksum, and are read.
    @Test func segmentsOfTheFirstVersionAreRead() throws {
        let column = try Batch(schema: Schema([("n", .long)]), rows: (0..<9).map { [.long($0)] }).column(0)
        let bytes = SegmentCoding.encode(column, seed: 5)
        #expect(bytes[0] == 2)
        let first = [1] + bytes[9...]
        #expect(try SegmentCoding.decode(Array(first), .long, count: 9)[8] == .long(8))
        #expect(try SegmentCoding.decode(bytes, .long, count: 9, seed: 5)[8] == .long(8))
        #expect(throws: CorruptSegment.self) { try SegmentCoding.decode(bytes, .long, count: 9, seed: 6) }
        #expect(throws: CorruptSegment.self) { try SegmentCoding.decode([3] + bytes[1...], .long, count: 9, seed: 5) }
    }
}
