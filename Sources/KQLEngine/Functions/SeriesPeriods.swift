import Foundation
import KQL
import Tables

/// Periods, seasons and spectra of series.
extension ScalarFunctions {
    private static func values(_ v: Value) -> [Double]? { numbers(v)?.map { $0 ?? 0 } }

    /// How like itself a series is after `lag` steps, from -1 to 1, for each lag up to half of its length; 0 for a flat
    /// one.
    private static func autocorrelation(_ y: [Double]) throws -> [Double] {
        let n = y.count
        let mean = y.reduce(0, +) / Double(max(1, n))
        let flat = y.map { $0 - mean }
        let energy = flat.reduce(0) { $0 + $1 * $1 }
        guard energy > 0 else { return [Double](repeating: 0, count: n / 2 + 1) }
        return try (0...n / 2).map { lag in
            try Interrupted.check()
            var sum = 0.0
            for i in lag..<n { sum += flat[i] * flat[i - lag] }
            return sum / energy * Double(n) / Double(n - lag)
        }
    }

    /// The significance of a period: the least likeness over it and its multiples that fit into half of the series.
    private static func score(_ period: Int, _ likeness: [Double]) -> Double {
        guard period >= 4, period < likeness.count else { return 0 }
        var least = 1.0
        var lag = period
        while lag < likeness.count {
            least = min(least, likeness[lag])
            lag += period
        }
        return least > 0.2 ? least : 0
    }

    /// Periods between two lengths, best first: places where the series is more like itself than just beside them.
    static func periods(_ y: [Double], from low: Double, to high: Double) throws -> [(period: Int, score: Double)] {
        let likeness = try autocorrelation(y)
        guard likeness.count > 5 else { return [] }
        var found: [(period: Int, score: Double)] = []
        for lag in 4..<(likeness.count - 1) where Double(lag) >= low && Double(lag) <= high {
            try Interrupted.check()
            guard likeness[lag] > likeness[lag - 1], likeness[lag] >= likeness[lag + 1] else { continue }
            let s = score(lag, likeness)
            // A multiple of a period that is already there tells nothing new.
            if s > 0, !found.contains(where: { lag % $0.period == 0 }) { found.append((lag, s)) }
        }
        let sorted = found.sorted { $0.score > $1.score }
        // What is clearly less significant than the best is its echo.
        return sorted.filter { $0.score >= 0.8 * (sorted.first?.score ?? 0) }
    }

    /// The period of a series when its score reaches `threshold`; 0 otherwise.
    static func period(_ y: [Double], threshold: Double) throws -> Int {
        guard let best = try periods(y, from: 4, to: Double(y.count) / 2).first, best.score >= threshold else {
            return 0
        }
        return best.period
    }

    /// At every place the median of the values at the same place of all periods.
    static func seasonal(_ y: [Double], period: Int, count: Int) throws -> [Double] {
        // What is longer than the series does not come again.
        guard period > 0, period <= max(y.count, 1) else { return [Double](repeating: 0, count: count) }
        let medians = try (0..<period).map { phase -> Double in
            try Interrupted.check()
            let own = stride(from: phase, to: y.count, by: period).map { y[$0] }.sorted()
            if own.isEmpty { return 0 }
            return own.count % 2 == 1 ? own[own.count / 2] : (own[own.count / 2 - 1] + own[own.count / 2]) / 2
        }
        return (0..<count).map { medians[$0 % period] }
    }

    static var seriesPeriods: [String: ScalarKernel] {
        [
            "series_periods_detect": .lenient { a, _ in
                guard let y = values(a[0]), let low = a[1].doubleValue, let high = a[2].doubleValue,
                    let count = a[3].longValue
                else { return .null }
                let found = try periods(y, from: low, to: high).prefix(Int(max(0, min(count, 16))))
                let rest = [Double](repeating: 0, count: Int(max(0, min(count, 16))) - found.count)
                return .array([reals(found.map { Double($0.period) } + rest), reals(found.map(\.score) + rest)])
            },
            "series_periods_validate": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let wanted = a.dropFirst().compactMap(\.doubleValue)
                let likeness = try autocorrelation(y)
                return .array([
                    reals(wanted), reals(wanted.map { score($0.rounded().whole(in: 0...likeness.count), likeness) }),
                ])
            },
            "series_seasonal": .lenient { a, _ in
                guard let y = values(a[0]) else { return .null }
                let given = a.count > 1 ? Int(a[1].longValue ?? -1) : -1
                let p = try given == -1 ? period(y, threshold: 0.7) : given
                return reals(try seasonal(y, period: max(0, p), count: y.count))
            },
            "series_fft": .lenient { a, _ in try transform(a, sign: -1, scale: 1) },
            "series_ifft": .lenient { a, _ in
                let n = a[0].arrayValue?.count ?? 1
                return try transform(a, sign: 1, scale: 1 / Double(max(1, n)))
            },
        ]
    }

    // MARK: Fourier transform

    private static func transform(_ a: [Value], sign: Double, scale: Double) throws -> Value {
        guard let real = values(a[0]) else { return .null }
        let imaginary = a.count > 1 ? values(a[1]) ?? [] : []
        let im = imaginary.count == real.count ? imaginary : [Double](repeating: 0, count: real.count)
        let (x, y) = try fourier(real, im, sign)
        return .array([reals(x.map { $0 * scale }), reals(y.map { $0 * scale })])
    }

    /// Divides and conquers while the length is even; sums what is odd.
    private static func fourier(_ re: [Double], _ im: [Double], _ sign: Double) throws -> ([Double], [Double]) {
        let n = re.count
        if n <= 1 { return (re, im) }
        var x = [Double](repeating: 0, count: n)
        var y = x
        guard n % 2 == 0 else {
            for k in 0..<n {
                try Interrupted.check()
                for t in 0..<n {
                    let angle = sign * 2 * .pi * Double(k * t % n) / Double(n)
                    x[k] += re[t] * cos(angle) - im[t] * sin(angle)
                    y[k] += re[t] * sin(angle) + im[t] * cos(angle)
                }
            }
            return (x, y)
        }
        let half = n / 2
        let even = try fourier((0..<half).map { re[2 * $0] }, (0..<half).map { im[2 * $0] }, sign)
        let odd = try fourier((0..<half).map { re[2 * $0 + 1] }, (0..<half).map { im[2 * $0 + 1] }, sign)
        for k in 0..<half {
            let angle = sign * 2 * .pi * Double(k) / Double(n)
            let tr = odd.0[k] * cos(angle) - odd.1[k] * sin(angle)
            let ti = odd.0[k] * sin(angle) + odd.1[k] * cos(angle)
            (x[k], y[k]) = (even.0[k] + tr, even.1[k] + ti)
            (x[k + half], y[k + half]) = (even.0[k] - tr, even.1[k] - ti)
        }
        return (x, y)
    }
}
