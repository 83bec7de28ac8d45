import Tables

/// `percentile`, `percentiles_array` and their weighted forms: the nearest rank of the sorted values.
final class PercentileAggregator: Aggregator {
    private let type: ScalarType
    private let points: [Double]
    private let weighted: Bool
    private let asArray: Bool
    /// Numbers, times and spans, as they are stored; other types as values.
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
                other[Int(group)].append((v, weighted ? max(0, columns[1][row].longValue ?? 0) : 1))
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
            guard let found = wholes[g].map({ $0.map(value) }) ?? reals[g].map({ $0.map { .real($0) } }) ?? others(g)
            else { return .null }
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
        let total = sorted.reduce(Int64(0)) { $0.addingSaturated($1.1) }
        return points.map { p -> Value in
            let rank = max(1, (p / 100 * Double(total)).rounded(.up))
            var sum: Int64 = 0
            for (v, w) in sorted {
                sum = sum.addingSaturated(w)
                if Double(sum) >= rank { return v }
            }
            return sorted[sorted.count - 1].0
        }
    }
}

/// Numbers that are as good as their 64 bits.
private protocol Word: Comparable, Sendable {
    var word: UInt64 { get }
    init(word: UInt64)
}

extension Int64: Word {
    fileprivate var word: UInt64 { UInt64(bitPattern: self) }
    fileprivate init(word: UInt64) { self.init(bitPattern: word) }
}

extension Double: Word {
    fileprivate var word: UInt64 { bitPattern }
    fileprivate init(word: UInt64) { self.init(bitPattern: word) }
}

/// Values with their groups' numbers: counted per distinct value while values repeat, one by one otherwise.
private struct Members<Element: Word> {
    private var groups: [Int32] = []
    private var values: [Element] = []
    /// Each distinct pair of a value and a group, and how often it came; nil once most pairs were seen to be distinct.
    private var pairs: GroupTable? = GroupTable(width: 2)
    private var counts: [Int] = []
    private var rows = 0

    mutating func append(_ groups: [Int32], _ values: [Element], _ stride: Int, _ nulls: [Bool]?) {
        if let pairs {
            count(groups, values, stride, nulls, in: pairs)
            return
        }
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

    private mutating func count(
        _ groups: [Int32], _ values: [Element], _ stride: Int, _ nulls: [Bool]?, in pairs: GroupTable
    ) {
        let words = [UInt64](unsafeUninitializedCapacity: groups.count * 2) { out, initialized in
            groups.withUnsafeBufferPointer { groups in
                values.withUnsafeBufferPointer { values in
                    for row in 0..<groups.count where nulls?[row * stride] != true {
                        out[initialized] = values[row * stride].word
                        out[initialized + 1] = UInt64(groups[row])
                        initialized += 2
                    }
                }
            }
        }
        let found = pairs.groups(of: words)
        counts += repeatElement(0, count: pairs.count - counts.count)
        counts.withUnsafeMutableBufferPointer { counts in for p in found { counts[Int(p)] += 1 } }
        rows += found.count
        if rows > 100_000, pairs.count > rows / 4 { listValues() }
    }

    /// Goes over to keeping every value.
    private mutating func listValues() {
        guard let pairs else { return }
        for (p, n) in counts.enumerated() {
            groups += repeatElement(Int32(pairs.keys[p * 2 + 1]), count: n)
            values += repeatElement(Element(word: pairs.keys[p * 2]), count: n)
        }
        self.pairs = nil
        counts = []
    }

    /// Takes others over, whose group `g` is `map[g]` here.
    mutating func append(_ other: Members, _ map: [Int32]) {
        if let pairs, let more = other.pairs {
            var words = more.keys
            for p in 0..<more.count { words[p * 2 + 1] = UInt64(map[Int(words[p * 2 + 1])]) }
            let found = pairs.groups(of: words)
            counts += repeatElement(0, count: pairs.count - counts.count)
            for (p, n) in zip(found, other.counts) { counts[Int(p)] += n }
            rows += other.rows
            return
        }
        listValues()
        var other = other
        other.listValues()
        groups += other.groups.lazy.map { map[Int($0)] }
        values += other.values
    }

    /// The values at the nearest ranks of `points`, in percent, for each group; nil for a group without values.
    func ranked(_ points: [Double], _ groupCount: Int, _ less: (Element, Element) -> Bool) -> [[Element]?] {
        if let pairs { return ranked(points, groupCount, less, pairs) }
        guard !values.isEmpty else { return Array(repeating: nil, count: groupCount) }
        let (starts, grouped) = Self.byGroup(groups, groupCount, values)
        var ordered = grouped
        return ordered.withUnsafeMutableBufferPointer { all in
            (0..<groupCount).map { g in
                let own = UnsafeMutableBufferPointer(rebasing: all[starts[g]..<starts[g + 1]])
                if own.isEmpty { return nil }
                return points.map { p in
                    let rank = nearestRank(p, of: own.count)
                    QuickSelect.place(rank, in: own, less)
                    return own[rank]
                }
            }
        }
    }

    private func ranked(_ points: [Double], _ groupCount: Int, _ less: (Element, Element) -> Bool, _ pairs: GroupTable)
        -> [[Element]?]
    {
        let owners = (0..<pairs.count).map { Int32(pairs.keys[$0 * 2 + 1]) }
        let (starts, places) = Self.byGroup(owners, groupCount, Array(0..<pairs.count))
        return (0..<groupCount).map { g in
            let own = places[starts[g]..<starts[g + 1]].map {
                (value: Element(word: pairs.keys[$0 * 2]), count: counts[$0])
            }.sorted {
                less($0.value, $1.value)
            }
            let total = own.reduce(0) { $0 + $1.count }
            if total == 0 { return nil }
            return points.map { p in
                let rank = nearestRank(p, of: total)
                var passed = 0
                for (value, count) in own {
                    passed += count
                    if passed > rank { return value }
                }
                return own[own.count - 1].value
            }
        }
    }

    /// Items ordered by their groups, and where each group's begin.
    private static func byGroup<Item>(_ groups: [Int32], _ groupCount: Int, _ items: [Item]) -> (
        starts: [Int], items: [Item]
    ) {
        var starts = [Int](repeating: 0, count: groupCount + 1)
        for g in groups { starts[Int(g) + 1] += 1 }
        for g in 0..<groupCount { starts[g + 1] += starts[g] }
        var fill = starts
        var ordered = items
        for (i, g) in groups.enumerated() {
            ordered[fill[Int(g)]] = items[i]
            fill[Int(g)] += 1
        }
        return (starts, ordered)
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
