/// Numbers the distinct keys it is shown, in order of appearance.
///
/// An open-addressing table; a slot holds the key itself, or the hash of a key of several words.
final class GroupTable {
    private struct Slot {
        var tag: UInt64
        var group: Int32
    }

    let width: Int
    /// The keys' words, group after group.
    private(set) var keys: [UInt64] = []
    private(set) var count = 0
    private var slots: UnsafeMutableBufferPointer<Slot>
    private var mask: Int

    init(width: Int) {
        self.width = width
        slots = Self.empty(1_024)
        mask = 1_023
    }

    deinit { slots.deallocate() }

    private static func empty(_ size: Int) -> UnsafeMutableBufferPointer<Slot> {
        let slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: size)
        slots.initialize(repeating: Slot(tag: 0, group: -1))
        return slots
    }

    @inline(__always)
    private static func mix(_ x: UInt64) -> UInt64 {
        let wide = (x ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return wide.high ^ wide.low
    }

    /// A number that is the same for equal keys, for sharing keys out among workers.
    @inline(__always)
    static func hash(_ key: UnsafePointer<UInt64>, _ width: Int) -> UInt64 {
        var h = mix(key[0])
        for i in 1..<max(width, 1) { h = mix(h ^ key[i]) }
        return h
    }

    /// The group of each row; new keys get new groups.
    func groups(of words: [UInt64]) -> [Int32] {
        let rows = words.count / width
        return [Int32](unsafeUninitializedCapacity: rows) { out, initialized in
            words.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                if width == 1 {
                    insertAll(base, rows, out)
                } else {
                    for row in 0..<rows { out[row] = insert(base + row * width) }
                }
            }
            initialized = rows
        }
    }

    /// The group of each row, or -1 for keys never seen.
    func find(_ words: [UInt64]) -> [Int32] {
        let rows = words.count / width
        var out = [Int32](repeating: -1, count: rows)
        words.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for row in 0..<rows {
                let key = base + row * width
                let h = Self.hash(key, width)
                let tag = width == 1 ? key[0] : h
                var slot = Int(truncatingIfNeeded: h) & mask
                while slots[slot].group >= 0 {
                    if slots[slot].tag == tag, width == 1 || equal(Int(slots[slot].group), key) {
                        out[row] = slots[slot].group
                        break
                    }
                    slot = (slot + 1) & mask
                }
            }
        }
        return out
    }

    /// Keys of one word, some at a time: first all their slots are read, which overlaps the waits for memory, then
    /// judged.
    private func insertAll(_ keys: UnsafePointer<UInt64>, _ rows: Int, _ out: UnsafeMutableBufferPointer<Int32>) {
        let step = 64
        withUnsafeTemporaryAllocation(of: Slot.self, capacity: step) { first in
            var row = 0
            while row < rows {
                let n = min(step, rows - row)
                for k in 0..<n { first[k] = slots[Int(truncatingIfNeeded: Self.mix(keys[row + k])) & mask] }
                for k in 0..<n {
                    let key = keys[row + k]
                    out[row + k] = first[k].group >= 0 && first[k].tag == key ? first[k].group : insert(one: key)
                }
                row += n
            }
        }
    }

    @inline(__always)
    private func insert(one key: UInt64) -> Int32 {
        var slot = Int(truncatingIfNeeded: Self.mix(key)) & mask
        while true {
            let found = slots[slot]
            if found.group < 0 { break }
            if found.tag == key { return found.group }
            slot = (slot + 1) & mask
        }
        keys.append(key)
        return take(slot, tag: key)
    }

    @inline(__always)
    private func insert(_ key: UnsafePointer<UInt64>) -> Int32 {
        let h = Self.hash(key, width)
        var slot = Int(truncatingIfNeeded: h) & mask
        while true {
            let found = slots[slot]
            if found.group < 0 { break }
            if found.tag == h, equal(Int(found.group), key) { return found.group }
            slot = (slot + 1) & mask
        }
        for i in 0..<width { keys.append(key[i]) }
        return take(slot, tag: h)
    }

    private func take(_ slot: Int, tag: UInt64) -> Int32 {
        let group = Int32(count)
        slots[slot] = Slot(tag: tag, group: group)
        count += 1
        if count * 2 > slots.count { grow() }
        return group
    }

    @inline(__always)
    private func equal(_ group: Int, _ words: UnsafePointer<UInt64>) -> Bool {
        for i in 0..<width where keys[group * width + i] != words[i] { return false }
        return true
    }

    private func grow() {
        let old = slots
        slots = Self.empty(old.count * 2)
        mask = slots.count - 1
        for entry in old where entry.group >= 0 {
            var slot = Int(truncatingIfNeeded: width == 1 ? Self.mix(entry.tag) : entry.tag) & mask
            while slots[slot].group >= 0 { slot = (slot + 1) & mask }
            slots[slot] = entry
        }
        old.deallocate()
    }
}
