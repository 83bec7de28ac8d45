import Tables

/// The language's operators, one row at a time, for types that have no loop of their own.
enum OperatorKernels {
    nonisolated(unsafe) static let all: [String: ScalarKernel] = {
        var out: [String: ScalarKernel] = [
            "not": .strict { a, _ in .bool(!(a[0].boolValue ?? false)) },
            "negate": .strict { a, _ in
                switch a[0] {
                case .long(let n): .long(0 &- n)
                case .real(let d): .real(-d)
                case .decimal(let d): .decimal(-d)
                case .timespan(let t): .timespan(0 &- t)
                default: .null
                }
            },
            "==": .lenient { a, _ in equality(a[0], a[1]) },
            "!=": .lenient { a, _ in
                if case .bool(let b) = equality(a[0], a[1]) { .bool(!b) } else { .null }
            },
            "<": .strict { a, _ in ValueOps.compare(a[0], a[1]).map { .bool($0 < 0) } ?? .bool(false) },
            "<=": .strict { a, _ in ValueOps.compare(a[0], a[1]).map { .bool($0 <= 0) } ?? .bool(false) },
            ">": .strict { a, _ in ValueOps.compare(a[0], a[1]).map { .bool($0 > 0) } ?? .bool(false) },
            ">=": .strict { a, _ in ValueOps.compare(a[0], a[1]).map { .bool($0 >= 0) } ?? .bool(false) },
            "index": .lenient { a, _ in element(a[0], a[1]) },
            "tuple_item": .lenient { a, _ in
                guard case .array(let items) = a[0], case .long(let i) = a[1], items.indices.contains(Int(i)) else {
                    return .null
                }
                return items[Int(i)]
            },
            "matches regex": .lenient { a, c in
                .bool(try c.regex(a[1].text).matches(a[0].text))
            },
            "like": .lenient { a, c in .bool(try like(a[0].text, a[1].text, c, false)) },
            "notlike": .lenient { a, c in .bool(try !like(a[0].text, a[1].text, c, false)) },
            "likecs": .lenient { a, c in .bool(try like(a[0].text, a[1].text, c, true)) },
            "notlikecs": .lenient { a, c in .bool(try !like(a[0].text, a[1].text, c, true)) },
            "in": .lenient { a, _ in .bool(contains(a, folds: false)) },
            "!in": .lenient { a, _ in .bool(!contains(a, folds: false)) },
            "in~": .lenient { a, _ in .bool(contains(a, folds: true)) },
            "!in~": .lenient { a, _ in .bool(!contains(a, folds: true)) },
            "has_any": .lenient { a, _ in .bool(terms(a).contains { $0.isIn(a[0].text) }) },
            "!has_any": .lenient { a, _ in .bool(!terms(a).contains { $0.isIn(a[0].text) }) },
            "has_all": .lenient { a, _ in .bool(terms(a).allSatisfy { $0.isIn(a[0].text) }) },
            "!has_all": .lenient { a, _ in .bool(!terms(a).allSatisfy { $0.isIn(a[0].text) }) },
        ]
        for op in ["+", "-", "*", "/", "%"] { out[op] = .strict { a, _ in ValueOps.arithmetic(op, a[0], a[1]) } }
        let searches = [
            "=~", "contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs", "has", "has_cs",
            "hasprefix",
            "hasprefix_cs", "hassuffix", "hassuffix_cs",
        ]
        for op in searches {
            let negated = op == "=~" ? "!~" : "!" + op
            out[op] = .lenient { a, _ in .bool(TextSearch(operator: op, a[1].text)?.isIn(a[0].text) ?? false) }
            out[negated] = .lenient { a, _ in .bool(!(TextSearch(operator: op, a[1].text)?.isIn(a[0].text) ?? false)) }
        }
        return out
    }()

    /// A null and a value are not equal; whether two nulls are is unknown.
    static func equality(_ a: Value, _ b: Value) -> Value {
        if a.isNull != b.isNull { return .bool(false) }
        return ValueOps.equal(a, b).map { .bool($0) } ?? .null
    }

    static func element(_ base: Value, _ index: Value) -> Value {
        switch (base, index) {
        case (.bag(let bag), .string(let key)): return bag[key] ?? .null
        case (.array(let items), .long(let i)):
            let at = i < 0 ? items.count + Int(i) : Int(i)
            return items.indices.contains(at) ? items[at] : .null
        case (.bag(let bag), _): return bag[index.text] ?? .null
        // A text that happens to be JSON is a text: parse_json(tostring(…)) reads it.
        default: return .null
        }
    }

    private static func contains(_ a: [Value], folds: Bool) -> Bool {
        func equal(_ item: Value) -> Bool {
            if folds { return a[0].text.lowercased() == item.text.lowercased() }
            return ValueOps.equal(a[0], item) ?? false
        }
        for argument in a.dropFirst() {
            if case .array(let items) = argument {
                if items.contains(where: equal) { return true }
            } else if equal(argument) {
                return true
            }
        }
        return false
    }

    private static func terms(_ a: [Value]) -> [TextSearch] {
        a.dropFirst().flatMap { v -> [Value] in if case .array(let items) = v { items } else { [v] } }
            .map { TextSearch(.has, $0.text, caseSensitive: false) }
    }

    private static func like(_ text: String, _ pattern: String, _ context: QueryContext, _ cs: Bool) throws
        -> Bool
    {
        var re = "(?s)^"
        for ch in pattern {
            switch ch {
            case "*", "%": re += ".*"
            case "?": re += "."
            default: re += "\\.+*?()|[]{}^$".contains(ch) ? "\\\(ch)" : String(ch)
            }
        }
        return try context.regex(re + "$", caseSensitive: cs).matches(text)
    }
}

extension TextSearch {
    func isIn(_ text: String) -> Bool {
        var copy = text
        return copy.withUTF8 { matches($0) }
    }
}
