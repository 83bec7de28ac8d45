import KQL
import Tables

extension Executor {
    func topNested(_ input: Plan, _ levels: [TopNestedLevel], _ schema: Schema) throws -> BatchIterator {
        let all = try table(input)
        var out: [[Value]] = []
        func descend(_ level: Int, _ batch: Batch, _ prefix: [Value]) throws {
            guard level < levels.count else {
                out.append(prefix)
                return
            }
            let l = levels[level]
            let keys = try evaluator.column(l.key.expr, batch)
            let encoder = KeyEncoder(types: [l.key.expr.type])
            let groups = GroupTable(width: encoder.width)
            let assigned = groups.groups(of: encoder.encode([keys], count: batch.count))
            func aggregate(_ groupOf: [Int32], _ rows: Batch, _ count: Int) throws -> Column {
                let state = try Aggregates.make(l.aggregate, evaluator)
                try state.update(
                    groupOf, try l.aggregate.arguments.map { try evaluator.column($0, rows) }, groupCount: count)
                return try state.finish(groupCount: count)[0]
            }
            let results = try aggregate(assigned, batch, groups.count)
            let names = encoder.decode(groups.keys, column: 0)
            var order = Array(0..<groups.count)
            order.sort { a, b in
                let (x, y) = (results[a], results[b])
                if x.isNull != y.isNull { return x.isNull == l.nullsFirst }
                let c = ValueOps.compare(x, y) ?? 0
                return c == 0 ? a < b : (c < 0) == l.isAscending
            }
            let limit = try l.count.map { try count($0) } ?? order.count
            let chosen = order.prefix(limit)
            var members = [[Int32]](repeating: [], count: groups.count)
            for (row, g) in assigned.enumerated() { members[Int(g)].append(Int32(row)) }
            for g in chosen { try descend(level + 1, batch.gather(members[g]), prefix + [names[g], results[g]]) }
            if let others = l.others {
                let rest = order.dropFirst(limit).flatMap { members[$0] }
                let rows = batch.gather(rest)
                let value: Value =
                    rest.isEmpty ? .null : try aggregate([Int32](repeating: 0, count: rest.count), rows, 1)[0]
                var line = prefix + [try evaluator.constant(others), value]
                while line.count < schema.count {
                    line += [schema[line.count].type == .string ? .string("") : .null, .null]
                }
                out.append(Array(line.prefix(schema.count)))
            }
        }
        try descend(0, all, [])
        return once(Batch(schema: schema, rows: out))
    }
}
