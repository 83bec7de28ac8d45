import KQL
import Tables

/// Runs a bound plan: each operator pulls batches from the one before it.
final class Executor {
    let context: QueryContext

    init(_ context: QueryContext) { self.context = context }

    var evaluator: Evaluator { Evaluator(context: context, executor: self) }

    func run(_ plan: Plan) throws -> BatchIterator {
        try Interrupted.check()
        switch plan.kind {
        case .table(let name): return try scan(name, plan.schema, [], ignoresRange: plan.ignoresRange)
        case .rows(let batch): return once(batch.renamed(plan.schema))
        case .range(let from, let to, let step, let type): return try rangeRows(from, to, step, type, plan.schema)
        case .print(let items):
            let empty = Batch(schema: Schema([ColumnSpec]()), columns: [Column](), count: 1)
            let columns = try items.map { try evaluator.column($0, empty) }
            return once(Batch(schema: plan.schema, columns: columns, count: 1))
        case .filter(let input, let condition): return try parallelStream(plan) ?? filter(input, condition)
        case .project(let input, let columns): return try parallelStream(plan) ?? project(input, columns, plan.schema)
        case .summarize(let input, let keys, let aggregates): return try summarize(input, keys, aggregates, plan.schema)
        case .join(let join): return try self.join(join, plan.schema)
        case .union(let inputs): return try concatenated(inputs)
        case .sort(let input, let keys): return try sort(input, keys, limit: nil)
        case .top(let input, let count, let keys): return try sort(input, keys, limit: self.count(count))
        case .take(let input, let count):
            // The first rows of a sorted table need no sorting of the others.
            if case .sort(let unsorted, let keys) = input.kind {
                return try sort(unsorted, keys, limit: self.count(count))
            }
            return try take(input, self.count(count))
        case .sample(let input, let count):
            context.note(.never)
            return try sample(input, self.count(count))
        case .mvExpand(let expand): return try parallelStream(plan) ?? mvExpand(expand, plan.schema)
        case .mvApply(let expand, let subquery, let id, let layout):
            return try mvApply(expand, subquery, id, layout, plan.schema)
        case .parse(let parse): return try self.parse(parse, plan.schema)
        case .parseKV(let input, let source, let columns, let syntax):
            return try parseKV(input, source, columns, syntax, plan.schema)
        case .makeSeries(let series): return try makeSeries(series, plan.schema)
        case .topNested(let input, let levels): return try topNested(input, levels, plan.schema)
        case .scan(let scan): return try scanSteps(scan, plan.schema)
        case .materialize(let id, let input):
            if let known = context.materialized[id] { return many(known) }
            let batches = try collect(input)
            context.materialized[id] = batches
            return many(batches)
        case .input(let id): return many(context.inputs[id] ?? [])
        case .partition(let input, let by, let subquery, let id): return try partition(input, by, subquery, id)
        case .plugin(let name, let input, let arguments):
            return try plugin(name, input, arguments, plan.isOpen ? nil : plan.schema)
        case .schema(let input): return once(schemaTable(input.schema, plan.schema))
        case .reduce(let reduce): return try self.reduce(reduce, plan.schema)
        case .graphMatch(let graph, let match): return try graphMatch(graph, match, plan.schema)
        case .graphToTable(let graph, let nodes, let identifiers):
            return try graphTable(graph, nodes: nodes, identifiers, plan.schema)
        case .graphPartition(let graph, let subquery): return try graphPartition(graph, subquery)
        case .external(let urls, let options):
            context.note(.never)
            return try external(urls, options, plan.schema)
        }
    }

    // MARK: Small pieces

    func once(_ batch: Batch) -> BatchIterator {
        var next: Batch? = batch
        return {
            defer { next = nil }
            return next
        }
    }

    func many(_ batches: [Batch]) -> BatchIterator {
        var rest = batches[...]
        return { rest.popFirst() }
    }

    /// All batches of a plan, counted against the memory bound.
    func collect(_ plan: Plan) throws -> [Batch] {
        let next = try run(plan)
        var out: [Batch] = []
        while let batch = try next() {
            if batch.count == 0 { continue }
            try context.check()
            try context.hold(rows: batch.count, columns: batch.schema.count)
            out.append(batch)
        }
        return out
    }

    /// All rows of a plan as one batch.
    func table(_ plan: Plan) throws -> Batch {
        let batches = try collect(plan)
        // Rows have numbers of 31 bits.
        if batches.reduce(0, { $0 + $1.count }) > 2_000_000_000 {
            throw QueryError.limit("an operator would keep more than 2,000,000,000 rows; filter or summarize earlier")
        }
        return Batch.concatenate(batches, schema: plan.schema)
    }

