import KQL
import Tables

/// A column made ready for ordering: each row's place as an integer or a number.
enum OrderKey {
    case whole([Int64], nulls: [Bool]?)
    case real([Double], nulls: [Bool]?)
    /// Compared as they are: ranking a whole dictionary pays only when all rows are sorted.
    case text(StringVector)

    init(_ column: Column, ranksText: Bool) throws {
        let flat = column.flattened()
        switch flat.storage {
        case .string(let v) where !ranksText: self = .text(v)
        case .int64(let v): self = .whole(v, nulls: flat.nulls)
        case .bool(let v): self = .whole(v.map { $0 ? 1 : 0 }, nulls: flat.nulls)
        case .real(let v): self = .real(v, nulls: flat.nulls)
        case .string(let v):
            let order = try v.bytes.withUnsafeBufferPointer { buffer in
                try (0..<v.entryCount).sorted { a, b in
                    try Interrupted.check()
                    let x = UnsafeBufferPointer(rebasing: buffer[v.entryRange(a)])
                    let y = UnsafeBufferPointer(rebasing: buffer[v.entryRange(b)])
                    let n = min(x.count, y.count)
                    for i in 0..<n where x[i] != y[i] { return x[i] < y[i] }
                    return x.count < y.count
                }
            }
            var ranks = [Int64](repeating: 0, count: v.entryCount)
            var rank: Int64 = 0
            for (i, e) in order.enumerated() {
                if i > 0, v.bytes[v.entryRange(e)] != v.bytes[v.entryRange(order[i - 1])] { rank += 1 }
                ranks[e] = rank
            }
            self = .whole(v.codes.map { $0.map { ranks[Int($0)] } } ?? ranks, nulls: nil)
        default:
            let values = flat.values
            let order = try values.indices.sorted {
                try Interrupted.check()
                return (ValueOps.compare(values[$0], values[$1]) ?? ValueOps.compare(values[$0].text, values[$1].text))
                    < 0
            }
            var ranks = [Int64](repeating: 0, count: values.count)
            var rank: Int64 = 0
            for (i, row) in order.enumerated() {
                if i > 0, values[row] != values[order[i - 1]] { rank += 1 }
                ranks[row] = rank
            }
            self = .whole(ranks, nulls: values.map(\.isNull))
        }
    }

    /// Negative when row `a` comes first.
    @inline(__always)
    func compare(_ a: Int, _ b: Int, ascending: Bool, nullsFirst: Bool) -> Int {
        switch self {
        case .whole(let v, let nulls):
            if let nulls, nulls[a] || nulls[b] {
                if nulls[a] && nulls[b] { return 0 }
                return nulls[a] == nullsFirst ? -1 : 1
            }
            if v[a] == v[b] { return 0 }
            return (v[a] < v[b]) == ascending ? -1 : 1
        case .text(let v):
            let c = v.compare(a, b)
            return ascending ? c : -c
        case .real(let v, let nulls):
            if let nulls, nulls[a] || nulls[b] {
                if nulls[a] && nulls[b] { return 0 }
                return nulls[a] == nullsFirst ? -1 : 1
            }
            if v[a].isNaN || v[b].isNaN {
                if v[a].isNaN && v[b].isNaN { return 0 }
                return v[a].isNaN == nullsFirst ? -1 : 1
            }
            if v[a] == v[b] { return 0 }
            return (v[a] < v[b]) == ascending ? -1 : 1
        }
    }
}

