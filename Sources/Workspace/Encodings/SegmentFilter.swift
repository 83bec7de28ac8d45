import Tables

/// A Bloom filter over the values, or the terms, of a column's segment: what it does not know is not there.
/// It is stored, so `ByteHash` must stay as it is.
///
/// Ten bits and four probes for every entry give about one wrong "maybe" in a hundred.
struct SegmentFilter {
    enum Kind: Int {
        /// Whole values.
        case values = 1
        /// Runs of ASCII letters and digits, in lower case: what `has` looks for.
        case terms = 2
    }

    private static let bitsPerEntry = 10
    private static let probes = 4
    /// Terms shorter than this are in nearly every segment.
    static let termLengthMin = 3

    private(set) var bytes: [UInt8]

    private init(entries: Int) { bytes = [UInt8](repeating: 0, count: max(8, (entries * Self.bitsPerEntry + 7) / 8)) }

    /// A filter of the distinct values of a column of texts; nil where it would not pay.
    static func values(_ texts: StringVector) -> SegmentFilter? {
        guard texts.entryCount > 0, texts.entryCount <= max(64, texts.count / 2) else { return nil }
        var filter = SegmentFilter(entries: texts.entryCount)
        texts.bytes.withUnsafeBufferPointer { buffer in
            for e in 0..<texts.entryCount {
                filter.insert(hash(UnsafeBufferPointer(rebasing: buffer[texts.entryRange(e)])))
            }
        }
        return filter
    }

    /// A filter of the terms in a column of long texts; nil for short ones, which are looked through quickly.
    static func terms(_ texts: StringVector) -> SegmentFilter? {
        guard texts.entryCount >= 1_024, texts.bytes.count / texts.entryCount >= 16 else { return nil }
        var found = DictionaryBuilder()
        texts.bytes.withUnsafeBufferPointer { buffer in
            for e in 0..<texts.entryCount {
                let text = UnsafeBufferPointer(rebasing: buffer[texts.entryRange(e)])
                forEachTerm(text) { _ = found.code($0) }
                // Some letters beyond ASCII have a small form within it.
                if text.contains(where: { $0 >= 0x80 }) {
                    var folded = String(decoding: text, as: UTF8.self).lowercased()
                    folded.withUTF8 { forEachTerm($0) { _ = found.code($0) } }
                }
            }
        }
        guard found.count > 0 else { return nil }
        var filter = SegmentFilter(entries: found.count)
        found.bytes.withUnsafeBufferPointer { buffer in
            var start = 0
            for end in found.ends {
                filter.insert(hash(UnsafeBufferPointer(rebasing: buffer[start..<end])))
                start = end
            }
        }
        return filter
    }

    /// The terms of a text that are long enough to be in a filter.
    static func forEachTerm(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(text.count, 1)) { lower in
            var start = 0
            for i in 0...text.count {
                if i < text.count {
                    let b = text[i]
                    let isUpper = (65...90).contains(b)
                    if isUpper || (97...122).contains(b) || (48...57).contains(b) {
                        lower[i] = isUpper ? b + 32 : b
                        continue
                    }
                }
                if i - start >= termLengthMin { body(UnsafeBufferPointer(rebasing: lower[start..<i])) }
                start = i + 1
            }
        }
    }

    /// The terms that a text must contain for `has` to find `needle` in it; nil when nothing can be said.
    static func terms(of needle: String) -> [UInt64]? {
        guard needle.utf8.allSatisfy({ $0 < 128 }) else { return nil }
        var hashes: [UInt64] = []
        var copy = needle
        copy.withUTF8 { text in forEachTerm(text) { hashes.append(hash($0)) } }
        return hashes.isEmpty ? nil : hashes
    }

    static func hash(_ text: String) -> UInt64 {
        var copy = text
        return copy.withUTF8 { hash($0) }
    }

    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 { ByteHash.hash(text) }

    private mutating func insert(_ hash: UInt64) {
        let bits = UInt64(bytes.count * 8)
        for probe in 0..<Self.probes {
            let bit = Self.bit(hash, probe, bits)
            bytes[Int(bit >> 3)] |= 1 << UInt8(bit & 7)
        }
    }

    private static func bit(_ hash: UInt64, _ probe: Int, _ bits: UInt64) -> UInt64 {
        (hash &+ UInt64(probe) &* ((hash << 32 | hash >> 32) | 1)).multipliedFullWidth(by: bits).high
    }

    /// Whether an entry with this hash may be in a stored filter.
    static func mayContain(_ hash: UInt64, in stored: UnsafeRawBufferPointer) -> Bool {
        let bits = UInt64(stored.count * 8)
        guard bits > 0 else { return true }
        for probe in 0..<probes {
            let bit = bit(hash, probe, bits)
            if stored[Int(bit >> 3)] & (1 << UInt8(bit & 7)) == 0 { return false }
        }
        return true
    }
}
