import Tables

/// Turns key columns into fixed-width words, so that groups and joins compare integers.
final class KeyEncoder {
    let types: [ScalarType]
    /// Words per row: one per column and one for the nulls.
    let width: Int
    private var dictionaries: [DictionaryBuilder]

    init(types: [ScalarType]) {
        self.types = types
        width = types.count + 1
        dictionaries = types.map { _ in DictionaryBuilder() }
    }

    /// The words of `count` rows, row after row.
    func encode(_ columns: [Column], count: Int) -> [UInt64] {
        var out = [UInt64](repeating: 0, count: count * width)
        for (c, column) in columns.enumerated() {
            let stride = column.stride
            switch column.storage {
            case .int64(let v):
                for i in 0..<count { out[i * width + c] = UInt64(bitPattern: v[i * stride]) }
            case .bool(let v):
                for i in 0..<count { out[i * width + c] = v[i * stride] ? 1 : 0 }
            case .real(let v):
                for i in 0..<count { out[i * width + c] = (v[i * stride] == 0 ? 0 : v[i * stride]).bitPattern }
            case .string(let v):
                let codes = v.bytes.withUnsafeBufferPointer { buffer in
                    (0..<v.entryCount).map { dictionaries[c].code(UnsafeBufferPointer(rebasing: buffer[v.entryRange($0)])) }
                }
                for i in 0..<count {
                    let row = i * stride
                    out[i * width + c] = UInt64(codes[v.codes.map { Int($0[row]) } ?? row])
                }
            case .guid(let v):
                for i in 0..<count { out[i * width + c] = UInt64(dictionaries[c].code(v[i * stride].description)) }
            case .decimal(let v):
                for i in 0..<count { out[i * width + c] = UInt64(dictionaries[c].code(v[i * stride].description)) }
            case .dynamic(let v):
                for i in 0..<count {
                    let value = v[i * stride]
                    if value.isNull {
                        out[i * width + types.count] |= 1 << UInt64(min(c, 63))
                    } else {
                        out[i * width + c] = UInt64(dictionaries[c].code(JSONWriter.string(value)))
                    }
                }
            }
            if let nulls = column.nulls {
                for i in 0..<count where nulls[i * stride] {
                    out[i * width + c] = 0
                    out[i * width + types.count] |= 1 << UInt64(min(c, 63))
                }
            }
        }
        return out
    }

    /// The key column `c` of rows given by their words.
    func decode(_ words: [UInt64], column c: Int) -> Column {
        let count = words.count / width
        let nulls = (0..<count).map { words[$0 * width + types.count] >> UInt64(min(c, 63)) & 1 == 1 }
        let anyNull = nulls.contains(true)
        let type = types[c]
        switch type {
        case .string:
            let d = dictionaries[c]
            let codes = (0..<count).map { UInt32(words[$0 * width + c]) }
            if d.count == 0 { return Column(.string, values: (0..<count).map { _ in Value.string("") }) }
            return Column(.string, .string(StringVector(bytes: d.bytes, ends: d.ends, codes: codes)), count: count)
        case .int, .long, .datetime, .timespan:
            return Column(type, .int64((0..<count).map { Int64(bitPattern: words[$0 * width + c]) }), nulls: anyNull ? nulls : nil, count: count)
        case .bool:
            return Column(type, .bool((0..<count).map { words[$0 * width + c] == 1 }), nulls: anyNull ? nulls : nil, count: count)
        case .real:
            return Column(type, .real((0..<count).map { Double(bitPattern: words[$0 * width + c]) }), nulls: anyNull ? nulls : nil, count: count)
        case .guid, .decimal, .dynamic:
            let d = dictionaries[c]
            let vector = StringVector(bytes: d.bytes, ends: d.ends, codes: nil)
            return Column(
                type,
                values: (0..<count).map { i -> Value in
                    if nulls[i] { return .null }
                    let text = vector.entry(Int(words[i * width + c]))
                    if type == .dynamic { return (try? JSONReader.parse(text)) ?? .null }
                    return Value.string(text).converted(to: type)
                })
        }
    }
}

/// Numbers the distinct keys it is shown, in order of appearance.
struct GroupTable {
    let width: Int
    private(set) var keys: [UInt64] = []
    private var hashes: [UInt64] = []
    private var slots: [Int32]
    private var mask: Int

    init(width: Int) {
        self.width = width
        slots = [Int32](repeating: -1, count: 1024)
        mask = 1023
    }

    var count: Int { hashes.count }

    private func hash(_ words: UnsafePointer<UInt64>) -> UInt64 {
        var h: UInt64 = 0x9E37_79B9_7F4A_7C15
        for i in 0..<width { h = ByteHash.mix(h ^ words[i]) }
        return h
    }

    private func equal(_ group: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        for i in 0..<width where keys[group * width + i] != words[i] { return false }
        return true
    }

    /// The group of each row; new keys get new groups.
    mutating func groups(of words: [UInt64]) -> [Int32] {
        let rows = words.count / width
        var out = [Int32](repeating: 0, count: rows)
        words.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for row in 0..<rows { out[row] = insert(base + row * width) }
        }
        return out
    }

    /// The group of each row, or -1 for keys never seen.
    func find(_ words: [UInt64]) -> [Int32] {
        let rows = words.count / width
        var out = [Int32](repeating: -1, count: rows)
        words.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for row in 0..<rows {
                let key = base + row * width
                let h = hash(key)
                var slot = Int(truncatingIfNeeded: h) & mask
                while slots[slot] >= 0 {
                    let g = Int(slots[slot])
                    if hashes[g] == h, equal(g, key) {
                        out[row] = Int32(g)
                        break
                    }
                    slot = (slot + 1) & mask
                }
            }
        }
        return out
    }

    private mutating func insert(_ key: UnsafePointer<UInt64>) -> Int32 {
        let h = hash(key)
        var slot = Int(truncatingIfNeeded: h) & mask
        while slots[slot] >= 0 {
            let g = Int(slots[slot])
            if hashes[g] == h, equal(g, key) { return Int32(g) }
            slot = (slot + 1) & mask
        }
        let g = hashes.count
        slots[slot] = Int32(g)
        hashes.append(h)
        for i in 0..<width { keys.append(key[i]) }
        if hashes.count * 2 > slots.count { grow() }
        return Int32(g)
    }

    private mutating func grow() {
        let size = slots.count * 2
        mask = size - 1
        slots = [Int32](repeating: -1, count: size)
        for (g, h) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: h) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(g)
        }
    }
}
