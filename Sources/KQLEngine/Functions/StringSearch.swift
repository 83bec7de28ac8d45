import KQL
import Tables

extension ScalarFunctions {
    private static func groups(_ re: Regex, _ text: String, _ wanted: [Int]) throws -> [[String]] {
        var copy = text
        return try copy.withUTF8 { bytes in
            try re.searchAll(bytes).map { match in
                wanted.map { g in
                    guard match.indices.contains(g), let r = match[g] else { return "" }
                    return String(decoding: bytes[r], as: UTF8.self)
                }
            }
        }
    }

    private static func extractAll(_ a: [Value], _ c: QueryContext) throws -> Value {
        let re = try c.regex(a[0].text)
        var wanted = Array(1...max(1, re.groupCount))
        if a.count == 3, case .array(let list) = a[1] {
            wanted = list.compactMap { v -> Int? in
                if case .string(let name) = v { return re.group(named: name) }
                return v.longValue.map { Int($0) }
            }
        }
        let found = try groups(re, a[a.count - 1].text, wanted)
        if found.isEmpty { return .null }
        return .array(found.map { g in g.count == 1 ? .string(g[0]) : .array(g.map { .string($0) }) })
    }

    static var stringSearch: [String: ScalarKernel] {
        [
            "extract": .lenient { a, c in
                let re = try c.regex(a[0].text)
                var text = a[2].text
                let i = Int(a[1].longValue ?? 0)
                let found: String = text.withUTF8 { bytes in
                    guard let match = re.search(bytes), match.indices.contains(i), let r = match[i] else { return "" }
                    return String(decoding: bytes[r], as: UTF8.self)
                }
                if a.count > 3, let type = ScalarType(name: a[3].text) {
                    return found.isEmpty ? Value.null.converted(to: type) : Value.string(found).converted(to: type)
                }
                return .string(found)
            },
            "extract_all": .lenient(extractAll), "extractall": .lenient(extractAll),
            "extract_json": .lenient { a, _ in extractJSON(a) }, "extractjson": .lenient { a, _ in extractJSON(a) },
            "countof": .lenient { a, c in
                if a.count > 2, a[2].text == "regex" {
                    let re = try c.regex(a[1].text)
                    var text = a[0].text
                    return .long(Int64(try text.withUTF8 { try re.searchAll($0).count }))
                }
                let t = Array(a[0].text.utf8)
                let p = Array(a[1].text.utf8)
                guard !p.isEmpty, t.count >= p.count else { return .long(0) }
                var n: Int64 = 0
                for i in 0...(t.count - p.count) where t[i] == p[0] {
                    try Interrupted.check()
                    if t[i..<i + p.count].elementsEqual(p) { n += 1 }
                }
                return .long(n)
            },
            "indexof": .lenient { a, _ in try indexOf(a) },
            "indexof_regex": .lenient { a, c in
                let re = try c.regex(a[1].text)
                var text = a[0].text
                let start = a.count > 2 ? Int(a[2].longValue ?? 0) : 0
                if start < 0 { return .null }
                let length = a.count > 3 ? Int(a[3].longValue ?? -1) : -1
                let end = length < 0 ? Int.max : start.addingSaturated(length)
                let occurrence = a.count > 4 ? Int(a[4].longValue ?? 1) : 1
                let hits = try text.withUTF8 { bytes in try re.searchAll(bytes).compactMap { $0[0] } }.filter {
                    $0.lowerBound >= start && $0.upperBound <= end
                }.map(
                    \.lowerBound)
                return .long(hits.count >= occurrence && occurrence > 0 ? Int64(hits[occurrence - 1]) : -1)
            },
            "has_any_index": .lenient { a, _ in
                guard case .array(let items) = a[1] else { return .long(-1) }
                let i = items.firstIndex { TextSearch(.has, $0.text, caseSensitive: false).isIn(a[0].text) }
                return .long(i.map(Int64.init) ?? -1)
            },
        ]
    }

    private static func indexOf(_ a: [Value]) throws -> Value {
        let text = scalars(a[0].text)
        let find = scalars(a[1].text)
        var start = a.count > 2 ? Int(a[2].longValue ?? 0) : 0
        let length = a.count > 3 ? Int(a[3].longValue ?? -1) : -1
        let occurrence = a.count > 4 ? Int(a[4].longValue ?? 1) : 1
        if start < 0 { start = max(0, text.count + start) }
        guard occurrence > 0, length >= -1, start <= text.count else {
            return occurrence <= 0 || length < -1 ? .null : .long(-1)
        }
        // The length says where a match may begin, not where it ends.
        let end = length < 0 ? text.count + 1 : min(text.count + 1, start.addingSaturated(length))
        var seen = 0
        var i = start
        while i < end, i + find.count <= text.count {
            try Interrupted.check()
            if text[i..<i + find.count].elementsEqual(find) {
                seen += 1
                if seen == occurrence { return .long(Int64(i)) }
            }
            i += 1
        }
        return .long(-1)
    }

    /// `$.a.b[0]` and `$['a']` in a JSON text.
    static func followPath(_ value: Value, _ path: String) -> Value {
        var current = value
        let u = Array(path.utf8)
        var i = u.first == 36 ? 1 : 0
        while i < u.count {
            if u[i] == 46 {
                i += 1
                let start = i
                while i < u.count, u[i] != 46, u[i] != 91 { i += 1 }
                current = OperatorKernels.element(current, .string(String(decoding: u[start..<i], as: UTF8.self)))
            } else if u[i] == 91 {
                guard let close = u[i...].firstIndex(of: 93) else { return .null }
                let inner = String(decoding: u[(i + 1)..<close], as: UTF8.self)
                if let n = Int64(inner) {
                    current = OperatorKernels.element(current, .long(n))
                } else {
                    current = OperatorKernels.element(
                        current, .string(inner.replacing("'", with: "").replacing("\"", with: "")))
                }
                i = close + 1
            } else {
                let start = i
                while i < u.count, u[i] != 46, u[i] != 91 { i += 1 }
                current = OperatorKernels.element(current, .string(String(decoding: u[start..<i], as: UTF8.self)))
            }
        }
        return current
    }

    private static func extractJSON(_ a: [Value]) -> Value {
        let type = a.count > 2 ? ScalarType(name: a[2].text) ?? .string : .string
        guard let json = try? JSONReader.parse(a[1].text) else { return Value.null.converted(to: type) }
        return followPath(json, a[0].text).converted(to: type)
    }
}
