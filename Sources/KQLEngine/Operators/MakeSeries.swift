import KQL
import Tables

extension Executor {
    func makeSeries(_ plan: MakeSeriesPlan, _ schema: Schema) throws -> BatchIterator {
        let all = try table(plan.input)
        let axisColumn = try evaluator.column(plan.axis, all)
        let step = try evaluator.constant(plan.step)
        var low = try plan.from.map { try evaluator.constant($0) } ?? .null
        var high = try plan.to.map { try evaluator.constant($0) } ?? .null
        let values = axisColumn.values
        if low.isNull {
            let least = values.filter { !$0.isNull }.min { (ValueOps.compare($0, $1) ?? 0) < 0 } ?? .null
            low = ValueOps.bin(least, step)
        } else if plan.isStopIncluded {
            low = ValueOps.bin(low, step)
        }
        let openEnd = high.isNull
        if openEnd { high = values.filter { !$0.isNull }.max { (ValueOps.compare($0, $1) ?? 0) < 0 } ?? .null }
        guard let size = ScalarFunctions.positiveSteps(low, high, step, inclusive: openEnd || plan.isStopIncluded)
        else {
            return once(.empty(schema))
        }
        guard size <= 1_048_576 else {
            throw QueryError.limit("make-series would give more than 1,048,576 bins; use a larger step")
        }
        var axis: [Value] = []
        var current = low
        for _ in 0..<size {
            axis.append(current)
            current = ValueOps.arithmetic("+", current, step)
        }
        let encoder = KeyEncoder(types: plan.keys.map { $0.expr.type })
        let groups = GroupTable(width: encoder.width)
        let keyColumns = try plan.keys.map { try evaluator.column($0.expr, all) }
        let assigned = groups.groups(of: encoder.encode(keyColumns, count: all.count))
        guard groups.count.multiplied(by: size) ?? .max <= 50_000_000 else {
            throw QueryError.limit(
                "make-series would give \(groups.count) series of \(size) bins; use a larger step or fewer keys")
        }
        var rows: [Int32] = []
        var cells: [Int32] = []
        for row in 0..<all.count {
            try Interrupted.check()
            let offset = ValueOps.arithmetic(
                "/", ScalarFunctions.asReal(ValueOps.arithmetic("-", values[row], low)), ScalarFunctions.asReal(step))
            guard let position = offset.doubleValue, position >= 0, position < Double(size) else { continue }
            rows.append(Int32(row))
            cells.append(Int32(Int(assigned[row]) * size + position.whole(in: 0...size - 1)))
        }
        let used = all.gather(rows)
        let seriesCount = groups.count == 0 && plan.isNeverEmpty && plan.keys.isEmpty ? 1 : groups.count
        let cellCount = groups.count * size
        var present = [Bool](repeating: false, count: cellCount)
        for c in cells { present[Int(c)] = true }
        var columns = plan.keys.indices.map { encoder.decode(groups.keys, column: $0) }
        var found: [Column] = []
        for aggregate in plan.aggregates {
            let state = try Aggregates.make(aggregate, evaluator)
            let arguments = try aggregate.arguments.map { try evaluator.column($0, used) }
            try state.update(cells, arguments, groupCount: cellCount)
            found += try state.finish(groupCount: cellCount)
        }
        let aggregated = Batch(schema: Schema(plan.aggregates.flatMap(\.outputs)), columns: found, count: cellCount)
        for item in plan.series {
            let results = try evaluator.column(item.value, aggregated)
            let type = item.value.type
            let given = try item.defaultValue.map { try evaluator.constant($0) } ?? .long(0)
            let fallback = type.isNumeric && !given.isNull ? given.converted(to: type) : given
            columns.append(
                Column(
                    .dynamic,
                    values: (0..<seriesCount).map { g -> Value in
                        .array(
                            (0..<size).map { i in
                                g < groups.count && present[g * size + i] ? results[g * size + i] : fallback
                            })
                    }))
        }
        columns.append(Column(.dynamic, values: (0..<seriesCount).map { _ in Value.array(axis) }))
        return once(Batch(schema: schema, columns: columns, count: seriesCount))
    }
}

extension ScalarFunctions {
    static func asReal(_ v: Value) -> Value {
        switch v {
        case .timespan(let t): .real(Double(t))
        case .long(let n): .real(Double(n))
        default: v
        }
    }

    /// How many steps lie between two ends; nil when that cannot be told.
    static func positiveSteps(_ low: Value, _ high: Value, _ step: Value, inclusive: Bool) -> Int? {
        guard let distance = asReal(ValueOps.arithmetic("-", high, low)).doubleValue, let s = asReal(step).doubleValue,
            s > 0, distance >= 0
        else { return nil }
        let n = distance / s
        return n.rounded(inclusive ? .down : .up).whole(in: 0...1_000_000_000) + (inclusive ? 1 : 0)
    }
}
