import Tables

/// Collects the aggregation functions of an operator; each becomes columns after the keys.
final class AggregateCollector {
    var aggregates: [BoundAggregate] = []
    /// The number of the first column that the next aggregate gives.
    var nextColumn: Int

    init(keyCount: Int) { nextColumn = keyCount }

    func add(_ aggregate: BoundAggregate) -> Int {
        let first = nextColumn
        aggregates.append(aggregate)
        nextColumn += aggregate.outputs.count
        return first
    }
}

extension Binder {
    func bindSummarize(
        _ items: [NamedExpr], by keyItems: [NamedExpr], _ input: Plan, _ environment: Environment
    ) throws -> Plan {
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        let keys = try bindColumns(keyItems, scope, environment)
        let collector = AggregateCollector(keyCount: keys.count)
        var names = NameSet()
        for key in keys { names.insert(key.name) }
        var outputs: [(String, BoundExpr)] = []
        for item in items {
            if let multi = try bindMultiAggregate(item, keys, scope, environment, collector, &names) {
                outputs += multi
                continue
            }
            let e = try bindAggregateExpr(item.expr, scope, keys, environment, collector)
            if let name = item.names.first {
                outputs.append((names.unique(name.text), e))
            } else if let name = Naming.name(of: item.expr) {
                outputs.append((names.unique(name), e))
            } else {
                outputs.append((names.numbered(), e))
            }
        }
        let raw = Schema(keys.map(\.spec) + collector.aggregates.flatMap(\.outputs))
        try refuseDynamicKeys(keys, keyItems, input)
        let grouped = grouped(input, keys, collector.aggregates, raw)
        let columns =
            keys.enumerated().map { BoundColumn($1.name, .column($0, $1.expr.type)) }
            + outputs.map { BoundColumn($0.0, $0.1) }
        return project(grouped, columns)
    }

    /// Aggregates that give several columns when they stand alone: `arg_max`, `take_any`, `percentiles`.
    private func bindMultiAggregate(
        _ item: NamedExpr, _ keys: [BoundColumn], _ scope: RowScope, _ environment: Environment,
        _ collector: AggregateCollector, _ names: inout NameSet
    ) throws -> [(String, BoundExpr)]? {
        guard case .call(let name, let arguments) = item.expr.kind else { return nil }
        func columns(_ arguments: ArraySlice<CallArgument>, excluding: Set<String>) throws -> [(String, BoundExpr)] {
            var out: [(String, BoundExpr)] = []
            for argument in arguments {
                if case .star = argument.value.kind {
                    let keyNames = Set(
                        keys.compactMap { k -> String? in
                            if case .column(let i, _) = k.expr { return scope.schema[i].name } else { return nil }
                        })
                    for (i, c) in scope.schema.columns.enumerated()
                    where !keyNames.contains(c.name) && !excluding.contains(c.name) {
                        out.append((c.name, .column(i, c.type)))
                    }
                } else {
                    let e = try bindScalar(argument.value, scope, environment)
                    out.append((argument.name?.text ?? Naming.name(of: argument.value) ?? "", e))
                }
            }
            return out
        }
        switch name.text {
        case "arg_max", "arg_min", "argmax", "argmin":
            guard let first = arguments.first else {
                throw Diagnostic("KS119", "The function '\(name.text)' expects at least 1 argument.", name.range)
            }
            let by = try bindScalar(first.value, scope, environment)
            if !scope.isOpen { try expectOrderable(name, by, first.value.range) }
            let plain: Bool
            if case .name = first.value.kind { plain = true } else { plain = false }
            let byName = Naming.name(of: first.value)
            let rest = try columns(arguments.dropFirst(), excluding: plain ? [byName ?? ""] : [])
            let outputs = [ColumnSpec(byName ?? "", by.type)] + rest.map { ColumnSpec($0.0, $0.1.type) }
            let kind = name.text.replacing("argm", with: "arg_m")
            let start = collector.add(BoundAggregate(name: kind, arguments: [by] + rest.map(\.1), outputs: outputs))
            let legacy = !name.text.contains("_")
            let prefix = name.text.hasSuffix("max") ? "max" : "min"
            return outputs.enumerated().map { i, c in
                var wanted = c.name
                if i == 0 {
                    wanted = item.names.first?.text ?? (plain && !legacy ? c.name : "\(prefix)_\(c.name)")
                } else if i < item.names.count {
                    wanted = item.names[i].text
                } else if legacy {
                    wanted = "\(prefix)_\(outputs[0].name)_\(c.name)"
                }
                return (wanted.isEmpty ? names.numbered() : names.unique(wanted), .column(start + i, c.type))
            }
        case "take_any", "any", "anyif", "take_anyif":
            let filtered = name.text.hasSuffix("if")
            let list = try columns(filtered ? arguments.prefix(1) : arguments[...], excluding: [])
            guard !list.isEmpty else {
                throw Diagnostic("KS119", "The function '\(name.text)' expects at least 1 argument.", name.range)
            }
            let outputs = list.map { ColumnSpec($0.0, $0.1.type) }
            var expressions = list.map(\.1)
            if filtered {
                guard arguments.count == 2 else {
                    throw Diagnostic("KS119", "The function '\(name.text)' expects 2 arguments.", name.range)
                }
                expressions.append(convert(try bindScalar(arguments[1].value, scope, environment), to: .bool))
            }
            let start = collector.add(
                BoundAggregate(name: filtered ? "take_anyif" : "take_any", arguments: expressions, outputs: outputs))
            return outputs.enumerated().map { i, c in
                let automatic = name.text == "any" || name.text == "anyif" ? "\(name.text)_\(c.name)" : c.name
                let wanted = i < item.names.count ? item.names[i].text : automatic
                return (wanted.isEmpty ? names.numbered() : names.unique(wanted), .column(start + i, c.type))
            }
        case "percentiles", "percentilesw":
            let weighted = name.text == "percentilesw"
            guard arguments.count >= (weighted ? 3 : 2) else {
                throw Diagnostic(
                    "KS119", "The function '\(name.text)' expects at least \(counted(weighted ? 3 : 2)).", name.range)
            }
            let value = try bindScalar(arguments[0].value, scope, environment)
            let weight = weighted ? [try bindScalar(arguments[1].value, scope, environment)] : []
            return try arguments.dropFirst(weighted ? 2 : 1).enumerated().map { i, argument in
                let p = try bindScalar(argument.value, scope, environment)
                guard p.isConstant else { throw mustBeConstant(name.text, argument.value.range) }
                let type = percentileType(value.type)
                let aggregate = BoundAggregate(
                    name: weighted ? "percentilew" : "percentile", arguments: [value] + weight + [p],
                    outputs: [ColumnSpec("", type)])
                let column = collector.add(aggregate)
                let base = Naming.name(of: arguments[0].value) ?? ""
                let number = constant(p)?.text.map { $0.isNumber ? $0 : "_" }.map(String.init).joined() ?? ""
                let automatic = "percentile_\(base)_\(number)"
                let wanted = i < item.names.count ? item.names[i].text : automatic
                return (names.unique(wanted), .column(column, type))
            }
        default: return nil
        }
    }

