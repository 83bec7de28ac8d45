import Synchronization

/// Slows down whoever tries passwords: each attempt that fails makes the next one wait longer, counted by
/// account and by address.
final class SignInThrottle: Sendable {
    /// Whose attempts are counted together.
    enum Key: Hashable, Sendable {
        /// A name, whether there is such an account or not.
        case account(String)
        case address(String)

        /// Failures without a wait. Many people may sit behind one address.
        fileprivate var free: Int {
            switch self {
            case .account: 4
            case .address: 12
            }
        }

        /// Seconds at most. An account that somebody else tries stays usable.
        fileprivate var waitMax: Double {
            switch self {
            case .account: 60
            case .address: 300
            }
        }
    }

    private struct Count {
        var failures = 0
        var last = 0.0

        func wait(_ key: Key) -> Double {
            failures < key.free ? 0 : min(Double(1 << min(failures - key.free, 20)), key.waitMax)
        }
    }

    private let clock: Stopwatch
    private let counts = Mutex<[Key: Count]>([:])
    /// Seconds after which failures are forgotten.
    private static let memory = 900.0
    private static let keysMax = 20_000

    init(clock: Stopwatch) { self.clock = clock }

    /// Keys that are remembered.
    var count: Int { counts.withLock { $0.count } }

    /// Begins an attempt, which counts as failed until it is told that it was not: attempts side by side gain nothing.
    ///
    /// - Returns: nil when it may be made, else the seconds to wait; then it is not counted.
    func begin(_ keys: [Key]) -> Double? {
        let now = clock.now()
        return counts.withLock { counts in
            if let wait = Self.wait(keys, in: counts, at: now) { return wait }
            Self.count(keys, in: &counts, at: now)
            return nil
        }
    }

    private static func wait(_ keys: [Key], in counts: [Key: Count], at now: Double) -> Double? {
        let waits = keys.compactMap { key -> Double? in
            guard let count = counts[key], now - count.last < memory else { return nil }
            return count.last + count.wait(key) - now
        }
        return waits.max().flatMap { $0 > 0 ? $0 : nil }
    }

    private static func count(_ keys: [Key], in counts: inout [Key: Count], at now: Double) {
        for key in keys {
            var count = counts[key] ?? Count()
            if now - count.last >= Self.memory { count = Count() }
            count.failures += 1
            count.last = now
            counts[key] = count
        }
        if counts.count > Self.keysMax {
            counts = counts.filter { now - $0.value.last < Self.memory }
            let extra = counts.count - Self.keysMax
            if extra > 0 {
                for (key, _) in counts.sorted(by: { $0.value.last < $1.value.last }).prefix(extra) {
                    counts[key] = nil
                }
            }
        }
    }

    /// An attempt succeeded: it and those before it are forgotten for the account, and this one for the address.
    func succeeded(_ keys: [Key]) {
        counts.withLock { counts in
            for key in keys {
                switch key {
                case .account: counts[key] = nil
                case .address:
                    guard var count = counts[key] else { continue }
                    count.failures -= 1
                    counts[key] = count.failures > 0 ? count : nil
                }
            }
        }
    }
}

/// How often and how many at once a token may call.
final class TokenLimits: Sendable {
    private struct Use {
        /// Calls that it may make now.
        var left: Double
        var at: Double
        var running = 0
    }

    private let clock: Stopwatch
    private let uses = Mutex<[String: Use]>([:])

    init(clock: Stopwatch) { self.clock = clock }

    /// Counts a call in.
    ///
    /// - Returns: nil when it may go on, and then `end` must follow; else the seconds to wait.
    func begin(_ token: Accounts.Token) -> Double? {
        let now = clock.now()
        let perSecond = Double(token.callsPerMinute) / 60
        return uses.withLock { uses in
            var use = uses[token.id] ?? Use(left: Double(token.callsPerMinute), at: now)
            use.left = min(Double(token.callsPerMinute), use.left + (now - use.at) * perSecond)
            use.at = now
            defer { uses[token.id] = use }
            guard use.running < token.concurrent else { return 1 }
            guard use.left >= 1 else { return (1 - use.left) / perSecond }
            use.left -= 1
            use.running += 1
            return nil
        }
    }

    func end(_ token: Accounts.Token) {
        uses.withLock { uses in
            precondition((uses[token.id]?.running ?? 0) > 0, "a call ended that never began")
            uses[token.id]?.running -= 1
        }
    }
}
