import Tables

/// How Kusto's types combine.
enum TypeFacts {
    private static func rank(_ t: ScalarType) -> Int? {
        switch t {
        case .int: 0
        case .long: 1
        case .real: 2
        case .decimal: 3
        default: nil
        }
    }

    /// The wider of two numeric types; `int` with `int` is `long` as arithmetic gives it.
    static func widest(_ a: ScalarType, _ b: ScalarType) -> ScalarType? {
        guard let ra = rank(a), let rb = rank(b) else { return nil }
        let wide = ra >= rb ? a : b
        return wide == .int ? .long : wide
    }

    /// The type that values of all `types` can be brought to; dynamic when they have nothing in common.
    static func common(_ types: [ScalarType]) -> ScalarType {
        guard var result = types.first else { return .dynamic }
        for type in types.dropFirst() where type != result {
            if let ra = rank(result), let rb = rank(type) {
                result = ra >= rb ? result : type
            } else {
                result = .dynamic
            }
        }
        return result
    }

    /// The type of `a op b`, or nil when the operator is not defined for them.
    static func arithmetic(_ op: String, _ a: ScalarType, _ b: ScalarType) -> ScalarType? {
        if let wide = widest(a, b) { return wide }
        if a == .dynamic, b == .dynamic { return .dynamic }
        if a == .dynamic || b == .dynamic {
            let other = a == .dynamic ? b : a
            switch other {
            case .int, .long: return .long
            case .real, .decimal: return other
            case .timespan: return op == "/" ? .real : .timespan
            case .datetime: return op == "-" ? .timespan : op == "+" ? .datetime : nil
            default: return nil
            }
        }
        switch (op, a, b) {
        case ("+", .timespan, .timespan), ("-", .timespan, .timespan), ("%", .timespan, .timespan): return .timespan
        case ("+", .datetime, .timespan), ("+", .timespan, .datetime), ("+", .datetime, .datetime): return .datetime
        case ("-", .datetime, .datetime): return .timespan
        case ("-", .datetime, .timespan), ("-", .timespan, .datetime): return .datetime
        case ("*", .timespan, _) where b.isNumeric: return .timespan
        case ("*", _, .timespan) where a.isNumeric: return .timespan
        case ("*", .timespan, .timespan): return .timespan
        case ("/", .timespan, .timespan), ("/", .datetime, .timespan), ("/", .datetime, .datetime): return .real
        case ("/", .timespan, _) where b.isNumeric: return .timespan
        case ("%", .timespan, _) where b.isNumeric: return .timespan
        case ("%", .datetime, .timespan), ("%", .datetime, .datetime): return .timespan
        default: return nil
        }
    }

    /// Whether `==` and the like are defined.
    static func canCompare(_ op: String, _ a: ScalarType, _ b: ScalarType) -> Bool {
        if a == b || a == .dynamic || b == .dynamic { return true }
        func isNumberLike(_ t: ScalarType) -> Bool { t.isNumeric || t == .bool }
        return isNumberLike(a) && isNumberLike(b)
    }

    /// Whether a value of type `a` may be passed where `p` is wanted.
    ///
    /// - Parameter isOpen: whether `dynamic` may be a column that nobody knows yet.
    static func accepts(_ p: Signature.ParameterType, _ a: ScalarType, isOpen: Bool = false) -> Bool {
        if a == .dynamic, isOpen { return true }
        switch p {
        case .any, .typeLiteral: return true
        case .number: return a.isNumeric
        case .integer: return a == .int || a == .long
        case .summable: return a.isNumeric || a == .datetime || a == .timespan
        case .scalar(let t):
            // Microsoft's parser wants arrays and bags here, but the service answers null for anything else.
            if t == a || t == .dynamic { return true }
            switch t {
            case .long, .int: return a == .int || a == .long
            case .real: return a == .int || a == .long
            case .decimal: return a.isNumeric
            case .string: return a == .dynamic
            default: return false
            }
        }
    }
}
