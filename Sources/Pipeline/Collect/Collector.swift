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
    /// Nil where nobody asked for it, or the content has no such table.
    private let audit: AuditIntake?
    /// Done after the sources, before rows are sent; nil for nothing.
    private let followUp: (@Sendable () async -> FollowUp)?
    /// Nil where nothing is removed.
    private let retention: Retention?
    private let gate = DeliveryGate()
    /// Sources that run at the same time.
    private static let concurrencyMax = 4

    package init(
        workspace: Workspace, library: ContentLibrary, sinks: [any Sink], keyframeDays: Int = 7,
        spoolBytesMax: Int = 10 << 30,
        allowsEmpty: Bool = false, writesHealth: Bool = false, auditFile: String? = nil, retention: Retention? = nil,
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now() },
        followUp: (@Sendable () async -> FollowUp)? = nil
    ) {
        self.workspace = workspace
        self.library = library
        self.sinks = sinks
        self.keyframeDays = keyframeDays
        self.spoolBytesMax = spoolBytesMax
        self.allowsEmpty = allowsEmpty
        self.clock = clock
        audit = auditFile.flatMap { file in
            library.tables[AuditIntake.table].map {
                AuditIntake(
                    workspace: workspace, file: AuditFile(file), schema: $0.schema,
                    sinks: sinks.names(taking: AuditIntake.table))
            }
        }
        self.followUp = followUp
        self.retention = retention
        let table = writesHealth ? library.tables[HealthTable.name] : nil
        health = table.map {
            HealthTable(workspace: workspace, sinks: sinks.names(taking: HealthTable.name), schema: $0.schema)
        }
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
        var endpoints = endpoints
        if !isDryRun {
            let crowded = await crowdedTables(among: Set(endpoints.map(\.definition.table)), &report)
            report.spool = crowded.error
            endpoints.removeAll { crowded.tables.contains($0.definition.table) }
            if crowded.error != nil, endpoints.isEmpty { return report }
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
            do { try audit?.take(now: clock()) } catch {
                report.audit = OperatorError(error, title: "the audit file could not be collected")
            }
            if let followUp { report.followUp = await followUp() }
            if !sinks.isEmpty { progress(.sending(sink: sinks.map(\.name).joined(separator: ", "))) }
            report.sinks = await Delivery(workspace: workspace, gate: gate).deliver(to: sinks)
            try? health?.write(report.sinks, now: clock())
            // What is told of a delivery goes out at once, so that nothing waits when all is well.
            if health != nil, report.sinks.contains(where: { $0.rows > 0 }),
                report.sinks.allSatisfy({ $0.errors.isEmpty })
            {
                _ = await Delivery(workspace: workspace, gate: gate).deliver(to: sinks)
            }
            do { report.removed = try retention?.runIfDue(now: clock()) ?? [] } catch {
                report.retention = OperatorError(
                    error, title: "what is past its time was not removed", safe: "the workspace is as it was")
            }
        }
        return report
    }

    /// Makes room for sinks that have too much to get. When that does not succeed, the sources of those tables pause
    /// that the sink does not take: what one rule of it refuses is no reason to stop collecting the rest.
    private func crowdedTables(among collected: Set<String>, _ report: inout CollectReport) async -> (
        tables: Set<String>, error: OperatorError?
    ) {
        func over() throws -> [String: Int] {
            let known = Set(sinks.map(\.name))
            return try workspace.outboxSizes().mapValues(\.bytes).filter {
                known.contains($0.key) && $0.value > spoolBytesMax
            }
        }
        do {
            guard try !over().isEmpty else { return ([], nil) }
            report.sinks = await Delivery(workspace: workspace, gate: gate).deliver(to: sinks)
            guard let (fullest, bytes) = try over().max(by: { $0.value < $1.value }) else { return ([], nil) }
            let waiting = try workspace.outboxSizesByTable()
            var paused: Set<String> = []
            for sink in sinks where try over()[sink.name] != nil {
                let stopped = report.sinks.first { $0.sink == sink.name }?.stoppedParts ?? []
                paused.formUnion((waiting[sink.name] ?? [:]).keys)
                paused.formUnion(collected.filter { sink.plan.part(of: $0).map(stopped.contains) ?? false })
            }
            paused.formIntersection(collected)
            let isAll = paused == collected
            let error = OperatorError(
                isAll
                    ? "collecting pauses: sink \(fullest) does not keep up"
                    : "collecting into \(paused.sorted().joined(separator: ", ")) pauses: "
                        + "sink \(fullest) does not take it",
                got: "\(bytes >> 20) MB wait for it, more than the \(spoolBytesMax >> 20) MB of 'spoolMB'",
                means: report.sinks.first { $0.sink == fullest }?.error?.got,
                safe: "nothing is lost; what is new at the sources is collected when there is room",
                next: "mend the sink, raise 'spoolMB', or take the sink or the tables out of the configuration")
            return (paused, error)
        } catch { return (collected, OperatorError(error, title: "the outbox cannot be read")) }
    }

    /// When a run of a source begins that begins now: behind its last one, also when the clock went back since, so that
    /// the order of rows
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
                sinks: sinks.names(taking: table.name),
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

extension [any Sink] {
    /// The names of the sinks that get a table's rows.
    func names(taking table: String) -> [String] { filter { $0.plan.part(of: table) != nil }.map(\.name) }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