    func count(_ e: BoundExpr) throws -> Int {
        guard let n = try evaluator.constant(e).longValue else { return 0 }
        if n < 0 { throw QueryError.runtime("a number of rows must not be negative, but is \(n)") }
        return Int(n)
    }

    func scalar(_ id: Int, _ plan: Plan) throws -> Value {
        if let known = context.scalars[id] { return known }
        let next = try run(plan)
        var value: Value = .null
        while let batch = try next() {
            if batch.count == 0 { continue }
            value = try batch.column(0)[0]
            break
        }
        context.scalars[id] = value
        return value
    }

    /// The first column of a table as an array, for `in (table)`.
    func set(_ id: Int, _ plan: Plan) throws -> Value {
        if let known = context.sets[id] { return known }
        var seen = Set<Value>()
        var items: [Value] = []
        for batch in try collect(plan) {
            let column = try batch.column(0)
            for row in 0..<batch.count {
                let v = column[row]
                if case .array(let inner) = v {
                    for item in inner where seen.insert(item).inserted { items.append(item) }
                } else if seen.insert(v).inserted {
                    items.append(v)
                }
            }
        }
        context.sets[id] = .array(items)
        return .array(items)
    }

    /// - Parameter ignoresRange: whether rows count whatever range of time is set around the query.
    func scan(
        _ name: String, _ schema: Schema, _ predicates: [ScanPredicate], ignoresRange: Bool
    ) throws -> BatchIterator {
        let scope = ignoresRange ? (predicates: [], conditions: []) : timeScope(schema)
        let next = try context.provider.scan(name, predicates: predicates + scope.predicates)
        let raw: BatchIterator = { [context] in
            try context.check()
            guard let batch = try next() else { return nil }
            context.noteScan(batch.count)
            return batch
        }
        return scope.conditions.isEmpty ? raw : filtering(raw, scope.conditions)
    }

    /// What the request's time scope asks of a table.
    private func timeScope(_ schema: Schema) -> (predicates: [ScanPredicate], conditions: [BoundExpr]) {
        guard let scope = context.options.timeScope, let c = schema.index(of: scope.column), schema[c].type == .datetime
        else { return ([], []) }
        let bounds = [
            scope.from.map { (ScanPredicate.Comparison.greaterOrEqual, ">=", $0) },
            scope.to.map { (.lessOrEqual, "<=", $0) },
        ].compactMap { $0 }
        return (
            bounds.map { ScanPredicate(column: scope.column, comparison: $0.0, value: .datetime($0.2)) },
            bounds.map { .call($0.1, [.column(c, .datetime), .literal(.datetime($0.2), .datetime)], .bool) }
        )
    }

    private func filter(_ input: Plan, _ condition: BoundExpr) throws -> BatchIterator {
        var source = input
        var conditions = [condition]
        while case .filter(let inner, let more) = source.kind {
            conditions.append(more)
            source = inner
        }
        let next: BatchIterator
        if case .table(let name) = source.kind {
            let predicates = conditions.flatMap { self.predicates($0, source.schema) }
            let raw = try scan(name, source.schema, predicates, ignoresRange: source.ignoresRange)
            let rest = Array(conditions.dropFirst().reversed())
            next = rest.isEmpty ? raw : filtering(raw, rest)
        } else {
            next = try run(input)
        }
        return filtering(next, [condition])
    }

    private func filtering(_ next: @escaping BatchIterator, _ conditions: [BoundExpr]) -> BatchIterator {
        let evaluator = evaluator
        return {
            outer: while var batch = try next() {
                for condition in conditions {
                    let rows = try evaluator.selection(condition, batch)
                    if rows.isEmpty { continue outer }
                    if rows.count < batch.count { batch = batch.gather(rows) }
                }
                return batch
            }
            return nil
        }
    }

