import Tables

/// A sketch of many numbers or times from which percentiles and ranks can be told: means and how many values each
/// stands for.
///
/// Exact while there are few distinct values. As a value: `[[7], means, weights]`, the layout that Kusto shows.
struct TDigest {
    private static let centroidCountMax = 2_000

    private var centroids: [Value: Int64] = [:]

    init() {}

    init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 3, case .array(let means) = parts[1],
            case .array(let weights) = parts[2],
            means.count == weights.count
        else { return nil }
        for (m, w) in zip(means, weights) { insert(m, weight: w.longValue ?? 1) }
    }

    var value: Value {
        let sorted = sorted
        return .array([.array([.long(7)]), .array(sorted.map(\.mean)), .array(sorted.map { .long($0.weight) })])
    }

    private var sorted: [(mean: Value, weight: Int64)] {
        centroids.map { (mean: $0.key, weight: $0.value) }.sorted { (ValueOps.compare($0.mean, $1.mean) ?? 0) < 0 }
    }

    var total: Int64 { centroids.values.reduce(0) { $0.addingSaturated($1) } }

    mutating func insert(_ v: Value, weight: Int64 = 1) {
        guard weight > 0, let number = TDigest.number(v), !number.isNaN else { return }
        centroids[v, default: 0] = centroids[v, default: 0].addingSaturated(weight)
        if centroids.count > TDigest.centroidCountMax { compress() }
    }

    mutating func merge(_ other: TDigest) { for (m, w) in other.centroids { insert(m, weight: w) } }

    private static func number(_ v: Value) -> Double? {
        switch v {
        case .datetime(let t), .timespan(let t): Double(t)
        default: v.doubleValue
        }
    }

    /// Joins neighbours, most where the distribution is thick in the middle and least at its ends.
    private mutating func compress() {
        let all = sorted
        let total = Double(total)
        let target = Double(TDigest.centroidCountMax) / 4
        var out: [Value: Int64] = [:]
        var before = 0.0
        var i = 0
        while i < all.count {
            var sum = (TDigest.number(all[i].mean) ?? 0) * Double(all[i].weight)
            var weight = all[i].weight
            let first = all[i].mean
            var j = i + 1
            while j < all.count {
                let both = weight.addingSaturated(all[j].weight)
                let q = (before + Double(both) / 2) / total
                guard Double(both) <= max(1, 4 * total * q * (1 - q) / target) else { break }
                sum += (TDigest.number(all[j].mean) ?? 0) * Double(all[j].weight)
                weight = both
                j += 1
            }
            let mean = sum / Double(weight)
            let key: Value =
                switch first {
                case _ where j == i + 1: first
                case .datetime: .datetime(Int64(mean.whole(in: 0...Int(DateTime.maximum))))
                case .timespan: .timespan(Int64(mean.whole(in: Int.min...Int.max)))
                default: .real(mean)
                }
            out[key, default: 0] = out[key, default: 0].addingSaturated(weight)
            before += Double(weight)
            i = j
        }
        centroids = out
    }

    /// The value at a percentile from 0 to 100, by nearest rank.
    func percentile(_ p: Double) -> Value {
        let all = sorted
        guard let last = all.last else { return .null }
        let rank = max(1, (p / 100 * Double(total)).rounded(.up))
        var sum: Int64 = 0
        for c in all {
            sum = sum.addingSaturated(c.weight)
            if Double(sum) >= rank { return c.mean }
        }
        return last.mean
    }

    /// How many values are not greater than `v`.
    func rank(_ v: Value) -> Int64 {
        centroids.reduce(0) { $0.addingSaturated((ValueOps.compare($1.key, v) ?? 1) <= 0 ? $1.value : 0) }
    }
}

/// `tdigest` and `tdigest_merge`.
final class DigestAggregator: Aggregator {
    private let merges: Bool
    private let isWeighted: Bool
    private var digests: [TDigest] = []

    init(merges: Bool, isWeighted: Bool = false) {
        self.merges = merges
        self.isWeighted = isWeighted
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if digests.count < groupCount { digests += repeatElement(TDigest(), count: groupCount - digests.count) }
        for (row, g) in groups.enumerated() {
            let v = columns[0][row]
            if v.isNull { continue }
            if merges {
                if let other = TDigest(v) { digests[Int(g)].merge(other) }
            } else {
                digests[Int(g)].insert(v, weight: isWeighted ? columns[1][row].longValue ?? 0 : 1)
            }
        }
    }

    func finish(groupCount: Int) -> [Column] {
        let all = digests + repeatElement(TDigest(), count: groupCount - digests.count)
        return [Column(.dynamic, values: all.map(\.value))]
    }
}