    func percentileType(_ t: ScalarType) -> ScalarType { t == .int ? .long : t == .dynamic ? .real : t }

    /// Whether a call where aggregates may stand is one: some names are scalar functions too, of several values.
    private func isAggregate(_ name: String, _ arguments: [CallArgument]) -> Bool {
        guard Builtins.aggregates[name] != nil else { return false }
        return Builtins.scalars[name] == nil || arguments.count == 1 || name == "percentile_tdigest"
    }

    /// Binds an expression in which aggregates may stand; what is outside them sees only the keys.
    func bindAggregateExpr(
        _ expr: Expr, _ scope: RowScope, _ keys: [BoundColumn], _ environment: Environment,
        _ collector: AggregateCollector
    ) throws -> BoundExpr {
        if case .call(let name, let arguments) = expr.kind, environment[name.text] == nil,
            isAggregate(name.text, arguments)
        {
            let aggregate = try bindAggregate(name, arguments, scope, environment)
            let column = collector.add(aggregate)
            return .column(column, aggregate.outputs[0].type)
        }
        func inner(_ e: Expr) throws -> BoundExpr { try bindAggregateExpr(e, scope, keys, environment, collector) }
        switch expr.kind {
        case .tuple(let items) where items.count == 1: return try inner(items[0])
        case .binary(let op, let a, let b, let range): return try binary(op, try inner(a), try inner(b), range)
        case .unary(_, let a):
            let value = try inner(a)
            return .call("negate", [value], value.type)
        case .call, .member, .index, .between, .list:
            // The rest of the language, with the aggregates inside replaced by names of their columns.
            let hidden = Environment(parent: environment)
            let rewritten = try rewrite(expr) { e in
                guard case .call(let name, let arguments) = e.kind, environment[name.text] == nil,
                    self.isAggregate(name.text, arguments)
                else { return nil }
                let aggregate = try self.bindAggregate(name, arguments, scope, environment)
                let column = collector.add(aggregate)
                let placeholder = "\u{1}aggregate\(column)"
                hidden[placeholder] = .scalar(.column(column, aggregate.outputs[0].type))
                return Expr(.name(placeholder), e.range)
            }
            return try bindScalar(rewritten, RowScope(schema: Schema(keys.map(\.spec)), isOpen: scope.isOpen), hidden)
        default:
            return try bindScalar(expr, RowScope(schema: Schema(keys.map(\.spec)), isOpen: scope.isOpen), environment)
        }
    }

