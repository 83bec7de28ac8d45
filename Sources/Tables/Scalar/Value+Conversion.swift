extension Value {
    /// This value as `type`, by the rules of Kusto's `to…()` functions; null when it cannot be.
    package func converted(to type: ScalarType) -> Value {
        if isNull { return type == .string ? .string("") : .null }
        switch type {
        case .string: return .string(text)
        case .dynamic: return self
        case .bool:
            switch self {
            case .bool: return self
            case .long(let n): return .bool(n != 0)
            case .real(let d): return .bool(d != 0)
            case .decimal(let d): return .bool(d.coefficient != 0)
            case .string(let s):
                let t = s.trimmed
                switch t.lowercased() {
                case "true": return .bool(true)
                case "false": return .bool(false)
                default: return Int64(t).map { .bool($0 != 0) } ?? .null
                }
            default: return .null
            }
        case .int:
            guard case .long(let n) = converted(to: .long), Int32(exactly: n) != nil else { return .null }
            return .long(n)
        case .long:
            switch self {
            case .long: return self
            case .bool(let b): return .long(b ? 1 : 0)
            case .real(let d): return d.isNaN ? .null : .long(Value.saturated(d))
            case .decimal(let d): return d.int64Value.map { .long($0) } ?? .null
            case .datetime(let t), .timespan(let t): return .long(t)
            case .string(let s): return Value.long(parsing: s.trimmed)
            default: return .null
            }
        case .real:
            switch self {
            case .real: return self
            case .long(let n): return .real(Double(n))
            case .bool(let b): return .real(b ? 1 : 0)
            case .decimal(let d): return .real(d.doubleValue)
            case .datetime(let t), .timespan(let t): return .real(Double(t))
            case .string(let s): return Value.real(parsing: s.trimmed)
            default: return .null
            }
        case .decimal:
            switch self {
            case .decimal: return self
            case .long(let n): return .decimal(Decimal(n))
            case .bool(let b): return .decimal(Decimal(b ? 1 : 0))
            case .real(let d): return Decimal(d).map { .decimal($0) } ?? .null
            case .string(let s): return Decimal(s.trimmed).map { .decimal($0) } ?? .null
            default: return .null
            }
        case .datetime:
            switch self {
            case .datetime: return self
            case .long(let n): return n >= 0 && n <= DateTime.maximum ? .datetime(n) : .null
            case .string(let s): return DateTime.parse(s).map { .datetime($0) } ?? .null
            default: return .null
            }
        case .timespan:
            switch self {
            case .timespan: return self
            case .long(let n): return .timespan(n)
            case .string(let s): return TimeSpan.parse(s).map { .timespan($0) } ?? .null
            default: return .null
            }
        case .guid:
            switch self {
            case .guid: return self
            case .string(let s): return GUID(s).map { .guid($0) } ?? .null
            default: return .null
            }
        }
    }

    private static func long(parsing text: String) -> Value {
        if let n = Int64(text) { return .long(n) }
        let lower = text.lowercased()
        let isNegative = lower.hasPrefix("-")
        let digits = isNegative ? lower.dropFirst() : lower[...]
        guard digits.hasPrefix("0x"), digits.count > 2, digits.dropFirst(2).allSatisfy(\.isHexDigit) else {
            return .null
        }
        // What does not fit is the largest number that does.
        let n = UInt64(digits.dropFirst(2), radix: 16).flatMap { Int64(exactly: $0) } ?? .max
        return .long(isNegative ? -n : n)
    }

    /// The whole part of a number, or the nearest `long` to one that is out of range.
    private static func saturated(_ d: Double) -> Int64 {
        d >= 9.223372036854775807e18 ? .max : d <= -9.223372036854775808e18 ? .min : Int64(d)
    }

    private static func real(parsing text: String) -> Value {
        switch text.lowercased() {
        case "nan": return .real(.nan)
        case "infinity", "inf", "+inf": return .real(.infinity)
        case "-infinity", "-inf": return .real(-.infinity)
        default: break
        }
        let lower = text.lowercased()
        if lower.hasPrefix("0x"), let n = UInt64(lower.dropFirst(2), radix: 16) { return .real(Double(n)) }
        guard let first = text.utf8.first, (48...57).contains(first) || [43, 45, 46].contains(first) else {
            return .null
        }
        return Double(text).map { .real($0) } ?? .null
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    package var trimmed: String {
        var u = Substring(self).utf8
        while let f = u.first, f == 32 || (9...13).contains(f) { u.removeFirst() }
        while let l = u.last, l == 32 || (9...13).contains(l) { u.removeLast() }
        return String(Substring(u))
    }
}
