import Content
import Foundation
import KQLEngine
import Tables
import Workspace

/// Runs sources: fetches, decodes, transforms, finds changes, stores them with the checkpoint, and sends them on.
package struct Collector: Sendable {
    private let workspace: Workspace
    private let library: ContentLibrary
    private let sinks: [any Sink]
    private let keyframeDays: Int
    /// Bytes that may wait for any one sink before collecting pauses.
    private let spoolBytesMax: Int
    /// Ticks; injected, so that a simulated tenant's time can be followed.
    private let clock: @Sendable () -> Int64
    /// Whether an answer without rows may empty a state that had some.
    private let allowsEmpty: Bool
    /// Nil when health is not to be written.
    private let health: HealthTable?
    private let gate = DeliveryGate()
    /// Sources that run at the same time.
    private static let concurrencyMax = 4

    package init(
        workspace: Workspace, library: ContentLibrary, sinks: [any Sink], keyframeDays: Int = 7,
        spoolBytesMax: Int = 10 << 30,
        allowsEmpty: Bool = false, writesHealth: Bool = false,
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now() }
    ) {
        self.workspace = workspace
        self.library = library
        self.sinks = sinks
        self.keyframeDays = keyframeDays
        self.spoolBytesMax = spoolBytesMax
        self.allowsEmpty = allowsEmpty
        self.clock = clock
        let table = writesHealth ? library.tables[HealthTable.name] : nil
        health = table.map { HealthTable(workspace: workspace, sinks: sinks.map(\.name), schema: $0.schema) }
    }

    /// Runs the sources side by side, then empties the outbox. A source that fails does not stop the others.
    package func run(
        _ endpoints: [SourceEndpoint], isDryRun: Bool = false,
        progress: @escaping @Sendable (CollectProgress) -> Void = { _ in }
    ) async -> CollectReport {
        var report = CollectReport()
        if !isDryRun {
            // What cannot be written is told by the sources themselves.
            report.clock = (try? workspace.correctClock(now: clock())).flatMap(ClockNotice.text)
        }
        if !isDryRun, let full = await fullSpool(&report) {
            report.spool = full
            return report
        }
        await withTaskGroup(of: SourceOutcome.self) { group in
            var rest = endpoints[...]
            for _ in 0..<Self.concurrencyMax {
                if let endpoint = rest.popFirst() { group.addTask { await collect(endpoint, isDryRun, progress) } }
            }
            for await outcome in group {
                report.sources.append(outcome)
                progress(.finished(outcome))
                if let endpoint = rest.popFirst() { group.addTask { await collect(endpoint, isDryRun, progress) } }
            }
        }
        report.sources.sort { $0.source < $1.source }
        if !isDryRun {
            // Health that cannot be written is no reason to stop; a full disk is told of by the sources themselves.
            try? health?.write(report.sources, now: clock())
            if !sinks.isEmpty { progress(.sending(sink: sinks.map(\.name).joined(separator: ", "))) }
            report.sinks = await Delivery(workspace: workspace, gate: gate).deliver(to: sinks)
            try? health?.write(report.sinks, now: clock())
        }
        return report
    }

    /// Makes room for a sink that has too much to get; what is wrong when that does not succeed.
    private func fullSpool(_ report: inout CollectReport) async -> OperatorError? {
        func over() throws -> (sink: String, bytes: Int)? {
            let known = Set(sinks.map(\.name))
            return try workspace.outboxSizes().mapValues(\.bytes).filter {
                known.contains($0.key) && $0.value > spoolBytesMax
            }
            .max { $0.value < $1.value }.map { (sink: $0.key, bytes: $0.value) }
        }
        do {
            guard try over() != nil else { return nil }
            report.sinks = await Delivery(workspace: workspace, gate: gate).deliver(to: sinks)
            guard let (sink, bytes) = try over() else { return nil }
            return OperatorError(
                "collecting pauses: sink \(sink) does not keep up",
                got: "\(bytes >> 20) MB wait for it, more than the \(spoolBytesMax >> 20) MB of 'spoolMB'",
                means: report.sinks.first { $0.sink == sink }?.error?.got,
                safe: "nothing is lost; what is new at the sources is collected when there is room",
                next: "mend the sink, raise 'spoolMB', or take the sink out of the configuration")
        } catch { return OperatorError(error, title: "the outbox cannot be read") }
    }

    /// When a run of a source begins that begins now: behind its last one, also when the clock went back since, so that the order of rows
    /// is that of runs.
    private func time(of source: String) -> Int64 {
        let now = clock()
        // A workspace that cannot be read is told of by the run itself.
        guard let last = try? workspace.lastStart(of: source), last > now else { return now }
        return last + 1
    }

    private func collect(
        _ endpoint: SourceEndpoint, _ isDryRun: Bool, _ progress: @escaping @Sendable (CollectProgress) -> Void
    ) async -> SourceOutcome {
        var outcome = SourceOutcome(source: endpoint.name, table: endpoint.definition.table)
        let started = ContinuousClock.now
        let now = time(of: endpoint.name)
        progress(.started(source: endpoint.name))
        do {
            guard let table = library.tables[endpoint.definition.table] else {
                throw OperatorError(
                    "source \(endpoint.name) cannot run",
                    got: "there is no table \(endpoint.definition.table) in the content", next: "vestige content check",
                    isConfiguration: true)
            }
            let run = SourceRun(
                endpoint: endpoint, table: table, sources: library.sources, workspace: workspace,
                sinks: sinks.map(\.name),
                keyframeDays: keyframeDays, allowsEmpty: allowsEmpty,
                isDryRun: isDryRun, now: now, ended: clock)
            try await run.run(&outcome, progress)
            outcome.seconds = (ContinuousClock.now - started).seconds
        } catch {
            outcome.seconds = (ContinuousClock.now - started).seconds
            outcome.error = OperatorError(error, title: "source \(endpoint.name) stopped", safe: PageFetcher.safe)
            // A disk that is full cannot keep the note either; the failure is told all the same.
            if !isDryRun { try? workspace.note(outcome.record(started: now, ended: max(now, clock()))) }
        }
        return outcome
    }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
