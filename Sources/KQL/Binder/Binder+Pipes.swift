import Tables

extension Binder {
    func bindPipe(_ source: Expr?, _ operators: [Operator], _ environment: Environment) throws -> Plan {
        if let source, isGraph(source, operators, environment) {
            return try bindGraphPipe(source, operators, environment)
        }
        var plan: Plan?
        let inner = Environment(parent: environment)
        if let source { plan = try bindTabular(source, environment) }
        for op in operators {
            plan = try bindOperator(op, plan, inner)
            try countBound(op.range)
            try plan?.checkSize(op.range)
        }
        guard let plan else { throw Diagnostic("KS007", "the query has no source", 0..<0) }
        return plan
    }

    /// The branches of a `fork` at the end of a pipe; empty when there is none.
    func bindFork(_ expr: Expr, _ environment: Environment) throws -> [(name: String, plan: Plan)] {
        guard case .pipe(let source, var operators) = expr.kind else { return [] }
        if let chart = operators.last, case .render = chart.kind, operators.count > 1 {
            switch operators[operators.count - 2].kind {
            case .fork, .facet:
                _ = try bindOperator(chart, Plan(.print([]), Schema([ColumnSpec]())), environment)
                operators.removeLast()
            default: break
            }
        }
        guard let last = operators.last else { return [] }
        switch last.kind {
        case .fork(let branches):
            let shared = try sharedInput(source, operators.dropLast(), environment)
            return try branches.enumerated().map { i, branch in
                (branch.0?.text ?? "Fork\(i + 1)", try continuing(shared, branch.1, environment))
            }
        case .facet(let columns, let sub):
            let shared = try sharedInput(source, operators.dropLast(), environment)
            var out: [(name: String, plan: Plan)] = []
            for column in columns {
                let key = NamedExpr(names: [], expr: column)
                let range = column.range
                let count = NamedExpr(
                    names: [Name("count_", range)], expr: Expr(.call(Name("count", range), []), range))
                out.append(
                    (Naming.name(of: column) ?? "Facet", try bindSummarize([count], by: [key], shared, environment)))
            }
            if let sub { out.append(("Facet", try continuing(shared, sub, environment))) }
            return out
        default: return []
        }
    }

    private func sharedInput(_ source: Expr?, _ operators: ArraySlice<Operator>, _ environment: Environment) throws
        -> Plan
    {
        let input = try bindPipe(source, Array(operators), environment)
        return Plan(.materialize(id: freshID(), input), input.schema, isOpen: input.isOpen)
    }

    func continuing(_ input: Plan, _ operators: [Operator], _ environment: Environment) throws -> Plan {
        let inner = Environment(parent: environment)
        return try operators.reduce(input) { try bindOperator($1, $0, inner) }
    }

    private func needInput(_ plan: Plan?, _ op: Operator) throws -> Plan {
        guard let plan else {
            throw Diagnostic("KS005", "The operator '\(op.keyword.text)' needs a table before it.", op.keyword.range)
        }
        return plan
    }

    /// A non-negative whole number known before running.
    private func count(_ expr: Expr, _ environment: Environment) throws -> BoundExpr {
        let e = try bindScalar(expr, .none, environment)
        guard e.type.isNumeric || e.type == .dynamic else {
            throw Diagnostic("KS107", "A number is expected here, not a value of type \(e.type.name).", expr.range)
        }
        return convert(e, to: .long)
    }

    func bindOperator(_ op: Operator, _ current: Plan?, _ environment: Environment) throws -> Plan {
        let outer = windowCalls
        windowCalls = []
        var plan = try bindKind(op, current, environment)
        // `serialize` fixes the order before it computes its columns.
        if case .serialize = op.kind { windowCalls = [] }
        warnOfWindows(over: current)
        windowCalls = outer
        plan.isSerialized = Binder.serializes(op, current, plan)
        return plan
    }

