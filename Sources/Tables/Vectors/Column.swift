/// One column of a batch: values of one type, some of them null.
///
/// A constant column holds one value that stands for every row.
package struct Column: Sendable {
    package enum Storage: Sendable {
        case bool([Bool])
        /// `int`, `long`, `datetime` (ticks) and `timespan` (ticks).
        case int64([Int64])
        case real([Double])
        case decimal([Decimal])
        case guid([GUID])
        case string(StringVector)
        case dynamic([Value])
    }

    package let type: ScalarType
    package let storage: Storage
    /// True where a value is missing; nil when none is. Strings are never null.
    package let nulls: [Bool]?
    package let count: Int
    package let isConstant: Bool

    package init(_ type: ScalarType, _ storage: Storage, nulls: [Bool]? = nil, count: Int, isConstant: Bool = false) {
        self.type = type
        self.storage = storage
        self.nulls = nulls
        self.count = count
        self.isConstant = isConstant
    }

    /// `value` in every one of `count` rows.
    package init(constant value: Value, _ type: ScalarType, count: Int) {
        var builder = ColumnBuilder(type)
        builder.append(value)
        let one = builder.finish()
        self.init(type, one.storage, nulls: one.nulls, count: count, isConstant: true)
    }

    package init(_ type: ScalarType, values: some Sequence<Value>) {
        var builder = ColumnBuilder(type)
        for value in values { builder.append(value) }
        self = builder.finish()
    }

    /// 0 for a constant, else 1: what a row number is multiplied with to find its value.
    package var stride: Int { isConstant ? 0 : 1 }

    package func isNull(_ row: Int) -> Bool {
        if let nulls { return nulls[row * stride] }
        if case .dynamic(let values) = storage { return values[row * stride].isNull }
        return false
    }

    package subscript(row: Int) -> Value {
        let i = row * stride
        if let nulls, nulls[i] { return .null }
        switch storage {
        case .bool(let v): return .bool(v[i])
        case .int64(let v):
            switch type {
            case .datetime: return .datetime(v[i])
            case .timespan: return .timespan(v[i])
            default: return .long(v[i])
            }
        case .real(let v): return .real(v[i])
        case .decimal(let v): return .decimal(v[i])
        case .guid(let v): return .guid(v[i])
        case .string(let v): return .string(v[i])
        case .dynamic(let v): return v[i]
        }
    }

    /// The rows at `indices`, in that order.
    package func gather(_ indices: [Int32]) -> Column {
        if isConstant { return Column(type, storage, nulls: nulls, count: indices.count, isConstant: true) }
        let newNulls = nulls.map { n in indices.map { n[Int($0)] } }
        let newStorage: Storage
        switch storage {
        case .bool(let v): newStorage = .bool(indices.map { v[Int($0)] })
        case .int64(let v): newStorage = .int64(indices.map { v[Int($0)] })
        case .real(let v): newStorage = .real(indices.map { v[Int($0)] })
        case .decimal(let v): newStorage = .decimal(indices.map { v[Int($0)] })
        case .guid(let v): newStorage = .guid(indices.map { v[Int($0)] })
        case .string(let v): newStorage = .string(v.gather(indices))
        case .dynamic(let v): newStorage = .dynamic(indices.map { v[Int($0)] })
        }
        return Column(type, newStorage, nulls: newNulls, count: indices.count)
    }

    /// As `gather`, but a negative index gives null (an empty string in a string column).
    package func gatherOptional(_ indices: [Int32]) -> Column {
        guard indices.contains(where: { $0 < 0 }) else { return gather(indices) }
        if case .string(let v) = storage, !isConstant {
            // An empty entry stands for the rows that are missing.
            let coded =
                v.codes == nil
                ? StringVector(bytes: v.bytes, ends: v.ends, codes: (0..<UInt32(v.ends.count)).map { $0 }) : v
            guard let codes = coded.codes else { return self }
            let missing = UInt32(coded.ends.count)
            let out = StringVector(
                bytes: coded.bytes, ends: coded.ends + [coded.bytes.count],
                codes: indices.map { $0 < 0 ? missing : codes[Int($0)] })
            return Column(type, .string(out), count: indices.count)
        }
        if !isConstant, count > 0, type != .dynamic {
            let found = gather(indices.map { max($0, 0) })
            let missing = indices.enumerated().map { $1 < 0 || found.nulls?[$0] == true }
            return Column(type, found.storage, nulls: missing, count: indices.count)
        }
        var builder = ColumnBuilder(type)
        for i in indices { builder.append(i < 0 ? .null : self[Int(i)]) }
        return builder.finish()
    }

    /// One value stored per row.
    package func flattened() -> Column {
        guard isConstant else { return self }
        let one = Column(type, storage, nulls: nulls, count: 1)
        return one.gather([Int32](repeating: 0, count: count))
    }

    package func slice(_ range: Range<Int>) -> Column {
        if isConstant { return Column(type, storage, nulls: nulls, count: range.count, isConstant: true) }
        if range.lowerBound == 0, range.upperBound == count { return self }
        return gather(range.map { Int32($0) })
    }

    /// Columns of one type, one after another.
    package static func concatenate(_ columns: [Column], type: ScalarType) -> Column {
        if columns.count == 1 { return columns[0] }
        let total = columns.reduce(0) { $0 + $1.count }
        var nulls: [Bool]?
        if columns.contains(where: { $0.nulls != nil }) {
            var all: [Bool] = []
            all.reserveCapacity(total)
            for c in columns {
                let flat = c.flattened()
                if let n = flat.nulls { all += n } else { all += repeatElement(false, count: c.count) }
            }
            nulls = all
        }
        switch type {
        case .string:
            var vector = StringVector(bytes: [], ends: [], codes: nil)
            let coded = columns.contains {
                if case .string(let v) = $0.storage { v.codes != nil || $0.isConstant } else { false }
            }
            var codes: [UInt32] = []
            let parts = columns.compactMap { c -> StringVector? in
                if case .string(let v) = c.flattened().storage { v } else { nil }
            }
            vector.bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
            vector.ends.reserveCapacity(parts.reduce(0) { $0 + $1.ends.count })
            if coded { codes.reserveCapacity(total) }
            for v in parts {
                let base = vector.ends.count
                let offset = vector.bytes.count
                vector.bytes += v.bytes
                if offset == 0 {
                    vector.ends += v.ends
                } else {
                    for end in v.ends { vector.ends.append(end &+ offset) }
                }
                if coded {
                    if let own = v.codes {
                        codes.append(contentsOf: own.lazy.map { $0 + UInt32(base) })
                    } else {
                        codes.append(contentsOf: (0..<v.ends.count).lazy.map { UInt32(base + $0) })
                    }
                }
            }
            if coded { vector.codes = codes }
            return Column(type, .string(vector), nulls: nil, count: total)
        case .bool:
            return Column(
                type, .bool(joined(columns) { if case .bool(let v) = $0 { v } else { [] } }), nulls: nulls, count: total
            )
        case .int, .long, .datetime, .timespan:
            return Column(
                type, .int64(joined(columns) { if case .int64(let v) = $0 { v } else { [] } }), nulls: nulls,
                count: total)
        case .real:
            return Column(
                type, .real(joined(columns) { if case .real(let v) = $0 { v } else { [] } }), nulls: nulls, count: total
            )
        case .decimal:
            return Column(
                type, .decimal(joined(columns) { if case .decimal(let v) = $0 { v } else { [] } }), nulls: nulls,
                count: total)
        case .guid:
            return Column(
                type, .guid(joined(columns) { if case .guid(let v) = $0 { v } else { [] } }), nulls: nulls, count: total
            )
        case .dynamic:
            return Column(
                type, .dynamic(joined(columns) { if case .dynamic(let v) = $0 { v } else { [] } }), count: total)
        }
    }

    /// Columns of one type, one after another; texts with one dictionary of distinct entries.
    package static func concatenateCoded(_ columns: [Column], type: ScalarType) -> Column {
        guard type == .string else { return concatenate(columns, type: type) }
        let parts = columns.filter { $0.count > 0 }.compactMap { c -> (StringVector, Int, Bool)? in
            if case .string(let v) = c.storage { (v, c.count, c.isConstant) } else { nil }
        }
        return Column(type, .string(.dictionaryCoded(parts)), count: columns.reduce(0) { $0 + $1.count })
    }

    private static func joined<T>(_ columns: [Column], _ array: (Storage) -> [T]) -> [T] {
        var out: [T] = []
        out.reserveCapacity(columns.reduce(0) { $0 + $1.count })
        for column in columns { out += array(column.flattened().storage) }
        return out
    }

    /// Texts with a dictionary of distinct entries; other columns as they are.
    package func dictionaryCoded() -> Column {
        guard case .string(let v) = storage, !isConstant else { return self }
        return Column(type, .string(v.dictionaryCoded()), count: count)
    }

    package var values: [Value] { (0..<count).map { self[$0] } }
}

