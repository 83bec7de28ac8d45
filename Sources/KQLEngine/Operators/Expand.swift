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

    /// Rows of an expansion that are made at a time, as far as one row does not give more.
    private static let piece = 131_072

    /// The rows of one batch expanded, a piece after another, and the input row each came from: a short array in every
    /// row of a long table may give more than the memory holds at once.
    private func pieces(_ plan: ExpandPlan, _ batch: Batch, _ schema: Schema) throws -> (
        () throws -> (batch: Batch, rows: [Int32], input: Range<Int>)?
    ) {
        // What comes from one column with a dictionary is expanded once per entry.
        let entries = try evaluator.entries(of: plan.columns.map(\.expr), batch)
        let source = entries?.batch ?? batch
        let lists = try plan.columns.map { try evaluator.column($0.expr, source) }
        let limit = try plan.limit.map { try count($0) } ?? Int.max
        var row = 0
        return { [self] in
            guard row < batch.count else { return nil }
            let first = row
            var rows: [Int32] = []
            var indices: [Int64] = []
            var builders = plan.columns.map { ColumnBuilder($0.type) }
            // Where an entry's items stand that were made for an earlier row of this piece.
            var known: [Int: Range<Int32>] = [:]
            var places: [Int32] = []
            while row < batch.count, rows.count < Self.piece {
                try Interrupted.check()
                let e = entries.map { Int($0.codes[row]) } ?? row
                let range: Range<Int32>
                if let made = known[e] {
                    range = made
                } else {
                    let from = Int32(indices.count)
                    try append(plan, lists, e, limit, &builders, &indices)
                    range = from..<Int32(indices.count)
                    if entries != nil { known[e] = range }
                }
                rows += repeatElement(Int32(row), count: range.count)
                places += range
                row += 1
            }
            let items = builders.map { $0.finish().dictionaryCoded() }
            let gathered = batch.gather(rows)
            let expanded = items.map { column in LazyColumn { [places] in column.gather(places) } }
            var columns = plan.layout.map { $0 >= 0 ? gathered.lazyColumn($0) : expanded[-1 - $0] }
            if plan.indexColumn {
                columns.append(
                    LazyColumn { [places, indices] in
                        Column(.long, .int64(indices), count: indices.count).gather(places)
                    })
            }
            return (Batch(schema: schema, columns: columns, count: rows.count), rows, first..<row)
        }
    }

    /// The elements of one row's values, and the place of each.
    private func append(
        _ plan: ExpandPlan, _ sources: [Column], _ row: Int, _ limit: Int, _ builders: inout [ColumnBuilder],
        _ indices: inout [Int64]
    ) throws {
        let lists = sources.map { elements($0[row], bagAsArray: plan.bagAsArray) }
        for k in 0..<min(lists.map(\.count).max() ?? 0, limit) {
            try Interrupted.check()
            indices.append(Int64(k))
            for (c, list) in lists.enumerated() {
                let v = k < list.count ? list[k] : .null
                builders[c].append(plan.columns[c].converts ? Executor.typed(v, plan.columns[c].type) : v)
            }
        }
    }

    /// All rows of one batch expanded.
    func expanded(_ plan: ExpandPlan, _ batch: Batch, _ schema: Schema) throws -> Batch {
        let next = try pieces(plan, batch, schema)
        var out: [Batch] = []
        var count = 0
        while let piece = try next() {
            try Interrupted.check()
            out.append(piece.batch)
            count += piece.batch.count
            if count > 1_000_000_000 {
                throw QueryError.limit("mv-expand would give more than 1,000,000,000 rows; filter earlier")
            }
        }
        return Batch.concatenate(out, schema: schema)
    }

    func mvExpand(_ plan: ExpandPlan, _ schema: Schema) throws -> BatchIterator {
        let next = try run(plan.input)
        var current: (() throws -> (batch: Batch, rows: [Int32], input: Range<Int>)?)?
        return { [self] in
            while true {
                if let piece = try current?() { return piece.batch }
                guard let batch = try next() else { return nil }
                try context.check()
                current = try pieces(plan, batch, schema)
            }
        }
    }

    func mvApply(_ plan: ExpandPlan, _ subquery: Plan, _ id: Int, _ layout: [Int], _ schema: Schema) throws
        -> BatchIterator
    {
        let next = try run(plan.input)
        // The expanded rows have the columns that the subquery's input was bound with.
        let inner = expandedSchema(plan)
        var current: (() throws -> (batch: Batch, rows: [Int32], input: Range<Int>)?)?
        var batch = Batch.empty(plan.input.schema)
        return { [self] in
            while true {
                try context.check()
                guard let piece = try current?() else {
                    guard let more = try next() else { return nil }
                    batch = more
                    current = try pieces(plan, batch, inner)
                    continue
                }
                return try applied(piece, batch, subquery, id, layout, schema)
            }
        }
    }

    /// The subquery over each input row of a piece.
    private func applied(
        _ piece: (batch: Batch, rows: [Int32], input: Range<Int>), _ batch: Batch, _ subquery: Plan, _ id: Int,
        _ layout: [Int], _ schema: Schema
    ) throws -> Batch {
        var rows: [Int32] = []
        var results: [Batch] = []
        var from = 0
        for row in piece.input {
            try Interrupted.check()
            var to = from
            while to < piece.rows.count, piece.rows[to] == Int32(row) { to += 1 }
            context.inputs[id] = [piece.batch.slice(from..<to)]
            from = to
            for result in try collectAgain(subquery) {
                rows += repeatElement(Int32(row), count: result.count)
                results.append(result)
            }
        }
        let outer = batch.gather(rows)
        let sub = Batch.concatenate(results, schema: subquery.schema)
        let columns = layout.map { $0 >= 0 ? outer.lazyColumn($0) : sub.lazyColumn(-1 - $0) }
        return Batch(schema: schema, columns: columns, count: rows.count)
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
