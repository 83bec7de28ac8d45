import Foundation
import KQL
import Tables

/// Polynomials of least squares through the points of a series.
extension ScalarFunctions {
    static var seriesPolynomials: [String: ScalarKernel] {
        [
            "series_fit_poly": .lenient { a, _ in
                guard let y = numbers(a[0])?.map({ $0 ?? .nan }), !y.isEmpty else { return .null }
                var x = (0..<y.count).map { Double($0 + 1) }
                if a.count > 1, let given = numbers(a[1])?.map({ $0 ?? .nan }) {
                    guard given.count == y.count else { return .null }
                    x = given
                }
                let degree = Int(a.count > 2 ? a[2].longValue ?? 1 : 1)
                guard (0...32).contains(degree), let coefficients = try polynomial(x, y, degree: degree) else {
                    return .null
                }
                // Horner's rule, the highest power first.
                let fit = x.map { at in coefficients.reduce(0) { $0 * at + $1 } }
                let n = Double(y.count)
                let mean = y.reduce(0, +) / n
                let total = y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let residual = zip(y, fit).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return .array([
                    .real(total == 0 ? 1 : 1 - residual / total), reals(coefficients),
                    .real(n > 1 ? total / (n - 1) : 0),
                    .real(n > 1 ? residual / (n - 1) : 0), reals(fit),
                ])
            }
        ]
    }

    /// The coefficients, the highest power first, by Householder's reflections; nil when the points do not decide them.
    private static func polynomial(_ x: [Double], _ y: [Double], degree: Int) throws -> [Double]? {
        let (rows, columns) = (x.count, degree + 1)
        guard rows >= columns, x.allSatisfy(\.isFinite), y.allSatisfy(\.isFinite) else { return nil }
        var a = x.map { at in (0..<columns).map { Foundation.pow(at, Double(degree - $0)) } }
        var b = y
        for k in 0..<columns {
            try Interrupted.check()
            let norm = (k..<rows).reduce(0) { $0 + a[$1][k] * a[$1][k] }.squareRoot()
            guard norm > 0 else { return nil }
            let alpha = a[k][k] > 0 ? -norm : norm
            var v = (k..<rows).map { a[$0][k] }
            v[0] -= alpha
            let square = v.reduce(0) { $0 + $1 * $1 }
            guard square > 0 else { continue }
            for j in k..<columns {
                let share = 2 * (k..<rows).reduce(0) { $0 + v[$1 - k] * a[$1][j] } / square
                for i in k..<rows { a[i][j] -= share * v[i - k] }
            }
            let share = 2 * (k..<rows).reduce(0) { $0 + v[$1 - k] * b[$1] } / square
            for i in k..<rows { b[i] -= share * v[i - k] }
        }
        var out = [Double](repeating: 0, count: columns)
        for k in (0..<columns).reversed() {
            guard a[k][k].magnitude > 1e-12 else { return nil }
            out[k] = (b[k] - (k + 1..<columns).reduce(0) { $0 + a[k][$1] * out[$1] }) / a[k][k]
        }
        return out
    }
}
