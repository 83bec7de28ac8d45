import Tables

/// Functions that look at other rows (https://learn.microsoft.com/kusto/query/window-functions).
///
/// They see all rows that come into an operator, whatever the expression around them needs of each: a branch of `iff`,
/// or what an earlier condition of `where` kept. So each call is computed first, as a column of the whole input, and
/// the
/// expression reads that column.
extension Binder {
    /// The input with a column for every call in `expressions` that looks at other rows, and the expressions over it.
    /// The input's own columns keep their places.
    func lifting(_ input: Plan, _ expressions: [BoundExpr]) -> (plan: Plan, expressions: [BoundExpr]) {
        var plan = input
        var rest = expressions
        // A call may stand in the argument of another: the innermost come first.
        while rest.contains(where: \.usesRowOrder) {
            var found: [BoundColumn] = []
            rest = rest.map { replacingWindows(in: $0, from: plan.schema.count, &found) }
            let kept = plan.schema.columns.enumerated().map { BoundColumn($1.name, .column($0, $1.type)) }
            let columns = kept + found
            var next = Plan(.project(plan, columns), Schema(columns.map(\.spec)), isOpen: plan.isOpen)
            next.isSerialized = plan.isSerialized
            plan = next
        }
        return (plan, rest)
    }

    private func replacingWindows(in e: BoundExpr, from width: Int, _ found: inout [BoundColumn]) -> BoundExpr {
        guard e.usesRowOrder else { return e }
        switch e {
        case .call(let name, let arguments, let type):
            if e.isWindow {
                found.append(BoundColumn("\u{1}window\(freshID())", e))
                return .column(width + found.count - 1, type)
            }
            return .call(name, arguments.map { replacingWindows(in: $0, from: width, &found) }, type)
        case .convert(let inner, let type):
            return .convert(replacingWindows(in: inner, from: width, &found), type)
        case .inTable(let op, let value, let id, let plan):
            return .inTable(operator: op, replacingWindows(in: value, from: width, &found), id: id, plan)
        case .column, .literal, .toScalar: return e
        }
    }

    /// Columns of a row, computed from `input`.
    func project(_ input: Plan, _ columns: [BoundColumn]) -> Plan {
        var source = input
        var columns = columns
        if columns.contains(where: { $0.expr.usesRowOrder && !$0.expr.isWindow }) {
            let lifted = lifting(input, columns.map(\.expr))
            source = lifted.plan
            columns = zip(columns, lifted.expressions).map { BoundColumn($0.name, $1) }
        }
        var plan = Plan(.project(source, columns), Schema(columns.map(\.spec)), isOpen: input.isOpen)
        plan.isSerialized = input.isSerialized
        return plan
    }

    /// The rows for which a condition holds.
    func filter(_ input: Plan, _ condition: BoundExpr) -> Plan {
        if let pushed = filteringLeft(of: input, condition) { return pushed }
        let (source, parts) = lifting(input, [condition])
        var plan = Plan(.filter(source, convert(parts[0], to: .bool)), source.schema, isOpen: input.isOpen)
        plan.isSerialized = input.isSerialized
        return withoutWindows(plan, like: input)
    }

    /// A filter on the left side's columns right after an `innerunique` join: the service filters before it keeps one
    /// row for each key, which the join's page leaves open and people see.
    private func filteringLeft(of input: Plan, _ condition: BoundExpr) -> Plan? {
        guard case .join(let join) = input.kind, join.kind == .innerunique, !condition.usesRowOrder else { return nil }
        var mine: [BoundExpr] = []
        var rest: [BoundExpr] = []
        func split(_ e: BoundExpr) {
            switch e {
            case .call("and", let parts, _) where parts.count == 2: parts.forEach(split)
            case .convert(let inner, .bool) where inner.type == .bool: split(inner)
            default:
                if let moved = moved(e, onto: join.leftColumns) { mine.append(moved) } else { rest.append(e) }
            }
        }
        split(condition)
        guard let first = mine.first else { return nil }
        let all = mine.dropFirst().reduce(first) { .call("and", [$0, convert($1, to: .bool)], .bool) }
        let left = filter(join.left, all)
        let narrowed = JoinPlan(
            kind: join.kind, left: left, right: join.right, keys: join.keys, leftColumns: join.leftColumns,
            rightColumns: join.rightColumns)
        let plan = Plan(.join(narrowed), input.schema, isOpen: input.isOpen)
        guard let last = rest.first else { return plan }
        let others = rest.dropFirst().reduce(last) { .call("and", [$0, convert($1, to: .bool)], .bool) }
        return Plan(.filter(plan, convert(others, to: .bool)), input.schema, isOpen: input.isOpen)
    }

