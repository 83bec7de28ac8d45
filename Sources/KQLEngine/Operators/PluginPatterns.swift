import Foundation
import KQL
import Tables

/// Combinations of column values that many rows share.
private struct PatternMiner {
    struct Pattern {
        /// Per column the code of its value, nil where any value may stand.
        var values: [Int?]
        var rows: [Int32]
        var weight: Double
    }

    let columns: [[Int]]
    let dictionary: [[Value]]
    let weights: [Double]?
    let rowCount: Int

    init(_ batch: Batch, _ indices: [Int], weight: Column?) throws {
        rowCount = batch.count
        var codes: [[Int]] = []
        var values: [[Value]] = []
        for c in indices {
            let column = try batch.column(c)
            var known: [Value: Int] = [:]
            var list: [Value] = []
            codes.append(
                try (0..<batch.count).map { row in
                    try Interrupted.check()
                    let v = column[row]
                    if let code = known[v] { return code }
                    known[v] = list.count
                    list.append(v)
                    return list.count - 1
                })
            values.append(list)
        }
        columns = codes
        dictionary = values
        weights = weight.map { w in (0..<batch.count).map { w[$0].doubleValue ?? 0 } }
    }

    func weight(_ rows: [Int32]) -> Double {
        weights.map { w in rows.reduce(0) { $0 + w[Int($1)] } } ?? Double(rows.count)
    }

    var total: Double { weights.map { $0.reduce(0, +) } ?? Double(rowCount) }

    /// The closed patterns (no further value is common to all their rows) of at least `least` weight and at most
    /// `sizeMax` free choices.
    func closed(least: Double, sizeMax: Int, countMax: Int = 5_000) throws -> [Pattern] {
        var out: [[Int?]: Pattern] = [:]
        func close(_ rows: [Int32], _ values: [Int?]) throws -> [Int?] {
            var values = values
            for c in columns.indices where values[c] == nil {
                try Interrupted.check()
                let first = columns[c][Int(rows[0])]
                if rows.allSatisfy({ columns[c][Int($0)] == first }) { values[c] = first }
            }
            return values
        }
        func extend(_ rows: [Int32], _ values: [Int?], from start: Int, depth: Int) throws {
            guard depth < sizeMax else { return }
            for c in start..<columns.count where values[c] == nil {
                try Interrupted.check()
                var parts: [Int: [Int32]] = [:]
                for r in rows { parts[columns[c][Int(r)], default: []].append(r) }
                for code in parts.keys.sorted() {
                    try Interrupted.check()
                    guard let part = parts[code], out.count < countMax else { continue }
                    let w = weight(part)
                    if w < least { continue }
                    var next = values
                    next[c] = code
                    let whole = try close(part, next)
                    if out[whole] == nil { out[whole] = Pattern(values: whole, rows: part, weight: w) }
                    try extend(part, next, from: c + 1, depth: depth + 1)
                }
            }
        }
        guard rowCount > 0 else { return [] }
        try extend((0..<rowCount).map { Int32($0) }, [Int?](repeating: nil, count: columns.count), from: 0, depth: 0)
        return out.values.sorted { a, b in
            if a.weight != b.weight { return a.weight > b.weight }
            return a.values.map { $0 ?? -1 }.lexicographicallyPrecedes(b.values.map { $0 ?? -1 })
        }
    }

    func value(_ pattern: Pattern, _ c: Int, _ wildcards: [Value], _ type: ScalarType) -> Value {
        if let code = pattern.values[c] { return dictionary[c][code] }
        return wildcards.last { $0.type == type }.map { $0.converted(to: type) }
            ?? (type == .string ? .string("") : .null)
    }
}

extension Executor {
    private func rounded(_ x: Double) -> Value { .real((x * 100).rounded() / 100) }

    private func wildcards(_ arguments: PluginArguments, from first: Int) throws -> [Value] {
        try (first..<max(first, arguments.count)).compactMap { try arguments.constant($0, evaluator) }
    }

    private func weightColumn(_ arguments: PluginArguments, _ i: Int, _ all: Batch) throws -> (
        index: Int?, column: Column?
    ) {
        guard case .column(let c, _)? = arguments.expression(i) else { return (nil, nil) }
        return (c, try all.column(c))
    }

    /// Frequent patterns. Source: the page of the basket plugin.
    func basket(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        let threshold = try arguments.constant(0, evaluator)?.doubleValue ?? 0.05
        let weight = try weightColumn(arguments, 1, all)
        let sizeMax = Int(try arguments.constant(2, evaluator)?.longValue ?? 5)
        let wildcards = try wildcards(arguments, from: 3)
        let indices = all.schema.columns.indices.filter { $0 != weight.index }
        let miner = try PatternMiner(all, indices, weight: weight.column)
        let patterns = try miner.closed(least: threshold * miner.total, sizeMax: sizeMax)
        let rows = patterns.enumerated().map { i, p -> [Value] in
            [.long(Int64(i)), .long(p.weight.whole ?? .max), rounded(p.weight / miner.total * 100)]
                + indices.enumerated().map { miner.value(p, $0, wildcards, all.schema[$1].type) }
        }
        return Batch(schema: schema, rows: rows)
    }

