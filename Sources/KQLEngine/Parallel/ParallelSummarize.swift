import KQL
import Tables

/// A worker's share of a `summarize`.
private final class SummaryPart {
    let encoder: KeyEncoder
    let table: GroupTable
    let states: [any Aggregator]
    private let keys: [BoundColumn]
    private let aggregates: [BoundAggregate]
    private let executor: Executor
    private(set) var rows = 0

    init(_ keys: [BoundColumn], _ aggregates: [BoundAggregate], _ executor: Executor) throws {
        self.keys = keys
        self.aggregates = aggregates
        self.executor = executor
        encoder = KeyEncoder(types: keys.map { $0.expr.type })
        table = GroupTable(width: encoder.width)
        states = try aggregates.map { try Aggregates.make($0, executor.evaluator) }
    }

    var groupCount: Int { keys.isEmpty ? 1 : table.count }

    /// - Parameter share: takes only the keys of one worker out of so many.
    func take(_ batch: Batch, share: (index: Int, of: Int)? = nil) throws {
        var batch = batch
        let groups: [Int32]
        if keys.isEmpty {
            groups = [Int32](repeating: 0, count: batch.count)
        } else {
            var columns = try keys.map { try executor.evaluator.column($0.expr, batch) }
            if let share {
                let chosen = Self.select(columns, batch.count, share)
                if chosen.isEmpty { return }
                columns = columns.map { $0.gather(chosen) }
                batch = batch.gather(chosen)
            }
            let words = encoder.encode(columns, count: batch.count)
            let before = table.count
            groups = table.groups(of: words)
            try executor.context.hold(rows: table.count - before, columns: keys.count + aggregates.count)
        }
        rows += batch.count
        for (aggregate, state) in zip(aggregates, states) {
            try state.update(
                groups, try aggregate.arguments.map { try executor.evaluator.column($0, batch) }, groupCount: groupCount
            )
        }
    }

    /// The rows whose keys are a worker's: told from the values, since workers number texts differently.
    private static func select(_ columns: [Column], _ count: Int, _ share: (index: Int, of: Int)) -> [Int32] {
        var hashes = [UInt64](repeating: 0x9E37_79B9_7F4A_7C15, count: count)
        for column in columns { column.mixHashes(into: &hashes) }
        let (index, workers) = (UInt64(share.index), UInt64(share.of))
        var out: [Int32] = []
        out.reserveCapacity(count / share.of + 64)
        for row in 0..<count where (hashes[row] >> 32) % workers == index { out.append(Int32(row)) }
        return out
    }

    /// Takes another worker's groups over.
    func merge(_ other: SummaryPart) {
        var groups: [Int32] = [0]
        if !keys.isEmpty {
            let columns = keys.indices.map { other.encoder.decode(other.table.keys, column: $0) }
            groups = table.groups(of: encoder.encode(columns, count: other.table.count))
        }
        for (state, from) in zip(states, other.states) { state.merge(from, into: groups, groupCount: groupCount) }
        rows += other.rows
    }

    func result(_ schema: Schema) throws -> Batch {
        var columns = keys.indices.map { encoder.decode(table.keys, column: $0) }
        for state in states { columns += try state.finish(groupCount: groupCount) }
        return Batch(schema: schema, columns: columns, count: groupCount)
    }

    /// Things kept per row taken in: near 1 when nearly every row is a group, or a distinct value, of its own.
    var density: Double { rows == 0 ? 0 : Double(table.count + states.reduce(0) { $0 + $1.keptCount }) / Double(rows) }
}

extension Executor {
    /// Summarizes with all cores: each works on batches of its own and the parts are merged;
    /// where most rows are groups of their own, each works on keys of its own instead, and nothing is merged.
    func parallelSummarize(
        _ branches: [StreamBranch], _ keys: [BoundColumn], _ aggregates: [BoundAggregate], _ schema: Schema
    ) throws -> BatchIterator? {
        let expressions = branches.flatMap(\.expressions) + keys.map(\.expr) + aggregates.flatMap(\.arguments)
        if expressions.contains(where: \.usesRowOrder) { return nil }
        try prepareSubqueries(expressions)
        let canMerge = try aggregates.allSatisfy { try Aggregates.make($0, evaluator).isMergeable }
        if keys.isEmpty, !canMerge { return nil }
        let source = sharedScan(branches)
        let executors = (0..<workerCount).map { _ in forked() }
        let first = try SummaryPart(keys, aggregates, executors[0])
        if !keys.isEmpty {
            // The first rows tell which way is better. Merging goes on from them; dividing the keys begins anew.
            let before = context.rowsScanned
            if try begin(first, branches, source, executors[0]) {
                return many(try first.table.count == 0 ? [] : [first.result(schema)])
            }
            if !canMerge || first.density > 0.125 {
                context.restoreScans(before)
                return try partitioned(branches, keys, aggregates, schema)
            }
        }
        let parts = try [first] + executors.dropFirst().map { try SummaryPart(keys, aggregates, $0) }
        try Workers.each(workerCount) { w in
            while let (branch, raw) = try source.next() {
                if let batch = try executors[w].apply(branches[branch], to: raw) { try parts[w].take(batch) }
            }
        }
        for part in parts.dropFirst() { parts[0].merge(part) }
        try context.hold(rows: parts[0].groupCount, columns: schema.count)
        if keys.isEmpty, parts[0].rows == 0 { return nil }
        return once(try parts[0].result(schema))
    }

    private func partitioned(
        _ branches: [StreamBranch], _ keys: [BoundColumn], _ aggregates: [BoundAggregate], _ schema: Schema
    ) throws -> BatchIterator {
        let count = workerCount
        let executors = (0..<count).map { _ in forked() }
        let parts = try executors.map { try SummaryPart(keys, aggregates, $0) }
        // Every worker reads everything; what the first one reads is counted.
        let sources = (0..<count).map { $0 == 0 ? sharedScan(branches) : executors[$0].sharedScan(branches) }
        try Workers.each(count) { w in
            while let (branch, raw) = try sources[w].next() {
                if let batch = try executors[w].apply(branches[branch], to: raw) {
                    try parts[w].take(batch, share: (w, count))
                }
            }
        }
        try context.hold(rows: parts.reduce(0) { $0 + $1.groupCount }, columns: schema.count)
        return many(try parts.filter { $0.table.count > 0 }.map { try $0.result(schema) })
    }

    /// Takes the first rows in; whether they are all rows.
    private func begin(_ part: SummaryPart, _ branches: [StreamBranch], _ source: SharedScan, _ executor: Executor)
        throws -> Bool
    {
        for _ in 0..<8 {
            guard let (branch, raw) = try source.next() else { return true }
            if let batch = try executor.apply(branches[branch], to: raw) { try part.take(batch) }
            if part.rows >= 20_000 { break }
        }
        return false
    }
}