    /// An expression over the first columns of a join as one over the left side; nil when it reads others too, or more
    /// than columns.
    private func moved(_ e: BoundExpr, onto columns: [Int]) -> BoundExpr? {
        switch e {
        case .column(let i, let type): return i < columns.count ? .column(columns[i], type) : nil
        case .literal, .toScalar: return e
        case .call(let name, let arguments, let type):
            if name == "rand" || name == "new_guid" { return nil }
            let inner = arguments.compactMap { moved($0, onto: columns) }
            return inner.count == arguments.count ? .call(name, inner, type) : nil
        case .convert(let inner, let type): return moved(inner, onto: columns).map { .convert($0, type) }
        case .inTable(let op, let value, let id, let plan):
            return moved(value, onto: columns).map { .inTable(operator: op, $0, id: id, plan) }
        }
    }

    /// Rows in an order, all or the first of them.
    func sorted(_ input: Plan, _ keys: [SortKey], top: BoundExpr? = nil) -> Plan {
        let (source, parts) = lifting(input, keys.map(\.expr))
        let keys = zip(keys, parts).map {
            SortKey(expr: $1, isAscending: $0.isAscending, nullsFirst: $0.nullsFirst)
        }
        let kind: Plan.Kind = top.map { .top(source, $0, keys) } ?? .sort(source, keys)
        return withoutWindows(Plan(kind, source.schema, isOpen: input.isOpen), like: input)
    }

    /// Groups, with the columns that the aggregates give after those of the keys.
    func grouped(_ input: Plan, _ keys: [BoundColumn], _ aggregates: [BoundAggregate], _ schema: Schema) -> Plan {
        let (source, lifted) = lifting(input, keys.map(\.expr) + aggregates.flatMap(\.arguments))
        var rest = lifted[...]
        let keys = keys.map { BoundColumn($0.name, rest.removeFirst()) }
        return Plan(
            .summarize(source, keys: keys, aggregates: aggregates.map { taking(&rest, $0) }), schema,
            isOpen: input.isOpen)
    }

    /// An aggregate with the arguments that come next.
    func taking(_ expressions: inout ArraySlice<BoundExpr>, _ aggregate: BoundAggregate) -> BoundAggregate {
        let own = Array(expressions.prefix(aggregate.arguments.count))
        expressions = expressions.dropFirst(aggregate.arguments.count)
        return BoundAggregate(name: aggregate.name, arguments: own, outputs: aggregate.outputs)
    }

    /// Without the columns that only an expression read.
    private func withoutWindows(_ plan: Plan, like input: Plan) -> Plan {
        plan.schema.count == input.schema.count ? plan : keep(plan, Array(input.schema.columns.indices))
    }

    // MARK: Serialized rows

    /// Whether the rows after an operator have an order that functions of other rows may rely on.
    static func serializes(_ op: Operator, _ input: Plan?, _ output: Plan) -> Bool {
        switch op.kind {
        case .sort, .top, .topHitters, .topNested, .serialize, .range, .scan, .getschema, .print: true
        case .filter, .extend, .project, .projectAway, .projectKeep, .projectRename, .projectReorder, .projectByNames,
            .take, .mvExpand, .parse, .parseKV, .alias, .render, .assertSchema:
            input?.isSerialized ?? false
        case .invoke, .partition, .mvApply: true
        default: output.isSerialized
        }
    }

    /// Says which calls in an operator need an order of rows that its input does not have.
    func warnOfWindows(over input: Plan?) {
        defer { windowCalls = [] }
        guard let input, !input.isSerialized else { return }
        for call in windowCalls {
            warn(
                "VK030",
                "the service refuses '\(call.text)' here: it needs rows in an order; put 'sort by …' or "
                    + "'serialize' before it",
                call.range)
        }
    }
}
