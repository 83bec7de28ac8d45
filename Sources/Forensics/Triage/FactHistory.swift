/// What is known of one thing over time: the facts from each change on, none while it is gone.
struct FactHistory<Facts: Equatable> {
    struct Entry {
        /// Ticks; from when on the facts are known.
        let time: Int64
        /// Nil: it is gone.
        let facts: Facts?
    }

    private(set) var entries: [Entry] = []
    /// `TimeGenerated` of the newest row, also of one that changed nothing.
    private(set) var newest: Int64 = 0

    /// Adds a row that is not older than those before. Of two rows of the same instant the later counts.
    mutating func add(_ facts: Facts?, at time: Int64) {
        newest = time
        if entries.last?.time == time { entries.removeLast() }
        if let last = entries.last, last.facts == facts { return }
        entries.append(Entry(time: time, facts: facts))
    }

    /// The facts at an instant; nil when it was not known yet, or gone.
    func at(_ time: Int64) -> Facts? { index(at: time).flatMap { entries[$0].facts } }

    private func index(at time: Int64) -> Int? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    var times: [Int64] { entries.map(\.time) }

    /// The facts that ever counted.
    var all: [Facts] { entries.compactMap(\.facts) }
}
