import CQueryGuard
import Foundation
import KQL
import Synchronization
import Tables

/// What the queries of a process may use together, and each alone.
package struct ServiceLimits: Sendable {
    /// Queries that run at once while they are young (`youngSeconds`); as in Kusto, a multiple of the cores
    /// (https://learn.microsoft.com/kusto/management/request-rate-limit-policy).
    package var youngCount = max(8, Workers.coreCount * 4)
    /// Further queries that may run on once they are older; they give way to the young ones.
    package var oldCount = 16
    package static let youngSeconds = 5.0
    /// Queries that may wait, of all clients and of one.
    package var waitingCount = 256
    package var waitingCountOfClient = 128
    /// Seconds that a query may take, with the time that it waits.
    package var durationMax = 240.0
    /// Bytes that one query may keep.
    package var memoryBytesMax = min(5 << 30, ProcessMemory.limit / 4 * 3)

    package init() {}
}

/// The one place that runs queries for others: it owns their threads and what they may use, lets them in fairly by
/// client, stops those that nobody waits for, and tells what runs.
///
/// A request's options only lower the limits. Pages, both REST interfaces, batches and rules ask it; what a user runs
/// on a command line of their own runs at once, under the same watch.
package final class QueryService: Sendable {
    package let limits: ServiceLimits
    /// Answers of this service's queries.
    package let answers = AnswerCache()
    /// Where the queries under way are noted for the case that the program ends by a fault; nil for nowhere.
    private let note: CrashNote?

    private struct Waiter: Sendable {
        let run: QueryRun
        let start: @Sendable () -> Void
        let refuse: @Sendable (QueryError) -> Void
    }

    private struct State {
        var running: [QueryRun] = []
        var waiting: [Waiter] = []
        var isEnding = false
        var refused = 0
    }

    private let state: Mutex<State> = Mutex(State())

    package init(_ limits: ServiceLimits = ServiceLimits(), note: CrashNote? = nil) {
        self.limits = limits
        self.note = note
        RunWatch.shared.onLook { [weak self] in
            self?.look()
            self?.note?.noteMemory()
        }
    }

    // MARK: Running

    /// Runs `body` on a thread for queries once it is this client's turn.
    ///
    /// - Parameters:
    ///   - text: the query, as lists and notes show it.
    ///   - activity: the client's own name for the request, by which it may be stopped.
    ///   - body: gets the options, lowered to what the service allows.
    /// - Throws: what `body` throws; `QueryError.limit` of the kind `.busy` when too many wait already.
    package func run<T: Sendable>(
        _ text: String, options: QueryOptions, client: Client, activity: String? = nil,
        _ body: @escaping @Sendable (QueryOptions) throws -> T
    ) async throws -> T {
        let options = lowered(options)
        let run = QueryRun(
            text, client: client, activity: activity, durationMax: options.durationMax,
            memoryBytesMax: options.memoryBytesMax)
        if let note, let problem = note.refusal(of: text) { throw problem }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(
                    Waiter(
                        run: run,
                        start: { [self] in
                            let work = DeepStack.start { [self] in
                                let result = Result { try perform(run, options, body) }
                                finished(run)
                                continuation.resume(with: result)
                            }
                            guard work == nil else { return }
                            finished(run)
                            continuation.resume(throwing: QueryError.limit(DeepStack.noThread, kind: .busy))
                        }, refuse: { continuation.resume(throwing: $0) }))
            }
        } onCancel: {
            run.stop(.cancelled)
            look()
        }
    }

    /// The answer to a query, if it is kept: whoever asks then waits for nothing.
    ///
    /// - Parameter version: what the rows are now; nil when that cannot be told.
    package func known(_ text: String, options: QueryOptions, version: DataVersion?) -> QueryResult? {
        version.flatMap { answers.find(text, options, $0, countsMiss: false) }
    }

    /// The answer to a query over a provider, kept for whoever asks the same again.
    ///
    /// - Parameter version: what the provider's rows are now; nil when that cannot be told, and nothing is kept.
    package func answer(
        _ text: String, options: QueryOptions, client: Client, activity: String? = nil,
        over provider: any TableProvider,
        version: @escaping @Sendable () -> DataVersion?
    ) async throws -> QueryResult {
        let before = version()
        if let before, let known = answers.find(text, options, before) { return known }
        return try await run(text, options: options, client: client, activity: activity) { [self] lowered in
            let result = try Engine(provider: provider).run(text, options: lowered)
            // Rows that came in between may be in the answer or not.
            if let before, version() == before { answers.keep(result, text, options, before) }
            return result
        }
    }

    /// As `answer`, for work that has its turn already.
    package func answerHere(
        _ text: String, options: QueryOptions, over provider: any TableProvider, version: () -> DataVersion?
    ) throws -> QueryResult {
        let before = version()
        if let before, let known = answers.find(text, options, before) { return known }
        let result = try Engine(provider: provider).run(text, options: options)
        if let before, version() == before { answers.keep(result, text, options, before) }
        return result
    }

    private func perform<T>(
        _ run: QueryRun, _ options: QueryOptions, _ body: (QueryOptions) throws -> T
    ) throws -> T {
        let slot = note?.begin(run)
        defer { if let note, let slot { note.end(slot) } }
        return try run.enter {
            do {
                try Interrupted.check()
                let value = try body(options)
                // A loop that could not throw may have made anything once the query had to stop.
                try Interrupted.check()
                return value
            } catch { throw error is Interrupted || run.stopReason != nil ? run.error : error }
        }
    }

    /// A request's bounds, never above the service's.
    package func lowered(_ options: QueryOptions) -> QueryOptions {
        var options = options
        let asked = options.durationMax
        options.durationMax = asked.isFinite && asked > 0 ? min(asked, limits.durationMax) : limits.durationMax
        options.memoryBytesMax = min(max(options.memoryBytesMax, 1), limits.memoryBytesMax)
        return options
    }

    // MARK: Whose turn it is

    private func submit(_ waiter: Waiter) {
        let refusal: QueryError? = state.withLock { state in
            if state.isEnding {
                waiter.run.stop(.shutdown)
                return waiter.run.error
            }
            let own = state.waiting.count { $0.run.client == waiter.run.client }
            if state.waiting.count >= limits.waitingCount || own >= limits.waitingCountOfClient {
                state.refused += 1
                return .limit(
                    "\(state.running.count) queries run and \(state.waiting.count) wait already; ask again in a "
                        + "few seconds", kind: .busy)
            }
            state.waiting.append(waiter)
            return nil
        }
        if let refusal { waiter.refuse(refusal) } else { look() }
    }

    private func finished(_ run: QueryRun) {
        RunWatch.shared.remove(run)
        state.withLock { state in state.running.removeAll { $0 === run } }
        look()
    }

    /// Does work that is no query, such as drawing a page, on a thread for queries, so that those of the network stay
    /// free. As many at a time as there are cores: more clients do not make more threads.
    package static func offload<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            drawers.addOperation {
                continuation.resume(
                    with: DeepStack.run { () throws(Never) -> Result<T, any Error> in
                        Result { try body() }
                    } withoutThread: { () throws(Never) in
                        .failure(QueryError.limit(DeepStack.noThread, kind: .busy))
                    })
            }
        }
    }

    private static let drawers: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = max(2, Workers.coreCount)
        return queue
    }()

    /// Does small work at once, and larger work as `offload(_:)` does.
    package static func offload<T: Sendable>(
        ifMoreThan most: Int, _ size: Int, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        if size <= most { return try body() }
        return try await offload(body)
    }

    /// Lets in those whose turn it is, and turns away those who waited in vain. Asked whenever something changed, and
    /// every few milliseconds, since queries grow old.
    private func look() {
        var ready: [Waiter] = []
        var gone: [Waiter] = []
        state.withLock { state in
            if state.waiting.isEmpty { return }
            let now = ContinuousClock.now
            state.waiting.removeAll { waiter in
                waiter.run.look(now: now)
                guard waiter.run.stopReason != nil else { return false }
                gone.append(waiter)
                return true
            }
            while let next = self.next(state) {
                let waiter = state.waiting.remove(at: next)
                state.running.append(waiter.run)
                ready.append(waiter)
            }
        }
        for waiter in gone {
            waiter.refuse(
                waiter.run.stopReason == .time
                    ? .limit("the query waited for its turn until its time was over", kind: .busy) : waiter.run.error)
        }
        for waiter in ready {
            RunWatch.shared.add(waiter.run)
            waiter.start()
        }
    }

    /// The place of the waiter that is let in next: of the client with the fewest queries under way the first.
    private func next(_ state: State) -> Int? {
        guard !state.waiting.isEmpty, state.running.count < limits.youngCount + limits.oldCount,
            state.running.count(where: { $0.age < ServiceLimits.youngSeconds }) < limits.youngCount
        else { return nil }
        var counts: [Client: Int] = [:]
        for run in state.running { counts[run.client, default: 0] += 1 }
        return state.waiting.indices.min {
            let (a, b) = (state.waiting[$0].run.client, state.waiting[$1].run.client)
            return (counts[a, default: 0], $0) < (counts[b, default: 0], $1)
        }
    }

    // MARK: What runs

    /// The queries under way, oldest first.
    package var running: [QueryRun] { state.withLock { $0.running } }

    /// How many run, wait, and were turned away since the start.
    package var counts: (running: Int, waiting: Int, refused: Int) {
        state.withLock { ($0.running.count, $0.waiting.count, $0.refused) }
    }

    /// Stops the queries of a client's name for them, or of an id.
    ///
    /// - Parameter name: whose queries only; anybody's when nil.
    /// - Returns: how many ran or waited.
    package func cancel(activity: String, of name: String? = nil) -> Int {
        let found = state.withLock { state in
            (state.running + state.waiting.map(\.run)).filter {
                name == nil || $0.client.name == name
            }.filter {
                $0.activity == activity || $0.id.uuidString.lowercased() == activity.lowercased()
            }
        }
        for run in found { run.stop(.cancelled) }
        look()
        return found.count
    }

    /// Stops everything, and lets nothing in any more.
    package func shutDown() {
        let runs = state.withLock { state in
            state.isEnding = true
            return state.running + state.waiting.map(\.run)
        }
        for run in runs { run.stop(.shutdown) }
        look()
    }
}
