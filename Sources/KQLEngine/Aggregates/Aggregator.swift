import KQL
import Tables

/// The running state of one aggregation function for every group.
protocol Aggregator: AnyObject {
    /// Takes rows in: `groups[i]` is the group of row `i`; `columns` are the function's arguments.
    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) throws
    /// The result columns, one row per group.
    func finish(groupCount: Int) throws -> [Column]
    /// Whether `merge` gives what one state would have that saw all rows.
    var isMergeable: Bool { get }
    /// Takes another state of the same function over: its group `g` is this one's group `groups[g]`.
    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int)
    /// Values kept besides one per group.
    var keptCount: Int { get }
}

extension Aggregator {
    var isMergeable: Bool { false }
    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int) {}
    var keptCount: Int { 0 }
}

/// Makes the state of an aggregation function.
enum Aggregates {
    static func make(_ a: BoundAggregate, _ evaluator: Evaluator) throws -> any Aggregator {
        let type = a.outputs.first?.type ?? .long
        func constant(_ i: Int) throws -> Value? {
            i < a.arguments.count ? try evaluator.constant(a.arguments[i]) : nil
        }
        func limit(_ i: Int) throws -> Int { Int(try constant(i)?.longValue ?? 1_048_576) }
        switch a.name {
        case "count", "cnt": return CountAggregator(condition: a.arguments.isEmpty ? nil : 0)
        case "countif": return CountAggregator(condition: 0)
        case "sum": return SumAggregator(type, condition: nil)
        case "sumif": return SumAggregator(type, condition: 1)
        case "avg": return AverageAggregator(type, condition: nil)
        case "avgif": return AverageAggregator(type, condition: 1)
        case "min": return ExtremeAggregator(type, sign: -1, condition: nil)
        case "max": return ExtremeAggregator(type, sign: 1, condition: nil)
        case "minif": return ExtremeAggregator(type, sign: -1, condition: 1)
        case "maxif": return ExtremeAggregator(type, sign: 1, condition: 1)
        case "arg_max": return ArgExtremeAggregator(a, sign: 1)
        case "arg_min": return ArgExtremeAggregator(a, sign: -1)
        case "take_any", "any": return TakeAnyAggregator(a, condition: nil)
        case "take_anyif", "anyif": return TakeAnyAggregator(a, condition: a.arguments.count - 1)
        case "passthrough": return TakeAnyAggregator(a, condition: nil)
        case "dcount", "count_distinct": return DistinctAggregator(a.arguments[0].type, condition: nil)
        case "dcountif", "count_distinctif": return DistinctAggregator(a.arguments[0].type, condition: 1)
        case "hll": return SketchAggregator(accuracy: try constant(1)?.longValue.map(Int.init), condition: nil)
        case "hll_if": return SketchAggregator(accuracy: try constant(2)?.longValue.map(Int.init), condition: 1)
        case "hll_merge": return SketchAggregator(accuracy: nil, condition: nil, merges: true)
        case "tdigest": return DigestAggregator(merges: false, isWeighted: a.arguments.count > 1)
        case "tdigest_merge", "merge_tdigest": return DigestAggregator(merges: true)
        case "make_set", "makeset": return CollectAggregator(.set, condition: nil, limit: try limit(1))
        case "make_set_if": return CollectAggregator(.set, condition: 1, limit: try limit(2))
        case "make_list", "makelist": return CollectAggregator(.list, condition: nil, limit: try limit(1))
        case "make_list_if": return CollectAggregator(.list, condition: 1, limit: try limit(2))
        case "make_list_with_nulls": return CollectAggregator(.listWithNulls, condition: nil, limit: .max)
        case "make_bag", "make_dictionary": return CollectAggregator(.bag, condition: nil, limit: try limit(1))
        case "make_bag_if": return CollectAggregator(.bag, condition: 1, limit: try limit(2))
        case "buildschema": return CollectAggregator(.schema, condition: nil, limit: .max)
        case "stdev": return VarianceAggregator(sample: true, root: true, condition: nil)
        case "stdevif": return VarianceAggregator(sample: true, root: true, condition: 1)
        case "stdevp": return VarianceAggregator(sample: false, root: true, condition: nil)
        case "variance": return VarianceAggregator(sample: true, root: false, condition: nil)
        case "varianceif": return VarianceAggregator(sample: true, root: false, condition: 1)
        case "variancep": return VarianceAggregator(sample: false, root: false, condition: nil)
        case "variancepif": return VarianceAggregator(sample: false, root: false, condition: 1)
        case "covariance": return CovarianceAggregator(sample: true, condition: nil)
        case "covarianceif": return CovarianceAggregator(sample: true, condition: 2)
        case "covariancep": return CovarianceAggregator(sample: false, condition: nil)
        case "covariancepif": return CovarianceAggregator(sample: false, condition: 2)
        case "percentile":
            return PercentileAggregator(type, [try constant(1)?.doubleValue ?? 50], weighted: false, asArray: false)
        case "percentilew":
            return PercentileAggregator(type, [try constant(2)?.doubleValue ?? 50], weighted: true, asArray: false)
        case "percentiles_array", "percentilesw_array":
            let weighted = a.name == "percentilesw_array"
            let points = try a.arguments.indices.dropFirst(weighted ? 2 : 1).flatMap { i -> [Double] in
                let v = try constant(i) ?? .null
                return (v.arrayValue ?? [v]).compactMap(\.doubleValue)
            }
            return PercentileAggregator(a.arguments[0].type, points, weighted: weighted, asArray: true)
        case "binary_all_and": return BitsAggregator(-1) { $0 & $1 }
        case "binary_all_or": return BitsAggregator(0) { $0 | $1 }
        case "binary_all_xor": return BitsAggregator(0) { $0 ^ $1 }
        default: throw QueryError.notSupported("the aggregation function \(a.name)()")
        }
    }
}

