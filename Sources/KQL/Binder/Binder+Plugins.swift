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
        try expectRunnable(name, in: \.plugins)
        let input = current ?? Plan(.print([]), Schema([ColumnSpec]()))
        let scope = RowScope(schema: input.schema, isOpen: input.isOpen)
        let isLookup = name.text == "ipv4_lookup" || name.text == "ipv6_lookup"
        var lookupScope: RowScope?
        var bound = try arguments.enumerated().map { place, argument -> PluginArgument in
            let value = argument.value
            if case .star = value.kind { return .all }
            if isTabular(value, environment) {
                let plan = try bindTabular(value, environment)
                if lookupScope == nil { lookupScope = RowScope(schema: plan.schema, isOpen: plan.isOpen) }
                return .plan(plan)
            }
            if case .call(let f, let inner) = value.kind, environment[f.text] == nil,
                Builtins.aggregates[f.text] != nil,
                Builtins.scalars[f.text] == nil || name.text == "pivot"
            {
                return .aggregate(try bindAggregate(f, inner, scope, environment))
            }
            // From the third on, the columns are the lookup table's.
            let e = try bindScalar(value, isLookup && place >= 2 ? lookupScope ?? scope : scope, environment)
            return argument.name.map { .named($0.text, .expr(e)) } ?? .expr(e)
        }
        if name.text == "bag_unpack" {
            bound = placed(bound, ["Column", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"])
        }
        let kind = Plan.Kind.plugin(name.text, input, bound)
        if let fixed = fixedSchema(name.text, input, bound) {
            return Plan(kind, fixed, isOpen: input.isOpen)
        }
        if let declared, !declared.isEmpty || resolvePlugin == nil {
            var source: Int?
            if case .expr(.column(let i, _))? = bound.first { source = i }
            let columns = declared.flatMap { column -> [ColumnSpec] in
                guard column.name.text == "*" else { return [ColumnSpec(column.name.text, column.type)] }
                return input.schema.columns.enumerated().filter { $0.offset != source }.map(\.element)
            }
            return Plan(kind, Schema(columns))
        }
        let open = Plan(kind, input.schema, isOpen: true)
        guard let resolvePlugin, !input.isOpen else { return open }
        // Without rows, nobody knows: any column may be named, as if it were there and empty.
        return try resolvePlugin(open).map { Plan(kind, $0) }
            ?? Plan(.rows(.empty(input.schema)), input.schema, isOpen: true)
    }

    /// The output of plugins whose columns do not depend on the rows.
    private func fixedSchema(_ name: String, _ input: Plan, _ arguments: [PluginArgument]) -> Schema? {
        func column(_ i: Int, _ fallback: ScalarType = .string) -> ScalarType {
            if i < arguments.count, case .expr(let e) = arguments[i] { e.type } else { fallback }
        }
        func dimensions(from first: Int) -> [ColumnSpec] {
            arguments.dropFirst(first).compactMap { argument in
                guard case .expr(.column(let i, let t)) = argument else { return nil }
                return ColumnSpec(input.schema[i].name, t)
            }
        }
        func timeline() -> ColumnSpec {
            if arguments.count > 1, case .expr(.column(let i, let t)) = arguments[1] {
                return ColumnSpec(input.schema[i].name, t)
            }
            return ColumnSpec("Timestamp", column(1, .datetime))
        }
        func longs(_ names: [String]) -> [ColumnSpec] { names.map { ColumnSpec($0, .long) } }
        func spans(_ windows: Int) -> Int {
            arguments.count >= 4 + windows && column(2) == column(1) && column(3) == column(1)
                ? 4 + windows : 2 + windows
        }
        let segments = Schema([("SegmentId", .long), ("Count", .long), ("Percent", .real)]).columns
        func except(_ places: Int...) -> [ColumnSpec] {
            let gone = places.compactMap { p -> Int? in
                if p < arguments.count, case .expr(.column(let i, _)) = arguments[p] { i } else { nil }
            }
            return input.schema.columns.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
        }
        switch name {
        case "autocluster", "basket": return Schema(segments + except(1))
        case "diffpatterns":
            let shares = ["PercentA", "PercentB", "PercentDiffAB"].map { ColumnSpec($0, .real) }
            return Schema(longs(["SegmentId", "CountA", "CountB"]) + shares + except(0, 3))
        case "active_users_count": return Schema([timeline()] + dimensions(from: 8) + longs(["dcount"]))
        case "activity_counts_metrics":
            return Schema(
                [timeline()] + dimensions(from: 5) + longs(["count", "dcount", "new_dcount", "aggregated_dcount"]))
        case "sliding_window_counts": return Schema([timeline()] + dimensions(from: 6) + longs(["Count", "Dcount"]))
        case "session_count": return Schema([timeline()] + dimensions(from: 6) + longs(["count_sessions"]))
        case "activity_metrics":
            let rates = ["retention_rate", "churn_rate"].map { ColumnSpec($0, .real) }
            return Schema(
                [timeline()] + longs(["dcount_values", "dcount_newvalues"]) + rates + dimensions(from: spans(1)))
        case "activity_engagement":
            return Schema(
                [timeline()] + longs(["dcount_activities_inner", "dcount_activities_outer"]) + [
                    ColumnSpec("activity_ratio", .real)
                ]
                    + dimensions(from: spans(2)))
        case "new_activity_metrics":
            let t = timeline()
            let rates = ["retention_rate", "churn_rate"].map { ColumnSpec($0, .real) }
            return Schema(
                [ColumnSpec("from_\(t.name)", t.type), ColumnSpec("to_\(t.name)", t.type)]
                    + longs(["dcount_new_values", "dcount_retained_values", "dcount_churn_values"]) + rates
                    + dimensions(from: 5))
        case "dcount_intersect": return Schema(longs(arguments.indices.map { "s\($0)" }))
        case "rolling_percentile":
            guard arguments.count >= 5, case .expr(.column(let v, let t)) = arguments[0],
                case .expr(let p) = arguments[1],
                case .expr(.column(let x, let xt)) = arguments[2], case .expr(let w) = arguments[4]
            else { return nil }
            let label =
                "rolling_\(constant(w)?.text ?? "")_percentile_\(input.schema[v].name)_\(constant(p)?.text ?? "")"
            return Schema([ColumnSpec(input.schema[x].name, xt)] + dimensions(from: 5) + [ColumnSpec(label, t)])
        case "sequence_detect":
            guard case .expr(.column(let i, let t))? = arguments.first else { return nil }
            var steps: [ColumnSpec] = []
            for argument in arguments.dropFirst(3) {
                if case .named(let label, .expr(let e)) = argument, e.type == .bool {
                    steps.append(ColumnSpec("\(label)_\(input.schema[i].name)", t))
                }
                if case .expr(let e) = argument, e.type == .bool {
                    steps.append(ColumnSpec("Expr\(steps.count + 1)_\(input.schema[i].name)", t))
                }
            }
            return Schema(dimensions(from: 3) + steps + [ColumnSpec("Duration", t == .datetime ? .timespan : t)])
        case "schema_merge":
            return Schema([
                ("ColumnName", .string), ("ColumnOrdinal", .long), ("DataType", .string), ("ColumnType", .string),
            ])
        case "narrow":
            return Schema([("Row", .long), ("Column", .string), ("Value", .string)])
        case "ipv4_lookup", "ipv6_lookup":
            guard case .plan(let lookup)? = arguments.first else { return nil }
            let extra = arguments.dropFirst(3).compactMap { argument -> String? in
                if case .expr(.column(let i, _)) = argument { lookup.schema[i].name } else { nil }
            }
            return LookupSchema.of(name, input.schema, lookup.schema, extra: extra)
        case "preview", "rows_near": return input.schema
        case "infer_storage_schema": return Schema([("CslSchema", .string)])
        default: return nil
        }
    }

    /// Named arguments in the places that a plugin's page gives them; a place that nothing is given for holds null.
    private func placed(_ arguments: [PluginArgument], _ names: [String]) -> [PluginArgument] {
        var out: [PluginArgument] = []
        func put(_ argument: PluginArgument, at i: Int) {
            while out.count <= i { out.append(.expr(.literal(.null, .string))) }
            out[i] = argument
        }
        for (i, argument) in arguments.enumerated() {
            guard case .named(let name, let inner) = argument else {
                put(argument, at: i)
                continue
            }
            put(inner, at: names.firstIndex { $0.lowercased() == name.lowercased() } ?? i)
        }
        return out
    }
}

/// The columns that an address lookup gives: those of both tables, the further keys once.
package enum LookupSchema {
    package static func of(_ plugin: String, _ input: Schema, _ lookup: Schema, extra: [String]) -> Schema {
        let theirs = lookup.columns.filter { !extra.contains($0.name) }
        var names = NameSet()
        // The one for IPv6 puts the lookup table's columns first.
        let all = plugin == "ipv6_lookup" ? theirs + input.columns : input.columns + theirs
        return Schema(all.map { ColumnSpec(names.unique($0.name), $0.type) })
    }
}
