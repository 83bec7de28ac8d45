import Tables

/// Loops over whole columns for the operators that queries spend their time in.
enum VectorKernels {
    /// Functions that have loops over columns alone, and the time of a row, which the evaluator finds.
    static let alone: Set<String> = [
        "isempty", "isnotempty", "notempty", "isnull", "isnotnull", "notnull", "ingestion_time",
    ]

    /// The result, or nil when there is no special loop for these types.
    static func evaluate(
        _ name: String, _ arguments: [Column], _ type: ScalarType, _ count: Int, _ context: QueryContext
    ) throws -> Column? {
        switch name {
        case "==", "!=", "<", "<=", ">", ">=": return comparison(name, arguments[0], arguments[1], count)
        case "+", "-", "*": return arithmetic(name, arguments[0], arguments[1], type, count)
        case "not": return negation(arguments[0])
        case "isempty", "isnotempty", "notempty", "isnull", "isnotnull", "notnull": return emptiness(name, arguments[0])
        case "bin", "floor": return binning(arguments, type)
        case "tostring":
            switch arguments[0].type {
            case .string: return arguments[0]
            // A bool column is written as .NET writes it; one inside a dynamic as JSON does.
            case .bool:
                return try Evaluator.mapValues(arguments[0], .string) {
                    .string($0.boolValue.map { $0 ? "True" : "False" } ?? "")
                }
            default: return nil
            }
        case "tohex" where arguments[0].type == .int:
            // An int shows the 32 bits it has.
            let narrow = try Evaluator.mapValues(arguments[0], .long) { v in
                v.longValue.map { .long(Int64(UInt32(truncatingIfNeeded: $0))) } ?? .null
            }
            return try Evaluator(context: context, executor: Executor(context)).call(
                "tohex", [narrow] + arguments.dropFirst(), .string, count)
        case "in", "!in", "in~", "!in~": return membership(name, arguments, count)
        default: return text(name, arguments, count)
        }
    }

    private static func result(_ values: [Bool], _ nulls: [Bool]? = nil, _ count: Int, constant: Bool) -> Column {
        Column(.bool, .bool(values), nulls: nulls, count: count, isConstant: constant)
    }

    private static func mergedNulls(_ a: Column, _ b: Column, _ n: Int) -> [Bool]? {
        if a.nulls == nil, b.nulls == nil { return nil }
        let (sa, sb) = (a.stride, b.stride)
        return (0..<n).map { (a.nulls?[$0 * sa] ?? false) || (b.nulls?[$0 * sb] ?? false) }
    }

