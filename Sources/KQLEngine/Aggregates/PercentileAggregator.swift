import Tables

/// `percentile`, `percentiles_array` and their weighted forms: the nearest rank of the sorted values.
final class PercentileAggregator: Aggregator {
    private let type: ScalarType
    private let points: [Double]
    private let weighted: Bool
    private let asArray: Bool
    /// Numbers, times and spans, as they are stored, in the order in which they came; other types as values.
    private var whole = Members<Int64>()
    private var real = Members<Double>()
    private var other: [[(Value, Int64)]] = []

    init(_ type: ScalarType, _ points: [Double], weighted: Bool, asArray: Bool) {
        self.type = type
        self.points = points
        self.weighted = weighted
        self.asArray = asArray
    }

    private var valueType = ScalarType.long

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let column = columns[0]
        let stride = column.stride
        valueType = column.type
        switch column.storage {
        case .int64(let v) where !weighted: whole.append(groups, v, stride, column.nulls)
        case .real(let v) where !weighted: real.append(groups, v, stride, column.nulls)
        default:
            if other.count < groupCount { other += repeatElement([], count: groupCount - other.count) }
            for (row, group) in groups.enumerated() {
                let v = column[row]
                if v.isNull { continue }
                other[Int(group)].append((v, weighted ? columns[1][row].longValue ?? 0 : 1))
            }
        }
    }

    var isMergeable: Bool { true }

    func merge(_ from: any Aggregator, into groups: [Int32], groupCount: Int) {
        guard let from = from as? PercentileAggregator else { return }
        valueType = from.valueType
        whole.append(from.whole, groups)
        real.append(from.real, groups)
        if from.other.isEmpty { return }
        if other.count < groupCount { other += repeatElement([], count: groupCount - other.count) }
        for (g, values) in from.other.enumerated() { other[Int(groups[g])] += values }
    }

    func finish(groupCount: Int) -> [Column] {
        let wholes = whole.ranked(points, groupCount, <)
        let reals = real.ranked(points, groupCount) { $0 < $1 || ($0.isNaN && !$1.isNaN) }
        let results = (0..<groupCount).map { g -> Value in
            guard let found = wholes[g].map({ $0.map(value) }) ?? reals[g].map({ $0.map { .real($0) } }) ?? others(g) else { return .null }
            return asArray ? .array(found) : found[0].converted(to: type)
        }
        return [Column(asArray ? .dynamic : type, values: results)]
    }

    private func value(_ n: Int64) -> Value {
        switch valueType {
        case .datetime: .datetime(n)
        case .timespan: .timespan(n)
        default: .long(n)
        }
    }

    private func others(_ g: Int) -> [Value]? {
        guard g < other.count, !other[g].isEmpty else { return nil }
        let sorted = other[g].sorted { (ValueOps.compare($0.0, $1.0) ?? 0) < 0 }
        let total = sorted.reduce(0) { $0 + $1.1 }
        return points.map { p -> Value in
            let rank = max(1, (p / 100 * Double(total)).rounded(.up))
            var sum: Int64 = 0
            for (v, w) in sorted {
                sum += w
                if Double(sum) >= rank { return v }
            }
            return sorted[sorted.count - 1].0
        }
    }
}

/// Values with their groups' numbers.
private struct Members<Element> {
    private var groups: [Int32] = []
    private var values: [Element] = []

    mutating func append(_ groups: [Int32], _ values: [Element], _ stride: Int, _ nulls: [Bool]?) {
        if nulls == nil, stride == 1, values.count == groups.count {
            self.groups += groups
            self.values += values
            return
        }
        for (row, g) in groups.enumerated() where nulls?[row * stride] != true {
            self.groups.append(g)
            self.values.append(values[row * stride])
        }
    }

    /// Takes others over, whose group `g` is `map[g]` here.
    mutating func append(_ other: Members, _ map: [Int32]) {
        groups += other.groups.lazy.map { map[Int($0)] }
        values += other.values
    }

    /// The values at the nearest ranks of `points`, in percent, for each group; nil for a group without values.
    func ranked(_ points: [Double], _ groupCount: Int, _ less: (Element, Element) -> Bool) -> [[Element]?] {
        guard !values.isEmpty else { return Array(repeating: nil, count: groupCount) }
        var starts = [Int](repeating: 0, count: groupCount + 1)
        for g in groups { starts[Int(g) + 1] += 1 }
        for g in 0..<groupCount { starts[g + 1] += starts[g] }
        var fill = starts
        var sorted = values
        for (i, g) in groups.enumerated() {
            sorted[fill[Int(g)]] = values[i]
            fill[Int(g)] += 1
        }
        return sorted.withUnsafeMutableBufferPointer { all in
            (0..<groupCount).map { g in
                let own = UnsafeMutableBufferPointer(rebasing: all[starts[g]..<starts[g + 1]])
                if own.isEmpty { return nil }
                return points.map { p in
                    let rank = min(own.count - 1, max(0, Int((p / 100 * Double(own.count)).rounded(.up)) - 1))
                    QuickSelect.place(rank, in: own, less)
                    return own[rank]
                }
            }
        }
    }
}

/// Finds the k-th least without sorting the rest (Hoare's selection, with the middle of three as the pivot).
private enum QuickSelect {
    static func place<T>(_ k: Int, in values: UnsafeMutableBufferPointer<T>, _ less: (T, T) -> Bool) {
        var low = 0
        var high = values.count - 1
        while low < high {
            let middle = low + (high - low) / 2
            if less(values[middle], values[low]) { values.swapAt(middle, low) }
            if less(values[high], values[low]) { values.swapAt(high, low) }
            if less(values[high], values[middle]) { values.swapAt(high, middle) }
            let pivot = values[middle]
            var i = low
            var j = high
            while i <= j {
                while less(values[i], pivot) { i += 1 }
                while less(pivot, values[j]) { j -= 1 }
                if i <= j {
                    values.swapAt(i, j)
                    i += 1
                    j -= 1
                }
            }
            if k <= j { high = j } else if k >= i { low = i } else { return }
        }
    }
}
