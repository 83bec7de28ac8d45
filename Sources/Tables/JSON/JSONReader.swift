/// What is wrong with a JSON text, and at which byte.
package struct JSONError: Error, Sendable, Equatable {
    package let offset: Int
    package let reason: String

    package var description: String { "\(reason) at byte \(offset)" }
}

/// Reads JSON over bytes, one value at a time, without building a tree first.
package struct JSONReader: ~Copyable {
    private let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var offset: Int
    private var depth = 0
    private static let depthMax = 512

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        offset = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { offset = 3 }
    }

    package var isAtEnd: Bool { offset >= bytes.count }

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
            if offset >= bytes.count { throw fail("the text ends where \"\(Character(UnicodeScalar(byte)))\" should be") }
            throw fail("expected \"\(Character(UnicodeScalar(byte)))\"")
        }
    }

    /// The keys and values of an object, each value read by `body`.
    package mutating func object(_ body: (String, inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try enter(123)
        if !consume(125) {
            repeat {
                guard peek() == 34 else { throw fail("expected a key in double quotes") }
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
            repeat { try body(&self) } while consume(44)
            try expect(93)
        }
        depth -= 1
    }

    private mutating func enter(_ byte: UInt8) throws(JSONError) {
        try expect(byte)
        depth += 1
        if depth > JSONReader.depthMax { throw fail("more than \(JSONReader.depthMax) levels of nesting") }
    }

    package mutating func string() throws(JSONError) -> String {
        try expect(34)
        let start = offset
        while offset < bytes.count, bytes[offset] != 34, bytes[offset] != 92 { offset += 1 }
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
            if (0xD800..<0xDC00).contains(code), offset + 1 < bytes.count, bytes[offset] == 92, bytes[offset + 1] == 117 {
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

    /// A number as an integer when it is written as one and fits, else as a floating number.
    package mutating func number() throws(JSONError) -> Value {
        let start = offset
        var isInteger = true
        if offset < bytes.count, bytes[offset] == 45 { offset += 1 }
        let digitsStart = offset
        scan: while offset < bytes.count {
            switch bytes[offset] {
            case 48...57: break
            case 46, 101, 69, 43, 45: isInteger = false
            default: break scan
            }
            offset += 1
        }
        guard offset > digitsStart else { throw fail("expected a value") }
        if isInteger, offset - digitsStart <= 18 {
            let magnitude = bytes[digitsStart..<offset].reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
            return .long(digitsStart == start ? magnitude : -magnitude)
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        if isInteger, let n = Int64(text) { return .long(n) }
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
                while offset < bytes.count, bytes[offset] != 34 { offset += bytes[offset] == 92 ? 2 : 1 }
            default: break
            }
            offset += 1
        }
        offset = bytes.count
        throw fail("the text ends inside an \(closers.first == 125 ? "object" : "array")")
    }

    /// The next string's bytes, without a copy when nothing in it is escaped.
    package mutating func stringBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) throws(JSONError) -> R {
        let saved = offset
        try expect(34)
        let start = offset
        while offset < bytes.count, bytes[offset] != 34, bytes[offset] != 92 { offset += 1 }
        if offset < bytes.count, bytes[offset] == 34 {
            offset += 1
            return body(UnsafeBufferPointer(rebasing: bytes[start..<offset - 1]))
        }
        offset = saved
        var text = try string()
        return text.withUTF8(body)
    }

    /// As `object`, with the keys as bytes.
    package mutating func members(
        _ body: (UnsafeBufferPointer<UInt8>, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try enter(123)
        if !consume(125) {
            repeat {
                guard peek() == 34 else { throw fail("expected a key in double quotes") }
                let start = offset + 1
                let base = bytes.baseAddress.map { $0 + start }
                let isPlain = try stringBytes { $0.baseAddress == base || $0.isEmpty }
                if isPlain {
                    let key = UnsafeBufferPointer(rebasing: bytes[start..<offset - 1])
                    try expect(58)
                    try body(key, &self)
                } else {
                    offset = start - 1
                    let text = Array(try string().utf8)
                    let key = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
                    defer { key.deallocate() }
                    _ = key.initialize(from: text)
                    try expect(58)
                    try body(UnsafeBufferPointer(key), &self)
                }
            } while consume(44)
            try expect(125)
        }
        depth -= 1
    }

    /// Reads one whole text.
    package static func parse(_ text: some StringProtocol) throws(JSONError) -> Value {
        var text = String(text)
        return try text.withUTF8 { whole($0) }.get()
    }

    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { whole($0) }.get()
    }

    private static func whole(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<Value, JSONError> {
        var reader = JSONReader(bytes)
        do throws(JSONError) {
            let value = try reader.value()
            reader.skipSpace()
            guard reader.isAtEnd else { throw reader.fail("something follows the value") }
            return .success(value)
        } catch { return .failure(error) }
    }
}
