/// Reads JSON over bytes, one value at a time, without building a tree first.
package struct JSONReader: ~Copyable {
    private let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var offset: Int
    private var depth = 0
    private var steps = 0
    private static let depthMax = 512
    /// Whether whole numbers of more than 64 bits become texts, which have all of their digits.
    private let keepsDigits: Bool

    package init(_ bytes: UnsafeBufferPointer<UInt8>, keepsDigits: Bool = false) {
        self.bytes = bytes
        self.keepsDigits = keepsDigits
        offset = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { offset = 3 }
    }

    package var isAtEnd: Bool { offset >= bytes.count }

    /// The bytes of a part of the text.
    func text(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[range]) }

    /// The first quotation mark or backslash at or behind `start`, or the end; eight bytes at a time.
    @inline(__always)
    private func endOfPlain(from start: Int) -> Int {
        var i = start
        guard let base = UnsafeRawPointer(bytes.baseAddress) else { return i }
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while i &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            let (quotes, slashes) = (word ^ (ones &* 34), word ^ (ones &* 92))
            // A byte that is zero has its top bit set here; others may too, but only behind one.
            let found = (quotes &- ones) & ~quotes & tops | (slashes &- ones) & ~slashes & tops
            if found != 0 { return i &+ found.trailingZeroBitCount >> 3 }
            i &+= 8
        }
        while i < bytes.count, bytes[i] != 34, bytes[i] != 92 { i &+= 1 }
        return i
    }

    package func fail(_ reason: String) -> JSONError { JSONError(offset: offset, reason: reason) }

    package mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 32, 9, 10, 13: offset += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space, or nil at the end.
    package mutating func peek() -> UInt8? {
        skipSpace()
        return offset < bytes.count ? bytes[offset] : nil
    }

    package mutating func consume(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    package mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard consume(byte) else {
            if offset >= bytes.count {
                throw fail("the text ends where \"\(Character(UnicodeScalar(byte)))\" should be")
            }
            throw fail("expected \"\(Character(UnicodeScalar(byte)))\"")
        }
    }

    /// The keys and values of an object, each value read by `body`.
    package mutating func object(_ body: (String, inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try enter(123)
        if !consume(125) {
            repeat {
                guard peek() == 34 else { throw fail("expected a key in double quotes") }
                try step()
                let key = try string()
                try expect(58)
                try body(key, &self)
            } while consume(44)
            try expect(125)
        }
        depth -= 1
    }

    package mutating func array(_ body: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try enter(91)
        if !consume(93) {
            repeat {
                try step()
                try body(&self)
            } while consume(44)
            try expect(93)
        }
        depth -= 1
    }

    /// Each member and item; a text of a hundred megabytes takes seconds, and its query may have to stop meanwhile.
    @inline(__always)
    private mutating func step() throws(JSONError) {
        steps &+= 1
        if steps & 1_023 == 0, StopSign.isDue { throw fail("the reading was stopped") }
    }

    private mutating func enter(_ byte: UInt8) throws(JSONError) {
        try expect(byte)
        depth += 1
        if depth > JSONReader.depthMax { throw fail("more than \(JSONReader.depthMax) levels of nesting") }
    }

    package mutating func string() throws(JSONError) -> String {
        try expect(34)
        let start = offset
        offset = endOfPlain(from: offset)
        if offset < bytes.count, bytes[offset] == 34 {
            let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
            offset += 1
            return text
        }
        var out = Array(bytes[start..<offset])
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 34 {
                offset += 1
                return String(decoding: out, as: UTF8.self)
            }
            if byte == 92 {
                try escape(into: &out)
            } else {
                out.append(byte)
                offset += 1
            }
        }
        throw fail("a string is not closed")
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        offset += 1
        guard offset < bytes.count else { throw fail("a string is not closed") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case 34, 92, 47, 39: out.append(byte)
        case 98: out.append(8)
        case 102: out.append(12)
        case 110: out.append(10)
        case 114: out.append(13)
        case 116: out.append(9)
        case 117:
            var code = try hex4()
            if (0xD800..<0xDC00).contains(code), offset + 1 < bytes.count, bytes[offset] == 92, bytes[offset + 1] == 117
            {
                let saved = offset
                offset += 2
                let low = try hex4()
                if (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    offset = saved
                }
            }
            let scalar = UnicodeScalar(code) ?? "\u{FFFD}"
            out.append(contentsOf: String(Character(scalar)).utf8)
        default: throw fail("unknown escape in a string")
        }
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard offset < bytes.count, let digit = Character(UnicodeScalar(bytes[offset])).hexDigitValue else {
                throw fail("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }

    private mutating func literal(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset + length <= bytes.count else { return false }
        for i in 0..<length where bytes[offset + i] != text.utf8Start[i] { return false }
        offset += length
        return true
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// A number as an integer when it is written as one and fits, else as a floating number.
    package mutating func number() throws(JSONError) -> Value {
        let start = offset
        var isInteger = true
        var isPlain = true
        var magnitude: Int64 = 0
        var digits = 0
        var decimals = 0
        let isNegative = offset < bytes.count && bytes[offset] == 45
        if isNegative { offset += 1 }
        let digitsStart = offset
        scan: while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case 48...57:
                digits &+= 1
                if digits <= 18 { magnitude = magnitude &* 10 &+ Int64(byte &- 48) }
                if !isInteger { decimals &+= 1 }
            case 46:
                if !isInteger { isPlain = false }
                isInteger = false
            case 101, 69, 43, 45:
                isInteger = false
                isPlain = false
            default: break scan
            }
            offset += 1
        }
        guard offset > digitsStart else { throw fail("expected a value") }
        if isInteger, digits <= 18 { return .long(isNegative ? -magnitude : magnitude) }
        // Both numbers are exact, so that their quotient is the nearest one.
        if isPlain, !isInteger, digits <= 15, decimals > 0, decimals < digits {
            let real = Double(magnitude) / Self.powersOfTen[decimals]
            return .real(isNegative ? -real : real)
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        if isInteger, let n = Int64(text) { return .long(n) }
        if isInteger, keepsDigits { return .string(text) }
        guard let d = Double(text) else { throw fail("\"\(text.prefix(40))\" is not a number") }
        return .real(d)
    }

    package mutating func value() throws(JSONError) -> Value {
        guard let byte = peek() else { throw fail("the text ends where a value should be") }
        switch byte {
        case 34: return .string(try string())
        case 123:
            var bag = Bag()
            // A set pays off only where looking through the keys does not.
            var seen = Set<String>()
            try object { (key, reader) throws(JSONError) in
                let value = try reader.value()
                if bag.count < 16 {
                    bag[key] = value
                    return
                }
                if seen.isEmpty { seen = Set(bag.keys) }
                if seen.insert(key).inserted { bag.append(unchecked: key, value) } else { bag[key] = value }
            }
            return .bag(bag)
        case 91:
            var items: [Value] = []
            try array { (reader) throws(JSONError) in items.append(try reader.value()) }
            return .array(items)
        case 116 where literal("true"): return .bool(true)
        case 102 where literal("false"): return .bool(false)
        case 110 where literal("null"): return .null
        case 78 where literal("NaN"): return .real(.nan)
        case 73 where literal("Infinity"): return .real(.infinity)
        default: return try number()
        }
    }

    /// Passes over one value; inside arrays and objects only brackets and strings are looked at.
    package mutating func skip() throws(JSONError) {
        guard let first = peek() else { throw fail("the text ends where a value should be") }
        guard first == 123 || first == 91 else {
            _ = try value()
            return
        }
        var closers: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case 123: closers.append(125)
            case 91: closers.append(93)
            case 125, 93:
                guard closers.popLast() == byte else { throw fail("a bracket does not match the one before it") }
                if closers.isEmpty {
                    offset += 1
                    return
                }
            case 34:
                offset += 1
                offset = endOfPlain(from: offset)
                while offset < bytes.count, bytes[offset] == 92 {
                    offset = endOfPlain(from: min(offset + 2, bytes.count))
                }
            default: break
            }
            offset += 1
        }
        offset = bytes.count
        throw fail("the text ends inside an \(closers.first == 125 ? "object" : "array")")
    }

    /// Where the next string stands without its quotation marks, and whether something in it is escaped.
    mutating func stringRange() throws(JSONError) -> (range: Range<Int>, hasEscapes: Bool) {
        try expect(34)
        let start = offset
        var hasEscapes = false
        offset = endOfPlain(from: offset)
        while offset < bytes.count, bytes[offset] == 92 {
            hasEscapes = true
            offset = endOfPlain(from: min(offset + 2, bytes.count))
        }
        guard offset < bytes.count else { throw fail("a string is not closed") }
        offset += 1
        return (start..<offset - 1, hasEscapes)
    }

    /// Where the next number or word stands.
    mutating func wordRange() -> Range<Int> {
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case 48...57, 65...90, 97...122, 43, 45, 46: offset += 1
            default: return start..<offset
            }
        }
        return start..<offset
    }

    /// The next string's bytes, without a copy when nothing in it is escaped.
    package mutating func stringBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) throws(JSONError) -> R {
        let saved = offset
        try expect(34)
        let start = offset
        offset = endOfPlain(from: offset)
        if offset < bytes.count, bytes[offset] == 34 {
            offset += 1
            return body(UnsafeBufferPointer(rebasing: bytes[start..<offset - 1]))
        }
        offset = saved
        var text = try string()
        return text.withUTF8(body)
    }

    /// A member's key.
    enum Key {
        /// As it stands in the text.
        case plain(Range<Int>)
        /// Where something in it was escaped.
        case escaped([UInt8])
    }

    /// Begins an object whose members are read with `nextKey`.
    mutating func beginObject() throws(JSONError) { try enter(123) }

    /// The key of the next member, behind which its value stands; nil at the object's end.
    @inline(__always)
    mutating func nextKey(isFirst: Bool) throws(JSONError) -> Key? {
        if isFirst {
            if consume(125) {
                depth -= 1
                return nil
            }
        } else if !consume(44) {
            try expect(125)
            depth -= 1
            return nil
        }
        guard peek() == 34 else { throw fail("expected a key in double quotes") }
        let start = offset + 1
        let end = endOfPlain(from: start)
        let key: Key
        if end < bytes.count, bytes[end] == 34 {
            offset = end + 1
            key = .plain(start..<end)
        } else {
            key = .escaped(Array(try string().utf8))
        }
        try expect(58)
        return key
    }
}
