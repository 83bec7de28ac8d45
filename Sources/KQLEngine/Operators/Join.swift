import KQL
import Tables

extension Executor {
    /// Numbers the keys of one side and looks the other side's batches up in them, some at a time on all cores.
    func join(_ plan: JoinPlan, _ schema: Schema) throws -> BatchIterator {
        let right = try collect(plan.right)
        let needsRight: Set<JoinKind> = [.inner, .innerunique, .leftsemi, .rightsemi, .rightouter, .rightanti]
        if right.isEmpty, needsRight.contains(plan.kind) { return many([]) }
        let left = try run(plan.left)
        if plan.kind != .inner { return try probe(plan, schema, built: right, isLeft: false, left) }
        // Any side of an inner join may be the one that is kept: the smaller one is.
        let rightCount = right.reduce(0) { $0 + $1.count }
        var first: [Batch] = []
        var rows = 0
        while rows < rightCount, let batch = try left() {
            rows += batch.count
            if batch.count > 0 { first.append(batch) }
        }
        try context.hold(rows: rows, columns: plan.left.schema.count)
        if rows < rightCount { return try probe(plan, schema, built: first, isLeft: true, many(right)) }
        let head = many(first)
        return try probe(plan, schema, built: right, isLeft: false) { try head() ?? left() }
    }

    /// - Parameters:
    ///   - built: the batches of the side whose keys are kept.
    ///   - isLeft: whether that is the left side.
    ///   - probing: the other side's batches.
    private func probe(
        _ plan: JoinPlan, _ schema: Schema, built: [Batch], isLeft: Bool, _ probing: @escaping BatchIterator
    ) throws -> BatchIterator {
        let kept = try JoinKeys(
            plan.keys.map { isLeft ? $0.0 : $0.1 }, built, (isLeft ? plan.left : plan.right).schema, self)
        let output = JoinOutput(plan, schema, kept, isLeft: isLeft)
        let keys = plan.keys.map { isLeft ? $0.1 : $0.0 }
        let workers = workerCount
        let executors = (0..<workers).map { _ in forked() }
        var ready: [(batch: Batch, groups: [Int32])] = []
        var at = 0
        var isAtEnd = false
        return { [context] in
            while true {
                try context.check()
                if let batch = try output.next() { return batch }
                if at < ready.count {
                    output.start(ready[at].batch, ready[at].groups)
                    at += 1
                    continue
                }
                if isAtEnd { return output.rest() }
                var raw: [Batch] = []
                while raw.count < workers * 2, let batch = try probing() { raw.append(batch) }
                isAtEnd = raw.count < workers * 2
                var groups = [[Int32]](repeating: [], count: raw.count)
                try groups.withUnsafeMutableBufferPointer { groups in
                    nonisolated(unsafe) let groups = groups
                    try Workers.each(min(workers, raw.count)) { w in
                        for i in stride(from: w, to: raw.count, by: workers) {
                            groups[i] = kept.find(
                                try keys.map { try executors[w].evaluator.column($0, raw[i]) }, raw[i].count)
                        }
                    }
                }
                ready = zip(raw, groups).map { ($0, $1) }
                at = 0
            }
        }
    }
}

/// The numbered keys of a join's one side, and which of its rows have each.
private final class JoinKeys {
    let rows: BatchRows
    private let encoder: KeyEncoder
    private let table: GroupTable
    /// Where each key's rows begin in `order`.
    let starts: [Int32]
    let order: [Int32]

    init(_ keys: [BoundExpr], _ batches: [Batch], _ schema: Schema, _ executor: Executor) throws {
        rows = BatchRows(batches, schema: schema)
        encoder = KeyEncoder(types: keys.map(\.type))
        table = GroupTable(width: encoder.width)
        var columns = [[Column]](repeating: [], count: batches.count)
        try columns.withUnsafeMutableBufferPointer { columns in
            nonisolated(unsafe) let columns = columns
            let workers = min(executor.workerCount, batches.count)
            let executors = (0..<workers).map { _ in executor.forked() }
            try Workers.each(workers) { w in
                for i in stride(from: w, to: batches.count, by: workers) {
                    columns[i] = try keys.map { try executors[w].evaluator.column($0, batches[i]) }
                }
            }
        }
        var groups: [Int32] = []
        groups.reserveCapacity(rows.count)
        for (batch, columns) in zip(batches, columns) {
            try executor.context.check()
            let words = encoder.encode(columns, count: batch.count)
            groups += table.groups(of: words)
        }
        var starts = [Int32](repeating: 0, count: table.count + 1)
        for g in groups { starts[Int(g) + 1] += 1 }
        for g in 0..<table.count { starts[g + 1] += starts[g] }
        var fill = starts
        order = [Int32](unsafeUninitializedCapacity: groups.count) { out, initialized in
            for (row, g) in groups.enumerated() {
                out[Int(fill[Int(g)])] = Int32(row)
                fill[Int(g)] += 1
            }
            initialized = groups.count
        }
        self.starts = starts
    }

    var count: Int { table.count }