    private static func compareLoop<T: Comparable>(_ op: String, _ x: [T], _ sx: Int, _ y: [T], _ sy: Int, _ n: Int)
        -> [Bool]
    {
        var out = [Bool](repeating: false, count: n)
        x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                switch op {
                case "==": for i in 0..<n { out[i] = x[i * sx] == y[i * sy] }
                case "!=": for i in 0..<n { out[i] = x[i * sx] != y[i * sy] }
                case "<": for i in 0..<n { out[i] = x[i * sx] < y[i * sy] }
                case "<=": for i in 0..<n { out[i] = x[i * sx] <= y[i * sy] }
                case ">": for i in 0..<n { out[i] = x[i * sx] > y[i * sy] }
                default: for i in 0..<n { out[i] = x[i * sx] >= y[i * sy] }
                }
            }
        }
        return out
    }

    /// A comparison with nulls: `==` and `!=` with a null on one side are false and true; the others are null.
    private static func compared(
        _ op: String, _ values: [Bool], _ a: Column, _ b: Column, _ n: Int, _ count: Int, constant: Bool
    ) -> Column {
        guard op == "==" || op == "!=", a.nulls != nil || b.nulls != nil else {
            return result(values, mergedNulls(a, b, n), count, constant: constant)
        }
        let (sa, sb) = (a.stride, b.stride)
        var values = values
        var nulls = [Bool](repeating: false, count: n)
        for i in 0..<n {
            let (x, y) = (a.nulls?[i * sa] ?? false, b.nulls?[i * sb] ?? false)
            if x && y { nulls[i] = true } else if x || y { values[i] = op == "!=" }
        }
        return result(values, nulls.contains(true) ? nulls : nil, count, constant: constant)
    }

    private static func comparison(_ op: String, _ a: Column, _ b: Column, _ count: Int) -> Column? {
        let constant = a.isConstant && b.isConstant
        let n = constant ? 1 : count
        switch (a.storage, b.storage) {
        case (.int64(let x), .int64(let y)):
            guard a.type == b.type || (a.type.isNumeric && b.type.isNumeric) else { return nil }
            return compared(op, compareLoop(op, x, a.stride, y, b.stride, n), a, b, n, count, constant: constant)
        case (.real(let x), .real(let y)):
            return compared(op, compareLoop(op, x, a.stride, y, b.stride, n), a, b, n, count, constant: constant)
        case (.real(let x), .int64(let y)) where b.type.isNumeric:
            return compared(
                op, compareLoop(op, x, a.stride, y.map(Double.init), b.stride, n), a, b, n, count, constant: constant)
        case (.int64(let x), .real(let y)) where a.type.isNumeric:
            return compared(
                op, compareLoop(op, x.map(Double.init), a.stride, y, b.stride, n), a, b, n, count, constant: constant)
        case (.string(let x), .string(let y)) where !a.isConstant && b.isConstant && (op == "==" || op == "!="):
            return equality(x, y.entryRange(y.codes.map { Int($0[0]) } ?? 0), y.bytes, count, negated: op == "!=")
        case (.string(let x), .string(let y)) where a.isConstant && !b.isConstant && (op == "==" || op == "!="):
            return equality(y, x.entryRange(x.codes.map { Int($0[0]) } ?? 0), x.bytes, count, negated: op == "!=")
        default: return nil
        }
    }

    private static func equality(_ v: StringVector, _ r: Range<Int>, _ bytes: [UInt8], _ count: Int, negated: Bool)
        -> Column
    {
        bytes.withUnsafeBufferPointer { b in
            let wanted = UnsafeBufferPointer(rebasing: b[r])
            return perEntry(v, count) { ByteHash.equal($0, wanted) != negated }
        }
    }

    /// A predicate computed once per dictionary entry.
    private static func perEntry(_ v: StringVector, _ count: Int, _ predicate: (UnsafeBufferPointer<UInt8>) -> Bool)
        -> Column
    {
        let hits = v.bytes.withUnsafeBufferPointer { buffer in
            (0..<v.entryCount).map { predicate(UnsafeBufferPointer(rebasing: buffer[v.entryRange($0)])) }
        }
        let values = v.codes.map { $0.map { hits[Int($0)] } } ?? hits
        return result(values, nil, count, constant: false)
    }

    private static func text(_ name: String, _ arguments: [Column], _ count: Int) -> Column? {
        guard arguments.count == 2, arguments[1].isConstant, !arguments[0].isConstant,
            case .string(let haystack) = arguments[0].storage, case .string(let needle) = arguments[1][0]
        else { return nil }
        let negated = name.hasPrefix("!")
        let plain = negated ? (name == "!~" ? "=~" : String(name.dropFirst())) : name
        guard let search = TextSearch(operator: plain, needle) else { return nil }
        return perEntry(haystack, count) { search.matches($0) != negated }
    }

    private static func arithmetic(_ op: String, _ a: Column, _ b: Column, _ type: ScalarType, _ count: Int) -> Column?
    {
        let constant = a.isConstant && b.isConstant
        let n = constant ? 1 : count
        let (sa, sb) = (a.stride, b.stride)
        func column(_ storage: Column.Storage) -> Column {
            Column(type, storage, nulls: mergedNulls(a, b, n), count: count, isConstant: constant)
        }
        switch (a.storage, b.storage) {
        case (.int64(let x), .int64(let y)) where type == .long:
            switch op {
            case "+": return column(.int64((0..<n).map { x[$0 * sa] &+ y[$0 * sb] }))
            case "-": return column(.int64((0..<n).map { x[$0 * sa] &- y[$0 * sb] }))
            default: return column(.int64((0..<n).map { x[$0 * sa] &* y[$0 * sb] }))
            }
        case (.int64(let x), .int64(let y))
        where type == .timespan && a.type == .datetime && b.type == .datetime && op == "-":
            return column(.int64((0..<n).map { x[$0 * sa] &- y[$0 * sb] }))
        case (.real(let x), .real(let y)) where type == .real:
            switch op {
            case "+": return column(.real((0..<n).map { x[$0 * sa] + y[$0 * sb] }))
            case "-": return column(.real((0..<n).map { x[$0 * sa] - y[$0 * sb] }))
            default: return column(.real((0..<n).map { x[$0 * sa] * y[$0 * sb] }))
            }
        default: return nil
        }
    }

    private static func negation(_ a: Column) -> Column? {
        guard case .bool(let x) = a.storage else { return nil }
        return Column(.bool, .bool(x.map { !$0 }), nulls: a.nulls, count: a.count, isConstant: a.isConstant)
    }

    private static func emptiness(_ name: String, _ a: Column) -> Column {
        let wantsEmpty = name == "isempty" || name == "isnull"
        let treatsText = name == "isempty" || name == "isnotempty" || name == "notempty"
        let n = a.isConstant ? 1 : a.count
        switch a.storage {
        case .string(let v):
            if !treatsText { return Column(constant: .bool(!wantsEmpty), .bool, count: a.count) }
            let hits = (0..<v.entryCount).map { v.entryRange($0).isEmpty == wantsEmpty }
            return result(v.codes.map { $0.map { hits[Int($0)] } } ?? hits, nil, a.count, constant: a.isConstant)
        case .dynamic(let v):
            let hits = v.map { value -> Bool in
                var isEmpty = value.isNull
                if treatsText, case .string(let s) = value { isEmpty = s.isEmpty }
                return isEmpty == wantsEmpty
            }
            return result(hits, nil, a.count, constant: a.isConstant)
        default:
            guard let nulls = a.nulls else {
                return result([Bool](repeating: !wantsEmpty, count: n), nil, a.count, constant: a.isConstant)
            }
            return result(nulls.map { $0 == wantsEmpty }, nil, a.count, constant: a.isConstant)
        }
    }

    private static func binning(_ arguments: [Column], _ type: ScalarType) -> Column? {
        guard arguments.count == 2, arguments[1].isConstant, !arguments[1].isNull(0),
            case .int64(let steps) = arguments[1].storage,
            case .int64(let values) = arguments[0].storage, type == arguments[0].type, steps[0] > 0,
            !arguments[0].isConstant
        else { return nil }
        let step = steps[0]
        var nulls = arguments[0].nulls
        let out = values.enumerated().map { row, v -> Int64 in
            let r = v % step
            if r >= 0 { return v - r }
            if let lower = (v - r).subtracting(step) { return lower }
            // Below every 64-bit number.
            nulls = nulls ?? [Bool](repeating: false, count: values.count)
            nulls?[row] = true
            return 0
        }
        return Column(type, .int64(out), nulls: nulls, count: arguments[0].count)
    }

    /// `in` over constants.
    private static func membership(_ name: String, _ arguments: [Column], _ count: Int) -> Column? {
        guard arguments.dropFirst().allSatisfy(\.isConstant), !arguments[0].isConstant else { return nil }
        let negated = name.hasPrefix("!")
        let folds = name.hasSuffix("~")
        var items: [Value] = []
        for argument in arguments.dropFirst() {
            if case .array(let list) = argument[0] { items += list } else { items.append(argument[0]) }
        }
        switch arguments[0].storage {
        case .string(let v):
            var set = Set<[UInt8]>()
            for item in items where !item.isNull {
                set.insert(Array((folds ? item.text.lowercased() : item.text).utf8))
            }
            return perEntry(v, count) { bytes in
                if folds {
                    return set.contains(Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8)) != negated
                }
                return set.contains(Array(bytes)) != negated
            }
        case .int64(let v) where arguments[0].type.isNumeric:
            var set = Set<Int64>()
            for item in items {
                guard case .long(let n) = item.converted(to: .long), item.doubleValue == Double(n) else { continue }
                set.insert(n)
            }
            let nulls = arguments[0].nulls
            return result(
                v.indices.map { (set.contains(v[$0]) && nulls?[$0] != true) != negated }, nil, count, constant: false)
        default: return nil
        }
    }
}
