import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ScalarFunctions {
    private static func real(_ f: @escaping (Double) -> Double) -> ScalarKernel {
        .strict { a, _ in a[0].doubleValue.map { .real(f($0)) } ?? .null }
    }

    private static func bits(_ f: @escaping (Int64, Int64) -> Int64) -> ScalarKernel {
        .strict { a, _ in
            guard let x = a[0].converted(to: .long).longValue, let y = a[1].converted(to: .long).longValue else {
                return .null
            }
            return .long(f(x, y))
        }
    }

    /// As .NET rounds: halves to the even digit.
    static func round(_ x: Double, _ digits: Int) -> Double {
        if digits == 0 { return x.rounded(.toNearestOrEven) }
        var power = 1.0
        for _ in 0..<Int(min(digits.magnitude, 300)) { power *= 10 }
        let scaled = digits > 0 ? x * power : x / power
        guard scaled.isFinite else { return x }
        let rounded = scaled.rounded(.toNearestOrEven)
        return digits > 0 ? rounded / power : rounded * power
    }

    static var trigonometry: [String: ScalarKernel] {
        var out: [String: ScalarKernel] = [:]
        out["acos"] = real(acos)
        out["asin"] = real(asin)
        out["atan"] = real(atan)
        out["cos"] = real(cos)
        out["sin"] = real(sin)
        out["tan"] = real(tan)
        out["cot"] = real { 1 / tan($0) }
        out["exp"] = real(exp)
        out["exp2"] = real(exp2)
        out["exp10"] = real { pow(10, $0) }
        out["log"] = real { $0 <= 0 ? ($0 == 0 ? -.infinity : .nan) : log($0) }
        out["log2"] = real(log2)
        out["log10"] = real(log10)
        out["sqrt"] = real { sqrt($0) }
        out["gamma"] = real(tgamma)
        out["loggamma"] = real { lgamma($0) }
        out["degrees"] = real { $0 * 180 / .pi }
        out["radians"] = real { $0 * .pi / 180 }
        out["erf"] = real(erf)
        out["erfc"] = real(erfc)
        return out
    }

    static var math: [String: ScalarKernel] {
        [
            "abs": .strict { a, _ in
                switch a[0] {
                case .long(let n): .long(n < 0 ? 0 &- n : n)
                case .real(let d): .real(d.magnitude)
                case .decimal(let d): .decimal(d.isNegative ? -d : d)
                case .timespan(let t): .timespan(t < 0 ? 0 &- t : t)
                default: .null
                }
            },
            "atan2": .strict { a, _ in .real(atan2(a[0].doubleValue ?? .nan, a[1].doubleValue ?? .nan)) },
            "pow": .strict { a, _ in .real(pow(a[0].doubleValue ?? .nan, a[1].doubleValue ?? .nan)) },
            "pi": .lenient { _, _ in .real(.pi) },
            "ceiling": .strict { a, _ in
                switch a[0] {
                case .real(let d): .real(d.rounded(.up))
                default: a[0].doubleValue.map { .real($0.rounded(.up)) } ?? .null
                }
            },
            "sign": .strict { a, _ in a[0].doubleValue.map { .real($0 > 0 ? 1 : $0 < 0 ? -1 : 0) } ?? .null },
            "round": .strict { a, _ in
                let digits = a.count > 1 ? Int(a[1].longValue ?? 0) : 0
                switch a[0] {
                case .real(let d): return .real(round(d, digits))
                case .decimal(let d):
                    return Decimal(round(d.doubleValue, digits)).map { .decimal($0) } ?? .null
                default: return a[0]
                }
            },
            "bin": .strict { a, _ in ValueOps.bin(a[0], a[1]) },
            "floor": .strict { a, _ in ValueOps.bin(a[0], a[1]) },
            "bin_at": .strict { a, _ in
                let offset = ValueOps.arithmetic("-", a[0], a[2])
                if case .datetime(let v) = a[0], case .timespan(let s) = a[1], case .datetime(let f) = a[2], s > 0 {
                    guard let distance = v.subtracting(f),
                        let whole = DateTime.floorDivide(distance, s).multiplied(by: s),
                        let t = f.adding(whole), t >= 0, t <= DateTime.maximum
                    else { return .null }
                    return .datetime(t)
                }
                return ValueOps.arithmetic("+", ValueOps.bin(offset, a[1]), a[2])
            },
            "isnan": .lenient { a, _ in .bool(a[0].doubleValue?.isNaN ?? false) },
            "isinf": .lenient { a, _ in .bool(a[0].doubleValue?.isInfinite ?? false) },
            "isfinite": .lenient { a, _ in .bool(a[0].doubleValue?.isFinite ?? false) },
            "binary_and": bits { $0 & $1 }, "binary_or": bits { $0 | $1 }, "binary_xor": bits { $0 ^ $1 },
            "binary_shift_left": bits { $0 &<< ($1 & 63) }, "binary_shift_right": bits { $0 &>> ($1 & 63) },
            "binary_not": .strict { a, _ in a[0].longValue.map { .long(~$0) } ?? .null },
            "bitset_count_ones": .strict { a, _ in a[0].longValue.map { .long(Int64($0.nonzeroBitCount)) } ?? .null },
            "beta_pdf": .strict { a, _ in beta(a, betaDensity) },
            "welch_test": .strict { a, _ in
                let n = a.map { $0.doubleValue ?? .nan }
                let (first, second) = (n[1] / n[2], n[4] / n[5])
                let t = (n[0] - n[3]) / (first + second).squareRoot()
                let freedom =
                    (first + second) * (first + second) / (first * first / (n[2] - 1) + second * second / (n[5] - 1))
                guard t.isFinite, freedom.isFinite else { return .real(.nan) }
                return .real(incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5))
            },
            "beta_cdf": .strict { a, _ in beta(a, incompleteBeta) },
            "beta_inv": .strict { a, _ in
                // The reference page's own table has null here, and not a number for other arguments out of range.
                if let p = a[0].doubleValue, p < 0 || p > 1 { return .null }
                return beta(a) { target, p, q in
                    var (low, high) = (0.0, 1.0)
                    for _ in 0..<200 {
                        let middle = (low + high) / 2
                        if incompleteBeta(middle, p, q) < target { low = middle } else { high = middle }
                    }
                    return (low + high) / 2
                }
            },
        ]
    }

    private static func beta(_ a: [Value], _ f: (Double, Double, Double) -> Double) -> Value {
        guard let x = a[0].doubleValue, let p = a[1].doubleValue, let q = a[2].doubleValue, p > 0, q > 0, p <= 10_000,
            q <= 10_000, x >= 0, x <= 1
        else { return .real(.nan) }
        return .real(f(x, p, q))
    }

    private static func betaDensity(_ x: Double, _ p: Double, _ q: Double) -> Double {
        let scale: Double = lgamma(p + q) - lgamma(p) - lgamma(q)
        let left: Double = (p - 1) * log(x)
        let right: Double = (q - 1) * log(1 - x)
        return exp(scale + left + right)
    }

    /// The regularized incomplete beta function, by its continued fraction (Lentz).
    private static func incompleteBeta(_ x: Double, _ p: Double, _ q: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        if x > (p + 1) / (p + q + 2) { return 1 - incompleteBeta(1 - x, q, p) }
        let scale: Double = lgamma(p + q) - lgamma(p) - lgamma(q)
        let front: Double = exp(scale + p * log(x) + q * log(1 - x)) / p
        var f = 1.0
        var c = 1.0
        var d = 0.0
        for i in 0...300 {
            let m = Double(i / 2)
            let numerator: Double
            if i == 0 {
                numerator = 1
            } else if i % 2 == 0 {
                let below: Double = (p + 2 * m - 1) * (p + 2 * m)
                numerator = m * (q - m) * x / below
            } else {
                let below: Double = (p + 2 * m) * (p + 2 * m + 1)
                let above: Double = (p + m) * (p + q + m) * x
                numerator = -above / below
            }
            d = 1 + numerator * d
            if d.magnitude < 1e-300 { d = 1e-300 }
            d = 1 / d
            c = 1 + numerator / c
            if c.magnitude < 1e-300 { c = 1e-300 }
            f *= c * d
            if (1 - c * d).magnitude < 1e-15 { break }
        }
        return front * (f - 1)
    }
}
