import KQL
import Tables

extension Executor {
    /// The plugins that run here.
    static let plugins: Set<String> = [
        "active_users_count", "activity_counts_metrics", "activity_engagement", "activity_metrics", "autocluster",
        "bag_unpack", "basket", "dcount_intersect", "diffpatterns", "ipv4_lookup", "ipv6_lookup", "narrow",
        "new_activity_metrics", "pivot", "preview", "rolling_percentile", "rows_near", "schema_merge",
        "sequence_detect", "session_count", "sliding_window_counts",
    ]

    /// Runs a plugin; `schema` is nil when its columns are still to be found.
    func plugin(_ name: String, _ input: Plan, _ list: [PluginArgument], _ schema: Schema?) throws -> BatchIterator {
        let arguments = PluginArguments(list)
        let shape = schema ?? Schema([ColumnSpec]())
        let result: Batch
        switch name {
        case "bag_unpack": result = try bagUnpack(input, arguments)
        case "pivot": result = try pivot(input, arguments)
        case "narrow": result = try narrow(input)
        case "schema_merge": result = try schemaMerge(input, arguments, shape)
        case "ipv4_lookup", "ipv6_lookup": result = try ipLookup(name, input, arguments)
        case "preview":
            let all = try table(input)
            result = all.slice(0..<min(all.count, max(0, Int(try arguments.constant(0, evaluator)?.longValue ?? 10))))
        case "rows_near": result = try rowsNear(input, arguments)
        case "autocluster": result = try autocluster(input, arguments, shape)
        case "basket": result = try basket(input, arguments, shape)
        case "diffpatterns": result = try diffPatterns(input, arguments, shape)
        case "sequence_detect": result = try sequenceDetect(input, arguments, shape)
        case "rolling_percentile": result = try rollingPercentile(input, arguments, shape)
        case "dcount_intersect": result = try dcountIntersect(input, arguments, shape)
        case "activity_counts_metrics", "sliding_window_counts", "session_count", "active_users_count",
            "activity_metrics",
            "activity_engagement", "new_activity_metrics":
            result = try activityPlugin(name, input, arguments, shape)
        default: throw QueryError.notSupported("the plugin \(name)")
        }
        guard let schema, schema.names != result.schema.names || schema != result.schema else { return once(result) }
        // A declared schema: its columns are found by name.
        let columns = try schema.columns.map { spec -> Column in
            guard let found = try result.column(named: spec.name) else {
                return Column(constant: .null, spec.type, count: result.count)
            }
            return try Evaluator.mapValues(found, spec.type) { $0.converted(to: spec.type) }
        }
        return once(Batch(schema: schema, columns: columns, count: result.count))
    }

    private func bagUnpack(_ input: Plan, _ arguments: PluginArguments) throws -> Batch {
        guard case .column(let source, _)? = arguments.expression(0) else {
            throw QueryError.runtime("bag_unpack() needs a column of type dynamic")
        }
        let prefix = try arguments.constant(1, evaluator)?.text ?? ""
        var conflict = "error"
        var ignored: Set<String> = []
        for i in 2..<max(2, arguments.count) {
            guard let v = try arguments.constant(i, evaluator) else { continue }
            if case .array(let list) = v { ignored = Set(list.map(\.text)) } else { conflict = v.text }
        }
        let all = try table(input)
        let bags = try all.column(source)
        var types: [String: [ScalarType]] = [:]
        for row in 0..<all.count {
            try Interrupted.check()
            guard case .bag(let bag) = bags[row] else { continue }
            for (k, v) in zip(bag.keys, bag.values) where !ignored.contains(k) {
                let type = v.type ?? nil
                if types[k] == nil { types[k] = [] }
                if let type, !(types[k] ?? []).contains(type) { types[k]?.append(type) }
            }
        }
        let taken = Set(all.schema.columns.enumerated().filter { $0.offset != source }.map(\.element.name))
        var specs: [(key: String, spec: ColumnSpec)] = []
        var replaced: Set<String> = []
        for key in types.keys.sorted() {
            let name = prefix + key
            if taken.contains(name) {
                if conflict == "keep_source" { continue }
                if conflict == "replace_source" {
                    replaced.insert(name)
                } else {
                    throw QueryError.runtime(
                        "bag_unpack() would give a second column named \(name); pass a prefix or 'keep_source'")
                }
            }
            let list = types[key] ?? []
            let type: ScalarType =
                list.count == 1 ? list[0] : list.isEmpty ? .dynamic : Set(list) == [.long, .real] ? .real : .dynamic
            specs.append((key, ColumnSpec(name, type)))
        }
        guard specs.count <= 10_000 else { throw QueryError.limit("bag_unpack() would give \(specs.count) columns") }
        func unpacked(_ key: String, _ spec: ColumnSpec) throws -> Column {
            Column(
                spec.type,
                values: try (0..<all.count).map { row -> Value in
                    try Interrupted.check()
                    guard case .bag(let bag) = bags[row], let v = bag[key] else { return .null }
                    return spec.type == .dynamic ? v : v.converted(to: spec.type)
                })
        }
        var schema: [ColumnSpec] = []
        var columns: [Column] = []
        for (i, c) in all.schema.columns.enumerated() where i != source {
            if replaced.contains(c.name), let (key, spec) = specs.first(where: { $0.spec.name == c.name }) {
                schema.append(spec)
                columns.append(try unpacked(key, spec))
            } else {
                schema.append(c)
                columns.append(try all.column(i))
            }
        }
        for (key, spec) in specs where !replaced.contains(spec.name) {
            schema.append(spec)
            columns.append(try unpacked(key, spec))
        }
        return Batch(schema: Schema(schema), columns: columns, count: all.count)
    }

