import Tables

extension Binder {
    private func expandPlan(
        _ columns: [MvExpandColumn], _ properties: [Property], _ limit: Expr?, _ input: Plan,
        _ environment: Environment,
        appendsOnly: Bool
    ) throws -> (plan: ExpandPlan, schema: Schema) {
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        var schema = input.schema
        var layout = Array(input.schema.columns.indices)
        var expansions: [ExpandColumn] = []
        var names = NameSet()
        for c in schema.columns { names.insert(c.name) }
        let (source, values) = lifting(input, try columns.map { try bindScalar($0.expr, scope, environment) })
        for (column, e) in zip(columns, values) {
            guard e.type == .dynamic else {
                throw Diagnostic(
                    "KS141", "mv-expand expects a value of type dynamic, not \(e.type.name).", column.expr.range)
            }
            let name = column.name?.text ?? Naming.name(of: column.expr) ?? names.numbered()
            let type = column.type ?? .dynamic
            expansions.append(ExpandColumn(expr: e, name: name, type: type, converts: column.type != nil))
            let slot = -expansions.count
            if let i = schema.index(of: name) {
                schema.columns[i].type = type
                layout[i] = slot
            } else {
                names.insert(name)
                schema.columns.append(ColumnSpec(name, type))
                layout.append(slot)
            }
        }
        var indexColumn = false
        var bagAsArray = false
        for property in properties {
            guard case .name(let value) = property.value.kind else { continue }
            if property.name.text == "with_itemindex" {
                indexColumn = true
                schema.columns.append(ColumnSpec(value, .long))
            } else if property.name.text == "bagexpansion" || property.name.text == "kind" {
                bagAsArray = value == "array"
            }
        }
        let bound = try limit.map { convert(try bindScalar($0, .none, environment), to: .long) }
        let plan = ExpandPlan(
            input: source, columns: expansions, layout: layout, indexColumn: indexColumn, limit: bound,
            bagAsArray: bagAsArray)
        return (plan, schema)
    }

    func bindExpand(
        _ columns: [MvExpandColumn], _ properties: [Property], _ limit: Expr?, _ input: Plan, _ environment: Environment
    ) throws -> Plan {
        let (plan, schema) = try expandPlan(columns, properties, limit, input, environment, appendsOnly: false)
        return Plan(.mvExpand(plan), schema, isOpen: input.isOpen)
    }

    func bindApply(
        _ columns: [MvExpandColumn], _ properties: [Property], _ limit: Expr?, _ subquery: [Operator], _ input: Plan,
        _ environment: Environment
    ) throws -> Plan {
        let (plan, expanded) = try expandPlan(columns, properties, limit, input, environment, appendsOnly: true)
        let id = freshID()
        let sub = try continuing(Plan(.input(id), expanded, isOpen: input.isOpen), subquery, environment)
        // The row of the input stays, but what the subquery gives under the same name replaces it.
        let applied = Set(plan.columns.map(\.name)).union(expanded.columns.suffix(plan.indexColumn ? 1 : 0).map(\.name))
        var schema: [ColumnSpec] = []
        var layout: [Int] = []
        for (i, c) in input.schema.columns.enumerated() {
            if let s = sub.schema.index(of: c.name), applied.contains(c.name) || sub.schema[s].type != c.type {
                schema.append(ColumnSpec(c.name, sub.schema[s].type))
                layout.append(-1 - s)
            } else {
                schema.append(c)
                layout.append(i)
            }
        }
        for (s, c) in sub.schema.columns.enumerated() where input.schema.index(of: c.name) == nil {
            schema.append(c)
            layout.append(-1 - s)
        }
        return Plan(.mvApply(plan, subquery: sub, id: id, layout: layout), Schema(schema), isOpen: input.isOpen)
    }

