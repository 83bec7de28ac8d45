import KQL
import Tables

extension Executor {
    func parse(_ plan: ParsePlan, _ schema: Schema) throws -> BatchIterator {
        let matcher = try ParseMatcher(plan, context)
        let next = try run(plan.input)
        let types = plan.targets.map { schema[$0].type }
        return { [self] in
            guard let batch = try next() else { return nil }
            let source = try evaluator.column(plan.source, batch)
            var builders = types.map { ColumnBuilder($0) }
            var kept: [Int32] = []
            for row in 0..<batch.count {
                try Interrupted.check()
                let found = matcher.values(of: source[row].text)
                if plan.filters, found == nil { continue }
                kept.append(Int32(row))
                for c in builders.indices { builders[c].append(found?[c] ?? .null) }
            }
            let base = kept.count == batch.count ? batch : batch.gather(kept)
            let parsed = builders.map { LazyColumn($0.finish()) }
            let columns = schema.columns.indices.map { i -> LazyColumn in
                if let c = plan.targets.lastIndex(of: i) { return parsed[c] }
                return base.lazyColumn(i)
            }
            return Batch(schema: schema, columns: columns, count: kept.count)
        }
    }

    func parseKV(
        _ input: Plan, _ source: BoundExpr, _ specs: [ColumnSpec], _ syntax: KeyValueSyntax, _ schema: Schema
    ) throws -> BatchIterator {
        let next = try run(input)
        var pattern: Regex?
        if let text = syntax.regex { pattern = try context.regex(text) }
        let reader = KeyValueReader(syntax: syntax, regex: pattern, wanted: Set(specs.map(\.name)))
        return { [self] in
            guard let batch = try next() else { return nil }
            let texts = try evaluator.column(source, batch)
            var builders = specs.map { ColumnBuilder($0.type) }
            for row in 0..<batch.count {
                try Interrupted.check()
                let found = try reader.read(texts[row].text)
                for (c, spec) in specs.enumerated() {
                    builders[c].append(found[spec.name].map { Value.string($0).converted(to: spec.type) } ?? .null)
                }
            }
            let parsed = builders.map { LazyColumn($0.finish()) }
            let columns = schema.columns.indices.map { i -> LazyColumn in
                specs.firstIndex { $0.name == schema[i].name }.map { parsed[$0] } ?? batch.lazyColumn(i)
            }
            return Batch(schema: schema, columns: columns, count: batch.count)
        }
    }
}
