import Foundation
import Tables

/// 128 bits that stand for a row's key, or for its content.
package struct RowDigest: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hexadecimal digits.
    package var hex: String { Hex.string(high, width: 16) + Hex.string(low, width: 16) }
}

/// The secret that a workspace's digests are made with.
///
/// Whoever can choose what a device reports must not be able to choose two rows that look the same to the workspace; who does not know
/// the key cannot. It is made once, of the system's random numbers, and stays in the workspace.
package struct DigestKey: Sendable, Equatable {
    let seeds: (UInt64, UInt64)
    /// Odd numbers.
    let factors: (UInt64, UInt64)

    package init(_ words: [UInt64]) {
        precondition(words.count == 4, "a digest key has four words")
        seeds = (words[0], words[1])
        factors = (words[2] | 1, words[3] | 1)
    }

    static func random() -> DigestKey {
        var generator = SystemRandomNumberGenerator()
        return DigestKey((0..<4).map { _ in generator.next() })
    }

    var words: [UInt64] { [seeds.0, seeds.1, factors.0, factors.1] }

    package static func == (a: DigestKey, b: DigestKey) -> Bool { a.words == b.words }

    var data: Data {
        words.reduce(into: Data()) { out, word in withUnsafeBytes(of: word.littleEndian) { out.append(contentsOf: $0) }
        }
    }

    init?(_ data: Data) {
        guard data.count == 32 else { return nil }
        let bytes = [UInt8](data)
        self.init((0..<4).map { w in (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[w * 8 + $1]) << UInt64($1 * 8) } })
    }

    // MARK: Digests of values

    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let wide = a.multipliedFullWidth(by: b)
        return wide.high ^ wide.low
    }

    /// What the values of a column begin with: other for each name.
    func seed(of name: String) -> RowDigest {
        var name = name
        return name.withUTF8 { digest(UnsafeRawBufferPointer($0), RowDigest(high: seeds.0, low: seeds.1)) }
    }

    @inline(__always)
    func digest(_ word: UInt64, _ seed: RowDigest) -> RowDigest {
        let high = Self.fold(word ^ seed.high, factors.0)
        let low = Self.fold(word ^ seed.low, factors.1)
        return RowDigest(high: Self.fold(high ^ seeds.1, factors.1), low: Self.fold(low ^ seeds.0, factors.0))
    }

    /// Two independent chains of multiplications with secret factors, eight bytes at a time.
    @inline(__always)
    func digest(_ bytes: UnsafeRawBufferPointer, _ seed: RowDigest) -> RowDigest {
        let count = bytes.count
        var high = seed.high &+ UInt64(count)
        var low = seed.low ^ UInt64(count)
        var i = 0
        while i &+ 8 <= count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            high = Self.fold(high ^ word, factors.0)
            low = Self.fold(low ^ word, factors.1)
            i &+= 8
        }
        var tail: UInt64 = 0
        if count >= 8 {
            // The last eight bytes, some of them for the second time.
            if i < count {
                tail = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
            }
        } else {
            while i < count {
                tail = tail << 8 | UInt64(bytes[i])
                i &+= 1
            }
        }
        return digest(tail, RowDigest(high: high, low: low))
    }
}
