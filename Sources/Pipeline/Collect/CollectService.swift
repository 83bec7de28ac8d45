import KQLEngine
import Logging
import ServiceLifecycle
import Synchronization
import Tables
import Workspace

/// Runs each source when its schedule says so, until the program is asked to end.
///
/// No source overlaps itself, and one that takes long, or a sink that does, keeps no other from its time.
package struct CollectService: Service {
    private let collector: Collector
    private let endpoints: [SourceEndpoint]
    private let planner: RunPlanner
    private let workspace: Workspace
    private let clock: @Sendable () -> Int64
    private let looksEvery: Duration
    private let onReport: @Sendable (CollectReport) -> Void
    private let running = RunningSources()

    /// - Parameters:
    ///   - looksEvery: how long until it is looked again which sources are due: intervals are minutes and hours.
    ///   - clock: gives the time, ticks.
    ///   - onReport: called after each run, when what it stored has been sent.
    package init(
        collector: Collector, endpoints: [SourceEndpoint], planner: RunPlanner, workspace: Workspace,
        looksEvery: Duration = .seconds(5), clock: @escaping @Sendable () -> Int64 = { SystemClock.now() },
        onReport: @escaping @Sendable (CollectReport) -> Void
    ) {
        self.collector = collector
        self.endpoints = endpoints
        self.planner = planner
        self.workspace = workspace
        self.clock = clock
        self.looksEvery = looksEvery
        self.onReport = onReport
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    let due = running.begin(try due())
                    if !due.isEmpty { group.addTask { await run(due) } }
                    do { try await Task.sleep(for: looksEvery) } catch is CancellationError { return }
                }
            }
        }
    }

    private func run(_ due: [SourceEndpoint]) async {
        let report = await collector.run(due) { event in
            if case .finished(let outcome) = event { running.end([outcome.source]) }
        }
        // Also those that a full spool kept from running.
        running.end(due.map(\.name).filter { name in !report.sources.contains { $0.source == name } })
        onReport(report)
    }

    /// The sources that should run now.
    ///
    /// A last run that has not come yet, by the clock, holds nothing up: the clock was ahead then, or is behind now. Such a source rests
    /// for as long as its schedule says by a clock that nobody sets.
    package func due() throws -> [SourceEndpoint] {
        let now = clock()
        let last = Dictionary(try workspace.lastRuns().map { ($0.source, $0) }) { _, new in new }
        return endpoints.filter { endpoint in
            guard let run = last[endpoint.name] else { return true }
            if run.started > now + ClockJudgement.tolerance {
                return running.hasRested(endpoint.name, planner.rest(after: run))
            }
            return planner.next(after: run) <= now
        }
    }
}

/// Names of the sources that run now.
private final class RunningSources: Sendable {
    private let names = Mutex<Set<String>>([])
    private let begun = Mutex<[String: ContinuousClock.Instant]>([:])

    /// Those that do not run yet, which now do.
    func begin(_ endpoints: [SourceEndpoint]) -> [SourceEndpoint] {
        let new = names.withLock { names in endpoints.filter { names.insert($0.name).inserted } }
        begun.withLock { begun in for endpoint in new { begun[endpoint.name] = .now } }
        return new
    }

    /// Whether a source began so long ago, or not at all since the program was started.
    func hasRested(_ name: String, _ rest: Duration) -> Bool {
        begun.withLock { $0[name] }.map { ContinuousClock.now - $0 >= rest } ?? true
    }

    func end(_ ended: [String]) { names.withLock { $0.subtract(ended) } }
}