    private func pivot(_ input: Plan, _ arguments: PluginArguments) throws -> Batch {
        guard case .column(let source, _)? = arguments.expression(0) else {
            throw QueryError.runtime("pivot() needs a column")
        }
        var aggregate = BoundAggregate(name: "count", arguments: [], outputs: [ColumnSpec("", .long)])
        var keys: [Int]?
        var used: Set<Int> = [source]
        for place in 1..<max(1, arguments.count) {
            if let a = arguments.aggregate(place) {
                aggregate = a
                for case .column(let i, _) in a.arguments { used.insert(i) }
            } else if case .column(let i, _)? = arguments.expression(place) {
                keys = (keys ?? []) + [i]
            }
        }
        let all = try table(input)
        let keyColumns = keys ?? all.schema.columns.indices.filter { !used.contains($0) }
        let encoder = KeyEncoder(types: keyColumns.map { all.schema[$0].type })
        let groups = GroupTable(width: encoder.width)
        let assigned = groups.groups(of: encoder.encode(try keyColumns.map { try all.column($0) }, count: all.count))
        let labels = try all.column(source)
        var names: [String: Int] = [:]
        var order: [String] = []
        for row in 0..<all.count {
            let text = labels[row].text
            if names[text] == nil {
                names[text] = order.count
                order.append(text)
            }
        }
        let sorted = order.sorted { ValueOps.compare($0, $1) < 0 }
        for (i, n) in sorted.enumerated() { names[n] = i }
        guard sorted.count <= 10_000 else { throw QueryError.limit("pivot() would give \(sorted.count) columns") }
        let width = max(sorted.count, 1)
        guard groups.count.multiplied(by: width) ?? .max <= 50_000_000 else {
            throw QueryError.limit("pivot() would give \(groups.count) rows of \(width) columns")
        }
        let cells = (0..<all.count).map { Int32(Int(assigned[$0]) * width + (names[labels[$0].text] ?? 0)) }
        let state = try Aggregates.make(aggregate, evaluator)
        let cellCount = groups.count * width
        try state.update(cells, try aggregate.arguments.map { try evaluator.column($0, all) }, groupCount: cellCount)
        let results = try state.finish(groupCount: cellCount)[0]
        var present = [Bool](repeating: false, count: cellCount)
        for c in cells { present[Int(c)] = true }
        let type = aggregate.outputs[0].type
        let isCount = aggregate.name == "count" || aggregate.name == "sum"
        var schema = keyColumns.map { all.schema[$0] }
        var columns = keyColumns.indices.map { encoder.decode(groups.keys, column: $0) }
        for (i, name) in sorted.enumerated() {
            schema.append(ColumnSpec(name, type))
            columns.append(
                Column(
                    type,
                    values: (0..<groups.count).map { g -> Value in
                        let cell = g * width + i
                        return present[cell] || isCount ? results[cell] : .null
                    }))
        }
        return Batch(schema: Schema(schema), columns: columns, count: groups.count)
    }

    private func narrow(_ input: Plan) throws -> Batch {
        let all = try table(input)
        var rows: [[Value]] = []
        for row in 0..<all.count {
            try Interrupted.check()
            for (c, spec) in all.schema.columns.enumerated() {
                rows.append([.long(Int64(row)), .string(spec.name), .string(try all.column(c)[row].text)])
            }
        }
        return Batch(schema: Schema([("Row", .long), ("Column", .string), ("Value", .string)]), rows: rows)
    }
}
