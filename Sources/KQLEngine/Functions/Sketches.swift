import Tables

/// Functions over the results of `hll` and `tdigest`.
extension ScalarFunctions {
    static var sketches: [String: ScalarKernel] {
        let mergeDigests = ScalarKernel.lenient { a, _ in
            var all = TDigest()
            for v in a { if let d = TDigest(v) { all.merge(d) } }
            return all.value
        }
        return [
            "dcount_hll": .strict { a, _ in HyperLogLog(a[0]).map { .long($0.estimate) } ?? .null },
            "hll_merge": .lenient { a, _ in
                let found = a.compactMap { HyperLogLog($0) }
                guard var all = found.first else { return .null }
                for h in found.dropFirst() { all.merge(h) }
                return all.value
            },
            "hll_isvalid": .lenient { a, _ in .bool(HyperLogLog(a[0]) != nil) },
            "tdigest_merge": mergeDigests, "merge_tdigest": mergeDigests,
            "tdigest_isvalid": .lenient { a, _ in .bool(TDigest(a[0]) != nil) },
            "percentile_tdigest": .strict { a, _ in
                guard let d = TDigest(a[0]), let p = a[1].doubleValue else { return .null }
                return typed(d.percentile(p), a, at: 2)
            },
            "percentiles_array_tdigest": .strict { a, _ in
                guard let d = TDigest(a[0]) else { return .null }
                let points = a.dropFirst().flatMap { $0.arrayValue ?? [$0] }.compactMap(\.doubleValue)
                return .array(points.map { typed(d.percentile($0), a, at: a.count - 1) })
            },
            "rank_tdigest": .strict { a, _ in TDigest(a[0]).map { .real(Double($0.rank(a[1]))) } ?? .null },
            "percentrank_tdigest": .strict { a, _ in
                guard let d = TDigest(a[0]), d.total > 0 else { return .null }
                return .real(Double(d.rank(a[1])) / Double(d.total) * 100)
            },
        ]
    }

    /// The value as the type that an argument names; as it is when there is none.
    private static func typed(_ v: Value, _ a: [Value], at i: Int) -> Value {
        guard i < a.count, case .string(let name) = a[i], let type = ScalarType(name: name) else { return v }
        return v.converted(to: type)
    }
}