    /// A few patterns that together tell most of the rows: each is the best by size and number of shared values among
    /// the rows that no earlier one has. Source: the page of the autocluster plugin.
    func autocluster(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        let sizeWeight = try arguments.constant(0, evaluator)?.doubleValue ?? 0.5
        let weight = try weightColumn(arguments, 1, all)
        let wildcards = try wildcards(arguments, from: 3)
        let indices = all.schema.columns.indices.filter { $0 != weight.index }
        let miner = try PatternMiner(all, indices, weight: weight.column)
        let candidates = try miner.closed(least: max(2, 0.02 * miner.total), sizeMax: 5)
        func score(_ p: PatternMiner.Pattern) -> Double {
            let coverage = p.weight / miner.total
            let shared = Double(p.values.count { $0 != nil }) / Double(max(1, p.values.count))
            return coverage.raised(sizeWeight) * shared.raised(1 - sizeWeight)
        }
        var covered = [Bool](repeating: false, count: all.count)
        var chosen: [PatternMiner.Pattern] = []
        for p in candidates.sorted(by: { score($0) > score($1) }) {
            let fresh = p.rows.filter { !covered[Int($0)] }
            guard Double(fresh.count) >= max(2, 0.5 * Double(p.rows.count)) else { continue }
            for r in p.rows { covered[Int(r)] = true }
            chosen.append(p)
            if chosen.count == 25 { break }
        }
        let rows = chosen.enumerated().map { i, p -> [Value] in
            [.long(Int64(i)), .long(p.weight.whole ?? .max), rounded(p.weight / miner.total * 100)]
                + indices.enumerated().map { miner.value(p, $0, wildcards, all.schema[$1].type) }
        }
        return Batch(schema: schema, rows: rows)
    }

    /// Patterns that one of two sets of rows has more often. Source: the page of the diffpatterns plugin.
    func diffPatterns(_ input: Plan, _ arguments: PluginArguments, _ schema: Schema) throws -> Batch {
        let all = try table(input)
        guard case .column(let split, _)? = arguments.expression(0), let a = try arguments.constant(1, evaluator),
            let b = try arguments.constant(2, evaluator)
        else { throw QueryError.runtime("diffpatterns() needs a column and two of its values") }
        let weight = try weightColumn(arguments, 3, all)
        let threshold = try arguments.constant(4, evaluator)?.doubleValue ?? 0.05
        let sizeMax = Int(try arguments.constant(5, evaluator)?.longValue ?? 5)
        let wildcards = try wildcards(arguments, from: 6)
        let labels = try all.column(split)
        let kept = (0..<all.count).filter { labels[$0].text == a.text || labels[$0].text == b.text }.map { Int32($0) }
        let used = all.gather(kept)
        let indices = all.schema.columns.indices.filter { $0 != weight.index && $0 != split }
        let miner = try PatternMiner(used, indices, weight: try weight.index.map { try used.column($0) })
        let sides = try used.column(split)
        let isA = (0..<used.count).map { sides[$0].text == a.text }
        func sizes(_ rows: [Int32]) -> (a: Double, b: Double) {
            (miner.weight(rows.filter { isA[Int($0)] }), miner.weight(rows.filter { !isA[Int($0)] }))
        }
        let total = sizes((0..<used.count).map { Int32($0) })
        let smaller = max(1, min(total.a, total.b))
        var found: [(pattern: PatternMiner.Pattern, a: Double, b: Double, shares: (Double, Double))] = []
        for p in try miner.closed(least: threshold * smaller, sizeMax: sizeMax) {
            let n = sizes(p.rows)
            let shares = (n.a / max(1, total.a) * 100, n.b / max(1, total.b) * 100)
            if abs(shares.0 - shares.1) >= threshold * 100 { found.append((p, n.a, n.b, shares)) }
        }
        found.sort { abs($0.shares.0 - $0.shares.1) > abs($1.shares.0 - $1.shares.1) }
        // A pattern with more values tells something only when it differs more than what it refines.
        var told: [(pattern: PatternMiner.Pattern, a: Double, b: Double, shares: (Double, Double))] = []
        for f in found
        where !told.contains(where: { known in
            zip(known.pattern.values, f.pattern.values).allSatisfy { $0 == nil || $0 == $1 }
        }) {
            told.append(f)
            if told.count == 50 { break }
        }
        let rows = told.enumerated().map { i, f -> [Value] in
            [
                .long(Int64(i)), .long(f.a.whole ?? .max), .long(f.b.whole ?? .max), rounded(f.shares.0),
                rounded(f.shares.1),
                rounded(abs(f.shares.0 - f.shares.1)),
            ] + indices.enumerated().map { miner.value(f.pattern, $0, wildcards, all.schema[$1].type) }
        }
        return Batch(schema: schema, rows: rows)
    }
}

extension Double {
    /// This share raised to a weight between 0 and 1.
    fileprivate func raised(_ w: Double) -> Double { self <= 0 ? 0 : Foundation.pow(self, w) }
}
