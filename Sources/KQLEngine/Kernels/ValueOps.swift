import Tables

/// Kusto's operators on single values: for constants, `dynamic` contents and mixed types.
enum ValueOps {
    /// Negative, zero or positive; nil when the two cannot be compared or one is null.
    static func compare(_ a: Value, _ b: Value) -> Int? {
        switch (a, b) {
        case (.null, _), (_, .null): return nil
        case (.long(let x), .long(let y)): return x < y ? -1 : x == y ? 0 : 1
        case (.string(let x), .string(let y)): return compare(x, y)
        case (.datetime(let x), .datetime(let y)), (.timespan(let x), .timespan(let y)):
            return x < y ? -1 : x == y ? 0 : 1
        case (.bool(let x), .bool(let y)): return x == y ? 0 : x ? 1 : -1
        case (.guid(let x), .guid(let y)): return x < y ? -1 : x == y ? 0 : 1
        case (.decimal(let x), .decimal(let y)): return x < y ? -1 : x == y ? 0 : 1
        case (.decimal(let x), .long(let y)): return compare(.decimal(x), .decimal(Decimal(y)))
        case (.long(let x), .decimal(let y)): return compare(.decimal(Decimal(x)), .decimal(y))
        case (.array, .array), (.bag, .bag): return a == b ? 0 : compare(a.text, b.text)
        case (.string(let s), .datetime): return DateTime.parse(s).flatMap { compare(.datetime($0), b) }
        case (.datetime, .string(let s)): return DateTime.parse(s).flatMap { compare(a, .datetime($0)) }
        case (.string(let s), .timespan): return TimeSpan.parse(s).flatMap { compare(.timespan($0), b) }
        case (.timespan, .string(let s)): return TimeSpan.parse(s).flatMap { compare(a, .timespan($0)) }
        case (.string(let s), .guid(let g)), (.guid(let g), .string(let s)): return GUID(s) == g ? 0 : 1
        default:
            guard let x = a.doubleValue, let y = b.doubleValue else { return nil }
            if x.isNaN || y.isNaN { return nil }
            return x < y ? -1 : x == y ? 0 : 1
        }
    }

    /// By UTF-8 bytes.
    static func compare(_ a: String, _ b: String) -> Int {
        var x = a
        var y = b
        return x.withUTF8 { p in
            y.withUTF8 { q in
                let n = min(p.count, q.count)
                for i in 0..<n where p[i] != q[i] { return p[i] < q[i] ? -1 : 1 }
                return p.count - q.count
            }
        }
    }

    /// `==`; nil when the answer is null.
    static func equal(_ a: Value, _ b: Value) -> Bool? {
        if a.isNull || b.isNull { return nil }
        if let c = compare(a, b) { return c == 0 }
        return false
    }

    static func arithmetic(_ op: String, _ a: Value, _ b: Value) -> Value {
        if a.isNull || b.isNull { return .null }
        switch (a, b) {
        case (.long(let x), .long(let y)): return long(op, x, y)
        case (.decimal, _), (_, .decimal):
            guard case .decimal(let x) = a.converted(to: .decimal), case .decimal(let y) = b.converted(to: .decimal)
            else { return .null }
            switch op {
            case "+": return .decimal(x + y)
            case "-": return .decimal(x - y)
            case "*": return .decimal(x * y)
            case "/": return (x / y).map { .decimal($0) } ?? .null
            default:
                guard let q = (x / y)?.int64Value else { return .null }
                return .decimal(x - Decimal(q) * y)
            }
        case (.datetime(let x), .datetime(let y)):
            if op == "-" { return .timespan(x &- y) }
            if op == "+" { return datetime(x, y, false) }
            if op == "%" { return y == 0 ? .null : .timespan(modulo(x, y)) }
            return op == "/" ? real("/", Double(x), Double(y)) : .null
        case (.datetime(let x), .timespan(let y)):
            switch op {
            case "+": return datetime(x, y, false)
            case "-": return datetime(x, y, true)
            case "/": return real("/", Double(x), Double(y))
            case "%": return y == 0 ? .null : .timespan(modulo(x, y))
            default: return .null
            }
        case (.timespan(let x), .datetime(let y)): return op == "+" ? datetime(y, x, false) : .null
        case (.timespan(let x), .timespan(let y)):
            switch op {
            case "+": return .timespan(x &+ y)
            case "-": return .timespan(x &- y)
            case "/": return real("/", Double(x), Double(y))
            case "%": return y == 0 ? .null : .timespan(modulo(x, y))
            default: return .null
            }
        case (.timespan(let x), _):
            guard let y = b.doubleValue else { return .null }
            if case .long(let n) = b, op == "*" { return .timespan(x &* n) }
            switch op {
            case "*": return timespan(Double(x) * y)
            case "/": return y == 0 ? .null : timespan(Double(x) / y)
            case "%":
                guard case .long(let n) = b, n != 0 else { return .null }
                return .timespan(modulo(x, n))
            default: return .null
            }
        case (_, .timespan(let y)):
            guard op == "*", let x = a.doubleValue else { return .null }
            if case .long(let n) = a { return .timespan(n &* y) }
            return timespan(x * Double(y))
        default:
            guard let x = a.doubleValue, let y = b.doubleValue else { return .null }
            return real(op, x, y)
        }
    }

