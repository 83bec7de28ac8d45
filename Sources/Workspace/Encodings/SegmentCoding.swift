import Tables

/// One column of an extent as bytes: a format number, the nulls, then the values.
///
/// Whole numbers are kept as offsets from the least one in as few bits as they need; strings and `dynamic` values as a
/// dictionary with bit-packed codes. Format 1; `docs/reference/workspace-format.md` describes it.
package enum SegmentCoding {
    static let format: UInt8 = 1

    private static func width(_ n: UInt64) -> Int { 64 - n.leadingZeroBitCount }

    package static func encode(_ column: Column) -> [UInt8] {
        let flat = column.flattened()
        var out = ByteWriter()
        out.put(format)
        if let nulls = flat.nulls, nulls.contains(true) {
            out.put(UInt8(1))
            out.put(packed: nulls.map { $0 ? 1 : 0 }, width: 1)
        } else {
            out.put(UInt8(0))
        }
        switch flat.storage {
        case .bool(let v): out.put(packed: v.map { $0 ? 1 : 0 }, width: 1)
        case .int64(let v):
            let low = v.min() ?? 0
            let offsets = v.map { UInt64(bitPattern: $0 &- low) }
            out.put(UInt64(bitPattern: low))
            out.put(packed: offsets, width: width(offsets.max() ?? 0))
        case .real(let v): out.put(packed: v.map(\.bitPattern), width: 64)
        case .guid(let v):
            out.put(packed: v.map(\.high), width: 64)
            out.put(packed: v.map(\.low), width: 64)
        case .string(let v): put(v, to: &out)
        case .decimal(let v): put(StringVector(v.map(\.description)), to: &out)
        case .dynamic(let v): put(StringVector(v.map { $0.isNull ? "" : JSONWriter.string($0) }), to: &out)
        }
        return out.bytes
    }

    private static func put(_ vector: StringVector, to out: inout ByteWriter) {
        let coded = vector.dictionaryCoded()
        var lengths: [UInt64] = []
        var last = 0
        for end in coded.ends {
            lengths.append(UInt64(end - last))
            last = end
        }
        out.put(packed: lengths, width: width(lengths.max() ?? 0))
        out.put(coded.bytes)
        let codes = (coded.codes ?? []).map { UInt64($0) }
        out.put(packed: codes, width: width(UInt64(max(0, coded.ends.count - 1))))
    }

    private static func strings(_ reader: inout ByteReader) throws -> StringVector {
        let lengths = try reader.packed()
        let bytes = try reader.run()
        let codes = try reader.packed()
        var ends: [Int] = []
        ends.reserveCapacity(lengths.count)
        var end = 0
        for length in lengths {
            guard length <= UInt64(bytes.count - end) else { throw CorruptSegment(reason: "a dictionary entry is too long") }
            end += Int(length)
            ends.append(end)
        }
        for code in codes where code >= UInt64(ends.count) { throw CorruptSegment(reason: "code \(code) is not in the dictionary") }
        return StringVector(bytes: bytes, ends: ends, codes: codes.map { UInt32($0) })
    }

    package static func decode(_ bytes: [UInt8], _ type: ScalarType, count: Int) throws -> Column {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == format else {
            throw CorruptSegment(reason: "segment format \(version) is not known to this program (it reads \(format))")
        }
        let nulls: [Bool]? = try reader.byte() == 1 ? try reader.packed().map { $0 == 1 } : nil
        let storage: Column.Storage
        var found: Int
        switch type {
        case .bool:
            let v = try reader.packed()
            found = v.count
            storage = .bool(v.map { $0 == 1 })
        case .int, .long, .datetime, .timespan:
            let low = Int64(bitPattern: try reader.word())
            let v = try reader.packed()
            found = v.count
            storage = .int64(v.map { low &+ Int64(bitPattern: $0) })
        case .real:
            let v = try reader.packed()
            found = v.count
            storage = .real(v.map { Double(bitPattern: $0) })
        case .guid:
            let high = try reader.packed()
            let low = try reader.packed()
            found = min(high.count, low.count)
            storage = .guid(zip(high, low).map { GUID(high: $0, low: $1) })
        case .string:
            let v = try strings(&reader)
            found = v.count
            storage = .string(v)
        case .decimal:
            let v = try strings(&reader)
            found = v.count
            storage = .decimal((0..<v.count).map { Decimal(v[$0]) ?? Decimal(0) })
        case .dynamic:
            let v = try strings(&reader)
            found = v.count
            let values = v.entries().map { $0.isEmpty ? Value.null : (try? JSONReader.parse($0)) ?? .string($0) }
            storage = .dynamic((v.codes ?? []).map { values[Int($0)] })
        }
        guard found == count, nulls == nil || nulls?.count == count else {
            throw CorruptSegment(reason: "a segment has \(found) rows where \(count) belong")
        }
        return Column(type, storage, nulls: nulls, count: count)
    }

    /// The least and greatest whole number or text, for pruning; nil when there is none.
    static func bounds(_ column: Column) -> (low: Value, high: Value)? {
        let flat = column.flattened()
        switch flat.storage {
        case .int64(let v):
            var low = Int64.max
            var high = Int64.min
            for (i, x) in v.enumerated() where flat.nulls?[i] != true {
                low = min(low, x)
                high = max(high, x)
            }
            return low <= high ? (.long(low), .long(high)) : nil
        case .string(let v):
            let entries = v.dictionaryCoded().entries()
            guard entries.count <= 100_000, let low = entries.min(by: utf8Less), let high = entries.max(by: utf8Less) else { return nil }
            return low.utf8.count <= 200 && high.utf8.count <= 200 ? (.string(low), .string(high)) : nil
        default: return nil
        }
    }

    static func utf8Less(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
