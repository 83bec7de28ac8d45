import Tables

/// Cuts a query's text into tokens. Comments and white space are dropped.
package struct Lexer {
    private let bytes: [UInt8]
    private var at = 0
    private var tokens: [Token] = []

    /// Types whose literal is written as `name(text)`.
    private static let literalTypes: Set<String> = [
        "datetime", "date", "timespan", "time", "guid", "int", "long", "real", "double", "decimal", "bool", "boolean",
        "uuid", "int64", "int32", "uniqueid",
    ]

    package static func tokens(of text: String) throws(Diagnostic) -> [Token] {
        var lexer = Lexer(bytes: Array(text.utf8))
        try lexer.run()
        return lexer.tokens
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func peek(_ ahead: Int = 0) -> UInt8 { at + ahead < bytes.count ? bytes[at + ahead] : 0 }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func isLetter(_ b: UInt8) -> Bool {
        (65...90).contains(b & 0xDF) || b == 95 || b == 36
    }

    private static func isDigit(_ b: UInt8) -> Bool { (48...57).contains(b) }

    private mutating func add(_ kind: Token.Kind, from start: Int) {
        let range = start..<at
        let keep: Bool
        switch kind {
        case .identifier, .sign: keep = true
        default: keep = false
        }
        tokens.append(Token(kind: kind, range: range, text: keep ? text(range) : ""))
    }

    private mutating func run() throws(Diagnostic) {
        while true {
            skipBlank()
            let start = at
            guard at < bytes.count else { break }
            let b = bytes[at]
            if b == 34 || b == 39 {
                try string(from: start, verbatim: false)
            } else if b == 64, peek(1) == 34 || peek(1) == 39 {
                at += 1
                try string(from: start, verbatim: true)
            } else if b | 32 == 104, peek(1) == 34 || peek(1) == 39 {
                at += 1
                try string(from: start, verbatim: false)
            } else if b | 32 == 104, peek(1) == 64, peek(2) == 34 || peek(2) == 39 {
                at += 2
                try string(from: start, verbatim: true)
            } else if (b == 96 || b == 126), peek(1) == b, peek(2) == b {
                try multiline(from: start, fence: b)
            } else if Lexer.isDigit(b) {
                try number(from: start)
            } else if Lexer.isLetter(b) {
                word(from: start)
            } else {
                try sign(from: start)
            }
        }
        tokens.append(Token(kind: .end, range: bytes.count..<bytes.count, text: ""))
    }

    private mutating func skipBlank() {
        while at < bytes.count {
            let b = bytes[at]
            if b == 32 || (9...13).contains(b) {
                at += 1
            } else if b == 47, peek(1) == 47 {
                while at < bytes.count, bytes[at] != 10 { at += 1 }
            } else if b == 0xC2, peek(1) == 0xA0 {
                at += 2
            } else if b == 0xE2, peek(1) == 0x80, (0x80...0x8F).contains(peek(2)) || peek(2) == 0xAF {
                at += 3
            } else if b == 0xEF, peek(1) == 0xBB, peek(2) == 0xBF {
                at += 3
            } else {
                return
            }
        }
    }

    private mutating func string(from start: Int, verbatim: Bool) throws(Diagnostic) {
        let quote = bytes[at]
        at += 1
        var out: [UInt8] = []
        while at < bytes.count {
            let b = bytes[at]
            if b == quote {
                if verbatim, peek(1) == quote {
                    out.append(quote)
                    at += 2
                    continue
                }
                at += 1
                add(.string(String(decoding: out, as: UTF8.self)), from: start)
                return
            }
            if b == 10 || b == 13, !verbatim { break }
            if b == 10, verbatim { break }
            if b == 92, !verbatim {
                try escape(into: &out)
            } else {
                out.append(b)
                at += 1
            }
        }
        throw Diagnostic("KS001", "Missing: \(Character(UnicodeScalar(quote)))", start..<at)
    }

    private mutating func escape(into out: inout [UInt8]) throws(Diagnostic) {
        let start = at
        at += 1
        let b = peek()
        at += 1
        func hex(_ count: Int) -> UInt32? {
            guard at + count <= bytes.count else { return nil }
            return UInt32(text(at..<at + count), radix: 16)
        }
        switch b {
        case 110: out.append(10)
        case 114: out.append(13)
        case 116: out.append(9)
        case 97: out.append(7)
        case 98: out.append(8)
        case 102: out.append(12)
        case 118: out.append(11)
        case 34, 39, 92: out.append(b)
        case 120:
            guard let code = hex(2), let scalar = UnicodeScalar(code) else {
                throw Diagnostic("KS002", "Unexpected: \\", start..<at)
            }
            at += 2
            out.append(contentsOf: String(Character(scalar)).utf8)
        case 117, 85:
            let count = b == 117 ? 4 : 8
            guard let code = hex(count) else { throw Diagnostic("KS002", "Unexpected: \\", start..<at) }
            at += count
            out.append(contentsOf: String(Character(UnicodeScalar(code) ?? "\u{FFFD}")).utf8)
        case 48...55:
            var code = UInt32(b - 48)
            var count = 1
            while count < 3, (48...55).contains(peek()) {
                code = code * 8 + UInt32(peek() - 48)
                at += 1
                count += 1
            }
            out.append(contentsOf: String(Character(UnicodeScalar(code) ?? "\u{FFFD}")).utf8)
        default:
            throw Diagnostic("KS002", "Unexpected: \\", start..<min(at, bytes.count))
        }
    }

    private mutating func multiline(from start: Int, fence: UInt8) throws(Diagnostic) {
        at += 3
        let contentStart = at
        while at < bytes.count {
            if bytes[at] == fence, peek(1) == fence, peek(2) == fence {
                let content = text(contentStart..<at)
                at += 3
                add(.string(content), from: start)
                return
            }
            at += 1
        }
        throw Diagnostic("KS001", "Missing: closing fence of a multi-line string", start..<at)
    }

    private mutating func number(from start: Int) throws(Diagnostic) {
        if peek() == 48, peek(1) | 32 == 120, Character(UnicodeScalar(peek(2))).isHexDigit {
            at += 2
            while Character(UnicodeScalar(peek())).isHexDigit { at += 1 }
            guard let value = UInt64(text(start + 2..<at), radix: 16) else {
                throw Diagnostic("KS002", "The number \(text(start..<at)) does not fit a long", start..<at)
            }
            return add(.long(Int64(bitPattern: value)), from: start)
        }
        while Lexer.isDigit(peek()) { at += 1 }
        var isReal = false
        let exponentFollows =
            peek(1) | 32 == 101
            && (Lexer.isDigit(peek(2)) || ((peek(2) == 43 || peek(2) == 45) && Lexer.isDigit(peek(3))))
        if peek() == 46, Lexer.isDigit(peek(1)) || exponentFollows || !(peek(1) == 46 || Lexer.isLetter(peek(1))) {
            isReal = true
            at += 1
            while Lexer.isDigit(peek()) { at += 1 }
        }
        if peek() | 32 == 101, Lexer.isDigit(peek(1)) || ((peek(1) == 43 || peek(1) == 45) && Lexer.isDigit(peek(2))) {
            let beforeExponent = at
            at += 2
            while Lexer.isDigit(peek()) { at += 1 }
            if Lexer.isLetter(peek()) { at = beforeExponent } else { isReal = true }
        }
        let digits = text(start..<at)
        if Lexer.isLetter(peek()) {
            let suffixStart = at
            while Lexer.isLetter(peek()) || Lexer.isDigit(peek()) { at += 1 }
            let suffix = text(suffixStart..<at)
            if let unit = TimeSpan.unit(suffix), let value = Double(digits) {
                let ticks = value * unit
                guard ticks.magnitude < 9.2e18 else {
                    throw Diagnostic("KS002", "The timespan \(text(start..<at)) is too long", start..<at)
                }
                return add(.timespan(Int64(ticks.rounded())), from: start)
            }
            if !isReal { return add(.identifier, from: start) }
            at = suffixStart
        }
        if isReal { return add(.real(Double(digits) ?? .nan), from: start) }
        if let value = Int64(digits) { return add(.long(value), from: start) }
        if let value = UInt64(digits) { return add(.long(Int64(bitPattern: value)), from: start) }
        throw Diagnostic("KS002", "The number \(digits) does not fit a long", start..<at)
    }

    private mutating func word(from start: Int) {
        while Lexer.isLetter(peek()) || Lexer.isDigit(peek()) { at += 1 }
        let name = text(start..<at)
        if Lexer.literalTypes.contains(name), let type = ScalarType(name: name) {
            let saved = at
            skipBlank()
            if peek() == 40, let close = closing() {
                let raw = text(at + 1..<close).trimmed
                at = close + 1
                return add(.typed(type, raw), from: start)
            }
            at = saved
        }
        add(.identifier, from: start)
    }

    /// The offset of the `)` of a literal that starts at `(`, on the same statement; nil when there is none.
    private func closing() -> Int? {
        var i = at + 1
        var quote: UInt8 = 0
        while i < bytes.count {
            let b = bytes[i]
            if quote != 0 {
                if b == quote { quote = 0 }
            } else if b == 34 || b == 39 {
                quote = b
            } else if b == 41 {
                return i
            } else if b == 40 || b == 59 || b == 124 {
                return nil
            }
            i += 1
        }
        return nil
    }

    private mutating func sign(from start: Int) throws(Diagnostic) {
        let b = bytes[at]
        let two = at + 1 < bytes.count ? text(at..<at + 2) : ""
        if ["==", "=~", "!=", "!~", "<>", "<=", ">=", "=>", ".."].contains(two) {
            at += 2
            return add(.sign, from: start)
        }
        if b == 33, Lexer.isLetter(peek(1)) {
            at += 1
            while Lexer.isLetter(peek()) || Lexer.isDigit(peek()) { at += 1 }
            if peek() == 126 { at += 1 }
            return add(.sign, from: start)
        }
        if Array("()[]{}|,;:.+-*/%<>=@?!~#&".utf8).contains(b) {
            at += 1
            return add(.sign, from: start)
        }
        var end = at + 1
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        throw Diagnostic("KS002", "Unexpected: \(text(at..<end))", start..<end)
    }
}
