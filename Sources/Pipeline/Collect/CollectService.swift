import KQLEngine
import Logging
import ServiceLifecycle
import Tables
import Workspace

/// Runs each source again when its interval has passed, until the program is asked to end.
package struct CollectService: Service {
    private let collector: Collector
    private let endpoints: [SourceEndpoint]
    private let workspace: Workspace
    private let onReport: @Sendable (CollectReport) -> Void

    package init(
        collector: Collector, endpoints: [SourceEndpoint], workspace: Workspace, onReport: @escaping @Sendable (CollectReport) -> Void
    ) {
        self.collector = collector
        self.endpoints = endpoints
        self.workspace = workspace
        self.onReport = onReport
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let due = try dueSources(SystemClock.now())
                if !due.isEmpty { onReport(await collector.run(due)) }
                // Sources are looked at every few seconds: intervals are minutes and hours.
                do { try await Task.sleep(for: .seconds(5)) } catch is CancellationError { return }
            }
        }
    }

    private func dueSources(_ now: Int64) throws -> [SourceEndpoint] {
        let last = Dictionary(try workspace.lastRuns().map { ($0.source, $0.started) }) { max($0, $1) }
        return endpoints.filter { endpoint in
            guard let started = last[endpoint.name] else { return true }
            return now - started >= Int64(endpoint.definition.intervalSeconds) * DateTime.ticksPerSecond
        }
    }
}
