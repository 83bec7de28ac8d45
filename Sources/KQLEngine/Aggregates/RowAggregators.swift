import KQL
import Tables

/// `arg_max` and `arg_min`: remembers where each group's extreme row is, and fetches its columns at the end.
final class ArgExtremeAggregator: Aggregator {
    private let outputs: [ColumnSpec]
    private let sign: Int
    private let keyIsWhole: Bool
    private var batches: [[Column]] = []
    private var place: [(batch: Int32, row: Int32)] = []
    private var whole: [Int64] = []
    private var other: [Value] = []

    init(_ a: BoundAggregate, sign: Int) {
        outputs = a.outputs
        self.sign = sign
        keyIsWhole = a.arguments[0].type.isInteger64
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let more = max(0, groupCount - place.count)
        place += repeatElement((batch: -1, row: -1), count: more)
        if keyIsWhole { whole += repeatElement(0, count: more) } else { other += repeatElement(.null, count: more) }
        let key = columns[0]
        let stride = key.stride
        let batch = Int32(batches.count)
        var used = false
        if case .int64(let v) = key.storage {
            for (row, group) in groups.enumerated() {
                let g = Int(group)
                if key.isNull(row) {
                    if place[g].batch == -1 { place[g] = (-2 - batch, Int32(row)); used = true }
                    continue
                }
                let x = v[row * stride]
                if place[g].batch < 0 || (sign > 0 ? x > whole[g] : x < whole[g]) {
                    whole[g] = x
                    place[g] = (batch, Int32(row))
                    used = true
                }
            }
        } else {
            for (row, group) in groups.enumerated() {
                let g = Int(group)
                let x = key[row]
                if x.isNull {
                    if place[g].batch == -1 { place[g] = (-2 - batch, Int32(row)); used = true }
                    continue
                }
                if place[g].batch < 0 || (ValueOps.compare(x, other[g]) ?? 0) * sign > 0 {
                    other[g] = x
                    place[g] = (batch, Int32(row))
                    used = true
                }
            }
        }
        batches.append(used ? columns : [])
        if batches.count % 64 == 0 { compact() }
    }

    /// Keeps only the rows that still win, so that memory follows the groups and not the input.
    private func compact() {
        let kept = finishColumns(groupCount: place.count)
        let wasNull = place.map { $0.batch < 0 }
        batches = [kept]
        place = place.indices.map { (wasNull[$0] ? -2 : 0, Int32($0)) }
    }

    private func finishColumns(groupCount: Int) -> [Column] {
        var starts: [Int] = []
        var total = 0
        for columns in batches {
            starts.append(total)
            total += columns.first?.count ?? 0
        }
        let indices = (0..<groupCount).map { g -> Int32 in
            guard g < place.count else { return -1 }
            let b = place[g].batch
            if b == -1 { return -1 }
            return Int32(starts[Int(b < 0 ? -2 - b : b)]) + place[g].row
        }
        return outputs.indices.map { c in
            let parts = batches.filter { !$0.isEmpty }.map { $0[c].flattened() }
            let all =
                parts.isEmpty
                ? ColumnBuilder(outputs[c].type).finish() : Column.concatenate(parts, type: outputs[c].type)
            return all.gatherOptional(indices)
        }
    }

    func finish(groupCount: Int) -> [Column] { finishColumns(groupCount: groupCount) }
}

/// `take_any`: the first row that each group shows, preferring values to nulls.
final class TakeAnyAggregator: Aggregator {
    private let outputs: [ColumnSpec]
    private let condition: Int?
    private var values: [[Value]] = []
    private var done: [Bool] = []

    init(_ a: BoundAggregate, condition: Int?) {
        outputs = a.outputs
        self.condition = condition
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        let more = max(0, groupCount - done.count)
        done += repeatElement(false, count: more)
        values += repeatElement([], count: more)
        let filter = RowFilter(columns, condition)
        for (row, group) in groups.enumerated() where !done[Int(group)] && (filter?.passes(row) ?? true) {
            let g = Int(group)
            let found = outputs.indices.map { columns[$0][row] }
            if outputs.count == 1, found[0].isNull || found[0] == .string("") {
                if values[g].isEmpty { values[g] = found }
                continue
            }
            values[g] = found
            done[g] = true
        }
    }

    func finish(groupCount: Int) -> [Column] {
        outputs.indices.map { c in
            Column(
                outputs[c].type,
                values: (0..<groupCount).map { g -> Value in
                    g < values.count && c < values[g].count ? values[g][c] : .null
                })
        }
    }
}

/// `dcount` and `count_distinct`, both exact.
final class DistinctAggregator: Aggregator {
    private let encoder: KeyEncoder
    private let condition: Int?
    /// A text's number shares a word with its group's.
    private let isNarrow: Bool
    private let seen: GroupTable
    private var counts: [Int64] = []

