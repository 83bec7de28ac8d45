/// Keeps calls of one kind under what a service allows in a span of time: callers wait for their turn.
package actor CallBudget {
    /// So many calls in so many seconds.
    package struct Window: Sendable {
        package let seconds: Double
        package let calls: Int

        package init(seconds: Double, calls: Int) {
            self.seconds = seconds
            self.calls = calls
        }
    }

    private let windows: [Window]
    private var made: [ContinuousClock.Instant] = []
    /// Until when the service asked everybody to wait.
    private var pausedUntil: ContinuousClock.Instant?

    package init(_ windows: [Window]) { self.windows = windows }

    /// Waits until a call may be made, and counts it.
    ///
    /// - Returns: seconds that it waited.
    @discardableResult package func take() async throws -> Double {
        let started = ContinuousClock.now
        while let wait = delay() { try await Task.sleep(for: wait) }
        made.append(.now)
        return (ContinuousClock.now - started).inSeconds
    }

    /// The service asked to wait: nobody calls before.
    package func pause(seconds: Double) { pausedUntil = max(pausedUntil ?? .now, .now + .seconds(seconds)) }

    /// How long the next call has to wait; nil when it may go.
    private func delay() -> Duration? {
        let now = ContinuousClock.now
        if let longest = windows.map(\.seconds).max() { made.removeAll { now - $0 > .seconds(longest) } }
        var earliest = pausedUntil ?? now
        for window in windows {
            let recent = made.filter { now - $0 <= .seconds(window.seconds) }
            guard recent.count >= window.calls else { continue }
            earliest = max(earliest, recent[recent.count - window.calls] + .seconds(window.seconds))
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