    /// The parts of a condition that compare a column with a constant.
    func predicates(_ e: BoundExpr, _ schema: Schema) -> [ScanPredicate] {
        if case .convert(let inner, .bool) = e, inner.type == .bool { return predicates(inner, schema) }
        guard case .call(let op, let arguments, _) = e, arguments.count >= 2 else { return [] }
        if op == "and" { return arguments.flatMap { predicates($0, schema) } }
        if op == "in", case .column(let i, .string) = arguments[0], arguments.dropFirst().allSatisfy(\.isConstant) {
            let items = arguments.dropFirst().compactMap { try? evaluator.constant($0) }.flatMap {
                $0.arrayValue ?? [$0]
            }
            return [ScanPredicate(column: schema[i].name, comparison: .anyOf, value: .array(items))]
        }
        guard arguments.count == 2 else { return [] }
        if op == "has" || op == "has_cs", case .column(let i, .string) = arguments[0], arguments[1].isConstant,
            let v = try? evaluator.constant(arguments[1]), case .string(let text) = v
        {
            return [ScanPredicate(column: schema[i].name, comparison: .term, value: .string(text))]
        }
        if op == "has_all", case .column(let i, .string) = arguments[0], arguments[1].isConstant,
            let items = try? evaluator.constant(arguments[1]).arrayValue
        {
            return items.compactMap(\.stringValue).map {
                ScanPredicate(column: schema[i].name, comparison: .term, value: .string($0))
            }
        }
        let direct: [String: ScanPredicate.Comparison] = [
            "==": .equal, "<": .less, "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual,
        ]
        let mirrored: [String: ScanPredicate.Comparison] = [
            "==": .equal, "<": .greater, "<=": .greaterOrEqual, ">": .less, ">=": .lessOrEqual,
        ]
        if case .column(let i, _) = arguments[0], arguments[1].isConstant, let c = direct[op],
            let v = try? evaluator.constant(arguments[1]), !v.isNull
        {
            return [ScanPredicate(column: schema[i].name, comparison: c, value: v)]
        }
        if case .column(let i, _) = arguments[1], arguments[0].isConstant, let c = mirrored[op],
            let v = try? evaluator.constant(arguments[0]), !v.isNull
        {
            return [ScanPredicate(column: schema[i].name, comparison: c, value: v)]
        }
        return []
    }

    private func project(_ input: Plan, _ columns: [BoundColumn], _ schema: Schema) throws -> BatchIterator {
        if columns.contains(where: { $0.expr.usesRowOrder }) {
            return once(try projected(try table(input), columns, schema))
        }
        let next = try run(input)
        return { [self] in try next().map { try projected($0, columns, schema) } }
    }

    /// A batch's columns computed anew; those that only change their place stay unread.
    func projected(_ batch: Batch, _ columns: [BoundColumn], _ schema: Schema) throws -> Batch {
        let out = try columns.map { column -> LazyColumn in
            if case .column(let i, let type) = column.expr, batch.schema[i].type == type { return batch.lazyColumn(i) }
            return LazyColumn(try evaluator.column(column.expr, batch))
        }
        return Batch(schema: schema, columns: out, count: batch.count)
    }

    private func concatenated(_ inputs: [Plan]) throws -> BatchIterator {
        var rest = inputs[...]
        var current: BatchIterator?
        return { [self] in
            while true {
                if let batch = try current?() { return batch }
                guard let plan = rest.popFirst() else { return nil }
                current = try run(plan)
            }
        }
    }

    private func take(_ input: Plan, _ count: Int) throws -> BatchIterator {
        let next = try run(input)
        var left = count
        return {
            guard left > 0, let batch = try next() else { return nil }
            let part = batch.count > left ? batch.slice(0..<left) : batch
            left -= part.count
            return part
        }
    }

    /// Some rows, each as likely as any other: Vitter's reservoir.
    private func sample(_ input: Plan, _ count: Int) throws -> BatchIterator {
        let batches = try collect(input)
        let total = batches.reduce(0) { $0 + $1.count }
        var kept = Array(0..<min(count, total))
        if count > 0, total > count {
            for i in count..<total {
                let j = Int.random(in: 0...i)
                if j < count { kept[j] = i }
            }
        }
        return once(Batch.concatenate(batches, schema: input.schema).gather(kept.sorted().map { Int32($0) }))
    }

    private func rangeRows(
        _ from: BoundExpr, _ to: BoundExpr, _ step: BoundExpr, _ type: ScalarType, _ schema: Schema
    ) throws -> BatchIterator {
        let low = try evaluator.constant(from)
        let high = try evaluator.constant(to)
        let by = try evaluator.constant(step)
        guard let sign = ValueOps.compare(by, ValueOps.arithmetic("-", by, by)), sign != 0, !low.isNull, !high.isNull
        else {
            return once(.empty(schema))
        }
        var current = low
        return { [context] in
            var builder = ColumnBuilder(type)
            while builder.count < 65_536, let c = ValueOps.compare(current, high), sign > 0 ? c <= 0 : c >= 0 {
                builder.append(current)
                let following = ValueOps.arithmetic("+", current, by)
                // An overflow ends the range.
                if let d = ValueOps.compare(following, current), sign > 0 ? d > 0 : d < 0 {
                    current = following
                } else {
                    current = .null
                }
            }
            try context.check()
            let column = builder.finish()
            return column.count == 0 ? nil : Batch(schema: schema, columns: [column], count: column.count)
        }
    }

    private func schemaTable(_ input: Schema, _ schema: Schema) -> Batch {
        Batch(
            schema: schema,
            rows: input.columns.enumerated().map { i, c in
                [.string(c.name), .long(Int64(i)), .string("System.\(c.type.dotNetName)"), .string(c.type.name)]
            })
    }
}
