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
    private let schedules: [String: Schedule]
    private let workspace: Workspace
    private let onReport: @Sendable (CollectReport) -> Void

    /// - Parameter schedules: by the id of a source; others run at their content's interval.
    package init(
        collector: Collector, endpoints: [SourceEndpoint], schedules: [String: Schedule] = [:], workspace: Workspace,
        onReport: @escaping @Sendable (CollectReport) -> Void
    ) {
        self.collector = collector
        self.endpoints = endpoints
        self.schedules = schedules
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
        let last = Dictionary(try workspace.lastRuns().map { ($0.source, $0.started) }) { max($0, $1) }
        return endpoints.filter { endpoint in
            let schedule = schedules[endpoint.definition.id] ?? .every(seconds: endpoint.definition.intervalSeconds)
            return schedule.isDue(last: last[endpoint.name], now: now, jitter: Self.jitter(endpoint.name))
        }
    }

    /// A number from 0 up to 1 that a name decides.
    static func jitter(_ name: String) -> Double {
        var name = name
        let hash = name.withUTF8 { ByteHash.hash($0) }
        return Double(hash >> 11) / Double(1 << 53)
    }
}
