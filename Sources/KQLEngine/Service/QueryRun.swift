import CQueryGuard
import Foundation
import KQL
import Synchronization

/// Why a query has to stop. The first reason counts.
package enum StopReason: Int32, Sendable {
    /// Nobody waits for the answer any more, or somebody stopped it by its id.
    case cancelled = 1
    case time = 2
    /// The query alone keeps more than it may.
    case memory = 3
    /// All queries together keep more than the process may, and this one keeps the most.
    case processMemory = 4
    /// The program ends.
    case shutdown = 5
}

/// One query under way: what it may use, what it used, and whether it has to stop.
///
/// The threads that work on it know it (`QueryRun.current`); loops ask `Interrupted.check()`, which reads one word that
/// a watching thread writes (`RunWatch`).
package final class QueryRun: Sendable {
    package let id = UUID()
    /// The query or command; for a page its address.
    package let text: String
    package let client: Client
    /// The client's own name for the request (`ClientActivityId`); the id when it gave none.
    package let activity: String
    /// Seconds that it may take.
    package let durationMax: Double
    /// Bytes that it may keep.
    package let memoryBytesMax: Int
    /// When it began, by the clock that never jumps, and by the calendar in ticks.
    package let start = ContinuousClock.now
    package let startTicks = SystemClock.now()
    private let asksWhetherCancelled: (@Sendable () -> Bool)?
    private let heldBytes = Atomic<Int>(0)
    /// The threads that work on it, by the system's numbers.
    private let threads: Mutex<[Int32]> = Mutex([])
    nonisolated(unsafe) private let stopPlace: UnsafeMutablePointer<Int32>
    /// Bytes that the process held when the query began.
    let processBytesAtStart = ProcessMemory.residentBytes()

    package init(
        _ text: String, client: Client, activity: String? = nil, durationMax: Double, memoryBytesMax: Int,
        isCancelled: (@Sendable () -> Bool)? = nil
    ) {
        self.text = text
        self.client = client
        self.activity = activity ?? id.uuidString.lowercased()
        // A year is forever for a query, and no clock can be asked about more than there is.
        self.durationMax = durationMax.isFinite ? min(max(durationMax, 0), 86_400 * 365) : 86_400 * 365
        self.memoryBytesMax = memoryBytesMax
        asksWhetherCancelled = isCancelled
        stopPlace = .allocate(capacity: 1)
        stopPlace.initialize(to: 0)
    }

    deinit { stopPlace.deallocate() }

    /// Seconds since it began.
    package var age: Double {
        let passed = ContinuousClock.now - start
        return Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
    }

    /// Makes the query stop at its next step; the first reason stays.
    @discardableResult
    package func stop(_ reason: StopReason) -> Bool { vestige_stop_once(stopPlace, reason.rawValue) != 0 }

    /// Why it has to stop; nil while it may go on.
    package var stopReason: StopReason? { StopReason(rawValue: vestige_stop_load(stopPlace)) }

    /// Bytes that its operators keep, estimated.
    package var held: Int { heldBytes.load(ordering: .relaxed) }

    /// Counts bytes that an operator keeps until its end.
    ///
    /// - Throws: `QueryError.limit` when they are more than the query may keep.
    func hold(_ bytes: Int) throws {
        // No sum of a few of these leaves the range.
        let now = heldBytes.wrappingAdd(min(bytes, 1 << 48), ordering: .relaxed).newValue
        if now > memoryBytesMax {
            stop(.memory)
            throw error
        }
    }

    /// What a query that had to stop says.
    package var error: QueryError {
        switch stopReason {
        case nil, .cancelled: return .cancelled
        case .time:
            let limit = durationMax < 10 ? String(format: "%.3g", durationMax) : String(Int(durationMax))
            return .limit(
                "the query ran longer than \(limit) s; narrow the time range or raise the limit", kind: .time)
        case .memory:
            return .limit(
                "Runaway query (E_LOW_MEMORY_CONDITION): the query would keep more than \(memoryBytesMax >> 20) MB "
                    + "in memory (80DA0003); filter or summarize earlier", kind: .memory)
        case .processMemory:
            return .limit(
                "Runaway query (E_LOW_MEMORY_CONDITION): all queries together would keep more than "
                    + "\(ProcessMemory.limit >> 20) MB in memory, and this one kept the most (80DA0003); filter or "
                    + "summarize earlier", kind: .memory)
        case .shutdown: return .limit("the server is ending; ask again when it is back", kind: .shutdown)
        }
    }

    // MARK: The thread's query

    /// The query that this thread works on.
    package static var current: QueryRun? {
        vestige_get_run().map { Unmanaged<QueryRun>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes `body` this query's work: loops on this thread stop when the query has to.
    package func enter<T>(_ body: () throws -> T) rethrows -> T {
        let (stop, run) = (vestige_get_stop(), vestige_get_run())
        vestige_set_stop(stopPlace)
        vestige_set_run(Unmanaged.passUnretained(self).toOpaque())
        let thread = vestige_thread_number()
        threads.withLock { $0.append(thread) }
        defer {
            threads.withLock { threads in
                if let i = threads.lastIndex(of: thread) { threads.remove(at: i) }
            }
            vestige_set_stop(stop)
            vestige_set_run(run)
        }
        return try body()
    }

    /// Runs `body` as the work of the thread's query, or of a new one with these bounds when there is none.
    static func ensure<T>(
        _ text: String, _ options: QueryOptions, _ isCancelled: (() -> Bool)?, _ body: () throws -> T
    ) throws -> T {
        if let run = current { return try deep(run, body) }
        var asks: (@Sendable () -> Bool)?
        if let isCancelled {
            // Asked by the watching thread alone, one call at a time.
            nonisolated(unsafe) let isCancelled = isCancelled
            asks = { isCancelled() }
        }
        let run = QueryRun(
            text, client: .commandLine, durationMax: options.durationMax, memoryBytesMax: options.memoryBytesMax,
            isCancelled: asks)
        RunWatch.shared.add(run)
        defer { RunWatch.shared.remove(run) }
        return try run.enter { try deep(run, body) }
    }

    private static func deep<T>(_ run: QueryRun, _ body: () throws -> T) throws -> T {
        let result: Result<T, any Error> = DeepStack.run { () throws(Never) -> Result<T, any Error> in
            Result {
                let value = try body()
                // A loop that could not throw may have made anything once the query had to stop.
                try Interrupted.check()
                return value
            }
        } withoutThread: { () throws(Never) in
            .failure(QueryError.limit(DeepStack.noThread, kind: .busy))
        }
        do { return try result.get() } catch {
            // Whatever went wrong once it had to stop, that is why.
            throw error is Interrupted || run.stopReason != nil ? run.error : error
        }
    }

    // MARK: Watching

    /// Stops the query when it is due; asked by the watch every few milliseconds.
    func look(now: ContinuousClock.Instant) {
        guard stopReason == nil else { return }
        if let asksWhetherCancelled, asksWhetherCancelled() { stop(.cancelled) }
        if now - start > .seconds(durationMax) { stop(.time) }
    }

    /// Lets newer queries go first, more the longer this one runs.
    func giveWay(now: ContinuousClock.Instant) {
        let age = now - start
        let level: Int32 = age > .seconds(20) ? 19 : age > .seconds(5) ? 15 : age > .seconds(1) ? 8 : 0
        guard level > 0 else { return }
        for thread in threads.withLock({ $0 }) { vestige_give_way_of(thread, level) }
    }
}