/// Which rows count: those whose condition column is true.
struct RowFilter {
    let values: [Bool]
    let nulls: [Bool]?
    let stride: Int

    init?(_ columns: [Column], _ index: Int?) {
        guard let index, index < columns.count, case .bool(let v) = columns[index].storage else { return nil }
        values = v
        nulls = columns[index].nulls
        stride = columns[index].stride
    }

    func passes(_ row: Int) -> Bool { values[row * stride] && nulls?[row * stride] != true }
}

final class CountAggregator: Aggregator {
    private var counts: [Int64] = []
    private let condition: Int?

    init(condition: Int?) { self.condition = condition }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if counts.count < groupCount { counts += repeatElement(0, count: groupCount - counts.count) }
        if let filter = RowFilter(columns, condition) {
            for (row, g) in groups.enumerated() where filter.passes(row) { counts[Int(g)] += 1 }
        } else {
            counts.withUnsafeMutableBufferPointer { c in for g in groups { c[Int(g)] += 1 } }
        }
    }

    func finish(groupCount: Int) -> [Column] {
        let all = counts + repeatElement(0, count: groupCount - counts.count)
        return [Column(.long, .int64(all), count: groupCount)]
    }

    var isMergeable: Bool { true }

    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int) {
        guard let other = other as? CountAggregator else { return }
        if counts.count < groupCount { counts += repeatElement(0, count: groupCount - counts.count) }
        for (g, n) in other.counts.enumerated() { counts[Int(groups[g])] += n }
    }
}

final class SumAggregator: Aggregator {
    private let type: ScalarType
    private let condition: Int?
    private var whole: [Int64] = []
    private var real: [Double] = []
    private var decimal: [Decimal] = []
    private var seen: [Bool] = []

    init(_ type: ScalarType, condition: Int?) {
        self.type = type
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let more = max(0, groupCount - seen.count)
        seen += repeatElement(false, count: more)
        whole += repeatElement(0, count: more)
        real += repeatElement(0, count: more)
        if type == .decimal { decimal += repeatElement(Decimal(0), count: more) }
        let filter = RowFilter(columns, condition)
        let column = columns[0]
        let stride = column.stride
        switch column.storage {
        case .int64(let v):
            for (row, g) in groups.enumerated() where filter?.passes(row) ?? true && !column.isNull(row) {
                whole[Int(g)] &+= v[row * stride]
                seen[Int(g)] = true
            }
        case .real(let v):
            for (row, g) in groups.enumerated() where filter?.passes(row) ?? true && !column.isNull(row) {
                real[Int(g)] += v[row * stride]
                seen[Int(g)] = true
            }
        default:
            for (row, g) in groups.enumerated() where filter?.passes(row) ?? true {
                switch column[row] {
                case .decimal(let d): decimal[Int(g)] = decimal[Int(g)] + d
                case .bool(let b): whole[Int(g)] += b ? 1 : 0
                case let v:
                    guard let d = v.doubleValue else { continue }
                    real[Int(g)] += d
                }
                seen[Int(g)] = true
            }
        }
    }

    func finish(groupCount: Int) -> [Column] {
        let n = groupCount - seen.count
        switch type {
        case .real: return [Column(.real, .real(real + repeatElement(0, count: n)), count: groupCount)]
        case .decimal:
            return [Column(.decimal, .decimal(decimal + repeatElement(Decimal(0), count: n)), count: groupCount)]
        default: return [Column(type, .int64(whole + repeatElement(0, count: n)), count: groupCount)]
        }
    }

