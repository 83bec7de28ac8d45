import KQL
import Tables

/// Fitting lines and finding what stands out of a series.
extension ScalarFunctions {
    struct Line {
        var rsquare = 0.0, slope = 0.0, variance = 0.0, rvariance = 0.0, interception = 0.0
        var fit: [Double] = []
    }

    static func fitLine(_ y: [Double]) -> Line {
        let n = Double(y.count)
        guard n > 0 else { return Line() }
        let mx = (n - 1) / 2
        let my = y.reduce(0, +) / n
        var (sxy, sxx, syy) = (0.0, 0.0, 0.0)
        for (i, v) in y.enumerated() {
            let dx = Double(i) - mx
            sxy += dx * (v - my)
            sxx += dx * dx
            syy += (v - my) * (v - my)
        }
        var line = Line()
        line.slope = sxx == 0 ? 0 : sxy / sxx
        line.interception = my - line.slope * mx
        line.fit = y.indices.map { line.interception + line.slope * Double($0) }
        let residual = zip(y, line.fit).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        line.variance = n > 1 ? syy / (n - 1) : 0
        line.rvariance = n > 1 ? residual / (n - 1) : 0
        line.rsquare = syy == 0 ? 1 : 1 - residual / syy
        return line
    }

    static func reals(_ x: [Double]) -> Value { .array(x.map { .real($0) }) }

    struct Decomposition {
        var baseline: [Double], seasonal: [Double], trend: [Double], residual: [Double]
    }

    /// The season (the median of the values in the same phase), then the trend of what is left. Source: the page of
    /// series_decompose.
    static func decompose(
        _ y: [Double], seasonality: Int, trend kind: String, testPoints: Int, threshold: Double = 0.6
    ) throws -> Decomposition {
        let n = y.count
        let train = Array(y.prefix(max(0, n - max(0, min(testPoints, n)))))
        let line = fitLine(train)
        let level = kind == "linefit" ? zip(train, line.fit).map { $0 - $1 } : train
        let p = try seasonality == -1 ? period(level, threshold: threshold) : seasonality
        let seasonal =
            try p > 1 && train.count >= p
            ? ScalarFunctions.seasonal(level, period: p, count: n) : [Double](repeating: 0, count: n)
        let rest = train.indices.map { train[$0] - seasonal[$0] }
        var trend = [Double](repeating: 0, count: n)
        switch kind {
        case "linefit":
            let line = fitLine(rest)
            trend = (0..<n).map { line.interception + line.slope * Double($0) }
        case "avg":
            let mean = rest.isEmpty ? 0 : rest.reduce(0, +) / Double(rest.count)
            trend = [Double](repeating: mean, count: n)
        default: break
        }
        let baseline = zip(trend, seasonal).map { $0 + $1 }
        return Decomposition(
            baseline: baseline, seasonal: seasonal, trend: trend, residual: zip(y, baseline).map { $0 - $1 })
    }

    private static func percentile(_ sorted: [Double], _ p: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let at = p * Double(sorted.count - 1)
        let low = at.whole(in: 0...sorted.count - 1)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (sorted[high] - sorted[low]) * (at - Double(low))
    }

    /// Tukey's fence with Kusto's wide percentiles: how many ranges a value lies outside them.
    static func outliers(_ y: [Double], low: Double = 0.1, high: Double = 0.9) -> [Double] {
        let sorted = y.filter(\.isFinite).sorted()
        let (p, q) = (percentile(sorted, low), percentile(sorted, high))
        let quarter = percentile(sorted, 0.25)
        let threeQuarter = percentile(sorted, 0.75)
        let range = max(threeQuarter - quarter, (q - p) / 1.9)
        guard range > 0 else { return y.map { _ in 0 } }
        return y.map { $0 > q ? ($0 - q) / range : $0 < p ? ($0 - p) / range : 0 }
    }

