import KQL
import Tables

extension Executor {
    private func expression(_ arguments: [PluginArgument], _ i: Int) -> BoundExpr? {
        if i < arguments.count, case .expr(let e) = arguments[i] { e } else { nil }
    }

    private func constant(_ arguments: [PluginArgument], _ i: Int) throws -> Value? {
        try expression(arguments, i).map { try evaluator.constant($0) }
    }

    /// Runs a plugin; `schema` is nil when its columns are still to be found.
    func plugin(_ name: String, _ input: Plan, _ arguments: [PluginArgument], _ schema: Schema?) throws -> BatchIterator {
        let result: Batch
        switch name {
        case "bag_unpack": result = try bagUnpack(input, arguments)
        case "pivot": result = try pivot(input, arguments)
        case "narrow": result = try narrow(input)
        case "ipv4_lookup", "ipv6_lookup": result = try ipLookup(name, input, arguments)
        case "preview": result = try table(input).slice(0..<min(try table(input).count, Int(try constant(arguments, 0)?.longValue ?? 10)))
        default: throw QueryError.notSupported("the plugin \(name)")
        }
        guard let schema, schema.names != result.schema.names || schema != result.schema else { return once(result) }
        // A declared schema: its columns are found by name.
        let columns = try schema.columns.map { spec -> Column in
            guard let found = try result.column(named: spec.name) else { return Column(constant: .null, spec.type, count: result.count) }
            return try Evaluator.mapValues(found, spec.type) { $0.converted(to: spec.type) }
        }
        return once(Batch(schema: schema, columns: columns, count: result.count))
    }

    private func bagUnpack(_ input: Plan, _ arguments: [PluginArgument]) throws -> Batch {
        guard case .column(let source, _)? = expression(arguments, 0) else {
            throw QueryError.runtime("bag_unpack() needs a column of type dynamic")
        }
        let prefix = try constant(arguments, 1)?.text ?? ""
        var conflict = "error"
        var ignored: Set<String> = []
        for i in 2..<max(2, arguments.count) {
            guard let v = try constant(arguments, i) else { continue }
            if case .array(let list) = v { ignored = Set(list.map(\.text)) } else { conflict = v.text }
        }
        let all = try table(input)
        let bags = try all.column(source)
        var types: [String: [ScalarType]] = [:]
        for row in 0..<all.count {
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
                    throw QueryError.runtime("bag_unpack() would give a second column named \(name); pass a prefix or 'keep_source'")
                }
            }
            let list = types[key] ?? []
            let type: ScalarType = list.count == 1 ? list[0] : list.isEmpty ? .dynamic : Set(list) == [.long, .real] ? .real : .dynamic
            specs.append((key, ColumnSpec(name, type)))
        }
        var schema: [ColumnSpec] = []
        var columns: [Column] = []
        for (i, c) in all.schema.columns.enumerated() where i != source && !replaced.contains(c.name) {
            schema.append(c)
            columns.append(try all.column(i))
        }
        for (key, spec) in specs {
            schema.append(spec)
            columns.append(
                Column(
                    spec.type,
                    values: (0..<all.count).map { row -> Value in
                        guard case .bag(let bag) = bags[row], let v = bag[key] else { return .null }
                        return spec.type == .dynamic ? v : v.converted(to: spec.type)
                    }))
        }
        return Batch(schema: Schema(schema), columns: columns, count: all.count)
    }

    private func pivot(_ input: Plan, _ arguments: [PluginArgument]) throws -> Batch {
        guard case .column(let source, _)? = expression(arguments, 0) else { throw QueryError.runtime("pivot() needs a column") }
        var aggregate = BoundAggregate(name: "count", arguments: [], outputs: [ColumnSpec("", .long)])
        var keys: [Int]?
        var used: Set<Int> = [source]
        for argument in arguments.dropFirst() {
            switch argument {
            case .aggregate(let a):
                aggregate = a
                for case .column(let i, _) in a.arguments { used.insert(i) }
            case .expr(.column(let i, _)): keys = (keys ?? []) + [i]
            default: break
            }
        }
        let all = try table(input)
        let keyColumns = keys ?? all.schema.columns.indices.filter { !used.contains($0) }
        let encoder = KeyEncoder(types: keyColumns.map { all.schema[$0].type })
        var groups = GroupTable(width: encoder.width)
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
        let cells = (0..<all.count).map { Int32(Int(assigned[$0]) * width + (names[labels[$0].text] ?? 0)) }
        let state = try Aggregates.make(aggregate, evaluator)
        let cellCount = groups.count * width
        state.update(cells, try aggregate.arguments.map { try evaluator.column($0, all) }, groupCount: cellCount)
        let results = state.finish(groupCount: cellCount)[0]
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
            for (c, spec) in all.schema.columns.enumerated() {
                rows.append([.long(Int64(row)), .string(spec.name), .string(try all.column(c)[row].text)])
            }
        }
        return Batch(schema: Schema([("Row", .long), ("Column", .string), ("Value", .string)]), rows: rows)
    }

    private func ipLookup(_ name: String, _ input: Plan, _ arguments: [PluginArgument]) throws -> Batch {
        guard arguments.count >= 3, case .plan(let lookupPlan) = arguments[0], let source = expression(arguments, 1) else {
            throw QueryError.runtime("\(name)() needs a lookup table, a column and the lookup table's network column")
        }
        let lookup = try table(lookupPlan)
        let all = try table(input)
        var keyName: String?
        if case .expr(.column(let i, _)) = arguments[2] { keyName = lookup.schema.count > i ? lookup.schema[i].name : nil }
        let textColumns = lookup.schema.columns.filter { $0.type == .string }.map(\.name)
        guard let key = keyName ?? textColumns.first, let networks = try lookup.column(named: key) else {
            throw QueryError.runtime("\(name)() found no network column")
        }
        var keepsAll = false
        for i in 3..<max(3, arguments.count) { if case .bool(let b)? = try constant(arguments, i) { keepsAll = b } }
        let ranges = (0..<lookup.count).compactMap { row in IPv6(networks[row].text).map { (row, $0) } }
        let addresses = try evaluator.column(source, all)
        var left: [Int32] = []
        var right: [Int32] = []
        for row in 0..<all.count {
            var matched = false
            if let ip = IPv6(addresses[row].text) {
                for (i, range) in ranges where ip.address & IPv6.mask(range.prefix) == range.network {
                    left.append(Int32(row))
                    right.append(Int32(i))
                    matched = true
                }
            }
            if !matched, keepsAll {
                left.append(Int32(row))
                right.append(-1)
            }
        }
        var names: Set<String> = Set(all.schema.names)
        var schema = all.schema.columns
        for c in lookup.schema.columns {
            var n = c.name
            var k = 1
            while !names.insert(n).inserted {
                n = "\(c.name)\(k)"
                k += 1
            }
            schema.append(ColumnSpec(n, c.type))
        }
        let columns =
            try all.schema.columns.indices.map { try all.column($0).gather(left) }
            + lookup.schema.columns.indices.map { try lookup.column($0).gatherOptional(right) }
        return Batch(schema: Schema(schema), columns: columns, count: left.count)
    }
}
