import KQL
import Tables

extension Executor {
    /// `scan`: a state machine over the ordered rows.
    func scanSteps(_ plan: ScanPlan, _ schema: Schema) throws -> BatchIterator {
        let all = try table(plan.input)
        let rows = try all.rows()
        let inputCount = plan.input.schema.count
        let width = inputCount + plan.declared.count
        let defaults = try plan.defaults.enumerated().map { i, e in
            try e.map { try evaluator.constant($0) } ?? (plan.declared[i].type == .string ? Value.string("") : .null)
        }
        var conditionSchema = plan.input.schema.columns + plan.declared
        for step in plan.steps {
            conditionSchema += (plan.input.schema.columns + plan.declared).map { ColumnSpec("\(step.name).\($0.name)", $0.type) }
        }
        let evaluationSchema = Schema(conditionSchema)
        let empty: [Value] = plan.input.schema.columns.map { $0.type == .string ? .string("") : .null } + defaults

        struct State {
            var last: [[Value]]
            var matchID: Int64
        }
        var partitions: [Int32] = [Int32](repeating: 0, count: rows.count)
        if !plan.partitionBy.isEmpty {
            let encoder = KeyEncoder(types: plan.partitionBy.map(\.type))
            var groups = GroupTable(width: encoder.width)
            partitions = groups.groups(of: encoder.encode(try plan.partitionBy.map { try evaluator.column($0, all) }, count: all.count))
        }
        var states: [Int32: [State?]] = [:]
        var nextMatch: Int64 = 0
        var out: [[Value]] = []
        func evaluate(_ e: BoundExpr, _ row: [Value], _ declared: ArraySlice<Value>, _ last: [[Value]]) throws -> Value {
            let line = row + declared + last.flatMap { $0 }
            return try evaluator.column(e, Batch(schema: evaluationSchema, rows: [line]))[0]
        }
        for (index, row) in rows.enumerated() {
            try context.check()
            var slots = states[partitions[index]] ?? [State?](repeating: nil, count: plan.steps.count)
            // Later steps first, so that a row moves a match one step only.
            for k in plan.steps.indices.reversed() {
                let step = plan.steps[k]
                var origin: State?
                if let own = slots[k] {
                    if try evaluate(step.condition, row, own.last[k][inputCount...], own.last) == .bool(true) { origin = own }
                }
                var fromPrevious = false
                if origin == nil || k > 0 {
                    var j = k - 1
                    while j >= 0 {
                        if let previous = slots[j], try evaluate(step.condition, row, previous.last[j][inputCount...], previous.last) == .bool(true) {
                            origin = previous
                            fromPrevious = true
                            break
                        }
                        if slots[j] != nil || !plan.steps[j].isOptional { break }
                        j -= 1
                    }
                }
                if origin == nil, k == 0 || plan.steps[..<k].allSatisfy(\.isOptional) {
                    let fresh = State(last: [[Value]](repeating: empty, count: plan.steps.count), matchID: nextMatch)
                    if try evaluate(step.condition, row, defaults[...], fresh.last) == .bool(true) {
                        origin = fresh
                        nextMatch += 1
                        fromPrevious = true
                    }
                }
                guard var state = origin else { continue }
                var line = row + (fromPrevious && k > 0 ? state.last[max(0, k - 1)][inputCount...] : state.last[k][inputCount...])
                for (target, e) in step.assignments {
                    line[inputCount + target] = try evaluate(e, row, line[inputCount...], state.last)
                }
                state.last[k] = Array(line.prefix(width))
                slots[k] = state
                if fromPrevious, k > 0 { for j in 0..<k { slots[j] = nil } }
                if step.output != "none" {
                    var emitted = state.last[k]
                    if plan.hasMatchID { emitted.append(.long(state.matchID)) }
                    out.append(emitted)
                }
                break
            }
            states[partitions[index]] = slots
        }
        return once(Batch(schema: schema, rows: out))
    }
}
