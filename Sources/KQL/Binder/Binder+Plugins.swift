import Tables

extension Binder {
    func bindPlugin(
        _ call: Expr, _ declared: [ColumnDeclaration]?, _ current: Plan?, _ environment: Environment
    ) throws -> Plan {
        guard case .call(let name, let arguments) = call.kind else {
            throw Diagnostic("KS005", "evaluate expects a plugin.", call.range)
        }
        guard Builtins.plugins.contains(name.text) else {
            throw Diagnostic(
                "KS211", "The name '\(name.text)' does not refer to any known plugin.", name.range,
                suggestion: NearMiss.find(name.text, in: Builtins.plugins.sorted()))
        }
        let input = current ?? Plan(.print([]), Schema([ColumnSpec]()))
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        let bound = try arguments.map { argument -> PluginArgument in
            let value = argument.value
            if case .star = value.kind { return .all }
            if isTabular(value, environment) { return .plan(try bindTabular(value, environment)) }
            if case .call(let f, let inner) = value.kind, environment[f.text] == nil, Builtins.aggregates[f.text] != nil,
                Builtins.scalars[f.text] == nil
            {
                return .aggregate(try bindAggregate(f, inner, scope, environment))
            }
            return .expr(try bindScalar(value, scope, environment))
        }
        let kind = Plan.Kind.plugin(name.text, input, bound)
        if let fixed = fixedSchema(name.text, input, bound) {
            return Plan(kind, fixed, isOpen: input.isOpen)
        }
        if let declared, !declared.isEmpty || resolvePlugin == nil {
            return Plan(kind, Schema(declared.map { ColumnSpec($0.name.text, $0.type) }))
        }
        let open = Plan(kind, input.schema, isOpen: true)
        guard let resolvePlugin, !input.isOpen else { return open }
        return Plan(kind, try resolvePlugin(open))
    }

    /// The output of plugins whose columns do not depend on the rows.
    private func fixedSchema(_ name: String, _ input: Plan, _ arguments: [PluginArgument]) -> Schema? {
        func column(_ i: Int, _ fallback: ScalarType = .string) -> ScalarType {
            if i < arguments.count, case .expr(let e) = arguments[i] { e.type } else { fallback }
        }
        switch name {
        case "narrow":
            return Schema([("Row", .long), ("Column", .string), ("Value", .string)])
        case "ipv4_lookup", "ipv6_lookup":
            guard case .plan(let lookup)? = arguments.first else { return nil }
            var names = NameSet()
            var columns: [ColumnSpec] = []
            for c in input.schema.columns + lookup.schema.columns { columns.append(ColumnSpec(names.unique(c.name), c.type)) }
            return Schema(columns)
        case "preview", "rows_near": return input.schema
        case "infer_storage_schema": return Schema([("CslSchema", .string)])
        default: return nil
        }
    }
}
