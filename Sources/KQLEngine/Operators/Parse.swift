import KQL
import Tables

extension Executor {
    func parse(_ plan: ParsePlan, _ schema: Schema) throws -> BatchIterator {
        let matcher = try ParseMatcher(plan, context)
        let next = try run(plan.input)
        let types = plan.targets.map { schema[$0].type }
        return { [self] in
            guard let batch = try next() else { return nil }
            let source = try evaluator.column(plan.source, batch)
            var builders = types.map { ColumnBuilder($0) }
            var kept: [Int32] = []
            for row in 0..<batch.count {
                let found = matcher.match(source[row].text)
                if plan.filters, found == nil { continue }
                kept.append(Int32(row))
                for c in builders.indices { builders[c].append((found?[c]).map { Value.string($0).converted(to: types[c]) } ?? .null) }
            }
            let base = kept.count == batch.count ? batch : batch.gather(kept)
            let parsed = builders.map { LazyColumn($0.finish()) }
            let columns = schema.columns.indices.map { i -> LazyColumn in
                if let c = plan.targets.lastIndex(of: i) { return parsed[c] }
                return base.lazyColumn(i)
            }
            return Batch(schema: schema, columns: columns, count: kept.count)
        }
    }

    func parseKV(
        _ input: Plan, _ source: BoundExpr, _ specs: [ColumnSpec], _ pair: String, _ key: String, _ quotes: [String], _ greedy: Bool,
        _ schema: Schema
    ) throws -> BatchIterator {
        let next = try run(input)
        return { [self] in
            guard let batch = try next() else { return nil }
            let texts = try evaluator.column(source, batch)
            var builders = specs.map { ColumnBuilder($0.type) }
            for row in 0..<batch.count {
                let found = KeyValueText.parse(
                    texts[row].text, pair: pair, key: key, quotes: quotes, greedy: greedy, wanted: Set(specs.map(\.name)))
                for (c, spec) in specs.enumerated() { builders[c].append(found[spec.name].map { Value.string($0).converted(to: spec.type) } ?? .null) }
            }
            let parsed = builders.map { LazyColumn($0.finish()) }
            let columns = schema.columns.indices.map { i -> LazyColumn in
                specs.firstIndex { $0.name == schema[i].name }.map { parsed[$0] } ?? batch.lazyColumn(i)
            }
            return Batch(schema: schema, columns: columns, count: batch.count)
        }
    }
}

/// The pattern of a `parse` operator as a regular expression.
struct ParseMatcher {
    private let regex: Regex
    private let columnCount: Int
    private let types: [ScalarType]
    private let isRelaxed: Bool

    init(_ plan: ParsePlan, _ context: QueryContext) throws {
        var pattern = ""
        var types: [ScalarType] = []
        let isRegex = plan.kind == "regex"
        isRelaxed = plan.kind == "relaxed"
        for (i, part) in plan.parts.enumerated() {
            switch part {
            case .text(let s): pattern += isRegex ? s : ParseMatcher.quote(s)
            case .star: pattern += ".*?"
            case .column(_, let type):
                types.append(type)
                let isLast = i == plan.parts.count - 1
                switch type {
                case .long, .int: pattern += "\\s*([+-]?\\d+)"
                case .real, .decimal: pattern += isRelaxed ? "(.*?)" : "\\s*([+-]?\\d+(?:\\.\\d*)?(?:[eE][+-]?\\d+)?)"
                default: pattern += isLast ? "(.*)" : "(.*?)"
                }
            }
        }
        if isRelaxed {
            pattern = ""
            for (i, part) in plan.parts.enumerated() {
                switch part {
                case .text(let s): pattern += ParseMatcher.quote(s)
                case .star: pattern += ".*?"
                case .column: pattern += i == plan.parts.count - 1 ? "(.*)" : "(.*?)"
                }
            }
        }
        var flags = "s"
        for f in plan.flags where "imsU".contains(f) && f != "s" { flags.append(f) }
        guard let compiled = context.regex("(?\(flags))^\(pattern)$") else {
            throw QueryError.runtime("the pattern of 'parse' is not a valid regular expression")
        }
        regex = compiled
        columnCount = types.count
        self.types = types
    }

    static func quote(_ s: String) -> String {
        var out = ""
        for ch in s.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(ch) { out += "\\" }
            out.unicodeScalars.append(ch)
        }
        return out
    }

    /// The columns' texts, or nil when the text does not fit.
    func match(_ text: String) -> [String]? {
        var copy = text
        return copy.withUTF8 { bytes -> [String]? in
            guard let groups = regex.search(bytes) else { return nil }
            var out: [String] = []
            var g = 1
            for _ in 0..<columnCount {
                out.append(g < groups.count ? groups[g].map { String(decoding: bytes[$0], as: UTF8.self) } ?? "" : "")
                g += 1
            }
            return out
        }
    }
}

/// `parse-kv`: keys and values with delimiters and quotes.
enum KeyValueText {
    static func parse(_ text: String, pair: String, key: String, quotes: [String], greedy: Bool, wanted: Set<String>) -> [String: String] {
        var out: [String: String] = [:]
        let chars = Array(text)
        let separators = Set(pair)
        let keyMarks = Array(key)
        let opening = quotes.compactMap(\.first)
        let closing = quotes.compactMap(\.last)
        var i = 0
        func isKeyMark(_ at: Int) -> Bool { at + keyMarks.count <= chars.count && Array(chars[at..<at + keyMarks.count]) == keyMarks }
        while i < chars.count {
            while i < chars.count, separators.contains(chars[i]) || chars[i] == " " || chars[i].isNewline { i += 1 }
            var name = ""
            while i < chars.count, !isKeyMark(i), greedy || !separators.contains(chars[i]) {
                name.append(chars[i])
                i += 1
            }
            guard isKeyMark(i) else { continue }
            i += keyMarks.count
            var value = ""
            if i < chars.count, let q = opening.firstIndex(of: chars[i]) {
                i += 1
                while i < chars.count, chars[i] != closing[q] {
                    if chars[i] == "\\", i + 1 < chars.count { i += 1 }
                    value.append(chars[i])
                    i += 1
                }
                i += 1
            } else {
                while i < chars.count {
                    if separators.contains(chars[i]) {
                        if !greedy { break }
                        // The value goes on until a separator that a wanted key follows.
                        var j = i
                        while j < chars.count, separators.contains(chars[j]) { j += 1 }
                        var word = ""
                        var k = j
                        while k < chars.count, !isKeyMark(k), !separators.contains(chars[k]) {
                            word.append(chars[k])
                            k += 1
                        }
                        if isKeyMark(k), wanted.contains(word) { break }
                    }
                    value.append(chars[i])
                    i += 1
                }
            }
            let trimmed = name.trimmed
            if out[trimmed] == nil { out[trimmed] = value }
        }
        return out
    }
}
