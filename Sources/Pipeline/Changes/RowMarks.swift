import Crypto
import Tables
import Workspace

/// What is written beside each row: why it was kept, and its id.
struct RowMarks {
    enum Kind: UInt32 { case added, changed, snapshot, removed }

    private let now: Int64
    private var codes: [UInt32] = []
    private var idBytes: [UInt8] = []
    private static let names = StringVector(["Added", "Changed", "Snapshot", "Removed"])
    private static let idLength = 32

    /// - Parameter now: when the rows were observed, ticks.
    init(now: Int64) { self.now = now }

    /// The same row, observed at the same time, has the same id wherever it arrives twice.
    mutating func append(_ kind: Kind, _ key: RowDigest, _ content: RowDigest) {
        codes.append(kind.rawValue)
        // One way: an id tells nothing about the key that the digests are made with.
        var hash = SHA256()
        withUnsafeBytes(
            of: (
                key.high.bigEndian, key.low.bigEndian, content.high.bigEndian, content.low.bigEndian, now.bigEndian,
                kind.rawValue.bigEndian
            )
        ) {
            hash.update(bufferPointer: $0)
        }
        hash.finalize().withUnsafeBytes { digest in
            for byte in digest.prefix(Self.idLength / 2) {
                idBytes.append(Self.digit(byte >> 4))
                idBytes.append(Self.digit(byte & 15))
            }
        }
    }

    private static func digit(_ n: UInt8) -> UInt8 { n < 10 ? 48 + n : 87 + n }

    var kinds: Column {
        Column(
            .string, .string(StringVector(bytes: Self.names.bytes, ends: Self.names.ends, codes: codes)),
            count: codes.count)
    }

    var ids: Column {
        let ends = stride(from: Self.idLength, through: idBytes.count, by: Self.idLength)
        return Column(.string, .string(StringVector(bytes: idBytes, ends: Array(ends), codes: nil)), count: codes.count)
    }
}
