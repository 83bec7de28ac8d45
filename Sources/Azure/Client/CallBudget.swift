/// The time that waiting goes by: the machine's, or one that a test moves on.
package struct WaitingClock: Sendable {
    /// Since any fixed instant.
    package let now: @Sendable () -> Duration
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    private static let start = ContinuousClock.now
    package static let machine = WaitingClock(
        now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
}

/// Keeps calls of one kind under what a service allows in a span of time: callers wait for their turn.
package actor CallBudget {
    /// So much in so many seconds.
    package struct Window: Sendable {
        package let seconds: Double
        /// Calls, or whatever each call's cost counts.
        package let units: Int

        package init(seconds: Double, units: Int) {
            self.seconds = seconds
            self.units = units
        }
    }

    private let windows: [Window]
    /// Oldest first.
    private var made: [(at: Duration, cost: Int)] = []
    /// Until when the service asked everybody to wait.
    private var pausedUntil: Duration?
    private let clock: WaitingClock

    package init(_ windows: [Window], clock: WaitingClock = .machine) {
        self.windows = windows
        self.clock = clock
    }

    /// Waits until a call may be made, and counts it.
    ///
    /// - Parameter cost: what the call takes of the windows' units; a call that takes more than all of them waits for an empty window.
    /// - Returns: seconds that it waited.
    @discardableResult package func take(cost: Int = 1) async throws -> Double {
        let started = clock.now()
        while let wait = delay(cost) { try await clock.sleep(wait) }
        made.append((clock.now(), cost))
        return (clock.now() - started).inSeconds
    }

    /// The service asked to wait: nobody calls before.
    package func pause(seconds: Double) {
        let now = clock.now()
        pausedUntil = max(pausedUntil ?? now, now + .seconds(seconds))
    }

    /// How long the next call has to wait; nil when it may go.
    private func delay(_ cost: Int) -> Duration? {
        let now = clock.now()
        if let longest = windows.map(\.seconds).max() { made.removeAll { now - $0.at > .seconds(longest) } }
        var earliest = pausedUntil ?? now
        for window in windows {
            var taken = 0
            // From the youngest back, until there is no room left beside the new one: when that call is old enough, the new one may go.
            for call in made.reversed() where now - call.at <= .seconds(window.seconds) {
                taken += call.cost
                if taken + cost > window.units {
                    earliest = max(earliest, call.at + .seconds(window.seconds))
                    break
                }
            }
        }
        return earliest > now ? earliest - now : nil
    }
}

/// Stops calling a host that fails again and again, and tries it once in a while.
///
/// Other sources and sinks go on meanwhile, and the host is not hammered when it comes back.
package actor CircuitBreaker {
    private let failuresMax: Int
    private let openSeconds: Double
    private var hosts: [String: (failures: Int, openUntil: ContinuousClock.Instant?)] = [:]

    package init(failuresMax: Int = 5, openSeconds: Double = 30) {
        self.failuresMax = failuresMax
        self.openSeconds = openSeconds
    }

    /// Seconds until a host may be tried again; nil when it may be called.
    package func closedIn(_ host: String) -> Double? {
        guard let until = hosts[host]?.openUntil, until > .now else { return nil }
        return (until - .now).inSeconds
    }

    /// Notes the outcome of a call, after all of its tries.
    package func note(_ host: String, succeeded: Bool) {
        if succeeded {
            hosts[host] = nil
            return
        }
        var state = hosts[host] ?? (0, nil)
        state.failures += 1
        if state.failures >= failuresMax { state.openUntil = .now + .seconds(openSeconds) }
        hosts[host] = state
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