    func bindParse(_ syntax: ParseSyntax, _ input: Plan, _ environment: Environment) throws -> Plan {
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        let (source, texts) = lifting(input, [asText(try bindScalar(syntax.expr, scope, environment))])
        var schema = input.schema
        var targets: [Int] = []
        for part in syntax.parts {
            guard case .column(let name, let type) = part else { continue }
            if let i = schema.index(of: name.text) {
                schema.columns[i].type = type
                targets.append(i)
            } else {
                targets.append(schema.count)
                schema.columns.append(ColumnSpec(name.text, type))
            }
        }
        let plan = ParsePlan(
            input: source, source: texts[0], kind: syntax.kind, flags: syntax.flags, parts: syntax.parts,
            filters: syntax.filters,
            targets: targets)
        return Plan(.parse(plan), schema, isOpen: input.isOpen)
    }

    func bindParseKV(
        _ expr: Expr, _ columns: [ColumnDeclaration], _ properties: [Property], _ input: Plan,
        _ environment: Environment
    ) throws -> Plan {
        let source = asText(try bindScalar(expr, RowScope(schema: input.schema, isOpen: input.isOpen), environment))
        var syntax = KeyValueSyntax()
        for property in properties {
            let value = try bindScalar(property.value, .none, environment).literalValue
            switch property.name.text {
            case "pair_delimiter": syntax.pair = value?.stringValue ?? syntax.pair
            case "kv_delimiter": syntax.key = value?.stringValue ?? syntax.key
            case "quote": syntax.quotes += (value?.arrayValue ?? [value ?? .null]).map(\.text).filter { !$0.isEmpty }
            case "escape": syntax.escapes += (value?.arrayValue ?? [value ?? .null]).compactMap(\.text.first)
            case "regex": syntax.regex = value?.stringValue
            case "greedy": syntax.greedy = value?.boolValue ?? false
            default: break
            }
        }
        let specs = columns.map { ColumnSpec($0.name.text, $0.type) }
        var schema = input.schema
        for spec in specs {
            if let i = schema.index(of: spec.name) { schema.columns[i] = spec } else { schema.columns.append(spec) }
        }
        return Plan(
            .parseKV(input, source, specs, syntax), schema, isOpen: input.isOpen)
    }

    func bindMakeSeries(_ syntax: MakeSeriesSyntax, _ input: Plan, _ environment: Environment) throws -> Plan {
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        let keys = try bindColumns(syntax.by, scope, environment)
        var names = NameSet()
        for key in keys { names.insert(key.name) }
        var schema = keys.map(\.spec)
        let collector = AggregateCollector(keyCount: 0)
        var series: [SeriesValue] = []
        for item in syntax.aggregates {
            let value = try bindAggregateExpr(item.expr.expr, scope, [], environment, collector)
            series.append(
                SeriesValue(
                    value: value, defaultValue: try item.defaultValue.map { try bindScalar($0, .none, environment) }))
            let column = item.expr.names.first?.text ?? Naming.name(of: item.expr.expr) ?? names.numbered()
            schema.append(ColumnSpec(names.unique(column), .dynamic))
        }
        let axis = try bindScalar(syntax.on.expr, scope, environment)
        schema.append(
            ColumnSpec(
                names.unique(syntax.on.names.first?.text ?? Naming.name(of: syntax.on.expr) ?? "Column1"), .dynamic))
        let edge = { (e: Expr) in self.convert(try self.bindScalar(e, .none, environment), to: axis.type) }
        let step = try bindScalar(syntax.step, .none, environment)
        let (source, lifted) = lifting(
            input, [axis] + keys.map(\.expr) + collector.aggregates.flatMap(\.arguments))
        var rest = lifted.dropFirst()
        let groups = keys.map { BoundColumn($0.name, rest.removeFirst()) }
        let plan = MakeSeriesPlan(
            input: source, keys: groups, aggregates: collector.aggregates.map { taking(&rest, $0) }, series: series,
            axis: lifted[0], isStopIncluded: syntax.isStopIncluded,
            from: try syntax.from.map(edge),
            to: try syntax.to.map(edge), step: step,
            isNeverEmpty: syntax.properties.contains {
                if case .name("nonempty") = $0.value.kind { true } else { false }
            })
        return Plan(.makeSeries(plan), Schema(schema))
    }

