import Synchronization

/// Keeps those who may not come in from filling the audit's disk: of each address so many refusals a minute are written
/// down one by one, and of the rest their number.
final class RefusalQuota: Sendable {
    private struct Use {
        var minute: Int
        var written = 0
        /// Refusals that nobody has told of yet.
        var untold = 0
    }

    private let clock: Stopwatch
    private let uses = Mutex<[String: Use]>([:])
    private static let perMinute = 60
    private static let addressesMax = 10_000
    /// All addresses beyond those.
    private static let others = "others"

    init(clock: Stopwatch) { self.clock = clock }

    /// Counts a refusal.
    ///
    /// - Returns: nil when it is only counted; else how many were only counted before it.
    func take(_ address: String) -> Int? {
        let minute = Int(clock.now() / 60)
        return uses.withLock { uses in
            if uses.count >= Self.addressesMax {
                uses = uses.filter { $0.value.minute == minute || $0.value.untold > 0 }
            }
            let key = uses[address] != nil || uses.count < Self.addressesMax ? address : Self.others
            var use = uses[key] ?? Use(minute: minute)
            if use.minute != minute { (use.minute, use.written) = (minute, 0) }
            let isWritten = use.written < Self.perMinute
            let untold = use.untold
            if isWritten { (use.written, use.untold) = (use.written + 1, 0) } else { use.untold += 1 }
            uses[key] = use
            return isWritten ? untold : nil
        }
    }
}