    private static func datetime(_ x: Int64, _ y: Int64, _ minus: Bool) -> Value {
        let (t, overflow) = minus ? x.subtractingReportingOverflow(y) : x.addingReportingOverflow(y)
        return overflow || t < 0 || t > DateTime.maximum ? .null : .datetime(t)
    }

    private static func timespan(_ ticks: Double) -> Value {
        ticks.magnitude < 9.2e18 ? .timespan(Int64(ticks)) : .null
    }

    /// Never negative for a positive divisor.
    static func modulo(_ x: Int64, _ y: Int64) -> Int64 {
        if y == -1 { return 0 }
        let r = x % y
        return r < 0 ? (y < 0 ? r &- y : r &+ y) : r
    }

    private static func long(_ op: String, _ x: Int64, _ y: Int64) -> Value {
        switch op {
        case "+": return .long(x &+ y)
        case "-": return .long(x &- y)
        case "*": return .long(x &* y)
        case "/": return y == 0 ? .null : .long(y == -1 ? 0 &- x : x / y)
        default: return y == 0 ? .null : .long(modulo(x, y))
        }
    }

    private static func real(_ op: String, _ x: Double, _ y: Double) -> Value {
        switch op {
        case "+": return .real(x + y)
        case "-": return .real(x - y)
        case "*": return .real(x * y)
        case "/": return .real(x / y)
        default:
            if y == 0 { return .real(.nan) }
            let r = x.truncatingRemainder(dividingBy: y)
            return .real(r < 0 ? r + y.magnitude : r)
        }
    }

    /// Nil when it is below every 64-bit number.
    private static func lower(_ v: Int64, _ step: Int64) -> Int64? {
        DateTime.floorDivide(v, step).multiplied(by: step)
    }

    /// The greatest multiple of `step` that is not above `value`.
    static func bin(_ value: Value, _ step: Value) -> Value {
        switch (value, step) {
        case (.long(let v), .long(let s)): return s <= 0 ? .null : lower(v, s).map { .long($0) } ?? .null
        case (.datetime(let v), .timespan(let s)):
            return s <= 0 ? .null : .datetime(max(0, lower(v, s) ?? 0))
        case (.timespan(let v), .timespan(let s)): return s <= 0 ? .null : lower(v, s).map { .timespan($0) } ?? .null
        case (.datetime(let v), .long(let s)): return s <= 0 ? .null : .datetime(max(0, lower(v, s) ?? 0))
        case (.decimal(let v), _):
            guard case .decimal(let s) = step.converted(to: .decimal), let q = v / s, let whole = q.int64Value else {
                return .null
            }
            let floor = v.isNegative && Decimal(whole) * s != v ? whole - 1 : whole
            return .decimal(Decimal(floor) * s)
        default:
            guard let v = value.doubleValue, let s = step.doubleValue, s > 0 else { return .null }
            return .real((v / s).rounded(.down) * s)
        }
    }
}
