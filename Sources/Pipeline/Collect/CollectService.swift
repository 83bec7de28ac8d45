import KQLEngine
import Logging
import ServiceLifecycle
import Tables
import Workspace

/// Runs each source when its schedule says so, until the program is asked to end.
///
/// Sources that are due run together and to their end before the next look: no source overlaps itself.
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
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let due = try due()
                if !due.isEmpty { onReport(await collector.run(due)) }
                // Sources are looked at every few seconds: intervals are minutes and hours.
                do { try await Task.sleep(for: .seconds(5)) } catch is CancellationError { return }
            }
        }
    }

    /// The sources that should run now.
    package func due() throws -> [SourceEndpoint] {
        let now = SystemClock.now()
        let last = Dictionary(try workspace.lastRuns().map { ($0.source, $0) }) { _, new in new }
        return endpoints.filter { endpoint in last[endpoint.name].map { planner.next(after: $0) <= now } ?? true }
    }
}
