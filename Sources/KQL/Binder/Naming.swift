import Tables

/// The names that Kusto gives to columns nobody named.
enum Naming {
    /// The name an expression brings along, or nil when it gets a number.
    static func name(of e: Expr) -> String? {
        switch e.kind {
        case .name(let n): return n
        case .member(let base, let n):
            if case .name(let b) = base.kind, b == "$left" || b == "$right" { return n.text }
            return name(of: base).map { "\($0)_\(n.text)" } ?? n.text
        case .index(let base, let i):
            guard case .literal(let v, _) = i.kind, let b = name(of: base) else { return nil }
            return "\(b)_\(identifier(v.text))"
        case .tuple(let items): return items.count == 1 ? name(of: items[0]) : nil
        case .call(let function, let arguments): return name(ofCall: function.text, arguments)
        default: return nil
        }
    }

    private static func identifier(_ text: String) -> String {
        String(text.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "_" })
    }

    private static func name(ofCall function: String, _ arguments: [CallArgument]) -> String? {
        if let aggregate = Builtins.aggregates[function]?.first {
            return aggregateName(function, aggregate.naming, arguments)
        }
        guard let signature = Builtins.scalars[function]?.first else { return nil }
        let first = arguments.first.flatMap { $0.name?.text ?? name(of: $0.value) }
        switch signature.naming {
        case "": return nil
        case "first": return first
        case "only": return arguments.count == 1 ? first : nil
        case "value":
            if case .literal(.string(let s), _)? = arguments.first?.value.kind { return s }
            return first
        case let naming where naming.hasSuffix("+first"):
            let prefix = naming.dropLast(6) == "name" ? function : String(naming.dropLast(6))
            return first.map { "\(prefix)_\($0)" }
        default: return signature.naming
        }
    }

    private static func aggregateName(_ function: String, _ naming: String, _ arguments: [CallArgument]) -> String? {
        let first = arguments.first.flatMap { name(of: $0.value) }
        if ["percentile", "percentilew"].contains(function), let last = arguments.last,
            case .literal(let v, _) = last.value.kind
        {
            return "percentile_\(first ?? "")_\(identifier(v.text))"
        }
        if function.hasPrefix("covariance") {
            let names = arguments.prefix(2).map { name(of: $0.value) ?? "" }
            return ([naming.dropLast(6).description] + names).joined(separator: "_")
        }
        if naming == "first" || naming.isEmpty { return first }
        guard naming.hasSuffix("+first") else { return "\(naming)_\(first ?? "")" }
        return "\(naming.dropLast(6))_\(first ?? "")"
    }
}

/// Hands out column names that are not taken yet.
struct NameSet {
    private var used: Set<String> = []
    private var unnamed = 0

    mutating func insert(_ name: String) { used.insert(name) }

    func contains(_ name: String) -> Bool { used.contains(name) }

    /// `wanted`, or with the first free number after it.
    mutating func unique(_ wanted: String) -> String {
        var candidate = wanted
        var n = 1
        while !used.insert(candidate).inserted {
            candidate = "\(wanted)\(n)"
            n += 1
        }
        return candidate
    }

    /// `Column1`, `Column2`, …
    mutating func numbered() -> String {
        while true {
            unnamed += 1
            let candidate = "Column\(unnamed)"
            if used.insert(candidate).inserted { return candidate }
        }
    }
}
