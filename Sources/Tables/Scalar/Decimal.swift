/// A decimal floating number with up to 34 significant digits (the precision of Kusto's `decimal`).
package struct Decimal: Sendable, Hashable, Comparable {
    /// Digits without sign; never ends in zero unless it is zero.
    package let coefficient: UInt128
    /// The power of ten that the coefficient is multiplied with.
    package let exponent: Int
    package let isNegative: Bool

    private static let exponentMax = 6_200
    private static let limit: UInt128 = 10_000_000_000_000_000_000_000_000_000_000_000

    package init(coefficient: UInt128, exponent: Int, isNegative: Bool) {
        var c = coefficient
        var e = exponent
        var dropped: UInt128 = 0
        while c >= Decimal.limit {
            dropped = c % 10
            c /= 10
            e += 1
        }
        if dropped >= 5 { c += 1 }
        if c == 0 {
            self.coefficient = 0
            self.exponent = 0
            self.isNegative = false
            return
        }
        while c % 10 == 0 {
            c /= 10
            e += 1
        }
        // Beyond IEEE 754's decimal128, which has 6,144: less is nothing, more stays there.
        if e < -Decimal.exponentMax {
            self.coefficient = 0
            self.exponent = 0
            self.isNegative = false
            return
        }
        self.coefficient = c
        self.exponent = min(e, Decimal.exponentMax)
        self.isNegative = isNegative
    }

    package init(_ value: Int64) {
        self.init(coefficient: UInt128(value.magnitude), exponent: 0, isNegative: value < 0)
    }

    /// The decimal of a floating number's shortest text; nil for NaN and infinities.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        let (digits, exponent, negative) = RealText.shortest(value)
        guard let c = UInt128(digits) else { return nil }
        self.init(coefficient: c, exponent: exponent - digits.utf8.count + 1, isNegative: negative)
    }

    /// Reads `-12.5e3`.
    package init?(_ text: some StringProtocol) {
        var c: UInt128 = 0
        var e = 0
        var negative = false
        var seenDigit = false
        var seenPoint = false
        var full = false
        let u = Array(text.utf8)
        var i = 0
        if i < u.count, u[i] == 45 || u[i] == 43 {
            negative = u[i] == 45
            i += 1
        }
        while i < u.count {
            switch u[i] {
            case 48...57:
                seenDigit = true
                if full {
                    if !seenPoint { e += 1 }
                } else {
                    c = c * 10 + UInt128(u[i] - 48)
                    if seenPoint { e -= 1 }
                    full = c >= Decimal.limit
                }
            case 46 where !seenPoint: seenPoint = true
            case 101 where seenDigit, 69 where seenDigit:
                guard let power = Int(String(decoding: u[(i + 1)...], as: UTF8.self)) else { return nil }
                guard power.magnitude < 10_000 else { return nil }
                self.init(coefficient: c, exponent: e + power, isNegative: negative)
                return
            default: return nil
            }
            i += 1
        }
        guard seenDigit else { return nil }
        self.init(coefficient: c, exponent: e, isNegative: negative)
    }

    package var doubleValue: Double { Double("\(isNegative ? "-" : "")\(coefficient)e\(exponent)") ?? .nan }

    /// Towards zero; nil when it does not fit.
    package var int64Value: Int64? {
        var c = coefficient
        if exponent < 0 {
            for _ in 0..<min(-exponent, 40) { c /= 10 }
        } else {
            for _ in 0..<min(exponent, 40) {
                let (p, o) = c.multipliedReportingOverflow(by: 10)
                if o { return nil }
                c = p
            }
        }
        guard c <= UInt128(Int64.max) else { return nil }
        return isNegative ? -Int64(c) : Int64(c)
    }

    package var description: String {
        let digits = "\(coefficient)"
        let sign = isNegative ? "-" : ""
        if exponent >= 0 {
            if digits.utf8.count + exponent > 40 { return "\(sign)\(digits)E+\(exponent)" }
            return sign + digits + String(repeating: "0", count: exponent)
        }
        let point = digits.utf8.count + exponent
        if point > 0 { return "\(sign)\(digits.prefix(point)).\(digits.dropFirst(point))" }
        return sign + "0." + String(repeating: "0", count: -point) + digits
    }

    private static func aligned(_ a: Decimal, _ b: Decimal) -> (UInt128, UInt128, Int) {
        var (x, y) = (a.coefficient, b.coefficient)
        var (ex, ey) = (a.exponent, b.exponent)
        while ex > ey, x != 0, x < limit {
            x *= 10
            ex -= 1
        }
        while ey > ex, y != 0, y < limit {
            y *= 10
            ey -= 1
        }
        if x == 0 { ex = ey }
        if y == 0 { ey = ex }
        while ex < ey {
            x /= 10
            ex += 1
        }
        while ey < ex {
            y /= 10
            ey += 1
        }
        return (x, y, ex)
    }

    package static func < (a: Decimal, b: Decimal) -> Bool {
        if a.isNegative != b.isNegative { return a.isNegative }
        let (x, y, _) = aligned(a, b)
        return a.isNegative ? x > y : x < y
    }

    package static func + (a: Decimal, b: Decimal) -> Decimal {
        let (x, y, e) = aligned(a, b)
        if a.isNegative == b.isNegative {
            return Decimal(coefficient: x + y, exponent: e, isNegative: a.isNegative)
        }
        return x >= y
            ? Decimal(coefficient: x - y, exponent: e, isNegative: a.isNegative)
            : Decimal(coefficient: y - x, exponent: e, isNegative: b.isNegative)
    }

    package static prefix func - (a: Decimal) -> Decimal {
        Decimal(coefficient: a.coefficient, exponent: a.exponent, isNegative: !a.isNegative)
    }

    package static func - (a: Decimal, b: Decimal) -> Decimal { a + -b }

    package static func * (a: Decimal, b: Decimal) -> Decimal {
        let product = a.coefficient.multipliedFullWidth(by: b.coefficient)
        var high = product.high
        var low = product.low
        var e = a.exponent + b.exponent
        while high != 0 {
            let rest = high % 10
            high /= 10
            low = (10 as UInt128).dividingFullWidth((rest, low)).quotient
            e += 1
        }
        return Decimal(coefficient: low, exponent: e, isNegative: a.isNegative != b.isNegative)
    }

    /// Nil when the divisor is zero.
    package static func / (a: Decimal, b: Decimal) -> Decimal? {
        guard b.coefficient != 0 else { return nil }
        var rest = a.coefficient % b.coefficient
        var quotient = a.coefficient / b.coefficient
        var e = a.exponent - b.exponent
        while rest != 0, quotient < limit {
            let wide = rest.multipliedFullWidth(by: 10)
            let next = b.coefficient.dividingFullWidth((wide.high, wide.low))
            quotient = quotient * 10 + next.quotient
            rest = next.remainder
            e -= 1
        }
        return Decimal(coefficient: quotient, exponent: e, isNegative: a.isNegative != b.isNegative)
    }
}