    /// The number of each row's key; -1 for keys that are not there and those with a null.
    func find(_ columns: [Column], _ count: Int) -> [Int32] {
        let words = encoder.find(columns, count: count)
        var found = table.find(words)
        if columns.contains(where: { $0.nulls != nil || $0.type == .dynamic }) {
            for row in 0..<count where encoder.hasNull(words, row) { found[row] = -1 }
        }
        return found
    }
}

/// Makes the rows of a join, a bounded number at a time.
private final class JoinOutput {
    private static let rowsMax = 262_144

    private let plan: JoinPlan
    private let schema: Schema
    private let kept: JoinKeys
    private let isLeft: Bool
    private var batch: Batch?
    private var groups: [Int32] = []
    private var row = 0
    /// How many of the row's matches were given.
    private var match: Int32 = 0
    /// The keys that some row had.
    private var used: [Bool]
    private var total = 0
    private var isDone = false

    init(_ plan: JoinPlan, _ schema: Schema, _ kept: JoinKeys, isLeft: Bool) {
        self.plan = plan
        self.schema = schema
        self.kept = kept
        self.isLeft = isLeft
        used = [Bool](repeating: false, count: kept.count)
    }

    func start(_ batch: Batch, _ groups: [Int32]) {
        self.batch = batch
        self.groups = groups
        row = 0
        match = 0
    }

    /// More of the current batch's rows; nil when there are none.
    func next() throws -> Batch? {
        guard let batch, row < batch.count else { return nil }
        var own: [Int32] = []
        var others: [Int32] = []
        switch plan.kind {
        case .leftsemi:
            own = batch.allRows.filter { groups[Int($0)] >= 0 }
            row = batch.count
        case .leftanti:
            own = batch.allRows.filter { groups[Int($0)] < 0 }
            row = batch.count
        case .rightsemi, .rightanti:
            for g in groups where g >= 0 { used[Int(g)] = true }
            row = batch.count
        default: pairs(&own, &others)
        }
        total += own.count
        if total > 1_000_000_000 {
            throw QueryError.limit("the join gives more than 1,000,000,000 rows; add a key or filter its sides")
        }
        return own.isEmpty ? nil : made(batch, own, others)
    }

    private func pairs(_ own: inout [Int32], _ others: inout [Int32]) {
        let keepsLonely = plan.kind == .leftouter || plan.kind == .fullouter
        let isUnique = plan.kind == .innerunique
        let notesUse = plan.kind == .rightouter || plan.kind == .fullouter || isUnique
        while row < groups.count {
            let g = Int(groups[row])
            if g < 0 {
                if keepsLonely {
                    own.append(Int32(row))
                    others.append(-1)
                }
            } else if !(isUnique && match == 0 && used[g]) {
                if notesUse { used[g] = true }
                let (from, to) = (kept.starts[g] + match, kept.starts[g + 1])
                let stop = min(to, from + Int32(max(Self.rowsMax - own.count, 1)))
                for k in from..<stop {
                    own.append(Int32(row))
                    others.append(kept.order[Int(k)])
                }
                if stop < to {
                    match += stop - from
                    return
                }
            }
            match = 0
            row += 1
            if own.count >= Self.rowsMax { return }
        }
    }

    /// The rows of the kept side that no row of the other matched, where the kind of join asks for them.
    func rest() -> Batch? {
        if isDone { return nil }
        isDone = true
        let wanted: Bool
        switch plan.kind {
        case .rightouter, .fullouter, .rightanti: wanted = false
        case .rightsemi: wanted = true
        default: return nil
        }
        let rows = (0..<kept.count).filter { used[$0] == wanted }.flatMap {
            kept.order[Int(kept.starts[$0])..<Int(kept.starts[$0 + 1])]
        }.sorted()
        if rows.isEmpty { return nil }
        return made(nil, [Int32](repeating: -1, count: rows.count), rows)
    }

    /// - Parameters:
    ///   - batch: the probing side's batch; nil when its columns are null.
    ///   - own: its rows.
    ///   - others: the rows of the kept side.
    private func made(_ batch: Batch?, _ own: [Int32], _ others: [Int32]) -> Batch {
        let rows = kept.rows
        func fromProbe(_ c: Int, _ type: ScalarType) -> LazyColumn {
            guard let batch else {
                return LazyColumn { [count = own.count] in Column(constant: .null, type, count: count) }
            }
            return LazyColumn { try batch.column(c).gather(own) }
        }
        func fromKept(_ c: Int) -> LazyColumn { LazyColumn { try rows.column(c, at: others) } }
        let types = schema.columns.map(\.type)
        let leftCount = plan.leftColumns.count
        let left = plan.leftColumns.enumerated().map { i, c in isLeft ? fromKept(c) : fromProbe(c, types[i]) }
        let right = plan.rightColumns.enumerated().map { i, c in
            isLeft ? fromProbe(c, types[leftCount + i]) : fromKept(c)
        }
        return Batch(schema: schema, columns: left + right, count: own.count)
    }
}

extension Batch {
    var allRows: [Int32] { (0..<count).map { Int32($0) } }
}
