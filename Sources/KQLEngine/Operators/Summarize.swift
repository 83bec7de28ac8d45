import KQL
import Tables

extension Executor {
    func summarize(
        _ input: Plan, _ keys: [BoundColumn], _ aggregates: [BoundAggregate], _ schema: Schema
    ) throws -> BatchIterator {
        if let branches = try parallelBranches(input),
            let shared = try parallelSummarize(branches, keys, aggregates, schema)
        {
            return shared
        }
        let evaluator = evaluator
        let encoder = KeyEncoder(types: keys.map { $0.expr.type })
        let table = GroupTable(width: encoder.width)
        let states = try aggregates.map { try Aggregates.make($0, evaluator) }
        let next = try run(input)
        var any = false
        while let batch = try next() {
            if batch.count == 0 { continue }
            any = true
            try context.check()
            let groups: [Int32]
            if keys.isEmpty {
                groups = [Int32](repeating: 0, count: batch.count)
            } else {
                let columns = try keys.map { try evaluator.column($0.expr, batch) }
                let before = table.count
                groups = table.groups(of: encoder.encode(columns, count: batch.count))
                try context.hold(rows: table.count - before, columns: schema.count)
            }
            let count = keys.isEmpty ? 1 : table.count
            for (aggregate, state) in zip(aggregates, states) {
                let columns = try aggregate.arguments.map { try evaluator.column($0, batch) }
                try state.update(groups, columns, groupCount: count)
            }
        }
        if keys.isEmpty {
            if !any {
                for state in states {
                    try state.update(
                        [], aggregates.isEmpty ? [] : emptyColumns(aggregates, states, state), groupCount: 1)
                }
            }
            let columns = try states.flatMap { try $0.finish(groupCount: 1) }
            return once(Batch(schema: schema, columns: columns, count: 1))
        }
        let count = table.count
        var columns = keys.indices.map { encoder.decode(table.keys, column: $0) }
        for state in states { columns += try state.finish(groupCount: count) }
        return once(Batch(schema: schema, columns: columns, count: count))
    }

    private func emptyColumns(_ aggregates: [BoundAggregate], _ states: [any Aggregator], _ state: any Aggregator)
        -> [Column]
    {
        guard let i = states.firstIndex(where: { $0 === state }) else { return [] }
        return aggregates[i].arguments.map { ColumnBuilder($0.type).finish() }
    }
}
