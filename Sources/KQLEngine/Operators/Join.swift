import KQL
import Tables

extension Executor {
    func join(_ plan: JoinPlan, _ schema: Schema) throws -> BatchIterator {
        let encoder = KeyEncoder(types: plan.keys.map { $0.0.type })
        func words(_ batch: Batch, left: Bool) throws -> [UInt64] {
            let columns = try plan.keys.map { try evaluator.column(left ? $0.0 : $0.1, batch) }
            return encoder.encode(columns, count: batch.count)
        }
        let right = try table(plan.right)
        let rightWords = try words(right, left: false)
        let groups = GroupTable(width: encoder.width)
        let rightGroups = groups.groups(of: rightWords)
        var starts = [Int32](repeating: 0, count: groups.count + 1)
        for g in rightGroups { starts[Int(g) + 1] += 1 }
        for i in 1..<max(starts.count, 1) { starts[i] += starts[i - 1] }
        var rows = [Int32](repeating: 0, count: right.count)
        var fill = starts
        for (row, g) in rightGroups.enumerated() {
            rows[Int(fill[Int(g)])] = Int32(row)
            fill[Int(g)] += 1
        }

        let left = try table(plan.left)
        let leftWords = try words(left, left: true)
        let found = groups.find(leftWords)
        var leftRows: [Int32] = []
        var rightRows: [Int32] = []
        var rightUsed = [Bool](repeating: false, count: right.count)
        let seenKeys = GroupTable(width: encoder.width)
        var unique: [Int32] = []
        if plan.kind == .innerunique { unique = seenKeys.groups(of: leftWords) }
        var taken = [Bool](repeating: false, count: seenKeys.count)
        for row in 0..<left.count {
            let g = encoder.hasNull(leftWords, row) ? -1 : Int(found[row])
            switch plan.kind {
            case .leftsemi:
                if g >= 0 { leftRows.append(Int32(row)) }
            case .leftanti:
                if g < 0 { leftRows.append(Int32(row)) }
            case .rightsemi, .rightanti:
                if g >= 0 { for k in starts[g]..<starts[g + 1] { rightUsed[Int(rows[Int(k)])] = true } }
            default:
                if g < 0 {
                    if plan.kind == .leftouter || plan.kind == .fullouter {
                        leftRows.append(Int32(row))
                        rightRows.append(-1)
                    }
                    continue
                }
                if plan.kind == .innerunique {
                    if taken[Int(unique[row])] { continue }
                    taken[Int(unique[row])] = true
                }
                for k in starts[g]..<starts[g + 1] {
                    leftRows.append(Int32(row))
                    rightRows.append(rows[Int(k)])
                    rightUsed[Int(rows[Int(k)])] = true
                }
                if leftRows.count > 200_000_000 { throw QueryError.limit("the join gives more than 200,000,000 rows; add a key or filter its sides") }
            }
        }
        switch plan.kind {
        case .rightsemi: rightRows = right.allRows.filter { rightUsed[Int($0)] }
        case .rightanti: rightRows = right.allRows.filter { !rightUsed[Int($0)] }
        case .rightouter, .fullouter:
            for row in right.allRows where !rightUsed[Int(row)] {
                leftRows.append(-1)
                rightRows.append(row)
            }
        default: break
        }
        let count = plan.leftColumns.isEmpty ? rightRows.count : leftRows.count
        try context.hold(rows: count, columns: 1)
        let fromLeft = plan.leftColumns.map { c in LazyColumn { [leftRows] in try left.column(c).gatherOptional(leftRows) } }
        let fromRight = plan.rightColumns.map { c in LazyColumn { [rightRows] in try right.column(c).gatherOptional(rightRows) } }
        return once(Batch(schema: schema, columns: fromLeft + fromRight, count: count))
    }
}

extension Batch {
    var allRows: [Int32] { (0..<count).map { Int32($0) } }
}