    init(_ type: ScalarType, condition: Int?) {
        encoder = KeyEncoder(types: [type])
        self.condition = condition
        isNarrow = type == .string
        seen = GroupTable(width: isNarrow ? 1 : encoder.width + 1)
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        if counts.count < groupCount { counts += repeatElement(0, count: groupCount - counts.count) }
        let words = encoder.encode([columns[0]], count: groups.count)
        let filter = RowFilter(columns, condition)
        var keyed: [UInt64] = []
        keyed.reserveCapacity(groups.count * seen.width)
        if isNarrow, filter == nil {
            for (row, g) in groups.enumerated() { keyed.append(UInt64(g) << 32 | words[row]) }
        } else {
            for (row, g) in groups.enumerated() where filter?.passes(row) ?? true {
                if isNarrow {
                    keyed.append(UInt64(g) << 32 | words[row])
                } else if !encoder.hasNull(words, row) {
                    keyed.append(UInt64(g))
                    for w in 0..<encoder.width { keyed.append(words[row * encoder.width + w]) }
                }
            }
        }
        let before = seen.count
        _ = seen.groups(of: keyed)
        for i in before..<seen.count {
            let key = seen.keys[i * seen.width]
            counts[Int(isNarrow ? key >> 32 : key)] += 1
        }
    }

    func finish(groupCount: Int) -> [Column] {
        [Column(.long, .int64(counts + repeatElement(0, count: groupCount - counts.count)), count: groupCount)]
    }

    var keptCount: Int { seen.count }
    var isMergeable: Bool { true }

    func merge(_ other: any Aggregator, into groups: [Int32], groupCount: Int) {
        guard let other = other as? DistinctAggregator else { return }
        let (keys, width) = (other.seen.keys, other.seen.width)
        let owners = (0..<other.seen.count).map {
            groups[Int(other.isNarrow ? keys[$0 * width] >> 32 : keys[$0 * width])]
        }
        // The value alone, as the other state's encoder knows it.
        var words: [UInt64] = []
        words.reserveCapacity(other.seen.count * other.encoder.width)
        for i in 0..<other.seen.count {
            if other.isNarrow {
                words.append(keys[i] & 0xFFFF_FFFF)
            } else {
                words += keys[(i * width + 1)..<(i + 1) * width]
            }
        }
        update(
            owners,
            [other.encoder.decode(words, column: 0)]
                + (condition == nil ? [] : [Column(constant: .bool(true), .bool, count: owners.count)]),
            groupCount: groupCount)
    }
}

/// `make_set`, `make_list`, `make_bag` and `buildschema`.
final class CollectAggregator: Aggregator {
    enum Kind { case set, list, listWithNulls, bag, schema }

    private let kind: Kind
    private let condition: Int?
    private let limit: Int
    private var items: [[Value]] = []
    private var seen: [Set<Value>] = []
    private var bags: [Bag] = []

    init(_ kind: Kind, condition: Int?, limit: Int) {
        self.kind = kind
        self.condition = condition
        self.limit = limit
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) throws {
        let more = max(0, groupCount - items.count)
        items += repeatElement([], count: more)
        if kind == .set { seen += repeatElement([], count: more) }
        if kind == .bag { bags += repeatElement(Bag(), count: more) }
        let filter = RowFilter(columns, condition)
        for (row, group) in groups.enumerated() where filter?.passes(row) ?? true {
            try Interrupted.check()
            let g = Int(group)
            let v = columns[0][row]
            switch kind {
            case .set:
                if v.isNull || items[g].count >= limit { continue }
                if case .array(let list) = v {
                    for item in list where items[g].count < limit && seen[g].insert(item).inserted {
                        items[g].append(item)
                    }
                } else if seen[g].insert(v).inserted {
                    items[g].append(v)
                }
            case .list:
                if v.isNull || items[g].count >= limit { continue }
                items[g].append(v)
            case .listWithNulls, .schema:
                items[g].append(v)
            case .bag:
                guard case .bag(let bag) = v else { continue }
                for (k, inner) in zip(bag.keys, bag.values) where bags[g].count < limit && bags[g][k] == nil {
                    bags[g][k] = inner
                }
            }
        }
    }

    func finish(groupCount: Int) throws -> [Column] {
        [
            Column(
                .dynamic,
                values: try (0..<groupCount).map { g -> Value in
                    if kind == .bag { return .bag(g < bags.count ? bags[g] : Bag()) }
                    let list = g < items.count ? items[g] : []
                    return try kind == .schema ? CollectAggregator.schema(of: list) : .array(list)
                })
        ]
    }

    /// The least schema that all values have.
    private static func schema(of values: [Value]) throws -> Value {
        var types: [Value] = []
        var bags: [Bag] = []
        var elements: [Value] = []
        var sawArray = false
        for v in values {
            try Interrupted.check()
            switch v {
            case .bag(let b): bags.append(b)
            case .array(let a):
                sawArray = true
                elements += a
            case .null: break
            default:
                let name: Value = .string(v.type == .real ? "double" : v.type?.name ?? "")
                if !types.contains(name) { types.append(name) }
            }
        }
        if !bags.isEmpty {
            var out = Bag()
            var order: [String] = []
            var seen: Set<String> = []
            for b in bags { for k in b.keys where seen.insert(k).inserted { order.append(k) } }
            for k in order { out[k] = try schema(of: bags.compactMap { $0[k] }) }
            types.append(.bag(out))
        }
        if sawArray { types.append(.bag(Bag([("`indexer`", try schema(of: elements))]))) }
        types = types.filter { $0.bagValue != nil } + types.filter { $0.bagValue == nil }
        return types.count == 1 ? types[0] : .array(types)
    }
}
