import Tables

/// One column of an extent as bytes: a version number, a checksum of the rest, the nulls, then the values.
///
/// Whole numbers are kept as offsets from the least one in as few bits as they need; strings and `dynamic` values as a
/// dictionary with bit-packed codes.
package enum SegmentCoding {
    /// What is written, and what can be read. Version 1 has no checksum.
    static let version: UInt8 = 2
    static let versions: ClosedRange<UInt8> = 1...2
    /// Bytes before what the checksum is of.
    private static let headBytes = 9

    private static func width(_ n: UInt64) -> Int { 64 - n.leadingZeroBitCount }

    /// - Parameter seed: what the checksum begins with: its label's.
    package static func encode(_ column: Column, seed: UInt64 = 0) -> [UInt8] {
        let flat = column.flattened()
        var out = ByteWriter()
        out.put(version)
        out.put(UInt64(0))
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
        let sum = out.bytes.withUnsafeBytes {
            Checksum.of(UnsafeRawBufferPointer(rebasing: $0[headBytes...]), seed: seed)
        }
        out.put(sum, at: 1)
        return out.bytes
    }

    private static func put(_ vector: StringVector, to out: inout ByteWriter) {
        // A dictionary made before is taken as it is: its entries are distinct, or at least all named.
        let coded = vector.codes == nil ? vector.dictionaryCoded() : vector
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
        let codes = try reader.packed { UInt32(truncatingIfNeeded: $0) }
        var ends: [Int] = []
        ends.reserveCapacity(lengths.count)
        var end = 0
        for length in lengths {
            guard length <= UInt64(bytes.count - end) else {
                throw CorruptSegment(reason: "a dictionary entry is too long")
            }
            end += Int(length)
            ends.append(end)
        }
        let greatest = codes.max() ?? 0
        if !codes.isEmpty, Int(greatest) >= ends.count {
            throw CorruptSegment(reason: "code \(greatest) is not in the dictionary")
        }
        return StringVector(bytes: bytes, ends: ends, codes: codes)
    }

    package static func decode(_ bytes: [UInt8], _ type: ScalarType, count: Int, seed: UInt64 = 0) throws -> Column {
        try bytes.withUnsafeBytes { try decode($0, type, count: count, seed: seed) }
    }

    package static func decode(
        _ bytes: UnsafeRawBufferPointer, _ type: ScalarType, count: Int, seed: UInt64 = 0
    ) throws -> Column {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard versions.contains(version) else {
            throw CorruptSegment(
                reason: "segment version \(version) is not known to this program (it reads up to \(Self.version))")
        }
        if version > 1 {
            let stored = try reader.word()
            guard stored == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[headBytes...]), seed: seed) else {
                throw CorruptSegment(reason: "its checksum is not that of its bytes")
            }
        }
        let nulls: [Bool]? = try reader.byte() == 1 ? try reader.packed { $0 == 1 } : nil
        let storage: Column.Storage
        var found: Int
        switch type {
        case .bool:
            let v = try reader.packed { $0 == 1 }
            found = v.count
            storage = .bool(v)
        case .int, .long, .datetime, .timespan:
            let low = Int64(bitPattern: try reader.word())
            let v = try reader.packed { low &+ Int64(bitPattern: $0) }
            found = v.count
            storage = .int64(v)
        case .real:
            let v = try reader.packed { Double(bitPattern: $0) }
            found = v.count
            storage = .real(v)
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
            let entries = StringVector(bytes: v.bytes, ends: v.ends, codes: nil)
            guard var low = entries.entryCount > 0 ? 0 : nil else { return nil }
            var high = low
            for e in 1..<max(entries.entryCount, 1) {
                if entries.compare(e, low) < 0 { low = e } else if entries.compare(e, high) > 0 { high = e }
            }
            return entries.entryRange(low).count <= 200 && entries.entryRange(high).count <= 200
                ? (.string(entries.entry(low)), .string(entries.entry(high))) : nil
        default: return nil
        }
    }
}
