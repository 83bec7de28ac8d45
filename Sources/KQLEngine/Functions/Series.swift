import KQL
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Functions over arrays of numbers.
extension ScalarFunctions {
    static func numbers(_ v: Value) -> [Double?]? { v.arrayValue.map { $0.map(\.doubleValue) } }

    private static func pairwise(_ f: @escaping (Value, Value) -> Value) -> ScalarKernel {
        .lenient { a, _ in
            switch (a[0], a[1]) {
            case (.array(let x), .array(let y)):
                return .array(
                    (0..<max(x.count, y.count)).map { i in i < x.count && i < y.count ? f(x[i], y[i]) : .null })
            case (.array(let x), let y): return .array(x.map { f($0, y) })
            case (let x, .array(let y)): return .array(y.map { f(x, $0) })
            default: return .null
            }
        }
    }

    private static func each(_ f: @escaping (Double) -> Double) -> ScalarKernel {
        .lenient { a, _ in
            a[0].arrayValue.map { .array($0.map { v in v.doubleValue.map { .real(f($0)) } ?? .null }) } ?? .null
        }
    }

    private static func compare(_ test: @escaping (Int) -> Bool) -> ScalarKernel {
        pairwise { x, y in ValueOps.compare(x, y).map { .bool(test($0)) } ?? .null }
    }

    private static func arithmetic(_ op: String) -> ScalarKernel {
        pairwise { x, y in
            guard x.doubleValue != nil, y.doubleValue != nil else { return .null }
            if op == "/" { return .real((x.doubleValue ?? 0) / (y.doubleValue ?? 0)) }
            return ValueOps.arithmetic(op, x, y)
        }
    }

    private static func isMissing(_ v: Value, _ marker: Value?) -> Bool {
        guard let marker, !marker.isNull else { return v.isNull }
        return v.isNull ? false : ValueOps.equal(v, marker) == true
    }

    private static func fill(_ a: [Value], forward: Bool) -> Value {
        guard case .array(var items) = a[0] else { return .null }
        let marker = a.count > 1 ? a[1] : nil
        var last: Value?
        for i in forward ? Array(items.indices) : items.indices.reversed() {
            if isMissing(items[i], marker) { if let last { items[i] = last } } else { last = items[i] }
        }
        return .array(items)
    }

    private static func fillLinear(_ a: [Value]) -> Value {
        guard case .array(var items) = a[0] else { return .null }
        let marker = a.count > 1 ? a[1] : nil
        let fillsEdges = a.count > 2 ? a[2].boolValue ?? true : true
        let constant: Value = a.count > 3 ? a[3] : .long(0)
        let known = items.indices.filter { !isMissing(items[$0], marker) && items[$0].doubleValue != nil }
        guard let first = known.first, let last = known.last else { return .array(items.map { _ in constant }) }
        let isWhole = items.allSatisfy { $0.isNull || $0.longValue != nil }
        for (p, q) in zip(known, known.dropFirst()) where q > p + 1 {
            let (x, y) = (items[p].doubleValue ?? 0, items[q].doubleValue ?? 0)
            for i in p + 1..<q {
                let v = x + (y - x) * Double(i - p) / Double(q - p)
                items[i] = isWhole ? v.whole.map { .long($0) } ?? .null : .real(v)
            }
        }
        if fillsEdges {
            for i in 0..<first { items[i] = items[first] }
            for i in items.indices where i > last { items[i] = items[last] }
        }
        return .array(items)
    }

    static func statistics(_ v: Value) -> [Value] {
        let list = (numbers(v) ?? []).enumerated().compactMap { i, x in x.map { (i, $0) } }
        guard let low = list.min(by: { $0.1 < $1.1 }), let high = list.max(by: { $0.1 < $1.1 }) else {
            return [Value](repeating: .null, count: 7)
        }
        let n = Double(list.count)
        let mean = list.reduce(0) { $0 + $1.1 } / n
        let variance = list.count > 1 ? list.reduce(0) { $0 + ($1.1 - mean) * ($1.1 - mean) } / (n - 1) : 0
        let firstHigh = list.first { $0.1 == high.1 } ?? high
        return [
            .real(low.1), .long(Int64(low.0)), .real(high.1), .long(Int64(firstHigh.0)), .real(mean),
            .real(variance.squareRoot()),
            .real(variance),
        ]
    }

    private static func filterIIR(_ a: [Value]) throws -> Value {
        guard let x = numbers(a[0]), let b = numbers(a[1]), let c = numbers(a[2]), let lead = c.first ?? nil, lead != 0
        else { return .null }
        var y: [Double] = []
        for i in x.indices {
            try Interrupted.check()
            var sum = 0.0
            for (k, coefficient) in b.enumerated() where i - k >= 0 { sum += (coefficient ?? 0) * (x[i - k] ?? 0) }
            for (k, coefficient) in c.enumerated().dropFirst() where i - k >= 0 { sum -= (coefficient ?? 0) * y[i - k] }
            y.append(sum / lead)
        }
        return .array(y.map { .real($0) })
    }

