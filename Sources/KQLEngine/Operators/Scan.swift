import KQL
import Tables

/// `scan`: rows in their order against steps, each with a state of what it and the steps before it last matched.
///
/// Every row is tried on the steps from the last to the first. It moves the state of the step before into a step whose
/// condition it meets; else it goes on with, or for the first step starts, the step's own. Source: "Scan logic" on the
/// page of the scan operator.
private struct ScanMachine {
    /// The state of one step: the last row of it and of each step before, declared columns included.
    struct State {
        var last: [[Value]]
        var matchID: Int64
    }

    let plan: ScanPlan
    let inputCount: Int
    let defaults: [Value]
    /// Values of the steps that have not matched.
    let blank: [Value]
    let evaluate: (BoundExpr, [Value]) throws -> Value

    var states: [[State?]] = []
    var pending: [[[Value]?]] = []
    private var nextMatch: Int64 = 0
    private(set) var out: [[Value]] = []

    init(
        plan: ScanPlan, inputCount: Int, defaults: [Value], blank: [Value], partitions: Int,
        evaluate: @escaping (BoundExpr, [Value]) throws -> Value
    ) {
        self.plan = plan
        self.inputCount = inputCount
        self.defaults = defaults
        self.blank = blank
        self.evaluate = evaluate
        states = [[State?]](repeating: [State?](repeating: nil, count: plan.steps.count), count: partitions)
        pending = [[[Value]?]](repeating: [[Value]?](repeating: nil, count: plan.steps.count), count: partitions)
    }

    private func meets(_ k: Int, _ row: [Value], _ declared: ArraySlice<Value>, _ last: [[Value]]) throws -> Bool {
        try evaluate(plan.steps[k].condition, row + declared + last.flatMap { $0 }) == .bool(true)
    }

    mutating func take(_ row: [Value], _ part: Int) throws {
        for k in plan.steps.indices.reversed() {
            if k > 0, let j = source(of: k, part), let previous = states[part][j],
                try meets(k, row, previous.last[j][inputCount...], previous.last)
            {
                states[part][j] = nil
                flush(j, part)
                flush(k, part)
                try match(k, row, previous, part)
                continue
            }
            if let own = states[part][k] {
                if try meets(k, row, own.last[k][inputCount...], own.last) { try match(k, row, own, part) }
            } else if k == 0 || plan.steps[..<k].allSatisfy(\.isOptional) {
                let fresh = State(last: [[Value]](repeating: blank, count: plan.steps.count), matchID: nextMatch)
                if try meets(k, row, defaults[...], fresh.last) {
                    nextMatch += 1
                    try match(k, row, fresh, part)
                }
            }
        }
    }

    /// The step whose state moves into `k`: the one before, or, when that is optional and empty, one further up.
    private func source(of k: Int, _ part: Int) -> Int? {
        var j = k - 1
        while j >= 0 {
            if states[part][j] != nil { return j }
            if !plan.steps[j].isOptional { return nil }
            j -= 1
        }
        return nil
    }

    private mutating func match(_ k: Int, _ row: [Value], _ origin: State, _ part: Int) throws {
        var state = origin
        var line = row + defaults
        for (target, e) in plan.steps[k].assignments {
            line[inputCount + target] = try evaluate(e, row + line[inputCount...] + state.last.flatMap { $0 })
        }
        state.last[k] = line
        states[part][k] = state
        let emitted = plan.hasMatchID ? line + [.long(state.matchID)] : line
        switch plan.steps[k].output {
        case "none": break
        case "last": pending[part][k] = emitted
        default: out.append(emitted)
        }
    }

    private mutating func flush(_ k: Int, _ part: Int) {
        if let row = pending[part][k] { out.append(row) }
        pending[part][k] = nil
    }

    mutating func finish() {
        for part in pending.indices { for k in plan.steps.indices { flush(k, part) } }
    }
}

extension Executor {
    func scanSteps(_ plan: ScanPlan, _ schema: Schema) throws -> BatchIterator {
        let all = try table(plan.input)
        let rows = try all.rows()
        let columns = plan.input.schema.columns + plan.declared
        let evaluationSchema = Schema(
            columns + plan.steps.flatMap { step in columns.map { ColumnSpec("\(step.name).\($0.name)", $0.type) } })
        let defaults = try plan.defaults.enumerated().map { i, e in
            try e.map { try evaluator.constant($0) } ?? (plan.declared[i].type == .string ? Value.string("") : .null)
        }
        let blank: [Value] = plan.input.schema.columns.map { $0.type == .string ? .string("") : .null } + defaults
        var partitions = [Int32](repeating: 0, count: rows.count)
        var partitionCount = 1
        if !plan.partitionBy.isEmpty {
            let encoder = KeyEncoder(types: plan.partitionBy.map(\.type))
            let groups = GroupTable(width: encoder.width)
            partitions = groups.groups(
                of: encoder.encode(try plan.partitionBy.map { try evaluator.column($0, all) }, count: all.count))
            partitionCount = groups.count
        }
        var machine = ScanMachine(
            plan: plan, inputCount: plan.input.schema.count, defaults: defaults, blank: blank,
            partitions: max(1, partitionCount),
            evaluate: { [evaluator] e, line in try evaluator.column(e, Batch(schema: evaluationSchema, rows: [line]))[0]
            })
        for (index, row) in rows.enumerated() {
            if index % 256 == 0 { try context.check() }
            try machine.take(row, Int(partitions[index]))
        }
        machine.finish()
        return once(Batch(schema: schema, rows: machine.out))
    }
}
