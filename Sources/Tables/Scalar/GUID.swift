/// A 128-bit identifier, printed in the lower-case 8-4-4-4-12 form.
package struct GUID: Sendable, Hashable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A random (version 4) identifier.
    package static func random(using generator: inout some RandomNumberGenerator) -> GUID {
        let high = (generator.next() as UInt64) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = (generator.next() as UInt64) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return GUID(high: high, low: low)
    }

    /// Reads 32 hexadecimal digits, with or without dashes and braces.
    package init?(_ text: some StringProtocol) {
        var digits = 0
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in text.utf8 {
            let digit: UInt64
            switch byte {
            case 48...57: digit = UInt64(byte - 48)
            case 97...102: digit = UInt64(byte - 87)
            case 65...70: digit = UInt64(byte - 55)
            case 45, 123, 125, 32, 40, 41: continue
            default: return nil
            }
            if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: high, low: low)
    }

    /// The order of bytes in which .NET and COM keep an identifier: the first three fields little-endian.
    package var mixedEndianBytes: [UInt8] {
        func bytes(_ n: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: n >> (56 - 8 * $0)) } }
        let h = bytes(high)
        return [h[3], h[2], h[1], h[0], h[5], h[4], h[7], h[6]] + bytes(low)
    }

    /// Nil unless there are 16 bytes.
    package init?(mixedEndianBytes b: [UInt8]) {
        guard b.count == 16 else { return nil }
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
        let words = order.map { UInt64(b[$0]) }
        self.init(high: words[..<8].reduce(0) { $0 << 8 | $1 }, low: words[8...].reduce(0) { $0 << 8 | $1 })
    }

    package static func < (a: GUID, b: GUID) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    package var description: String {
        let hex = Hex.string(high, width: 16) + Hex.string(low, width: 16)
        let u = Array(hex.utf8)
        func part(_ r: Range<Int>) -> String { String(decoding: u[r], as: UTF8.self) }
        return "\(part(0..<8))-\(part(8..<12))-\(part(12..<16))-\(part(16..<20))-\(part(20..<32))"
    }
}

/// Hexadecimal text.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// `value` in lower-case hexadecimal, padded with zeros to `width` digits.
    package static func string(_ value: UInt64, width: Int) -> String {
        var out = [UInt8](repeating: 48, count: max(width, 16))
        var rest = value
        var i = out.count - 1
        while rest != 0 {
            out[i] = digits[Int(rest & 15)]
            rest >>= 4
            i -= 1
        }
        let used = out.count - 1 - i
        return String(decoding: out.suffix(max(width, used, 1)), as: UTF8.self)
    }

    /// Bytes as lower-case hexadecimal.
    package static func string(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }
}
