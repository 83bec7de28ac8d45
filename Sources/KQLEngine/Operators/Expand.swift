import KQL
import Tables

extension Executor {
    /// The elements that a value expands to; a bag gives one single-key bag per property.
    private func elements(_ v: Value, bagAsArray: Bool) -> [Value] {
        switch v {
        case .array(let items): return items
        case .bag(let bag):
            return zip(bag.keys, bag.values).map { bagAsArray ? .array([.string($0), $1]) : .bag(Bag([($0, $1)])) }
        default: return [v]
        }
    }

    /// An element as a typed column has it: text and conditions are no numbers.
    private static func typed(_ v: Value, _ type: ScalarType) -> Value {
        switch v {
        case .bool: type == .bool ? v : type.isNumeric ? .null : v.converted(to: type)
        case .string: type.isNumeric || type == .bool ? .null : v.converted(to: type)
        default: type == .bool ? .null : v.converted(to: type)
        }
    }

    /// The rows of one batch expanded, and the input row each came from.
    private func expand(_ plan: ExpandPlan, _ batch: Batch, _ schema: Schema) throws -> (batch: Batch, rows: [Int32]) {
        // What comes from one column with a dictionary is expanded once per entry.
        let entries = try evaluator.entries(of: plan.columns.map(\.expr), batch)
        let (starts, items, indices) = try elements(plan, entries?.batch ?? batch)
        var rows: [Int32] = []
        var places: [Int32] = []
        for row in 0..<batch.count {
            let e = entries.map { Int($0.codes[row]) } ?? row
            rows += repeatElement(Int32(row), count: Int(starts[e + 1] - starts[e]))
            places += starts[e]..<starts[e + 1]
        }
        let gathered = batch.gather(rows)
        let expanded = items.map { column in LazyColumn { [places] in column.gather(places) } }
        var columns = plan.layout.map { $0 >= 0 ? gathered.lazyColumn($0) : expanded[-1 - $0] }
        if plan.indexColumn {
            columns.append(
                LazyColumn { [places] in Column(.long, .int64(indices), count: indices.count).gather(places) })
        }
        return (Batch(schema: schema, columns: columns, count: rows.count), rows)
    }

    /// The elements of every row's values, one row's after another's, where each row's begin, and the place of each in
    /// its row's.
    private func elements(_ plan: ExpandPlan, _ batch: Batch) throws -> (
        starts: [Int32], items: [Column], indices: [Int64]
    ) {
        let sources = try plan.columns.map { try evaluator.column($0.expr, batch) }
        let limit = try plan.limit.map { try count($0) } ?? Int.max
        var starts: [Int32] = [0]
        var indices: [Int64] = []
        var builders = plan.columns.map { ColumnBuilder($0.type) }
        for row in 0..<batch.count {
            let lists = sources.map { elements($0[row], bagAsArray: plan.bagAsArray) }
            let n = min(lists.map(\.count).max() ?? 0, limit)
            for k in 0..<n {
                indices.append(Int64(k))
                for (c, list) in lists.enumerated() {
                    let v = k < list.count ? list[k] : .null
                    builders[c].append(plan.columns[c].converts ? Executor.typed(v, plan.columns[c].type) : v)
                }
            }
            starts.append(Int32(indices.count))
        }
        return (starts, builders.map { $0.finish().dictionaryCoded() }, indices)
    }

    func expanded(_ plan: ExpandPlan, _ batch: Batch, _ schema: Schema) throws -> Batch {
        try expand(plan, batch, schema).batch
    }

    func mvExpand(_ plan: ExpandPlan, _ schema: Schema) throws -> BatchIterator {
        let next = try run(plan.input)
        return { [self] in
            guard let batch = try next() else { return nil }
            try context.check()
            return try expand(plan, batch, schema).batch
        }
    }

    func mvApply(_ plan: ExpandPlan, _ subquery: Plan, _ id: Int, _ layout: [Int], _ schema: Schema) throws
        -> BatchIterator
    {
        let next = try run(plan.input)
        // The expanded rows have the columns that the subquery's input was bound with.
        let inner = expandedSchema(plan)
        return { [self] in
            guard let batch = try next() else { return nil }
            var rows: [Int32] = []
            var results: [Batch] = []
            let (expanded, origins) = try expand(plan, batch, inner)
            var from = 0
            for row in 0..<batch.count {
                var to = from
                while to < origins.count, origins[to] == Int32(row) { to += 1 }
                context.inputs[id] = [expanded.slice(from..<to)]
                from = to
                for result in try collectAgain(subquery) {
                    rows += repeatElement(Int32(row), count: result.count)
                    results.append(result)
                }
            }
            try context.check()
            let outer = batch.gather(rows)
            let sub = Batch.concatenate(results, schema: subquery.schema)
            let columns = layout.map { $0 >= 0 ? outer.lazyColumn($0) : sub.lazyColumn(-1 - $0) }
            return Batch(schema: schema, columns: columns, count: rows.count)
        }
    }

    private func expandedSchema(_ plan: ExpandPlan) -> Schema {
        var schema = Schema(
            plan.layout.enumerated().map { i, slot in
                slot >= 0
                    ? plan.input.schema[slot] : ColumnSpec(plan.columns[-1 - slot].name, plan.columns[-1 - slot].type)
            })
        if plan.indexColumn { schema.columns.append(ColumnSpec("", .long)) }
        return schema
    }

    /// Runs a subquery whose input changed: what it had cached is forgotten first.
    private func collectAgain(_ plan: Plan) throws -> [Batch] {
        let next = try run(plan)
        var out: [Batch] = []
        while let batch = try next() {
            if batch.count == 0 { continue }
            // Read now: a lazy column may look at the input, which is about to change.
            for c in batch.schema.columns.indices { _ = try batch.column(c) }
            out.append(batch)
        }
        return out
    }

    func partition(_ input: Plan, _ by: BoundExpr, _ subquery: Plan, _ id: Int) throws -> BatchIterator {
        let all = try table(input)
        let encoder = KeyEncoder(types: [by.type])
        let groups = GroupTable(width: encoder.width)
        let assigned = groups.groups(of: encoder.encode([try evaluator.column(by, all)], count: all.count))
        var members = [[Int32]](repeating: [], count: groups.count)
        for (row, g) in assigned.enumerated() { members[Int(g)].append(Int32(row)) }
        var rest = members[...]
        return { [self] in
            while let rows = rest.popFirst() {
                context.inputs[id] = [all.gather(rows)]
                let results = try collectAgain(subquery)
                if !results.isEmpty { return Batch.concatenate(results, schema: subquery.schema) }
            }
            return nil
        }
    }
}
