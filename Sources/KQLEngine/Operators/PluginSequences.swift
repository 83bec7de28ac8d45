import KQL
import Tables

/// Plugins that look at rows in their order.
extension Executor {
    /// The rows around those for which a condition holds.
    func rowsNear(_ input: Plan, _ arguments: PluginArguments) throws -> Batch {
        let all = try table(input)
        guard let condition = arguments.expression(0), let before = try arguments.constant(1, evaluator)?.longValue
        else {
            throw QueryError.runtime("rows_near() needs a condition and a number of rows")
        }
        let after = try arguments.constant(2, evaluator)?.longValue ?? before
        var kept = [Bool](repeating: false, count: all.count)
        for hit in try evaluator.selection(condition, all) {
            let from = max(0, Int(hit) - Int(max(0, before)))
            let to = min(all.count - 1, Int(hit).addingSaturated(Int(max(0, after))))
            for row in from...max(from, to) { kept[row] = true }
        }
        return all.gather(kept.indices.filter { kept[$0] }.map { Int32($0) })
    }

    /// Every way in which rows of one combination of dimensions fulfil the steps one after another in time.
    func sequenceDetect(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        guard let when = arguments.expression(0), let stepSpan = try arguments.constant(1, evaluator),
            let wholeSpan = try arguments.constant(2, evaluator)
        else { throw QueryError.runtime("sequence_detect() needs a timeline column and two spans") }
        let others = arguments.rest(from: 3)
        let steps = try others.filter { $0.type == .bool }.map { try evaluator.column($0, all) }
        let dimensions = try others.filter { $0.type != .bool }.map { try evaluator.column($0, all) }
        let times = try evaluator.column(when, all)
        guard !steps.isEmpty else { throw QueryError.runtime("sequence_detect() needs at least one condition") }
        var groups: [[Value]: [Int]] = [:]
        var order: [[Value]] = []
        for row in 0..<all.count where !times[row].isNull {
            let key = dimensions.map { $0[row] }
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(row)
        }
        var rows: [[Value]] = []
        for key in order {
            let own = (groups[key] ?? []).sorted { (ValueOps.compare(times[$0], times[$1]) ?? 0) < 0 }
            func go(_ step: Int, from place: Int, _ chain: [Int]) throws {
                if step == steps.count {
                    let duration = ValueOps.arithmetic("-", times[chain[chain.count - 1]], times[chain[0]])
                    rows.append(key + chain.map { times[$0] } + [duration])
                    if rows.count > 1_000_000 {
                        throw QueryError.limit(
                            "sequence_detect() found more than 1,000,000 sequences; narrow the spans")
                    }
                    return
                }
                for p in place..<max(place, own.count) {
                    try Interrupted.check()
                    let row = own[p]
                    if let last = chain.last, let first = chain.first {
                        let sinceLast = ValueOps.arithmetic("-", times[row], times[last])
                        let sinceFirst = ValueOps.arithmetic("-", times[row], times[first])
                        if (ValueOps.compare(sinceLast, stepSpan) ?? 1) > 0
                            || (ValueOps.compare(sinceFirst, wholeSpan) ?? 1) > 0
                        {
                            break
                        }
                    }
                    if steps[step][row].boolValue == true { try go(step + 1, from: p + 1, chain + [row]) }
                }
            }
            try context.check()
            try go(0, from: 0, [])
        }
        return Batch(schema: schema, rows: rows)
    }

    /// The percentile of the values of a bin and of the ones before it.
    func rollingPercentile(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        guard let what = arguments.expression(0), let percent = try arguments.constant(1, evaluator)?.doubleValue,
            let index = arguments.expression(2),
            let size = try arguments.constant(3, evaluator),
            let width = try arguments.constant(4, evaluator)?.longValue, width > 0
        else {
            throw QueryError.runtime(
                "rolling_percentile() needs a value column, a percentile, an index column, a bin size and a "
                    + "number of bins"
            )
        }
        let values = try evaluator.column(what, all)
        let bins = try evaluator.column(.call("bin", [index, .literal(size, size.type ?? .long)], index.type), all)
        let dimensions = try arguments.rest(from: 5).map { try evaluator.column($0, all) }
        var order: [[Value]] = []
        var slices: [[Value]: [(bin: Value, value: Value)]] = [:]
        for row in 0..<all.count where !bins[row].isNull {
            try Interrupted.check()
            let key = dimensions.map { $0[row] }
            if slices[key] == nil { order.append(key) }
            slices[key, default: []].append((bins[row], values[row]))
        }
        var rows: [[Value]] = []
        for key in order {
            let own = slices[key] ?? []
            let places = try Set(own.map(\.bin)).sorted {
                try Interrupted.check()
                return (ValueOps.compare($0, $1) ?? 0) < 0
            }
            for at in places {
                var first = at
                for _ in 1..<max(1, Int(width)) {
                    try Interrupted.check()
                    // Before the first value there is nothing to find.
                    guard let c = ValueOps.compare(first, places[0]), c >= 0 else { break }
                    first = ValueOps.arithmetic("-", first, size)
                }
                var digest = TDigest()
                for e in own {
                    try Interrupted.check()
                    guard (ValueOps.compare(e.bin, at) ?? 1) <= 0, (ValueOps.compare(e.bin, first) ?? -1) >= 0 else {
                        continue
                    }
                    digest.insert(e.value)
                }
                rows.append([at] + key + [digest.percentile(percent)])
            }
        }
        return Batch(schema: schema, rows: rows)
    }

    /// The sizes of the first set, of its intersection with the second, and so on, by inclusion and exclusion of
    /// unions.
    func dcountIntersect(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        let columns = try arguments.rest(from: 0).map { try evaluator.column($0, all) }
        // Each further set doubles the unions that have to be counted.
        guard columns.count <= 12 else { throw QueryError.limit("dcount_intersect() takes at most 12 sets") }
        let rows = try (0..<all.count).map { row -> [Value] in
            try Interrupted.check()
            let sets = columns.map { HyperLogLog($0[row]) }
            return sets.indices.map { i -> Value in
                let some = sets[...i].compactMap { $0 }
                guard some.count == i + 1 else { return .null }
                if some.allSatisfy({ $0.registers == nil }) {
                    return .long(Int64(some.dropFirst().reduce(some[0].hashes) { $0.intersection($1.hashes) }.count))
                }
                var sum: Int64 = 0
                for mask in 1..<(1 << some.count) {
                    let chosen = some.indices.filter { mask >> $0 & 1 == 1 }
                    var union = some[chosen[0]]
                    for c in chosen.dropFirst() { union.merge(some[c]) }
                    sum = sum &+ (chosen.count % 2 == 1 ? 1 : -1) &* union.estimate
                }
                return .long(max(0, sum))
            }
        }
        return Batch(schema: schema, rows: rows)
    }
}
