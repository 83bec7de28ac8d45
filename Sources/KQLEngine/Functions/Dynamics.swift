import KQL
import Tables

extension ScalarFunctions {
    private static func sorted(_ a: [Value], ascending: Bool) throws -> [[Value]] {
        var arrays: [[Value]] = []
        var nullsLast = true
        for v in a {
            if case .array(let items) = v { arrays.append(items) } else if case .bool(let b) = v { nullsLast = b }
        }
        guard let first = arrays.first else { return [] }
        let order = try first.indices.sorted { i, j in
            try Interrupted.check()
            let (x, y) = (first[i], first[j])
            if x.isNull || y.isNull {
                if x.isNull && y.isNull { return i < j }
                return x.isNull ? !nullsLast : nullsLast
            }
            let c = rank(x) == rank(y) ? ValueOps.compare(x, y) ?? ValueOps.compare(x.text, y.text) : rank(x) - rank(y)
            if c == 0 { return i < j }
            return ascending ? c < 0 : c > 0
        }
        return arrays.map { array in array.count == first.count ? order.map { array[$0] } : [] }
    }

    /// Text stands before everything else.
    private static func rank(_ v: Value) -> Int { if case .string = v { 0 } else { 1 } }

    private static func sorting(_ ascending: Bool) -> ScalarKernel {
        .lenient { a, _ in try sorted(a, ascending: ascending).first.map { .array($0) } ?? .null }
    }

    private static func sortingTuple(_ ascending: Bool) -> ScalarKernel {
        .lenient { a, _ in .array(try sorted(a, ascending: ascending).map { $0.isEmpty ? .null : .array($0) }) }
    }

    private static func shifted(_ a: [Value], _ direction: Int) -> Value {
        guard case .array(let items) = a[0], let n = a[1].longValue else { return .null }
        let fill = a.count > 2 ? a[2] : .null
        let by = Int(max(-Int64(items.count), min(Int64(items.count), n))) * direction
        return .array(items.indices.map { items.indices.contains($0 + by) ? items[$0 + by] : fill })
    }

    private static func rotated(_ a: [Value], _ direction: Int) -> Value {
        guard case .array(let items) = a[0], let n = a[1].longValue, !items.isEmpty else { return a[0] }
        let count = items.count
        let by = ((Int(n) % count) * direction + count) % count
        return .array(items.indices.map { items[($0 + by) % count] })
    }

    private static func slice(_ a: [Value]) -> Value {
        guard case .array(let items) = a[0], let s = a[1].longValue, let e = a[2].longValue else { return .null }
        let n = Int64(items.count)
        let from = max(0, s < 0 ? s + n : s)
        let to = min(n - 1, e < 0 ? e + n : e)
        return from > to ? .array([]) : .array(Array(items[Int(from)...Int(to)]))
    }

    private static func merged(_ bags: [Value]) -> Value {
        var out = Bag()
        for case .bag(let bag) in bags {
            for (k, v) in zip(bag.keys, bag.values) where out[k] == nil { out[k] = v }
        }
        return .bag(out)
    }

