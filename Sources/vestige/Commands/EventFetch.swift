import Forensics
import KQLEngine
import Logging
import Pipeline
import Tables
import Workspace

/// Asks the tenant for the events that an investigation lacks, and investigates again, until nothing more is lacking.
struct EventFetch {
    let session: Session
    let console: Console
    /// Ticks.
    let now: Int64

    /// Each round follows an intruder one device further.
    private static let roundsMax = 8
    /// How far back advanced hunting answers, less what a run may take
    /// (https://learn.microsoft.com/defender-xdr/advanced-hunting-limits).
    private static let reach = 30 * Span.day - Span.hour

    /// - Throws: `OperatorError` when the configuration names no tenant.
    static func refuseWithoutTenant(_ configuration: Configuration) throws {
        guard !configuration.tenants.isEmpty else {
            throw OperatorError(
                "there is no tenant to ask for events", got: "the configuration names none",
                safe: "nothing was changed", next: "name one (docs/configuration.md), or investigate without --fetch",
                isConfiguration: true)
        }
    }

    /// The investigation with what the tenant had.
    ///
    /// - Throws: `OperatorError` when another collector runs, or the tenant does not answer.
    func investigate(_ scope: InvestigationScope) async throws -> Forensics.Investigation {
        let workspace = session.configuration.workspace
        guard let lock = try CollectorLock.take(workspace: workspace) else {
            let owner = CollectorLock.owner(workspace: workspace) ?? "unknown"
            throw OperatorError(
                "another collector runs on \(workspace)", got: "process \(owner) has it", safe: "nothing was changed",
                next: "stop it for the time of the investigation, or investigate without --fetch",
                isConfiguration: true)
        }
        defer { withExtendedLifetime(lock) {} }
        var asked: Set<String> = []
        var late: [String] = []
        var result = try InvestigateCommand.investigate(session, session.provider(), scope)
        for _ in 0..<Self.roundsMax {
            let gaps = try Self.gaps(session, scope, result)
            let new = gaps.compactMap { gap -> EventGap? in
                let devices = gap.devices.filter { asked.insert($0.lowercased()).inserted }
                return devices.isEmpty ? nil : EventGap(tables: gap.tables, devices: devices, window: gap.window)
            }
            guard !new.isEmpty else { break }
            for gap in new { late += try await fetch(gap) }
            result = try InvestigateCommand.investigate(session, session.provider(), scope)
        }
        result.unknowns += late
        return result
    }

    static func gaps(_ session: Session, _ scope: InvestigationScope, _ result: Forensics.Investigation) throws
        -> [EventGap]
    {
        try EventGaps(provider: try session.provider(), library: session.library).find(scope, result)
    }

    /// Asks for the events of a gap.
    ///
    /// - Returns: what of it the tenant can no longer be asked for.
    private func fetch(_ gap: EventGap) async throws -> [String] {
        let oldest = now - Self.reach
        let lower = max(gap.window.lowerBound, oldest)
        let upper = min(gap.window.upperBound, now)
        let late =
            gap.window.lowerBound < oldest
            ? [
                EventGap(
                    tables: gap.tables, devices: gap.devices,
                    window: gap.window.lowerBound...min(gap.window.upperBound, oldest)
                ).text + ": the tenant keeps thirty days"
            ] : []
        guard lower < upper else { return late }
        let sources = session.library.sources.filter { $0.window != nil && gap.tables.contains($0.table) }.map(\.id)
        var choice = SourceEndpoint.Choice()
        (choice.devices, choice.range) = (gap.devices, lower..<upper)
        console.say(
            "asking the tenant for \(sources.count) tables of events of \(gap.devices.joined(separator: ", ")) "
                + "from \(TextReport.time(lower)) to \(TextReport.time(upper))")
        let connections = try await session.connections(
            only: sources, choice: choice, logger: Logs.make(console, level: .warning))
        let collector = Collector(workspace: session.workspace, library: session.library, sinks: connections.sinks)
        let progress = CollectProgressLine(console)
        let report = await collector.run(connections.endpoints) { progress.show($0) }
        progress.clear()
        await connections.close()
        for failure in connections.failures + report.distinctFailures { throw failure }
        console.say("\(Human.rows(report.sources.reduce(0) { $0 + $1.counts.added })) came")
        return late
    }
}
