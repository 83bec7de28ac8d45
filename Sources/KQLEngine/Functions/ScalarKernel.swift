import Tables

/// How a scalar function is computed, one row at a time.
///
/// The evaluator calls it once per distinct value where a column is dictionary-coded, and once for constants.
struct ScalarKernel {
    /// Whether a null argument makes the result null without asking.
    let propagatesNull: Bool
    let run: ([Value], QueryContext) throws -> Value

    /// Null in, null out.
    static func strict(_ run: @escaping ([Value], QueryContext) throws -> Value) -> ScalarKernel {
        ScalarKernel(propagatesNull: true, run: run)
    }

    /// Sees nulls.
    static func lenient(_ run: @escaping ([Value], QueryContext) throws -> Value) -> ScalarKernel {
        ScalarKernel(propagatesNull: false, run: run)
    }
}

/// The scalar functions that the local engine runs.
enum ScalarFunctions {
    nonisolated(unsafe) static let all: [String: ScalarKernel] = {
        let families: [[String: ScalarKernel]] = [
            conversions, strings, stringSearch, math, trigonometry, units, dates, dynamics, sets, parsing, encodings,
            networks,
            networks6, cvss, geography, series, seriesModels, seriesPolynomials, seriesPeriods, sketches,
        ]
        return families.reduce(into: [:]) { all, family in all.merge(family) { _, new in new } }
    }()
}