    static var dynamics: [String: ScalarKernel] {
        [
            "pack_array": .lenient { a, _ in .array(a) },
            "bag_pack": .lenient { a, _ in
                var bag = Bag()
                var i = 0
                while i + 1 < a.count {
                    bag[a[i].text] = a[i + 1]
                    i += 2
                }
                return .bag(bag)
            },
            "pack_all": .lenient { a, _ in
                var bag = Bag()
                let skips = a[0].boolValue ?? false
                var i = 1
                while i + 1 < a.count {
                    let v = a[i + 1]
                    if !skips || !(v.isNull || v == .string("")) { bag[a[i].text] = v }
                    i += 2
                }
                return .bag(bag)
            },
            "graph_all": .lenient { a, _ in .bool((a[0].arrayValue ?? []).allSatisfy { $0.boolValue == true }) },
            "graph_any": .lenient { a, _ in .bool((a[0].arrayValue ?? []).contains { $0.boolValue == true }) },
            "array_length": .lenient { a, _ in a[0].arrayValue.map { .long(Int64($0.count)) } ?? .null },
            "arraylength": .lenient { a, _ in a[0].arrayValue.map { .long(Int64($0.count)) } ?? .null },
            "array_concat": .lenient { a, _ in .array(try concatenated(a)) },
            "array_iff": .lenient { a, _ in choose(a) }, "array_iif": .lenient { a, _ in choose(a) },
            "array_index_of": .lenient { a, _ in
                guard case .array(let items) = a[0] else { return .null }
                var start = a.count > 2 ? Int(a[2].longValue ?? 0) : 0
                if start < 0 { start = max(0, items.count + start) }
                let length = a.count > 3 ? Int(a[3].longValue ?? -1) : -1
                let occurrence = a.count > 4 ? Int(a[4].longValue ?? 1) : 1
                guard occurrence > 0, length >= -1 else { return .null }
                let end = length < 0 ? items.count : min(items.count, start.addingSaturated(length))
                let hits = start < end ? (start..<end).filter { ValueOps.equal(items[$0], a[1]) == true } : []
                return .long(hits.count >= occurrence ? Int64(hits[occurrence - 1]) : -1)
            },
            "array_reverse": .lenient { a, _ in a[0].arrayValue.map { .array($0.reversed()) } ?? .null },
            "array_rotate_left": .lenient { a, _ in rotated(a, 1) },
            "array_rotate_right": .lenient { a, _ in rotated(a, -1) },
            "array_shift_left": .lenient { a, _ in shifted(a, 1) },
            "array_shift_right": .lenient { a, _ in shifted(a, -1) },
            "array_slice": .lenient { a, _ in slice(a) },
            "array_sort_asc": sorting(true), "array_sort_desc": sorting(false),
            "array_sort_asc_tuple": sortingTuple(true), "array_sort_desc_tuple": sortingTuple(false),
            "array_split": .lenient { a, _ in
                guard case .array(let items) = a[0] else { return .null }
                let points = (a[1].arrayValue ?? [a[1]]).compactMap(\.longValue).map { p in
                    max(0, min(items.count, p < 0 ? items.count + Int(p) : Int(p)))
                }
                var out: [Value] = []
                var last = 0
                for p in points {
                    out.append(.array(last <= p ? Array(items[last..<p]) : []))
                    last = max(last, p)
                }
                out.append(.array(Array(items[last...])))
                return .array(out)
            },
            "array_sum": .lenient { a, _ in
                guard case .array(let items) = a[0] else { return .null }
                if items.allSatisfy({ $0.longValue != nil }) {
                    return .real(Double(items.reduce(0) { $0 &+ ($1.longValue ?? 0) }))
                }
                let numbers = items.map(\.doubleValue)
                return numbers.contains { $0 == nil } ? .null : .real(numbers.reduce(0) { $0 + ($1 ?? 0) })
            },
            "range": .lenient { a, _ in try sequence(a) },
            "repeat": .lenient { a, _ in
                guard let n = a[1].longValue, n >= 0, n <= 1_000_000 else { return .null }
                return .array(Array(repeating: a[0], count: Int(n)))
            },
            "zip": .lenient { a, _ in
                let arrays = a.map { $0.arrayValue ?? [$0] }
                let n = arrays.map(\.count).max() ?? 0
                try ValueSize.checkItems(n.multiplied(by: arrays.count) ?? .max)
                return .array((0..<n).map { i in .array(arrays.map { i < $0.count ? $0[i] : .null }) })
            },
            "bag_keys": .lenient { a, _ in a[0].bagValue.map { .array($0.keys.map { .string($0) }) } ?? .null },
            "bag_has_key": .lenient { a, _ in
                guard case .bag(let bag) = a[0] else { return .bool(false) }
                if a[1].text.hasPrefix("$") { return .bool(!followPath(a[0], a[1].text).isNull) }
                return .bool(bag[a[1].text] != nil)
            },
            "bag_merge": .lenient { a, _ in merged(a) },
            "bag_set_key": .lenient { a, _ in
                guard case .bag(var bag) = a[0] else { return .null }
                if a[1].text.hasPrefix("$.") {
                    let path = a[1].text.dropFirst(2).split(separator: ".").map(String.init)
                    guard path.count <= ValueSize.levelsMax else {
                        throw ValueSize.tooLong("a dynamic of more than \(ValueSize.levelsMax) levels")
                    }
                    return setting(a[0], path[...], a[2])
                }
                bag[a[1].text] = a[2]
                return .bag(bag)
            },
            "bag_remove_keys": .lenient { a, _ in
                guard case .bag(var bag) = a[0], case .array(let keys) = a[1] else { return a[0] }
                for key in keys {
                    if key.text.hasPrefix("$") {
                        let parts = key.text.dropFirst().split(whereSeparator: { ".[]'".contains($0) }).map(String.init)
                        if case .bag(let b) = removing(.bag(bag), parts[...]) { bag = b }
                    } else {
                        bag[key.text] = nil
                    }
                }
                return .bag(bag)
            },
            "bag_zip": .lenient { a, _ in
                guard case .array(let keys) = a[0] else { return .null }
                let values = a[1].arrayValue ?? []
                return .bag(
                    Bag(
                        keys.enumerated().compactMap { i, k in
                            if case .string(let s) = k { (s, i < values.count ? values[i] : .null) } else { nil }
                        }))
            },
            "treepath": .lenient { a, _ in
                var out: [Value] = []
                var size = 0
                try paths(a[0], "", &out, &size)
                return .array(out)
            },
        ]
    }

