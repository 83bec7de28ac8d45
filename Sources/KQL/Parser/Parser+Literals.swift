import Tables

extension Parser {
    /// The value of `type(raw)`.
    func literalValue(_ type: ScalarType, _ raw: String, _ range: Range<Int>) throws(Diagnostic) -> Value {
        guard let value = Parser.readable(type, raw) else {
            throw Diagnostic("KS002", "\"\(raw.prefix(60))\" is not a \(type.name)", range)
        }
        return value
    }

    /// The value of `type(raw)`, or nil when the text is none.
    static func readable(_ type: ScalarType, _ raw: String) -> Value? {
        var text = raw
        if let first = text.first, first == "\"" || first == "'", text.count >= 2, text.last == first {
            text = String(text.dropFirst().dropLast())
        }
        if text == "null" || text.isEmpty { return .null }
        let value: Value
        switch type {
        case .datetime:
            value =
                text == "now"
                ? .null : dateFromParts(text) ?? Value.string(text.replacing(" - ", with: "-")).converted(to: .datetime)
        case .timespan:
            value = Value.string(text).converted(to: .timespan)
        case .bool:
            value = Value.string(text).converted(to: .bool)
        case .int:
            // A hexadecimal number is the bits of an int.
            if let bits = hexadecimal(text) { return .long(Int64(Int32(truncatingIfNeeded: bits))) }
            value = Value.string(text).converted(to: type)
        case .long, .real, .decimal, .guid:
            value = Value.string(text).converted(to: type)
        case .string, .dynamic:
            value = .string(text)
        }
        // Kusto has `now` for a time too, which only running tells.
        return value.isNull && !(type == .datetime && text == "now") ? nil : value
    }

    private static func hexadecimal(_ text: String) -> Int64? {
        guard text.hasPrefix("0x") || text.hasPrefix("0X") else { return nil }
        return UInt64(text.dropFirst(2), radix: 16).map { Int64(bitPattern: $0) }
    }

    /// `2025, 6, 14`: year, month and, optionally, day, hour, minute and second, apart by commas.
    private static func dateFromParts(_ text: String) -> Value? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0.trimmed) }
        guard (2...6).contains(parts.count), parts.allSatisfy({ $0 != nil }) else { return nil }
        let n = parts.compactMap { $0 } + [1, 0, 0, 0].suffix(max(0, 6 - parts.count))
        return DateTime.ticks(n[0], n[1], n[2], n[3], n[4], n[5]).map { .datetime($0) }
    }

    /// The JSON-like content of `dynamic(…)`, in which Kusto's literals may stand too.
    mutating func dynamicValue() throws(Diagnostic) -> Value {
        try nested { (p) throws(Diagnostic) in try p.dynamicContent() }
    }

    private mutating func dynamicContent() throws(Diagnostic) -> Value {
        let t = token
        switch t.kind {
        case .long(let n):
            at += 1
            return .long(n)
        case .real(let d):
            at += 1
            return .real(d)
        case .timespan(let n):
            at += 1
            return .timespan(n)
        case .string(var s):
            at += 1
            while case .string(let more) = token.kind {
                s += more
                at += 1
            }
            return .string(s)
        case .typed(let type, let raw):
            at += 1
            return try literalValue(type, raw, t.range)
        case .identifier:
            switch t.text {
            case "true", "True": at += 1; return .bool(true)
            case "false", "False": at += 1; return .bool(false)
            case "null": at += 1; return .null
            case "NaN", "nan": at += 1; return .real(.nan)
            case "dynamic" where isSign("(", ahead: 1):
                at += 2
                let inner = try dynamicValue()
                try expectSign(")")
                return inner
            default: throw fail("KS005", "Expected: a literal")
            }
        case .sign:
            switch t.text {
            case "-", "+":
                at += 1
                switch try dynamicValue() {
                case .long(let n): return .long(t.text == "-" ? 0 &- n : n)
                case .real(let d): return .real(t.text == "-" ? -d : d)
                default: throw Diagnostic("KS005", "Expected: a number", t.range)
                }
            case "[":
                at += 1
                var items: [Value] = []
                while !isSign("]") {
                    items.append(try dynamicValue())
                    if !takeSign(",") { break }
                }
                try expectSign("]")
                return .array(items)
            case "{":
                at += 1
                var bag = Bag()
                while !isSign("}") {
                    let key: String
                    if case .string(let s) = token.kind {
                        key = s
                    } else if token.kind == .identifier {
                        key = token.text
                    } else {
                        throw fail("KS005", "Expected: }")
                    }
                    at += 1
                    try expectSign(":")
                    bag[key] = try dynamicValue()
                    if !takeSign(",") { break }
                }
                try expectSign("}")
                return .bag(bag)
            default: throw fail("KS006", "Missing expression")
            }
        case .end: throw fail("KS006", "Missing expression")
        }
    }
}