    /// The best pair of lines for the two parts of a series; nil when it is too short.
    private static func twoLines(_ y: [Double]) throws -> [(String, Value)]? {
        guard y.count >= 4 else { return nil }
        var best: (Double, Int, Line, Line)?
        for split in 2...(y.count - 2) {
            try Interrupted.check()
            let left = fitLine(Array(y[..<split]))
            let right = fitLine(Array(y[split...]))
            let error = zip(y, left.fit + right.fit).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            if error < best?.0 ?? .infinity { best = (error, split, left, right) }
        }
        guard let (error, split, left, right) = best else { return nil }
        let whole = fitLine(y)
        let total = whole.variance * Double(y.count - 1)
        return [
            ("rsquare", .real(total == 0 ? 1 : 1 - error / total)), ("split_idx", .long(Int64(split))),
            ("variance", .real(whole.variance)),
            ("rvariance", .real(error / Double(y.count - 1))), ("line_fit", reals(left.fit + right.fit)),
            ("right_rsquare", .real(right.rsquare)),
            ("right_slope", .real(right.slope)), ("right_interception", .real(right.interception)),
            ("right_variance", .real(right.variance)),
            ("right_rvariance", .real(right.rvariance)), ("left_rsquare", .real(left.rsquare)),
            ("left_slope", .real(left.slope)),
            ("left_interception", .real(left.interception)), ("left_variance", .real(left.variance)),
            ("left_rvariance", .real(left.rvariance)),
        ]
    }

    static var seriesModels: [String: ScalarKernel] {
        func values(_ v: Value) -> [Double]? { numbers(v)?.map { $0 ?? 0 } }
        func text(_ a: [Value], _ i: Int, _ fallback: String) -> String {
            i < a.count && !a[i].isNull ? a[i].text : fallback
        }
        func number(_ a: [Value], _ i: Int, _ fallback: Double) -> Double {
            i < a.count ? a[i].doubleValue ?? fallback : fallback
        }
        func count(_ a: [Value], _ i: Int, _ fallback: Double) -> Int {
            number(a, i, fallback).whole(in: -1...ValueSize.partsMax)
        }
        return [
            "series_fit_line": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let l = fitLine(y)
                return .array([
                    .real(l.rsquare), .real(l.slope), .real(l.variance), .real(l.rvariance), .real(l.interception),
                    reals(l.fit),
                ])
            },
            "series_fit_line_dynamic": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let l = fitLine(y)
                return .bag(
                    Bag([
                        ("rsquare", .real(l.rsquare)), ("slope", .real(l.slope)), ("variance", .real(l.variance)),
                        ("rvariance", .real(l.rvariance)), ("interception", .real(l.interception)),
                        ("line_fit", reals(l.fit)),
                    ]))
            },
            "series_fit_2lines": .lenient { a, _ in
                guard let y = values(a[0]), let fields = try twoLines(y) else { return .null }
                return .array(fields.map(\.1))
            },
            "series_fit_2lines_dynamic": .lenient { a, _ in
                guard let y = values(a[0]), let fields = try twoLines(y) else { return .null }
                return .bag(
                    Bag(
                        fields.map {
                            ($0.0.replacing("right_", with: "right.").replacing("left_", with: "left."), $0.1)
                        }))
            },
            "series_outliers": .lenient { a, _ in values(a[0]).map { reals(outliers($0)) } ?? .null },
            "series_decompose": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let d = try decompose(
                    y, seasonality: count(a, 1, -1), trend: text(a, 2, "avg"), testPoints: count(a, 3, 0),
                    threshold: number(a, 4, 0.6))
                return .array([reals(d.baseline), reals(d.seasonal), reals(d.trend), reals(d.residual)])
            },
            "series_decompose_forecast": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let d = try decompose(
                    y, seasonality: count(a, 2, -1), trend: text(a, 3, "linefit"),
                    testPoints: count(a, 1, 0))
                return .array([reals(d.baseline), reals(d.seasonal), reals(d.trend), reals(d.residual)])
            },
            "series_decompose_anomalies": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let threshold = number(a, 1, 1.5)
                let d = try decompose(
                    y, seasonality: count(a, 2, -1), trend: text(a, 3, "avg"), testPoints: count(a, 4, 0))
                let scores = outliers(d.residual)
                let flags = scores.map { Value.long($0 > threshold ? 1 : $0 < -threshold ? -1 : 0) }
                return .array([.array(flags), reals(scores), reals(d.baseline)])
            },
        ]
    }
}