extension Executor {
    /// The order of a batch's rows by `keys`; rows that are equal keep their order.
    func ordering(_ batch: Batch, _ keys: [SortKey], limit: Int?) throws -> [Int32] {
        let isTop = limit.map { $0 < batch.count / 4 } ?? false
        let prepared = try keys.map {
            (try OrderKey(try evaluator.column($0.expr, batch), ranksText: !isTop), $0.isAscending, $0.nullsFirst)
        }
        func before(_ a: Int32, _ b: Int32) -> Bool {
            for (key, ascending, nullsFirst) in prepared {
                let c = key.compare(Int(a), Int(b), ascending: ascending, nullsFirst: nullsFirst)
                if c != 0 { return c < 0 }
            }
            return a < b
        }
        let rows = (0..<batch.count).map { Int32($0) }
        guard let limit, limit < batch.count / 4 else {
            let sorted = try rows.sorted {
                try Interrupted.check()
                return before($0, $1)
            }
            return limit.map { Array(sorted.prefix($0)) } ?? sorted
        }
        if limit == 0 { return [] }
        // A bounded heap whose root is the worst row kept.
        var heap: [Int32] = []
        func sink(_ start: Int) {
            var i = start
            while true {
                var worst = i
                for child in [2 * i + 1, 2 * i + 2] where child < heap.count && before(heap[worst], heap[child]) {
                    worst = child
                }
                if worst == i { return }
                heap.swapAt(i, worst)
                i = worst
            }
        }
        for row in rows {
            if heap.count < limit {
                heap.append(row)
                if heap.count == limit { for i in stride(from: limit / 2, through: 0, by: -1) { sink(i) } }
            } else if before(row, heap[0]) {
                heap[0] = row
                sink(0)
            }
        }
        return heap.sorted(by: before)
    }

    func sort(_ input: Plan, _ keys: [SortKey], limit: Int?) throws -> BatchIterator {
        guard let limit, limit < 10_000 else {
            let all = try table(input)
            return once(all.gather(try ordering(all, keys, limit: limit)))
        }
        return once(try top(input, keys, limit))
    }

    /// The first rows of a table in an order. Of each batch only the keys are looked at; the other columns are read
    /// at the end, for the rows that stayed.
    private func top(_ input: Plan, _ keys: [SortKey], _ limit: Int) throws -> Batch {
        let keySchema = Schema(
            keys.indices.map { ColumnSpec("k\($0)", keys[$0].expr.type) } + [
                ColumnSpec("batch", .long), ColumnSpec("row", .long),
            ])
        let order = keys.indices.map {
            SortKey(
                expr: .column($0, keys[$0].expr.type), isAscending: keys[$0].isAscending,
                nullsFirst: keys[$0].nullsFirst)
        }
        let next = try run(input)
        var batches: [Int: Batch] = [:]
        var best: Batch?
        var number = 0
        while let batch = try next() {
            if batch.count == 0 { continue }
            try context.check()
            let rows = try ordering(batch, keys, limit: limit)
            let columns = try keys.map { try evaluator.column($0.expr, batch).gather(rows) }
            let places = [
                Column(constant: .long(Int64(number)), .long, count: rows.count),
                Column(.long, .int64(rows.map { Int64($0) }), count: rows.count),
            ]
            let candidate = Batch(schema: keySchema, columns: columns + places, count: rows.count)
            let joined = best.map { Batch.concatenate([$0, candidate], schema: keySchema) } ?? candidate
            let kept = joined.gather(try ordering(joined, order, limit: limit))
            // Read now, so that nothing else of the batches is held.
            best = Batch(
                schema: keySchema, columns: try keySchema.columns.indices.map { try kept.column($0) }, count: kept.count
            )
            batches[number] = batch
            number += 1
            if batches.count > 256 || batches.count > limit * 2 {
                let alive = Set(try (0..<kept.count).map { try kept.column(keys.count)[$0].longValue ?? 0 })
                batches = batches.filter { alive.contains(Int64($0.key)) }
            }
        }
        guard let best else { return .empty(input.schema) }
        let owners = try best.column(keys.count)
        let rows = try best.column(keys.count + 1)
        var parts: [Int: [(place: Int, row: Int32)]] = [:]
        for i in 0..<best.count {
            parts[Int(owners[i].longValue ?? 0), default: []].append((i, Int32(rows[i].longValue ?? 0)))
        }
        var places = [Int32](repeating: 0, count: best.count)
        var gathered: [Batch] = []
        var at: Int32 = 0
        for (number, members) in parts.sorted(by: { $0.key < $1.key }) {
            guard let batch = batches[number] else { continue }
            gathered.append(batch.gather(members.map(\.row)))
            for member in members {
                places[member.place] = at
                at += 1
            }
        }
        return Batch.concatenate(gathered, schema: input.schema).gather(places)
    }
}
