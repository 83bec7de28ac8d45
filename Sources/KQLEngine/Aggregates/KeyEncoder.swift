import KQL
import Tables

/// Turns key columns into fixed-width words, so that groups and joins compare integers.
///
/// Strings and other values of varying length become numbers of a dictionary; small fields share words.
final class KeyEncoder {
    /// Where a column's value is in a row's words.
    private struct Field {
        var word = 0
        var shift: UInt64 = 0
        var bits: UInt64 = 64
        /// Where the bit is that marks a null; nil for columns that have none.
        var null: (word: Int, bit: UInt64)?
    }

    let types: [ScalarType]
    /// Words per row.
    let width: Int
    private let fields: [Field]
    /// The bits that mark nulls, per word.
    private let nullBits: [UInt64]
    private var dictionaries: [DictionaryBuilder]

    init(types: [ScalarType]) {
        self.types = types
        dictionaries = types.map { _ in DictionaryBuilder() }
        var used: [UInt64] = []
        func place(_ bits: UInt64) -> (Int, UInt64) {
            if let w = used.firstIndex(where: { $0 + bits <= 64 }) {
                defer { used[w] += bits }
                return (w, used[w])
            }
            used.append(bits)
            return (used.count - 1, 0)
        }
        var fields: [Field] = types.map { type in
            switch type {
            case .int, .long, .datetime, .timespan, .real: Field(bits: 64)
            case .bool: Field(bits: 1)
            default: Field(bits: 32)
            }
        }
        // Whole words first, then what may share one.
        for c in fields.indices.sorted(by: { (fields[$1].bits, $0) < (fields[$0].bits, $1) }) {
            (fields[c].word, fields[c].shift) = place(fields[c].bits)
        }
        for c in fields.indices where types[c] != .string {
            let (word, shift) = place(1)
            fields[c].null = (word, 1 << shift)
        }
        width = max(used.count, 1)
        var nullBits = [UInt64](repeating: 0, count: width)
        for field in fields { if let null = field.null { nullBits[null.word] |= null.bit } }
        self.fields = fields
        self.nullBits = nullBits
    }

    /// Whether a column of a row's key is null.
    func hasNull(_ words: [UInt64], _ row: Int) -> Bool {
        for w in 0..<width where words[row * width + w] & nullBits[w] != 0 { return true }
        return false
    }

    /// The words of `count` rows, row after row.
    func encode(_ columns: [Column], count: Int) -> [UInt64] {
        words(columns, count) { c, column, out in
            // Taken out while it changes, so that it is not copied.
            var dictionary = DictionaryBuilder(capacity: 0)
            swap(&dictionary, &dictionaries[c])
            defer { swap(&dictionary, &dictionaries[c]) }
            encode(column, fields[c], count, out) { dictionary.code($0) }
        }
    }

    /// As `encode`, but texts that no dictionary has get a word that no row has; several threads may look up at once.
    func find(_ columns: [Column], count: Int) -> [UInt64] {
        words(columns, count) { c, column, out in
            let dictionary = dictionaries[c]
            encode(column, fields[c], count, out) { dictionary.find($0) ?? .max }
        }
    }