/// Collects values into a column. A value of another type than the column's becomes null.
package struct ColumnBuilder: Sendable {
    package let type: ScalarType
    private var bools: [Bool] = []
    private var int64s: [Int64] = []
    private var reals: [Double] = []
    private var decimals: [Decimal] = []
    private var guids: [GUID] = []
    private var strings = StringVector(bytes: [], ends: [], codes: nil)
    private var dynamics: [Value] = []
    private var nulls: [Bool] = []
    private var anyNull = false
    package private(set) var count = 0

    package init(_ type: ScalarType) { self.type = type }

    private mutating func mark(_ isNull: Bool) {
        nulls.append(isNull)
        anyNull = anyNull || isNull
        count += 1
    }

    package mutating func appendNull() { append(.null) }

    package mutating func append(_ value: Value) {
        switch type {
        case .string:
            if case .string(let s) = value { append(s) } else { append("") }
        case .dynamic:
            dynamics.append(value)
            count += 1
        case .bool:
            if case .bool(let b) = value {
                bools.append(b)
                mark(false)
            } else {
                bools.append(false)
                mark(true)
            }
        case .int, .long:
            if case .long(let n) = value { append(n) } else { appendMissingInt64() }
        case .datetime:
            if case .datetime(let n) = value { append(n) } else { appendMissingInt64() }
        case .timespan:
            if case .timespan(let n) = value { append(n) } else { appendMissingInt64() }
        case .real:
            switch value {
            case .real(let d): append(d)
            case .long(let n): append(Double(n))
            default:
                reals.append(0)
                mark(true)
            }
        case .decimal:
            if case .decimal(let d) = value {
                decimals.append(d)
                mark(false)
            } else if case .long(let n) = value {
                decimals.append(Decimal(n))
                mark(false)
            } else {
                decimals.append(Decimal(0))
                mark(true)
            }
        case .guid:
            if case .guid(let g) = value {
                guids.append(g)
                mark(false)
            } else {
                guids.append(GUID(high: 0, low: 0))
                mark(true)
            }
        }
    }

    private mutating func appendMissingInt64() {
        int64s.append(0)
        mark(true)
    }

    package mutating func append(_ n: Int64) {
        int64s.append(n)
        mark(false)
    }

    package mutating func append(_ d: Double) {
        reals.append(d)
        mark(false)
    }

    package mutating func append(_ s: String) {
        strings.bytes.append(contentsOf: s.utf8)
        strings.ends.append(strings.bytes.count)
        count += 1
    }

    package func finish() -> Column {
        let n = anyNull ? nulls : nil
        switch type {
        case .string: return Column(type, .string(strings), count: count)
        case .dynamic: return Column(type, .dynamic(dynamics), count: count)
        case .bool: return Column(type, .bool(bools), nulls: n, count: count)
        case .int, .long, .datetime, .timespan: return Column(type, .int64(int64s), nulls: n, count: count)
        case .real: return Column(type, .real(reals), nulls: n, count: count)
        case .decimal: return Column(type, .decimal(decimals), nulls: n, count: count)
        case .guid: return Column(type, .guid(guids), nulls: n, count: count)
        }
    }
}
