import Tables
import TestKit
import Testing

/// Packed files as they come from publishers: several members, padding, archives; and damaged ones.
@Suite struct ArchiveTests {
    private static func pack(_ text: String) throws -> [UInt8] { try #require(Deflate.compress(Array(text.utf8))) }

    @Test func everyMemberOfAGzipFileIsRead() throws {
        let parts = ["first\n", "", "second\n", String(repeating: "third ", count: 100_000)]
        let packed = try parts.flatMap(Self.pack)
        let whole = try Deflate.unpack(packed, sizeMax: 1 << 20)
        #expect(String(decoding: whole.bytes, as: UTF8.self) == parts.joined())
        #expect(whole.members == 4 && whole.trailing == 0)
        #expect(Deflate.decompress(packed, sizeMax: 1 << 20) == whole.bytes)
    }

    @Test(arguments: [
        ([UInt8](repeating: 0, count: 512), 0), ([0], 0), (Array("garbage".utf8), 7), ([0, 0, 1], 3), ([0x1F], 1),
    ])
    func whatStandsBehindTheLastMemberIsTold(_ tail: [UInt8], _ trailing: Int) throws {
        let whole = try Deflate.unpack(try Self.pack("rows") + tail, sizeMax: 1_000)
        #expect(String(decoding: whole.bytes, as: UTF8.self) == "rows")
        #expect(whole.trailing == trailing)
    }

    @Test func aFileThatIsCutOffIsNone() throws {
        let packed = try Self.pack(String(repeating: "0123456789", count: 5_000))
        for length in [1, 5, 10, packed.count / 2, packed.count - 8, packed.count - 1] {
            #expect(throws: Inflater.Problem.self) { try Deflate.unpack(Array(packed[..<length]), sizeMax: 1 << 20) }
        }
        // Also when the members before it are whole.
        let two = try Self.pack("whole") + packed[..<20]
        #expect(throws: Inflater.Problem.self) { try Deflate.unpack(two, sizeMax: 1 << 20) }
        var damaged = packed
        damaged[packed.count - 6] ^= 1
        #expect(throws: Inflater.Problem.self) { try Deflate.unpack(damaged, sizeMax: 1 << 20) }
        #expect(throws: Inflater.Problem.self) { try Deflate.unpack(packed, sizeMax: 49_999) }
    }

    @Test(arguments: [false, true]) func filesOfAnArchive(_ isLarge: Bool) throws {
        let files = [("a/one.json", "{}"), ("two.csv", String(repeating: "x,y\n", count: 9_000)), ("empty", "")]
        let bytes = ZipWriter.archive(files, isLarge: isLarge, comment: "PK comment")
        #expect(ZipArchive.matches(bytes))
        let archive = try ZipArchive(bytes)
        #expect(archive.entries.map(\.name) == files.map(\.0))
        for (entry, file) in zip(archive.entries, files) {
            #expect(try archive.contents(of: entry, sizeMax: 1 << 20) == Array(file.1.utf8))
        }
        #expect(throws: ZipArchive.Problem.self) { try archive.contents(of: archive.entries[1], sizeMax: 35_999) }
    }

    @Test func archivesThatCannotBeRead() throws {
        let bytes = ZipWriter.archive([("one.json", String(repeating: "[1]", count: 500))])
        #expect(throws: ZipArchive.Problem.self) { try ZipArchive(Array(bytes[..<(bytes.count - 30)])) }
        var damaged = bytes
        damaged[45] ^= 0xFF
        let archive = try ZipArchive(damaged)
        #expect(throws: ZipArchive.Problem.self) { try archive.contents(of: archive.entries[0], sizeMax: 1 << 20) }
        let secret = try ZipArchive(ZipWriter.archive([("one.json", "[1]")], isEncrypted: true))
        #expect(throws: ZipArchive.Problem.self) { try secret.contents(of: secret.entries[0], sizeMax: 1 << 20) }
        // Whatever the lists say, nothing is read that is not there.
        for i in 0..<bytes.count {
            var bent = bytes
            bent[i] = 0xFF
            guard let archive = try? ZipArchive(bent) else { continue }
            for entry in archive.entries { _ = try? archive.contents(of: entry, sizeMax: 1 << 16) }
        }
    }
}
