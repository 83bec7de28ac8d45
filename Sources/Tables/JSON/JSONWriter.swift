/// Writes values as JSON text, times and durations as strings.
package enum JSONWriter {
    package static func string(_ value: Value) -> String {
        var out: [UInt8] = []
        append(value, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    package static func append(_ value: Value, to out: inout [UInt8]) {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let b): out.append(contentsOf: (b ? "true" : "false").utf8)
        case .long(let n): out.append(contentsOf: String(n).utf8)
        case .real(let d):
            append(d, to: &out)
        case .decimal(let d): append(d.description, to: &out)
        case .datetime(let t): append(DateTime.format(t), to: &out)
        case .timespan(let t): append(TimeSpan.format(t), to: &out)
        case .guid(let g): append(g.description, to: &out)
        case .string(let s): append(s, to: &out)
        case .array(let items):
            out.append(91)
            for (i, item) in items.enumerated() {
                if i > 0 { out.append(44) }
                append(item, to: &out)
            }
            out.append(93)
        case .bag(let bag):
            out.append(123)
            for i in 0..<bag.count {
                if i > 0 { out.append(44) }
                append(bag.keys[i], to: &out)
                out.append(58)
                append(bag.values[i], to: &out)
            }
            out.append(125)
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// A JSON string literal of `text`.
    package static func append(_ text: String, to out: inout [UInt8]) {
        out.append(34)
        for byte in text.utf8 {
            switch byte {
            case 34: out.append(contentsOf: [92, 34])
            case 92: out.append(contentsOf: [92, 92])
            case 10: out.append(contentsOf: [92, 110])
            case 13: out.append(contentsOf: [92, 114])
            case 9: out.append(contentsOf: [92, 116])
            case 8: out.append(contentsOf: [92, 98])
            case 12: out.append(contentsOf: [92, 102])
            case 0..<32:
                out.append(contentsOf: "\\u00".utf8)
                out.append(hexDigits[Int(byte >> 4)])
                out.append(hexDigits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(34)
    }

    /// A JSON string literal of UTF-8 bytes; runs that need no escape are copied whole.
    package static func append(_ bytes: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        out.append(34)
        var start = 0
        while case let i = plainEnd(of: bytes, from: start), i < bytes.count {
            let byte = bytes[i]
            out += UnsafeBufferPointer(rebasing: bytes[start..<i])
            start = i + 1
            switch byte {
            case 34: out += [92, 34]
            case 92: out += [92, 92]
            case 10: out += [92, 110]
            case 13: out += [92, 114]
            case 9: out += [92, 116]
            case 8: out += [92, 98]
            case 12: out += [92, 102]
            default:
                out += "\\u00".utf8
                out.append(hexDigits[Int(byte >> 4)])
                out.append(hexDigits[Int(byte & 15)])
            }
        }
        out += UnsafeBufferPointer(rebasing: bytes[start...])
        out.append(34)
    }

    /// A JSON string literal of UTF-8 bytes, behind bytes that grow.
    @inline(__always)
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, to out: GrowingBytes) {
        guard let base = bytes.baseAddress, plainEnd(of: bytes, from: 0) == bytes.count else {
            var escaped: [UInt8] = []
            append(bytes, to: &escaped)
            escaped.withUnsafeBufferPointer { if let base = $0.baseAddress { out.append(base, $0.count) } }
            return
        }
        out.reserve(bytes.count &+ 2)
        out.append(34)
        out.append(base, bytes.count)
        out.append(34)
    }

    /// The first byte at or behind `start` that must be escaped, or the end; eight bytes at a time.
    @inline(__always)
    private static func plainEnd(of bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var i = start
        guard let base = UnsafeRawPointer(bytes.baseAddress) else { return i }
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while i &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            let (quotes, slashes) = (word ^ (ones &* 34), word ^ (ones &* 92))
            let found =
                ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 32) & ~word) & tops
            if found != 0 { return i &+ found.trailingZeroBitCount >> 3 }
            i &+= 8
        }
        while i < bytes.count, bytes[i] >= 32, bytes[i] != 34, bytes[i] != 92 { i &+= 1 }
        return i
    }

    /// A floating number; what is not finite as a string.
    package static func append(_ number: Double, to out: inout [UInt8]) {
        guard number.isFinite else { return append(RealText.format(number), to: &out) }
        // Up to four decimals, and no more digits than a floating number keeps.
        var scale = 10.0
        for decimals in 1...4 {
            let scaled = (number * scale).rounded()
            guard scaled.magnitude < 1e15 else { break }
            if scaled / scale == number, number != 0 {
                if number < 0 { out.append(45) }
                let (whole, rest) = UInt64(scaled.magnitude).quotientAndRemainder(dividingBy: UInt64(scale))
                append(Int64(whole), to: &out)
                out.append(46)
                Digits.append(Int(rest), width: decimals, to: &out)
                return
            }
            scale *= 10
        }
        out += RealText.format(number).utf8
    }

    /// A whole number's digits.
    package static func append(_ number: Int64, to out: inout [UInt8]) {
        if number < 0 { out.append(45) }
        var rest = number.magnitude
        if rest < 10 { return out.append(UInt8(48 + rest)) }
        let start = out.count
        repeat {
            out.append(UInt8(48 + rest % 10))
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }

    package static func quoted(_ text: String) -> String {
        var out: [UInt8] = []
        append(text, to: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
