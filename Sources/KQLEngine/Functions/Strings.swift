import KQL
import Tables

extension ScalarFunctions {
    /// Unicode characters as Kusto counts them: code points.
    static func scalars(_ s: String) -> [Unicode.Scalar] { Array(s.unicodeScalars) }

    static func string(_ s: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: s)
        return String(view)
    }

    static func replaceAll(_ text: String, _ from: String, _ to: String) throws -> String {
        try from.isEmpty ? text : TextBytes.replace(text, from, to)
    }

    /// Each lookup in turn, over what no earlier one has matched; a lookup without replacement text keeps its matches
    /// as they are.
    static func replaceEach(_ text: String, _ pairs: [(from: String, to: String?)]) throws -> String {
        var pieces: [(text: String, isDone: Bool)] = [(text, false)]
        for pair in pairs where !pair.from.isEmpty {
            pieces = try pieces.flatMap { piece -> [(text: String, isDone: Bool)] in
                if piece.isDone { return [piece] }
                let parts = try split(piece.text, pair.from)
                return Array(parts.map { [($0, false)] }.joined(separator: [(pair.to ?? pair.from, true)]))
            }
        }
        return try TextBytes.joined(pieces.map { Value.string($0.text) })
    }

    static var strings: [String: ScalarKernel] {
        [
            "strcat": .lenient { a, _ in .string(try TextBytes.joined(a)) },
            "strcat_delim": .lenient { a, _ in .string(try TextBytes.joined(a.dropFirst(), separator: a[0].text))
            },
            "strcat_array": .lenient { a, _ in
                .string(try TextBytes.joined(a[0].arrayValue ?? [], separator: a[1].text))
            },
            "array_strcat": .lenient { a, _ in
                .string(try TextBytes.joined(a[0].arrayValue ?? [], separator: a[1].text))
            },
            "strlen": .lenient { a, _ in .long(Int64(a[0].text.unicodeScalars.count)) },
            "string_size": .lenient { a, _ in .long(Int64(a[0].text.utf8.count)) },
            "tolower": .lenient { a, _ in .string(a[0].text.lowercased()) },
            "toupper": .lenient { a, _ in .string(a[0].text.uppercased()) },
            "reverse": .lenient { a, _ in .string(string(a[0].text.unicodeScalars.reversed())) },
            "substring": .lenient { a, _ in
                let s = scalars(a[0].text)
                guard let start = a[1].longValue else { return .string("") }
                var from = Int(start)
                if from < 0 {
                    // From the end; before the beginning there is nothing to take.
                    guard from >= -s.count else { return .string("") }
                    from += s.count
                }
                from = min(from, s.count)
                var length = s.count - from
                if a.count > 2, let n = a[2].longValue { length = min(length, Int(max(0, min(n, 1 << 31)))) }
                return .string(string(s[from..<from + length]))
            },
            "split": .lenient { a, _ in
                let text = a[0].text
                let delimiter = a[1].text
                let parts = try delimiter.isEmpty ? [text] : split(text, delimiter)
                if a.count > 2, let i = a[2].longValue {
                    let at = i < 0 ? parts.count + Int(i) : Int(i)
                    return .array(parts.indices.contains(at) ? [.string(parts[at])] : [])
                }
                return .array(parts.map { .string($0) })
            },
            "strrep": .lenient { a, _ in
                guard let n = a[1].longValue, n > 0, n <= 1024 else { return .string("") }
                let size = a[0].text.utf8.count + (a.count > 2 ? a[2].text.utf8.count : 0)
                try ValueSize.checkText(size * Int(n))
                return .string(
                    Array(repeating: a[0].text, count: Int(n)).joined(separator: a.count > 2 ? a[2].text : ""))
            },
            "strcmp": .lenient { a, _ in .long(Int64(ValueOps.compare(a[0].text, a[1].text).signum())) },
            "replace_string": .lenient { a, _ in .string(try replaceAll(a[0].text, a[1].text, a[2].text)) },
            "replace_strings": .lenient { a, _ in
                guard case .array(let from) = a[1], case .array(let to) = a[2], from.count == to.count else {
                    return .string(a[0].text)
                }
                return .string(try replaceEach(a[0].text, zip(from, to).map { ($0.text, $1.stringValue) }))
            },
            "replace": .lenient { a, c in
                let re = try c.regex(a[0].text)
                return .string(try re.replace(a[2].text, with: a[1].text))
            },
            "replace_regex": .lenient { a, c in
                let re = try c.regex(a[1].text)
                return .string(try re.replace(a[0].text, with: a[2].text))
            },
            "trim": trimming(start: true, end: true), "trim_start": trimming(start: true, end: false),
            "trim_end": trimming(start: false, end: true),
            "trim_ws": .lenient { a, _ in .string(a[0].text.trimmed) },
            "translate": .lenient { a, _ in
                let from = scalars(a[0].text)
                let to = scalars(a[1].text)
                guard !to.isEmpty else { return .string(a[2].text) }
                let places = Dictionary(zip(from, from.indices), uniquingKeysWith: { first, _ in first })
                return .string(
                    string(
                        a[2].text.unicodeScalars.map { ch in
                            places[ch].map { to[min($0, to.count - 1)] } ?? ch
                        }))
            },
            "make_string": .lenient { a, _ in codepoints(a) },
            "unicode_codepoints_to_string": .lenient { a, _ in codepoints(a) },
            "to_utf8": .lenient { a, _ in .array(a[0].text.unicodeScalars.map { .long(Int64($0.value)) }) },
            "unicode_codepoints_from_string": .lenient { a, _ in
                .array(a[0].text.unicodeScalars.map { .long(Int64($0.value)) })
            },
            "regex_quote": .lenient { a, _ in
                .string(
                    string(
                        a[0].text.unicodeScalars.flatMap { ch -> [Unicode.Scalar] in
                            let plain =
                                ch.value >= 128 || ch == "_"
                                || (ch.value < 128 && TextSearch.isTermByte(UInt8(ch.value)))
                            return plain ? [ch] : ["\\", ch]
                        }))
            },
            "format_bytes": .strict { a, _ in formatBytes(a) },
            "is_utf8": .lenient { _, _ in .bool(true) },
            "isascii": .lenient { a, _ in .bool(a[0].text.utf8.allSatisfy { $0 < 128 }) },
            "isutf8": .lenient { _, _ in .bool(true) },
        ]
    }

    static func split(_ text: String, _ delimiter: String) throws -> [String] {
        let t = Array(text.utf8)
        let d = Array(delimiter.utf8)
        var out: [String] = []
        var start = 0
        for place in try TextBytes.places(of: d, in: t) {
            out.append(String(decoding: t[start..<place], as: UTF8.self))
            start = place + d.count
        }
        out.append(String(decoding: t[start...], as: UTF8.self))
        return out
    }

    private static func trimming(start: Bool, end: Bool) -> ScalarKernel {
        .lenient { a, c in
            var text = a[1].text
            let pattern = a[0].text
            // "The string or regular expression": what is no pattern is a text.
            let isPattern = (try? c.regex(pattern)) != nil
            let body = isPattern ? pattern : ParseMatcher.quote(pattern)
            if start { text = removeLeading(text, try c.regex("^(?:\(body))")) }
            if end {
                let re = try c.regex("(?:\(body))$")
                var copy = text
                if let r = copy.withUTF8({ re.search($0) })?[0], !r.isEmpty {
                    text = String(decoding: Array(text.utf8)[..<r.lowerBound], as: UTF8.self)
                }
            }
            return .string(text)
        }
    }

    private static func removeLeading(_ text: String, _ re: Regex) -> String {
        var copy = text
        guard let r = copy.withUTF8({ re.search($0) })?[0] else { return text }
        return String(decoding: Array(text.utf8)[r.upperBound...], as: UTF8.self)
    }

    private static func codepoints(_ a: [Value]) -> Value {
        let numbers = a.flatMap { v -> [Value] in if case .array(let items) = v { items } else { [v] } }
        return .string(
            string(
                numbers.compactMap { v in
                    if case .string(let s) = v { return s.unicodeScalars.first }
                    return v.longValue.flatMap { UInt32(exactly: $0) }.flatMap { Unicode.Scalar($0) }
                }))
    }

    private static func formatBytes(_ a: [Value]) -> Value {
        guard let n = a[0].doubleValue else { return .string("") }
        let precision = a.count > 1 ? Int(a[1].longValue ?? 0) : 0
        let units = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"]
        var value = n
        var unit = 0
        if a.count > 2, let wanted = units.firstIndex(where: { $0.lowercased() == a[2].text.lowercased() }) {
            while unit < wanted {
                value /= 1024
                unit += 1
            }
        } else {
            while value.magnitude >= 1024, unit < units.count - 1 {
                value /= 1024
                unit += 1
            }
        }
        var power = 1.0
        for _ in 0..<max(0, min(precision, 15)) { power *= 10 }
        let rounded = (value * power).rounded() / power
        var text = RealText.format(rounded)
        if text.hasSuffix(".0") { text.removeLast(2) }
        return .string("\(text) \(units[unit])")
    }
}