    /// The value with a property set at a path; bags on the way are made when they are missing.
    private static func setting(_ v: Value, _ path: ArraySlice<String>, _ new: Value) -> Value {
        guard let first = path.first else { return new }
        var bag = v.bagValue ?? Bag()
        bag[first] = setting(bag[first] ?? .null, path.dropFirst(), new)
        return .bag(bag)
    }

    private static func removing(_ v: Value, _ path: ArraySlice<String>) -> Value {
        guard case .bag(var bag) = v, let first = path.first else { return v }
        if path.count == 1 {
            bag[first] = nil
        } else if let inner = bag[first] {
            bag[first] = removing(inner, path.dropFirst())
        }
        return .bag(bag)
    }

    private static func concatenated(_ a: [Value]) throws -> [Value] {
        var out: [Value] = []
        for v in a {
            try Interrupted.check()
            out += v.arrayValue ?? []
            try ValueSize.checkItems(out.count)
        }
        return out
    }

    private static func paths(_ v: Value, _ prefix: String, _ out: inout [Value], _ size: inout Int) throws {
        try Interrupted.check()
        size += prefix.utf8.count
        try ValueSize.checkText(size)
        switch v {
        case .bag(let bag):
            for (k, inner) in zip(bag.keys, bag.values) {
                let path = prefix + "['\(k)']"
                out.append(.string(path))
                try paths(inner, path, &out, &size)
            }
        case .array(let items):
            for (i, inner) in items.enumerated() {
                let path = prefix + (i == 0 ? "[0]" : "[\(i)]")
                out.append(.string(path))
                try paths(inner, path, &out, &size)
            }
        default: break
        }
    }

    private static func choose(_ a: [Value]) -> Value {
        guard case .array(let flags) = a[0] else { return .null }
        func pick(_ v: Value, _ i: Int) -> Value {
            if case .array(let items) = v { return i < items.count ? items[i] : .null }
            return v
        }
        return .array(
            flags.enumerated().map { i, flag in
                let on: Bool? = flag.boolValue ?? flag.doubleValue.map { $0 != 0 }
                guard let on else { return .null }
                return pick(on ? a[1] : a[2], i)
            })
    }

    private static func sequence(_ a: [Value]) throws -> Value {
        let limit = 1_048_576
        var out: [Value] = []
        let step: Value
        if a.count > 2 {
            step = a[2]
        } else if case .datetime = a[0] {
            step = .timespan(36_000_000_000)
        } else if case .timespan = a[0] {
            step = .timespan(36_000_000_000)
        } else {
            step = .long(1)
        }
        var current = a[0]
        guard let sign = ValueOps.compare(step, ValueOps.arithmetic("-", step, step)), sign != 0 else { return .null }
        while out.count < limit, let c = ValueOps.compare(current, a[1]), sign > 0 ? c <= 0 : c >= 0 {
            try Interrupted.check()
            out.append(current)
            let following = ValueOps.arithmetic("+", current, step)
            // A sum that passes the end of its type ends the range.
            guard let d = ValueOps.compare(following, current), d * sign > 0 else { break }
            current = following
        }
        return .array(out)
    }

    // MARK: Sets

    private static func distinct(_ items: [Value]) throws -> [Value] {
        var seen = Set<Value>()
        return try items.filter {
            try Interrupted.check()
            return seen.insert($0).inserted
        }
    }

    static var sets: [String: ScalarKernel] {
        [
            "set_union": .lenient { a, _ in
                try a.contains { $0.isNull } ? .null : .array(distinct(concatenated(a)))
            },
            "set_intersect": .lenient { a, _ in
                let sets = a.dropFirst().map { Set($0.arrayValue ?? []) }
                return .array(try distinct(a[0].arrayValue ?? []).filter { v in sets.allSatisfy { $0.contains(v) } })
            },
            "set_difference": .lenient { a, _ in
                let gone = Set(try concatenated(Array(a.dropFirst())))
                return .array(try distinct(a[0].arrayValue ?? []).filter { !gone.contains($0) })
            },
            "set_has_element": .lenient { a, _ in
                guard case .array(let items) = a[0] else { return .null }
                return .bool(items.contains { ValueOps.equal($0, a[1]) == true })
            },
            "set_equals": .lenient { a, _ in .bool(Set(a[0].arrayValue ?? []) == Set(a[1].arrayValue ?? [])) },
            "jaccard_index": .lenient { a, _ in
                let x = Set(a[0].arrayValue ?? [])
                let y = Set(a[1].arrayValue ?? [])
                let union = x.union(y).count
                return union == 0 ? .real(.nan) : .real(Double(x.intersection(y).count) / Double(union))
            },
        ]
    }
}
