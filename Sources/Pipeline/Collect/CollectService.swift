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
    private let onReport: @Sendable (CollectReport) -> Void

    package init(
        collector: Collector, endpoints: [SourceEndpoint], planner: RunPlanner, workspace: Workspace,
        onReport: @escaping @Sendable (CollectReport) -> Void
    ) {
        self.collector = collector
        self.endpoints = endpoints
        self.planner = planner
        self.workspace = workspace
        self.onReport = onReport
    }

    package func run() async throws {
        let running = RunningSources()
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    let due = running.begin(try due())
                    if !due.isEmpty { group.addTask { await run(due, running) } }
                    // Sources are looked at every few seconds: intervals are minutes and hours.
                    do { try await Task.sleep(for: .seconds(5)) } catch is CancellationError { return }
                }
            }
        }
    }

    private func run(_ due: [SourceEndpoint], _ running: RunningSources) async {
        let report = await collector.run(due) { event in
            if case .finished(let outcome) = event { running.end([outcome.source]) }
        }
        // Also those that a full spool kept from running.
        running.end(due.map(\.name).filter { name in !report.sources.contains { $0.source == name } })
        onReport(report)
    }

    /// The sources that should run now.
    package func due() throws -> [SourceEndpoint] {
        let now = SystemClock.now()
        let last = Dictionary(try workspace.lastRuns().map { ($0.source, $0) }) { _, new in new }
        return endpoints.filter { endpoint in last[endpoint.name].map { planner.next(after: $0) <= now } ?? true }
    }
}

/// Names of the sources that run now.
private final class RunningSources: Sendable {
    private let names = Mutex<Set<String>>([])

    /// Those that do not run yet, which now do.
    func begin(_ endpoints: [SourceEndpoint]) -> [SourceEndpoint] {
        names.withLock { names in endpoints.filter { names.insert($0.name).inserted } }
    }

    func end(_ ended: [String]) { names.withLock { $0.subtract(ended) } }
}