    private static func filterFIR(_ a: [Value]) throws -> Value {
        guard let x = numbers(a[0]), var f = numbers(a[1])?.map({ $0 ?? 0 }), !f.isEmpty else { return .null }
        let normalizes = a.count > 2 ? a[2].boolValue ?? true : true
        let centers = a.count > 3 ? a[3].boolValue ?? false : false
        let sum = f.reduce(0, +)
        if normalizes, sum != 0 { f = f.map { $0 / sum } }
        let shift = centers ? f.count / 2 : 0
        return .array(
            try x.indices.map { i in
                try Interrupted.check()
                var total = 0.0
                for (k, coefficient) in f.enumerated() {
                    let j = i - k + shift
                    if x.indices.contains(j) { total += coefficient * (x[j] ?? 0) }
                }
                return .real(total)
            })
    }

    static func pearson(_ x: [Double], _ y: [Double]) -> Double {
        let n = Double(min(x.count, y.count))
        guard n > 0 else { return .nan }
        let mx = x.reduce(0, +) / n
        let my = y.reduce(0, +) / n
        var (sxy, sxx, syy) = (0.0, 0.0, 0.0)
        for (p, q) in zip(x, y) {
            sxy += (p - mx) * (q - my)
            sxx += (p - mx) * (p - mx)
            syy += (q - my) * (q - my)
        }
        return sxy / (sxx * syy).squareRoot()
    }

    static var series: [String: ScalarKernel] {
        [
            "series_add": arithmetic("+"), "series_subtract": arithmetic("-"), "series_multiply": arithmetic("*"),
            "series_divide": arithmetic("/"),
            "series_pow": pairwise { x, y in
                guard let p = x.doubleValue, let q = y.doubleValue else { return .null }
                return .real(pow(p, q))
            },
            "series_greater": compare { $0 > 0 }, "series_greater_equals": compare { $0 >= 0 },
            "series_less": compare { $0 < 0 },
            "series_less_equals": compare { $0 <= 0 }, "series_equals": compare { $0 == 0 },
            "series_not_equals": compare { $0 != 0 },
            "series_abs": each { $0.magnitude }, "series_sin": each(sin), "series_cos": each(cos),
            "series_tan": each(tan),
            "series_asin": each(asin), "series_acos": each(acos), "series_atan": each(atan), "series_exp": each(exp),
            "series_log": each(log), "series_ceiling": each { $0.rounded(.up) },
            "series_floor": each { $0.rounded(.down) },
            "series_sign": each { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
            "series_not": .lenient { a, _ in
                a[0].arrayValue.map { .array($0.map { v in v.boolValue.map { .bool(!$0) } ?? .null }) } ?? .null
            },
            "series_sum": .lenient { a, _ in numbers(a[0]).map { .real($0.reduce(0) { $0 + ($1 ?? 0) }) } ?? .null },
            "series_product": .lenient { a, _ in numbers(a[0]).map { .real($0.reduce(1) { $0 * ($1 ?? 1) }) } ?? .null
            },
            "series_dot_product": .lenient { a, _ in
                let x = numbers(a[0]), y = numbers(a[1])
                if let x, let y { return .real(zip(x, y).reduce(0) { $0 + ($1.0 ?? 0) * ($1.1 ?? 0) }) }
                if let x, let k = a[1].doubleValue { return .real(x.reduce(0) { $0 + ($1 ?? 0) * k }) }
                return .null
            },
            "series_magnitude": .lenient { a, _ in
                numbers(a[0]).map { .real($0.reduce(0) { $0 + ($1 ?? 0) * ($1 ?? 0) }.squareRoot()) } ?? .null
            },
            "series_cosine_similarity": .lenient { a, _ in
                guard let x = numbers(a[0])?.map({ $0 ?? 0 }), let y = numbers(a[1])?.map({ $0 ?? 0 }) else {
                    return .null
                }
                let dot = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
                let size = (x.reduce(0) { $0 + $1 * $1 } * y.reduce(0) { $0 + $1 * $1 }).squareRoot()
                return .real(dot / size)
            },
            "series_pearson_correlation": .lenient { a, _ in
                guard let x = numbers(a[0])?.map({ $0 ?? 0 }), let y = numbers(a[1])?.map({ $0 ?? 0 }),
                    x.count == y.count
                else { return .null }
                return .real(pearson(x, y))
            },
            "series_fill_forward": .lenient { a, _ in fill(a, forward: true) },
            "series_fill_backward": .lenient { a, _ in fill(a, forward: false) },
            "series_fill_const": .lenient { a, _ in
                guard a.count > 1, case .array(let items) = a[0] else { return .null }
                let marker = a.count > 2 ? a[2] : nil
                return .array(items.map { isMissing($0, marker) ? a[1] : $0 })
            },
            "series_fill_linear": .lenient { a, _ in fillLinear(a) },
            "series_stats": .lenient { a, _ in .array(statistics(a[0])) },
            "series_stats_dynamic": .lenient { a, _ in
                let found = zip(["min", "min_idx", "max", "max_idx", "avg", "stdev", "variance"], statistics(a[0]))
                let values = numbers(a[0]) ?? []
                let sum = values.contains { $0 != nil } ? Value.real(values.reduce(0) { $0 + ($1 ?? 0) }) : .null
                return .bag(Bag(Array(found) + [("sum", sum), ("len", .long(Int64(values.count)))]))
            },
            "series_iir": .lenient { a, _ in try filterIIR(a) }, "series_fir": .lenient { a, _ in try filterFIR(a) },
        ]
    }
}