    private func bindKind(_ op: Operator, _ current: Plan?, _ environment: Environment) throws -> Plan {
        switch op.kind {
        case .print(let items):
            let columns = try bindColumns(items, .none, environment, isPrint: true)
            return Plan(.print(columns.map(\.expr)), Schema(columns.map(\.spec)))
        case .range(let name, let from, let to, let step):
            return try bindRange(name, from, to, step, environment)
        case .union(let properties, let sources):
            return try bindUnion(properties, sources, current, environment)
        case .search(_, let sources, let condition):
            return try bindSearch(sources, condition, current, environment)
        case .find(let properties, let sources, let condition, let columns):
            return try bindFind(properties, sources, condition, columns, environment)
        case .evaluate(let call, let declared):
            return try bindPlugin(call, declared, current, environment)
        default: break
        }
        let input = try needInput(current, op)
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        switch op.kind {
        case .filter(let condition):
            do {
                let e = try bindScalar(condition.expr, scope, environment)
                try expectCondition(e, condition.expr.range, "The operator 'where'", isOpen: input.isOpen)
                return filter(input, e)
            } catch let problem as Diagnostic where !condition.names.isEmpty {
                throw Diagnostic(
                    problem.code, problem.message + " '=' gives a name here: '==' compares.", problem.range,
                    suggestion: problem.suggestion)
            }
        case .extend(let items): return project(input, try bindColumns(items, scope, environment, base: input.schema))
        case .serialize(let items):
            return project(input, try bindColumns(items, scope, environment, base: input.schema))
        case .project(let items): return project(input, try bindColumns(items, scope, environment))
        case .projectAway(let patterns):
            let gone = Set(try matching(patterns, input, environment))
            return keep(input, input.schema.columns.indices.filter { !gone.contains($0) })
        case .projectKeep(let patterns):
            let kept = Set(try matching(patterns, input, environment))
            return keep(input, input.schema.columns.indices.filter { kept.contains($0) })
        case .projectByNames(let items):
            var names: [String] = []
            for item in items {
                let value = try constant(bindScalar(item, .none, environment))
                switch value {
                case .string(let name)?: names.append(name)
                case .array(let list)?: names += list.map(\.text)
                default:
                    throw Diagnostic(
                        "KS107", "project-by-names expects names that are known before running.", item.range)
                }
            }
            var kept: [Int] = []
            for name in names {
                for (i, c) in input.schema.columns.enumerated()
                where Wildcard.matches(name, c.name) && !kept.contains(i) { kept.append(i) }
            }
            return keep(input, kept)
        case .projectRename(let items): return try bindRename(items, input, environment)
        case .projectReorder(let items): return try bindReorder(items, input, environment)
        case .summarize(let items, let keys): return try bindSummarize(items, by: keys, input, environment)
        case .distinct(let items):
            let columns = try bindColumns(items, scope, environment)
            try refuseDynamicKeys(columns, items, input)
            return grouped(input, columns, [], Schema(columns.map(\.spec)))
        case .sort(let items):
            let keys = try bindOrder(items, scope, environment)
            for (key, item) in zip(keys, items) where key.expr.type == .dynamic && !input.isOpen {
                throw notAllowed(.dynamic, item.expr.expr.range)
            }
            return sorted(input, keys)
        case .top(let n, let item):
            return sorted(input, try bindOrder([item], scope, environment), top: try count(n, environment))
        case .take(let n): return Plan(.take(input, try count(n, environment)), input.schema, isOpen: input.isOpen)
        case .sample(let n): return Plan(.sample(input, try count(n, environment)), input.schema, isOpen: input.isOpen)
        case .sampleDistinct(let n, let of):
            let columns = try bindColumns([of], scope, environment)
            let distinct = grouped(input, columns, [], Schema(columns.map(\.spec)))
            return Plan(.take(distinct, try count(n, environment)), distinct.schema)
        case .topHitters(let n, let of, let by): return try bindTopHitters(n, of, by, input, op.range, environment)
        case .count(let name):
            let column = ColumnSpec(name?.text ?? "Count", .long)
            let aggregate = BoundAggregate(name: "count", arguments: [], outputs: [column])
            return Plan(.summarize(input, keys: [], aggregates: [aggregate]), Schema([column]))
        case .join(let syntax): return try bindJoin(syntax, input, op, environment, isLookup: false)
        case .lookup(let syntax): return try bindJoin(syntax, input, op, environment, isLookup: true)
        case .mvExpand(let columns, let properties, let limit):
            return try bindExpand(columns, properties, limit, input, environment)
        case .mvApply(let columns, let properties, let limit, let subquery):
            return try bindApply(columns, properties, limit, subquery, input, environment)
        case .parse(let syntax): return try bindParse(syntax, input, environment)
        case .parseKV(let expr, let columns, let properties):
            return try bindParseKV(expr, columns, properties, input, environment)
        case .makeSeries(let syntax): return try bindMakeSeries(syntax, input, environment)
        case .topNested(let clauses): return try bindTopNested(clauses, input, environment)
        case .scan(let syntax): return try bindScan(syntax, input, environment)
        case .render(let kind, let properties):
            render = RenderSpec(
                kind: kind.text,
                properties: properties.map { property in
                    switch property.value.kind {
                    case .literal(let v, _): (property.name.text, v.text)
                    case .name(let n): (property.name.text, n)
                    case .tuple(let items):
                        (property.name.text, items.compactMap { Naming.name(of: $0) }.joined(separator: ","))
                    default: (property.name.text, "")
                    }
                })
            return input
        case .invoke(let call): return try bindInvoke(call, input, environment)
        case .alias(let name):
            let shared = Plan(.materialize(id: freshID(), input), input.schema, isOpen: input.isOpen)
            environment[name.text] = .plan(shared)
            return shared
        case .getschema:
            return Plan(
                .schema(input),
                Schema([
                    ("ColumnName", .string), ("ColumnOrdinal", .int), ("DataType", .string), ("ColumnType", .string),
                ]))
        case .consume: return Plan(.take(input, .literal(.long(0), .long)), input.schema)
        case .partition(_, let by, let subquery):
            let id = freshID()
            let sub = try continuing(Plan(.input(id), input.schema), subquery, environment)
            let key = try bindScalar(by, scope, environment)
            return Plan(.partition(input, by: key, subquery: sub, id: id), sub.schema, isOpen: input.isOpen)
        case .reduce(let by, let properties): return try bindReduce(by, properties, input, environment)
        case .assertSchema(let columns):
            let wanted = Schema(columns.map { ColumnSpec($0.name.text, $0.type) })
            guard wanted == input.schema else {
                throw Diagnostic(
                    "KS110", "The schema is \(input.schema.description), not \(wanted.description).", op.range)
            }
            return input
        case .fork, .facet:
            throw Diagnostic("VK011", "'\(op.keyword.text)' is supported at the end of a query only.", op.keyword.range)
        case .graphMatch, .graphMarkComponents, .graphShortestPaths, .graphToTable:
            throw Diagnostic("KS005", "The operator '\(op.keyword.text)' needs a graph before it.", op.keyword.range)
        default:
            throw Diagnostic(
                "VK010", "valid KQL, but not in the local engine: \(op.keyword.text); run it on Kusto with --on",
                op.keyword.range)
        }
    }

