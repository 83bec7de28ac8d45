import Foundation

/// A row of a source's state: its key's digest, its content's digest, and where the row was stored last.
package struct StateEntry: Sendable, Equatable {
    package let key: RowDigest
    package var content: RowDigest
    package var place: RowPlace

    package init(key: RowDigest, content: RowDigest, place: RowPlace) {
        self.key = key
        self.content = content
        self.place = place
    }
}

/// Where a row is: an extent, and its number therein.
package struct RowPlace: Sendable, Hashable {
    package let extent: Int64
    package let row: Int
    private static let rowBits: Int64 = 20

    package init(extent: Int64, row: Int) {
        self.extent = extent
        self.row = row
    }

    /// A row that is not stored yet.
    package static let none = RowPlace(extent: 0, row: 0)

    init(packed: Int64) { self.init(extent: packed >> Self.rowBits, row: Int(packed & (1 << Self.rowBits - 1))) }
    var packed: Int64 { extent << Self.rowBits | Int64(row) }
}

/// Some of a source's rows as the last run left them, and which of them this run has come upon: a device's, or an hour's.
///
/// Entries keep their order, new ones come behind: a source most often gives its rows in the order of the last time.
package struct StateBucket: Sendable {
    package let id: Int64
    package private(set) var entries: [StateEntry]
    /// A bit for each entry.
    package private(set) var seen: [UInt64]
    /// Whether entries are other than those stored.
    package private(set) var hasNewEntries = false
    /// Whether there is something to store.
    package private(set) var isDirty = false
    private var seenCount: Int
    /// The entry that most likely comes next.
    private var expected = 0
    /// Entry numbers plus one by key, in an open-addressing table; empty until an entry comes out of order.
    private var slots: [UInt32] = []

    package init(id: Int64, entries: [StateEntry] = [], seen: [UInt64] = []) {
        self.id = id
        self.entries = entries
        self.seen = seen + [UInt64](repeating: 0, count: max(0, (entries.count + 63) / 64 - seen.count))
        seenCount = seen.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// What a row is to the state.
    package enum Finding: Sendable {
        /// Came before in this run.
        case repeated
        case added(entry: Int)
        case changed(entry: Int)
        case same(entry: Int)
    }

    /// Whether this run has come upon every entry.
    package var isComplete: Bool { seenCount == entries.count }

    package func isSeen(_ entry: Int) -> Bool { seen[entry >> 6] & (1 << UInt64(entry & 63)) != 0 }

    /// Takes a row in.
    ///
    /// - Parameters:
    ///   - near: other contents that count as the same one.
    ///   - keepsContent: whether a known row's content stays as it is, whatever came.
    package mutating func note(
        _ key: RowDigest, _ content: RowDigest, near: (RowDigest, RowDigest)? = nil, keepsContent: Bool
    ) -> Finding {
        guard let entry = find(key) else {
            let entry = entries.count
            entries.append(StateEntry(key: key, content: content, place: .none))
            if entry >> 6 == seen.count { seen.append(0) }
            if !slots.isEmpty { insert(entry) }
            mark(entry)
            hasNewEntries = true
            return .added(entry: entry)
        }
        if isSeen(entry) { return .repeated }
        mark(entry)
        let known = entries[entry].content
        if keepsContent || known == content { return .same(entry: entry) }
        if let near, known == near.0 || known == near.1 { return .same(entry: entry) }
        entries[entry].content = content
        hasNewEntries = true
        return .changed(entry: entry)
    }

    /// Tells where a row was stored.
    package mutating func place(_ entry: Int, at place: RowPlace) {
        entries[entry].place = place
        hasNewEntries = true
        isDirty = true
    }

    /// Tells that the run has asked about what is in here.
    package mutating func touch() { isDirty = true }

    /// Takes out the entries that this run did not come upon.
    package mutating func removeUnseen() -> [StateEntry] {
        let gone = entries.indices.filter { !isSeen($0) }.map { entries[$0] }
        entries = entries.indices.filter { isSeen($0) }.map { entries[$0] }
        seen = [UInt64](repeating: 0, count: (entries.count + 63) / 64)
        seenCount = 0
        slots = []
        for entry in entries.indices { mark(entry) }
        // Also when nothing is left.
        (hasNewEntries, isDirty) = (true, true)
        return gone
    }

    private mutating func mark(_ entry: Int) {
        seen[entry >> 6] |= 1 << UInt64(entry & 63)
        seenCount += 1
        expected = entry + 1
        isDirty = true
    }

    private mutating func find(_ key: RowDigest) -> Int? {
        if expected < entries.count, entries[expected].key == key { return expected }
        if entries.isEmpty { return nil }
        if slots.isEmpty { index() }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: key.low) & mask
        while slots[slot] != 0 {
            let entry = Int(slots[slot]) - 1
            if entries[entry].key == key { return entry }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func index() {
        var size = 16
        while size < entries.count * 3 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        for entry in entries.indices { place(inSlot: entry) }
    }

    private mutating func insert(_ entry: Int) {
        if (entry + 1) * 2 > slots.count { index() } else { place(inSlot: entry) }
    }

    private mutating func place(inSlot entry: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: entries[entry].key.low) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(entry + 1)
    }

    // MARK: As bytes

    static let entryBytes = 40

    /// Bytes that the bucket takes in memory, about.
    package var memoryBytes: Int { 200 + entries.count * Self.entryBytes + slots.count * 4 }

    /// Forgets that there is something to store.
    package mutating func clean() {
        isDirty = false
        hasNewEntries = false
    }

    static func data(_ entries: [StateEntry]) -> Data {
        let words = [UInt64](unsafeUninitializedCapacity: entries.count * 5) { out, count in
            var i = 0
            for e in entries {
                out.initializeElement(at: i, to: e.key.high.littleEndian)
                out.initializeElement(at: i + 1, to: e.key.low.littleEndian)
                out.initializeElement(at: i + 2, to: e.content.high.littleEndian)
                out.initializeElement(at: i + 3, to: e.content.low.littleEndian)
                out.initializeElement(at: i + 4, to: UInt64(bitPattern: e.place.packed).littleEndian)
                i += 5
            }
            count = i
        }
        return words.withUnsafeBytes { Data($0) }
    }

    static func entries(_ bytes: UnsafeRawBufferPointer) -> [StateEntry] {
        let count = bytes.count / entryBytes
        return [StateEntry](unsafeUninitializedCapacity: count) { out, initialized in
            for i in 0..<count {
                func word(_ k: Int) -> UInt64 {
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i * entryBytes + k * 8, as: UInt64.self))
                }
                (out.baseAddress! + i).initialize(
                    to: StateEntry(
                        key: RowDigest(high: word(0), low: word(1)), content: RowDigest(high: word(2), low: word(3)),
                        place: RowPlace(packed: Int64(bitPattern: word(4)))))
            }
            initialized = count
        }
    }

    static func data(_ words: [UInt64]) -> Data { words.map(\.littleEndian).withUnsafeBytes { Data($0) } }

    static func words(_ bytes: UnsafeRawBufferPointer) -> [UInt64] {
        (0..<bytes.count / 8).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
    }
}
