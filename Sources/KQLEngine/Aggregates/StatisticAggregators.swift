import KQL
import Tables

final class VarianceAggregator: Aggregator {
    private let sample: Bool
    private let root: Bool
    private let condition: Int?
    private var states: [(n: Double, mean: Double, m2: Double)] = []

    init(sample: Bool, root: Bool, condition: Int?) {
        self.sample = sample
        self.root = root
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if states.count < groupCount {
            states += repeatElement((n: 0, mean: 0, m2: 0), count: groupCount - states.count)
        }
        let filter = RowFilter(columns, condition)
        for (row, group) in groups.enumerated() where filter?.passes(row) ?? true {
            guard let x = columns[0][row].doubleValue else { continue }
            var s = states[Int(group)]
            s.n += 1
            let d = x - s.mean
            s.mean += d / s.n
            s.m2 += d * (x - s.mean)
            states[Int(group)] = s
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [
            Column(
                .real,
                values: (0..<groupCount).map { g -> Value in
                    // Of nothing, Kusto gives 0, unlike for the average.
                    guard g < states.count else { return .real(0) }
                    let s = states[g]
                    let d = sample ? s.n - 1 : s.n
                    let v = d <= 0 ? 0 : s.m2 / d
                    return .real(root ? v.squareRoot() : v)
                })
        ]
    }
}

final class CovarianceAggregator: Aggregator {
    private let sample: Bool
    private let condition: Int?
    private var states: [(n: Double, x: Double, y: Double, c: Double)] = []

    init(sample: Bool, condition: Int?) {
        self.sample = sample
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if states.count < groupCount {
            states += repeatElement((n: 0, x: 0, y: 0, c: 0), count: groupCount - states.count)
        }
        let filter = RowFilter(columns, condition)
        for (row, group) in groups.enumerated() where filter?.passes(row) ?? true {
            guard let x = columns[0][row].doubleValue, let y = columns[1][row].doubleValue else { continue }
            var s = states[Int(group)]
            s.n += 1
            let d = x - s.x
            s.x += d / s.n
            s.y += (y - s.y) / s.n
            s.c += d * (y - s.y)
            states[Int(group)] = s
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [
            Column(
                .real,
                values: (0..<groupCount).map { g -> Value in
                    guard g < states.count, states[g].n > 0 else { return .real(.nan) }
                    let d = sample ? states[g].n - 1 : states[g].n
                    return .real(d <= 0 ? 0 : states[g].c / d)
                })
        ]
    }
}

/// Exact percentiles by nearest rank, as Kusto's are for small inputs.
final class BitsAggregator: Aggregator {
    private let start: Int64
    private let combine: (Int64, Int64) -> Int64
    private var values: [Int64] = []

    init(_ start: Int64, _ combine: @escaping (Int64, Int64) -> Int64) {
        self.start = start
        self.combine = combine
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if values.count < groupCount { values += repeatElement(start, count: groupCount - values.count) }
        for (row, g) in groups.enumerated() {
            if case .long(let n) = columns[0][row] { values[Int(g)] = combine(values[Int(g)], n) }
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [Column(.long, .int64(values + repeatElement(start, count: groupCount - values.count)), count: groupCount)]
    }
}