    func bindTopNested(_ clauses: [TopNestedClause], _ input: Plan, _ environment: Environment) throws -> Plan {
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        var names = NameSet()
        var schema: [ColumnSpec] = []
        var levels: [TopNestedLevel] = []
        for clause in clauses {
            let key = try bindScalar(clause.of.expr, scope, environment)
            let keyName = names.unique(clause.of.names.first?.text ?? Naming.name(of: clause.of.expr) ?? "Column1")
            guard case .call(let name, let arguments) = clause.by.expr.kind, Builtins.aggregates[name.text] != nil
            else {
                throw Diagnostic(
                    "KS144", "top-nested expects an aggregation function after 'by'.", clause.by.expr.range)
            }
            let aggregate = try bindAggregate(name, arguments, scope, environment)
            let aggregateName = names.unique(clause.by.names.first?.text ?? "aggregated_\(keyName)")
            schema.append(ColumnSpec(keyName, key.type))
            schema.append(ColumnSpec(aggregateName, aggregate.outputs[0].type))
            levels.append(
                TopNestedLevel(
                    count: try clause.count.map { convert(try bindScalar($0, .none, environment), to: .long) },
                    key: BoundColumn(keyName, key), aggregate: aggregate,
                    others: try clause.others.map { convert(try bindScalar($0, .none, environment), to: key.type) },
                    isAscending: clause.isAscending ?? false,
                    nullsFirst: clause.nullsFirst ?? clause.isAscending ?? false))
        }
        return Plan(.topNested(input, levels), Schema(schema))
    }

    func bindScan(_ syntax: ScanSyntax, _ input: Plan, _ environment: Environment) throws -> Plan {
        let declared = syntax.declarations.map { ColumnSpec($0.0.name.text, $0.0.type) }
        let output = Schema(input.schema.columns + declared)
        // What conditions see: the row, the current state's columns, then each step's last row.
        var columns = output.columns
        var scope = RowScope(schema: output, isOpen: input.isOpen)
        for step in syntax.steps {
            var members: [String: BoundExpr] = [:]
            for c in output.columns {
                members[c.name] = .column(columns.count, c.type)
                columns.append(ColumnSpec("\(step.name.text).\(c.name)", c.type))
            }
            scope.members[step.name.text] = members
        }
        let defaults = try syntax.declarations.map { d in
            try d.1.map { convert(try bindScalar($0, .none, environment), to: d.0.type) }
        }
        let steps = try syntax.steps.map { step in
            ScanPlan.Step(
                name: step.name.text, isOptional: step.isOptional, output: step.output ?? "all",
                condition: convert(try bindScalar(step.condition, scope, environment), to: .bool),
                assignments: try step.assignments.map { item in
                    guard let name = item.names.first, let i = declared.firstIndex(where: { $0.name == name.text })
                    else {
                        throw Diagnostic("KS142", "scan assigns only to declared columns.", item.range)
                    }
                    return (i, convert(try bindScalar(item.expr, scope, environment), to: declared[i].type))
                })
        }
        var ordered = input
        if !syntax.orderBy.isEmpty {
            ordered = Plan(
                .sort(input, try bindOrder(syntax.orderBy, RowScope(schema: input.schema), environment)), input.schema)
        }
        var schema = output
        if let id = syntax.matchID { schema.columns.append(ColumnSpec(id.text, .long)) }
        let partitions = try syntax.partitionBy.map { try bindScalar($0, RowScope(schema: input.schema), environment) }
        let plan = ScanPlan(
            input: ordered, declared: declared, defaults: defaults, steps: steps, partitionBy: partitions,
            hasMatchID: syntax.matchID != nil)
        return Plan(.scan(plan), schema)
    }
}