    private func bindRange(_ name: Name, _ from: Expr, _ to: Expr, _ step: Expr, _ environment: Environment) throws
        -> Plan
    {
        let low = try bindScalar(from, .none, environment)
        let high = try bindScalar(to, .none, environment)
        let by = try bindScalar(step, .none, environment)
        let type: ScalarType
        if low.type == .datetime || high.type == .datetime {
            type = .datetime
        } else if low.type == .timespan {
            type = .timespan
        } else {
            type = [low.type, high.type, by.type].contains(.real) ? .real : .long
        }
        let stepType: ScalarType = type == .datetime ? .timespan : type
        return Plan(
            .range(convert(low, to: type), convert(high, to: type), convert(by, to: stepType), type),
            Schema([ColumnSpec(name.text, type)]))
    }

    private func bindInvoke(_ call: Expr, _ input: Plan, _ environment: Environment) throws -> Plan {
        guard case .call(let name, let arguments) = call.kind else {
            throw Diagnostic("KS005", "invoke expects a function call.", call.range)
        }
        if let binding = environment[name.text], case .function(let declaration, let home) = binding {
            return try callTabular(declaration, home, arguments, name.text, call.range, environment, input: input)
        }
        if let stored = catalog.function(named: name.text) {
            return try callTabular(
                stored, .stored, arguments, name.text, call.range, environment, input: input)
        }
        throw unknownFunction(name, environment)
    }

    private func bindTopHitters(
        _ n: Expr, _ of: NamedExpr, _ by: NamedExpr?, _ input: Plan, _ range: Range<Int>, _ environment: Environment
    ) throws -> Plan {
        let function = by == nil ? "count" : "sum"
        let arguments = by.map { [CallArgument(name: nil, value: $0.expr)] } ?? []
        let name = "approximate_\(function)_\(Naming.name(of: by?.expr ?? of.expr) ?? "")"
        let aggregate = NamedExpr(
            names: [Name(name, range)], expr: Expr(.call(Name(function, range), arguments), range))
        let grouped = try bindSummarize([aggregate], by: [of], input, environment)
        let key = SortKey(expr: .column(1, grouped.schema[1].type), isAscending: false, nullsFirst: false)
        return Plan(.top(grouped, try count(n, environment), [key]), grouped.schema)
    }

    private func bindReduce(_ by: Expr, _ properties: [Property], _ input: Plan, _ environment: Environment) throws
        -> Plan
    {
        let e = asText(try bindScalar(by, RowScope(schema: input.schema, isOpen: input.isOpen), environment))
        var threshold = 0.1
        var characters = ""
        for property in properties where property.name.text != "kind" {
            let value = try bindScalar(property.value, .none, environment).literalValue
            if property.name.text == "threshold", let d = value?.doubleValue { threshold = d }
            if property.name.text == "characters", let s = value?.stringValue { characters = s }
        }
        let keepsRows = properties.contains { property in
            if case .name("source") = property.value.kind { property.name.text == "kind" } else { false }
        }
        let reduce = ReducePlan(
            input: input, source: e, threshold: threshold, characters: characters, keepsRows: keepsRows)
        if keepsRows {
            return Plan(
                .reduce(reduce), Schema(input.schema.columns + [ColumnSpec("Pattern", .string)]), isOpen: input.isOpen)
        }
        return Plan(.reduce(reduce), Schema([("Pattern", .string), ("Count", .long), ("Representative", .string)]))
    }
}
