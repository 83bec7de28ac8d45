#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Strings as one byte buffer, optionally dictionary-coded.
///
/// `ends[e]` is where entry `e` ends in `bytes`. Without `codes`, row `i` is entry `i`; with them, row `i` is
/// entry `codes[i]`. Entries need not be distinct, but after a dictionary was built they are.
package struct StringVector: Sendable {
    package var bytes: [UInt8]
    package var ends: [Int]
    package var codes: [UInt32]?

    package init(bytes: [UInt8], ends: [Int], codes: [UInt32]?) {
        self.bytes = bytes
        self.ends = ends
        self.codes = codes
    }

    package init(_ strings: some Sequence<String>) {
        bytes = []
        ends = []
        codes = nil
        for s in strings {
            bytes.append(contentsOf: s.utf8)
            ends.append(bytes.count)
        }
    }

    /// Rows.
    package var count: Int { codes?.count ?? ends.count }
    /// Entries of the dictionary, or rows when there is none.
    package var entryCount: Int { ends.count }

    package func entryRange(_ e: Int) -> Range<Int> { (e == 0 ? 0 : ends[e - 1])..<ends[e] }

    package func entry(_ e: Int) -> String { String(decoding: bytes[entryRange(e)], as: UTF8.self) }

    package subscript(row: Int) -> String { entry(codes.map { Int($0[row]) } ?? row) }

    /// Negative when row `a` comes before row `b` by their bytes, 0 when they are the same.
    package func compare(_ a: Int, _ b: Int) -> Int {
        let x = entryRange(codes.map { Int($0[a]) } ?? a)
        let y = entryRange(codes.map { Int($0[b]) } ?? b)
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return x.count - y.count }
            let c = memcmp(base + x.lowerBound, base + y.lowerBound, min(x.count, y.count))
            return c != 0 ? Int(c) : x.count - y.count
        }
    }

    /// Every entry as a string.
    package func entries() -> [String] { (0..<ends.count).map(entry) }

    /// The rows at `indices`; the dictionary is kept, or built from the rows when they are few.
    package func gather(_ indices: [Int32]) -> StringVector {
        if let codes {
            if indices.count >= ends.count / 4 || indices.count > 4096 {
                return StringVector(bytes: bytes, ends: ends, codes: indices.map { codes[Int($0)] })
            }
        }
        var out = StringVector(bytes: [], ends: [], codes: nil)
        out.ends.reserveCapacity(indices.count)
        for i in indices {
            let e = codes.map { Int($0[Int(i)]) } ?? Int(i)
            out.bytes.append(contentsOf: bytes[entryRange(e)])
            out.ends.append(out.bytes.count)
        }
        return out
    }

    /// The same rows with a dictionary of distinct entries.
    package func dictionaryCoded() -> StringVector {
        var builder = DictionaryBuilder()
        let entryCodes = bytes.withUnsafeBufferPointer { buffer in
            (0..<ends.count).map { builder.code(UnsafeBufferPointer(rebasing: buffer[entryRange($0)])) }
        }
        let rowCodes = codes.map { $0.map { entryCodes[Int($0)] } } ?? entryCodes
        return StringVector(bytes: builder.bytes, ends: builder.ends, codes: rowCodes)
    }
}

extension StringVector {
    /// The rows of several columns, one after another, with one dictionary of distinct entries; a constant counts for all of its rows.
    static func dictionaryCoded(_ parts: [(vector: StringVector, count: Int, isConstant: Bool)]) -> StringVector {
        var builder = DictionaryBuilder(capacity: parts.map(\.vector.entryCount).max() ?? 0)
        var codes: [UInt32] = []
        codes.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for (vector, count, isConstant) in parts {
            let entryCodes = vector.bytes.withUnsafeBufferPointer { buffer in
                (0..<vector.entryCount).map {
                    builder.code(UnsafeBufferPointer(rebasing: buffer[vector.entryRange($0)]))
                }
            }
            if isConstant {
                let entry = vector.codes.map { Int($0[0]) } ?? 0
                codes.append(contentsOf: repeatElement(entryCodes[entry], count: count))
            } else if let own = vector.codes {
                for code in own { codes.append(entryCodes[Int(code)]) }
            } else {
                codes += entryCodes
            }
        }
        return StringVector(bytes: builder.bytes, ends: builder.ends, codes: codes)
    }
}

/// Gives each distinct byte string a code, with an open-addressing table over one byte buffer.
package struct DictionaryBuilder {
    package private(set) var bytes: [UInt8] = []
    package private(set) var ends: [Int] = []
    /// An entry's number plus one, and the upper half of its hash; 0 for a free slot.
    private var slots: [UInt64]
    private var mask: Int

    package init(capacity: Int = 64) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
        mask = size - 1
    }

    package var count: Int { ends.count }

    package mutating func code(_ text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        let hash = ByteHash.hash(text)
        let (slot, known) = place(text, hash)
        if let known { return known }
        let e = ends.count
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(e + 1)
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        if ends.count * 2 > slots.count { grow() }
        return UInt32(e)
    }

    /// The code of a text that was given one.
    package func find(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? { place(text, ByteHash.hash(text)).code }

    /// The slot where a text is, with its code, or the free one where it would be.
    @inline(__always)
    private func place(_ text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> (slot: Int, code: UInt32?) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if (slots[slot] ^ hash) >> 32 == 0 {
                let e = Int(slots[slot] & 0xFFFF_FFFF) - 1
                let start = e == 0 ? 0 : ends[e - 1]
                if ends[e] - start == text.count, matches(start, text) { return (slot, UInt32(e)) }
            }
            slot = (slot + 1) & mask
        }
        return (slot, nil)
    }

    package mutating func code(_ text: String) -> UInt32 {
        var copy = text
        return copy.withUTF8 { code($0) }
    }

    @inline(__always)
    private func matches(_ start: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            guard let a = buffer.baseAddress, let b = text.baseAddress else { return text.isEmpty }
            return memcmp(a + start, b, text.count) == 0
        }
    }

    private mutating func grow() {
        let size = slots.count * 2
        mask = size - 1
        slots = [UInt64](repeating: 0, count: size)
        bytes.withUnsafeBufferPointer { buffer in
            var start = 0
            for (e, end) in ends.enumerated() {
                let hash = ByteHash.hash(UnsafeBufferPointer(rebasing: buffer[start..<end]))
                start = end
                var slot = Int(truncatingIfNeeded: hash) & mask
                while slots[slot] != 0 { slot = (slot + 1) & mask }
                slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(e + 1)
            }
        }
    }
}

/// Hashing and comparing runs of bytes.
package enum ByteHash {
    package static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var h: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(text.count)
        var i = 0
        let raw = UnsafeRawBufferPointer(text)
        while i + 8 <= text.count {
            h = mix(h ^ raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            i += 8
        }
        var tail: UInt64 = 0
        while i < text.count {
            tail = tail << 8 | UInt64(text[i])
            i += 1
        }
        return mix(h ^ tail)
    }

    package static func mix(_ x: UInt64) -> UInt64 {
        let wide = x.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return wide.high ^ wide.low
    }

    package static func equal(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        guard let x = a.baseAddress, let y = b.baseAddress else { return true }
        return memcmp(x, y, a.count) == 0
    }
}