    func bindAggregate(
        _ name: Name, _ arguments: [CallArgument], _ scope: RowScope, _ environment: Environment
    ) throws -> BoundAggregate {
        let overloads = Builtins.aggregates[name.text] ?? []
        let low = overloads.map(\.argumentCountMin).min() ?? 0
        let high = overloads.map(\.argumentCountMax).max() ?? 0
        guard (low...high).contains(arguments.count) else {
            let expected =
                low == high
                ? counted(low) : high == Int.max ? "at least \(counted(low))" : "between \(low) and \(high) arguments"
            throw Diagnostic("KS119", "The function '\(name.text)' expects \(expected).", name.range)
        }
        let bound = try arguments.map { argument -> BoundExpr in
            if case .star = argument.value.kind { return .literal(.bool(true), .bool) }
            return try bindScalar(argument.value, scope, environment)
        }
        for i in constantPlaces(name.text, bound.count) where !bound[i].isConstant {
            throw mustBeConstant(name.text, arguments[i].value.range)
        }
        let first = bound.first?.type ?? .long
        let signature = overloads.first { $0.argumentCountMin <= bound.count && bound.count <= $0.argumentCountMax }
        try checkAggregate(name, signature, bound, arguments, isOpen: scope.isOpen)
        let type: ScalarType
        switch signature?.result {
        case .type(let t)?: type = t
        case .special("sum")?: type = first == .int || first == .bool ? .long : first == .dynamic ? .real : first
        case .special("avg")?: type = first == .timespan || first == .datetime || first == .decimal ? first : .real
        case .special("percentile")?: type = percentileType(first)
        default: type = first == .bool && name.text.hasPrefix("binary") ? .long : first
        }
        return BoundAggregate(name: name.text, arguments: bound, outputs: [ColumnSpec("", type)])
    }

    /// Aggregates whose first argument must have a greatest and a least value.
    private static let ordering: Set<String> = ["max", "min", "maxif", "minif", "arg_max", "arg_min"]

    private func checkAggregate(
        _ name: Name, _ signature: Signature?, _ bound: [BoundExpr], _ arguments: [CallArgument], isOpen: Bool
    ) throws {
        guard let signature, !isOpen else { return }
        for (i, (parameter, value)) in zip(signature.parameters, bound).enumerated() {
            let range = arguments[i].value.range
            if case .star = arguments[i].value.kind { continue }
            switch parameter.type {
            case .summable where !TypeFacts.accepts(.summable, value.type):
                throw Diagnostic(
                    "KS107",
                    "The function '\(name.text)' expects a number, datetime or timespan, not \(value.type.name).",
                    range)
            case .scalar(.bool): try expectCondition(value, range, "The function '\(name.text)'", isOpen: isOpen)
            default: break
            }
        }
        guard let first = bound.first, let place = arguments.first?.value.range else { return }
        try expectOrderable(name, first, place)
        if name.text.hasPrefix("count_distinct"), first.type == .dynamic { throw notAllowed(.dynamic, place) }
        if name.text.hasPrefix("avg"), !TypeFacts.accepts(.summable, first.type) {
            throw Diagnostic(
                "KS107", "The function '\(name.text)' expects a number, datetime or timespan, not \(first.type.name).",
                place)
        }
    }

    private func expectOrderable(_ name: Name, _ e: BoundExpr, _ range: Range<Int>) throws {
        guard Binder.ordering.contains(name.text), !TypeFacts.isOrderable(e.type) else { return }
        throw Diagnostic(
            "KS206",
            "The function '\(name.text)' expects a number, timespan, datetime, string or bool, not \(e.type.name).",
            range)
    }

    /// `expr` with every part for which `replace` gives something else replaced.
    func rewrite(_ expr: Expr, _ replace: (Expr) throws -> Expr?) throws -> Expr {
        if let other = try replace(expr) { return other }
        func r(_ e: Expr) throws -> Expr { try rewrite(e, replace) }
        func list(_ items: [CallArgument]) throws -> [CallArgument] {
            try items.map { CallArgument(name: $0.name, value: try r($0.value)) }
        }
        let kind: Expr.Kind
        switch expr.kind {
        case .unary(let op, let a): kind = .unary(op, try r(a))
        case .binary(let op, let a, let b, let range): kind = .binary(op, try r(a), try r(b), operatorRange: range)
        case .call(let name, let arguments): kind = .call(name, try list(arguments))
        case .member(let a, let name): kind = .member(try r(a), name)
        case .index(let a, let b): kind = .index(try r(a), try r(b))
        case .list(let op, let a, let items): kind = .list(op, try r(a), try items.map(r))
        case .between(let negated, let a, let b, let c): kind = .between(negated: negated, try r(a), try r(b), try r(c))
        case .tuple(let items): kind = .tuple(try items.map(r))
        default: return expr
        }
        return Expr(kind, expr.range)
    }
}
