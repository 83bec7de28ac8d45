import CQueryGuard
import Foundation
import Synchronization

/// The thread that looks after all queries: it stops those whose time is over, that nobody waits for any more, or that
/// keep too much, and is asleep while there are none.
final class RunWatch: Sendable {
    static let shared = RunWatch()
    /// Seconds between two looks.
    private static let interval = 0.005

    private struct State {
        var runs: [QueryRun] = []
        var isStarted = false
        var idle: Int?
        /// When memory was last given back, so that it is not tried at every look.
        var trimmed = ContinuousClock.now - .seconds(60)
    }

    private let state: Mutex<State> = Mutex(State())
    private let wake = NSCondition()
    /// Asked after each look: whoever lets waiting queries in.
    private let listeners: Mutex<[@Sendable () -> Void]> = Mutex([])

    func add(_ run: QueryRun) {
        let starts = state.withLock { state in
            state.runs.append(run)
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if starts {
            let thread = Thread { [self] in loop() }
            thread.name = "query watch"
            thread.start()
        }
        wake.lock()
        wake.signal()
        wake.unlock()
    }

    func remove(_ run: QueryRun) {
        state.withLock { state in state.runs.removeAll { $0 === run } }
    }

    func onLook(_ listener: @escaping @Sendable () -> Void) { listeners.withLock { $0.append(listener) } }

    private func loop() {
        var looks = 0
        while true {
            wake.lock()
            while state.withLock({ $0.runs.isEmpty }) { wake.wait() }
            wake.unlock()
            Thread.sleep(forTimeInterval: Self.interval)
            let runs = state.withLock { $0.runs }
            let now = ContinuousClock.now
            for run in runs { run.look(now: now) }
            limitMemory(runs, now)
            looks += 1
            if looks % 50 == 0 { for run in runs { run.giveWay(now: now) } }
            for listener in listeners.withLock({ $0 }) { listener() }
        }
    }

    /// Stops what keeps too much: one query by itself, or the largest when all together do.
    private func limitMemory(_ runs: [QueryRun], _ now: ContinuousClock.Instant) {
        let limit = ProcessMemory.limit
        func isOver() -> Bool {
            let usage = ProcessMemory.usage()
            if usage.resident > limit { return true }
            guard let addresses = ProcessMemory.addressLimit else { return false }
            return usage.addresses > addresses / 10 * 8
        }
        if runs.count == 1, let run = runs.first, run.stopReason == nil {
            let grown = ProcessMemory.residentBytes() - run.processBytesAtStart
            if grown > run.memoryBytesMax { run.stop(.memory) }
        }
        guard isOver() else { return }
        let alive = runs.filter { $0.stopReason == nil }
        // Those that were stopped are on their way to give back what they keep.
        guard alive.count == runs.count || alive.count > 0, !runs.contains(where: isLeaving) else { return }
        if state.withLock({ now - $0.trimmed > .seconds(2) }) {
            state.withLock { $0.trimmed = now }
            vestige_trim_memory()
            if !isOver() { return }
        }
        // What a query keeps is estimated; of those that are much alike, the youngest caused it.
        alive.max { ($0.held >> 24, $0.start) < ($1.held >> 24, $1.start) }?.stop(.processMemory)

        func isLeaving(_ run: QueryRun) -> Bool {
            run.stopReason == .processMemory || run.stopReason == .memory
        }
    }
}