    private func words(
        _ columns: [Column], _ count: Int, _ fill: (Int, Column, UnsafeMutableBufferPointer<UInt64>) -> Void
    ) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: count * width) { out, initialized in
            out.initialize(repeating: 0)
            for (c, column) in columns.enumerated() { fill(c, column, out) }
            initialized = count * width
        }
    }

    private func encode(
        _ column: Column, _ field: Field, _ count: Int, _ out: UnsafeMutableBufferPointer<UInt64>,
        _ code: (UnsafeBufferPointer<UInt8>) -> UInt32
    ) {
        let stride = column.stride
        let (width, word, shift) = (self.width, field.word, field.shift)
        func put(_ value: (Int) -> UInt64) {
            for i in 0..<count { out[i * width + word] |= value(i * stride) << shift }
        }
        func wordOf(_ text: String) -> UInt64 {
            var text = text
            return UInt64(text.withUTF8 { code($0) })
        }
        switch column.storage {
        case .int64(let v):
            v.withUnsafeBufferPointer { v in
                for i in 0..<count { out[i * width + word] = UInt64(bitPattern: v[i * stride]) }
            }
        case .bool(let v): put { v[$0] ? 1 : 0 }
        case .real(let v): put { (v[$0] == 0 ? 0 : v[$0]).bitPattern }
        case .string(let v): encode(v, field, count, stride, out, code)
        case .guid(let v): put { wordOf(v[$0].description) }
        case .decimal(let v): put { wordOf(v[$0].description) }
        case .dynamic(let v):
            for i in 0..<count {
                let value = Interrupted.isDue ? Value.null : v[i * stride]
                if value.isNull {
                    if let null = field.null { out[i * width + null.word] |= null.bit }
                } else {
                    out[i * width + word] |= wordOf(JSONWriter.string(value)) << shift
                }
            }
        }
        guard let nulls = column.nulls, let null = field.null else { return }
        let keep = ~((field.bits == 64 ? UInt64.max : (1 << field.bits) - 1) << shift)
        for i in 0..<count where nulls[i * stride] {
            out[i * width + word] &= keep
            out[i * width + null.word] |= null.bit
        }
    }

    /// Every entry of the column's dictionary that a row has is looked up once.
    private func encode(
        _ v: StringVector, _ field: Field, _ count: Int, _ stride: Int, _ out: UnsafeMutableBufferPointer<UInt64>,
        _ code: (UnsafeBufferPointer<UInt8>) -> UInt32
    ) {
        let (width, word, shift) = (self.width, field.word, field.shift)
        v.bytes.withUnsafeBufferPointer { buffer in
            guard let codes = v.codes else {
                for i in 0..<count {
                    out[i * width + word] |=
                        UInt64(code(UnsafeBufferPointer(rebasing: buffer[v.entryRange(i * stride)]))) << shift
                }
                return
            }
            let unknown = UInt64.max
            var known = [UInt64](repeating: unknown, count: v.entryCount)
            known.withUnsafeMutableBufferPointer { known in
                codes.withUnsafeBufferPointer { codes in
                    for i in 0..<count {
                        let entry = Int(codes[i * stride])
                        if known[entry] == unknown {
                            known[entry] =
                                UInt64(code(UnsafeBufferPointer(rebasing: buffer[v.entryRange(entry)]))) << shift
                        }
                        out[i * width + word] |= known[entry]
                    }
                }
            }
        }
    }

    /// The key column `c` of rows given by their words.
    func decode(_ words: [UInt64], column c: Int) -> Column {
        let count = words.count / width
        let field = fields[c]
        let type = types[c]
        let mask: UInt64 = field.bits == 64 ? .max : (1 << field.bits) - 1
        func word(_ row: Int) -> UInt64 { words[row * width + field.word] >> field.shift & mask }
        var nulls: [Bool]?
        if let null = field.null {
            let found = (0..<count).map { words[$0 * width + null.word] & null.bit != 0 }
            if found.contains(true) { nulls = found }
        }
        switch type {
        case .string:
            let d = dictionaries[c]
            if d.count == 0 { return Column(.string, values: (0..<count).map { _ in Value.string("") }) }
            return Column(
                .string,
                .string(StringVector(bytes: d.bytes, ends: d.ends, codes: (0..<count).map { UInt32(word($0)) })),
                count: count)
        case .int, .long, .datetime, .timespan:
            return Column(type, .int64((0..<count).map { Int64(bitPattern: word($0)) }), nulls: nulls, count: count)
        case .bool: return Column(type, .bool((0..<count).map { word($0) == 1 }), nulls: nulls, count: count)
        case .real:
            return Column(type, .real((0..<count).map { Double(bitPattern: word($0)) }), nulls: nulls, count: count)
        case .guid, .decimal, .dynamic:
            let d = dictionaries[c]
            let vector = StringVector(bytes: d.bytes, ends: d.ends, codes: nil)
            return Column(
                type,
                values: (0..<count).map { i -> Value in
                    if nulls?[i] == true { return .null }
                    let text = vector.entry(Int(word(i)))
                    if type == .dynamic { return (try? JSONReader.parse(text)) ?? .null }
                    return Value.string(text).converted(to: type)
                })
        }
    }
}