    /// Sums of real numbers depend on their order in the last digits; those of whole numbers do not.
    var isMergeable: Bool { type != .real }

    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int) {
        guard let other = other as? SumAggregator else { return }
        let more = max(0, groupCount - seen.count)
        seen += repeatElement(false, count: more)
        whole += repeatElement(0, count: more)
        real += repeatElement(0, count: more)
        if type == .decimal { decimal += repeatElement(Decimal(0), count: more) }
        for g in other.seen.indices {
            let to = Int(groups[g])
            seen[to] = seen[to] || other.seen[g]
            whole[to] &+= other.whole[g]
            real[to] += other.real[g]
            if type == .decimal { decimal[to] = decimal[to] + other.decimal[g] }
        }
    }
}

final class AverageAggregator: Aggregator {
    private let type: ScalarType
    private let condition: Int?
    private var sums: [Double] = []
    private var counts: [Int64] = []

    init(_ type: ScalarType, condition: Int?) {
        self.type = type
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let more = max(0, groupCount - sums.count)
        sums += repeatElement(0, count: more)
        counts += repeatElement(0, count: more)
        let filter = RowFilter(columns, condition)
        let column = columns[0]
        let stride = column.stride
        for (row, g) in groups.enumerated() where filter?.passes(row) ?? true && !column.isNull(row) {
            let x: Double
            switch column.storage {
            case .int64(let v): x = Double(v[row * stride])
            case .real(let v): x = v[row * stride]
            default:
                guard let d = column[row].doubleValue else { continue }
                x = d
            }
            sums[Int(g)] += x
            counts[Int(g)] += 1
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [
            Column(
                type,
                values: (0..<groupCount).map { g -> Value in
                    guard g < counts.count, counts[g] > 0 else { return type == .real ? .real(.nan) : .null }
                    let mean = sums[g] / Double(counts[g])
                    switch type {
                    case .datetime: return mean.whole.map { .datetime(max(0, $0)) } ?? .null
                    case .timespan: return mean.whole.map { .timespan($0) } ?? .null
                    case .decimal: return Decimal(mean).map { .decimal($0) } ?? .null
                    default: return .real(mean)
                    }
                })
        ]
    }
}

final class ExtremeAggregator: Aggregator {
    private let type: ScalarType
    private let sign: Int
    private let condition: Int?
    private var whole: [Int64] = []
    private var seen: [Bool] = []
    private var other: [Value] = []

    init(_ type: ScalarType, sign: Int, condition: Int?) {
        self.type = type
        self.sign = sign
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let more = max(0, groupCount - seen.count)
        seen += repeatElement(false, count: more)
        if type.isInteger64 {
            whole += repeatElement(0, count: more)
        } else {
            other += repeatElement(.null, count: more)
        }
        let filter = RowFilter(columns, condition)
        let column = columns[0]
        let stride = column.stride
        if case .int64(let v) = column.storage {
            for (row, group) in groups.enumerated() where filter?.passes(row) ?? true && !column.isNull(row) {
                let g = Int(group)
                let x = v[row * stride]
                if !seen[g] || (sign > 0 ? x > whole[g] : x < whole[g]) { whole[g] = x }
                seen[g] = true
            }
            return
        }
        for (row, group) in groups.enumerated() where filter?.passes(row) ?? true {
            let x = column[row]
            if x.isNull { continue }
            let g = Int(group)
            if !seen[g] || (ValueOps.compare(x, other[g]) ?? 0) * sign > 0 { other[g] = x }
            seen[g] = true
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [
            Column(
                type,
                values: (0..<groupCount).map { g -> Value in
                    guard g < seen.count, seen[g] else { return .null }
                    guard type.isInteger64 else { return other[g] }
                    switch type {
                    case .datetime: return .datetime(whole[g])
                    case .timespan: return .timespan(whole[g])
                    default: return .long(whole[g])
                    }
                })
        ]
    }

    var isMergeable: Bool { true }

    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int) {
        guard let from = other as? ExtremeAggregator else { return }
        let more = max(0, groupCount - seen.count)
        seen += repeatElement(false, count: more)
        if type.isInteger64 {
            whole += repeatElement(0, count: more)
        } else {
            self.other += repeatElement(.null, count: more)
        }
        for g in from.seen.indices where from.seen[g] {
            let to = Int(groups[g])
            if type.isInteger64 {
                if !seen[to] || (sign > 0 ? from.whole[g] > whole[to] : from.whole[g] < whole[to]) {
                    whole[to] = from.whole[g]
                }
            } else if !seen[to] || (ValueOps.compare(from.other[g], self.other[to]) ?? 0) * sign > 0 {
                self.other[to] = from.other[g]
            }
            seen[to] = true
        }
    }
}
