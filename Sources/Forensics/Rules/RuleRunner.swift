import Content
import KQLEngine
import Tables
import Workspace

/// Runs the content's rules over the workspace and writes what they find.
package struct RuleRunner: Sendable {
    /// What became of a rule's runs.
    package struct Outcome: Sendable {
        package let rule: AnalyticsRule
        /// Scheduled times that were looked at now.
        package var runs = 0
        /// Scheduled times that had been done before.
        package var doneBefore = 0
        /// Scheduled times that were left out because a run before raised something.
        package var suppressed = 0
        package var findings: [RuleFinding] = []
        /// Rows that came after their window was looked at.
        package var late = 0
        /// Why it stopped; what it found until then is kept.
        package var error: (any Error)?
    }

    private let workspace: Workspace
    private let provider: any TableProvider
    /// The stored schema of `VestigeFindings_CL`.
    private let schema: Schema
    /// Who gets the findings too.
    private let sinks: [String]
    private let asSentinel: Bool
    private let clock: @Sendable () -> Int64

    package static let table = "VestigeFindings_CL"
    /// Alerts of a run, of a run of an NRT rule, and of an incident
    /// (https://learn.microsoft.com/azure/sentinel/scheduled-rules-overview,
    /// https://learn.microsoft.com/azure/sentinel/near-real-time-rules).
    private static let alertsMax = 150
    private static let nearRealTimeAlertsMax = 30

    /// - Parameters:
    ///   - asSentinel: whether results that were found before are told again, as Sentinel does.
    ///   - clock: ticks; when findings count as stored.
    package init(
        _ workspace: Workspace, provider: any TableProvider, schema: Schema, sinks: [String] = [],
        asSentinel: Bool = false, clock: @escaping @Sendable () -> Int64 = { SystemClock.now() }
    ) {
        self.workspace = workspace
        self.provider = provider
        self.schema = schema
        self.sinks = sinks
        self.asSentinel = asSentinel
        self.clock = clock
    }

    /// Runs a rule for its scheduled times, in their order. Its findings and what it remembers are stored together.
    ///
    /// - Throws: `WorkspaceError`. What the query itself does wrong is told in the outcome.
    package func run(_ rule: AnalyticsRule, at times: [Int64]) throws -> Outcome {
        var outcome = Outcome(rule: rule)
        var memory = try RuleMemory(rule, asSentinel: asSentinel, in: workspace)
        for time in times.sorted() {
            if memory.isDone(time) {
                outcome.doneBefore += 1
                continue
            }
            if memory.isSuppressed(time, rule.suppression) {
                outcome.suppressed += 1
                memory.markDone(time)
                // What an NRT rule passes over is not caught up either.
                if rule.kind == .nearRealTime {
                    memory.looked = LookedAt(extent: try workspace.lastExtent(), time: time)
                }
                continue
            }
            do {
                try run(rule, time, &memory, &outcome)
            } catch let error as WorkspaceError { throw error } catch {
                outcome.error = error
                break
            }
            outcome.runs += 1
            memory.markDone(time)
        }
        guard outcome.runs + outcome.suppressed > 0 else { return outcome }
        let batch = Batch(schema: schema, rows: outcome.findings.map { $0.row(schema) })
        try workspace.append(
            batch, to: Self.table, run: "rules", now: clock(), sinks: sinks,
            remembering: memory.memories(at: times.max() ?? 0))
        return outcome
    }

    /// The scheduled times of a rule that are due: now when it never ran, then a frequency after the other, so that
    /// no window is left out.
    package func due(_ rule: AnalyticsRule, now: Int64) throws -> [Int64] {
        let memory = try RuleMemory(rule, asSentinel: asSentinel, in: workspace)
        guard let last = memory.lastDone else { return [now] }
        // An NRT rule looks at what arrived, however long that took.
        if rule.kind == .nearRealTime { return now - last >= rule.frequency ? [now] : [] }
        let first = last + rule.frequency
        guard first <= now else { return [] }
        // What a rule cannot look back to any more is left out; it goes on in step.
        let passed = max(0, now - 14 * Span.day - first) / rule.frequency
        return Array(stride(from: first + passed * rule.frequency, through: now, by: Int(rule.frequency)))
    }

    private func run(_ rule: AnalyticsRule, _ time: Int64, _ memory: inout RuleMemory, _ outcome: inout Outcome) throws
    {
        let start = time - rule.period
        let isByArrival = rule.kind == .nearRealTime
        let last = try workspace.lastExtent()
        let scope: RuleTables.Scope =
            isByArrival
            ? .arrival(since: memory.looked ?? LookedAt(extent: last, time: start), to: time)
            : .window(from: start, to: time)
        let tables = RuleTables(provider, workspace, scope: scope, query: rule.query)
        var options = QueryOptions()
        options.now = time
        let answer = try Engine(provider: tables).run(rule.query, options: options).primary
        let results = RuleResults(rule: rule, schema: answer.schema, rows: try answer.rows())
        if !isByArrival, let looked = memory.looked, let first = memory.firstStart {
            outcome.late += try tables.lateRows(looked, since: first)
        }
        memory.looked = LookedAt(extent: last, time: max(time, memory.looked?.time ?? time))
        memory.firstStart = min(start, memory.firstStart ?? start)
        guard results.isTriggered else { return }
        var findings = self.findings(results, (start, time), &memory)
        guard !findings.isEmpty else { return }
        memory.markRaised(time)
        var incidents = IncidentGrouping(rule: rule, incidents: memory.incidents)
        for i in findings.indices { findings[i].incident = incidents.incident(for: findings[i]) }
        memory.incidents = incidents.incidents
        outcome.findings += findings
    }

    /// The findings of results that are enough.
    private func findings(_ results: RuleResults, _ window: (Int64, Int64), _ memory: inout RuleMemory) -> [RuleFinding]
    {
        func finding(_ rows: [[Value]], _ number: Int) -> RuleFinding {
            results.finding(rows, number: number, window: window, asSentinel: asSentinel)
        }
        if results.rows.isEmpty { return results.rule.grouping == .singleAlert ? [finding([], 0)] : [] }
        var told = results.rows
        if !asSentinel {
            let digests = results.digests
            told = zip(results.rows, digests).filter { !memory.told.contains($0.1) }.map(\.0)
            if told.isEmpty { return [] }
            memory.tell(digests)
        }
        switch results.rule.grouping {
        // A finding of all results stands for those of the window, also those that were told before.
        case .singleAlert: return [finding(results.rows, 0)]
        case .alertPerResult:
            let max = results.rule.kind == .nearRealTime ? Self.nearRealTimeAlertsMax : Self.alertsMax
            if told.count <= max { return told.enumerated().map { finding([$1], $0) } }
            return told.prefix(max - 1).enumerated().map { finding([$1], $0) } + [finding(told, max - 1)]
        }
    }
}

/// Puts findings of a rule into incidents as the rule says.
struct IncidentGrouping {
    let rule: AnalyticsRule
    private(set) var incidents: [RuleMemory.Incident]

    private static let findingsMax = 150

    init(rule: AnalyticsRule, incidents: [RuleMemory.Incident]) {
        self.rule = rule
        self.incidents = incidents
    }

    /// The incident of a finding; nil when the rule makes none.
    mutating func incident(for finding: RuleFinding) -> String? {
        let settings = rule.incidents
        guard settings.areCreated else { return nil }
        let id = RuleFinding.id("incident", finding.id)
        guard settings.areGrouped else { return id }
        let group = self.group(of: finding)
        incidents.removeAll { finding.time - $0.first > max(settings.lookback, 14 * Span.day) }
        let open = incidents.lastIndex { incident in
            incident.group == group && incident.first <= finding.time
                && finding.time - incident.first <= settings.lookback && incident.count < Self.findingsMax
        }
        if let open {
            incidents[open].count += 1
            return incidents[open].id
        }
        incidents.append(RuleMemory.Incident(id: id, first: finding.time, count: 1, group: group))
        return id
    }

    /// What findings of one incident have in common, as a text.
    private func group(of finding: RuleFinding) -> String {
        func texts(_ entities: some Sequence<RuleFinding.Entity>) -> [String] {
            entities.map { entity in
                let pairs = entity.identifiers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                return ([entity.type] + pairs).joined(separator: "\u{1f}")
            }.sorted()
        }
        switch rule.incidents.matching {
        case .anyAlert: return ""
        case .allEntities: return texts(finding.entities).joined(separator: "\u{1e}")
        case .selected:
            var parts = texts(finding.entities.filter { rule.incidents.entities.contains($0.type) })
            for detail in rule.incidents.details {
                switch detail {
                case .displayName: parts.append("name " + finding.name)
                case .severity: parts.append("severity " + finding.severity.rawValue)
                }
            }
            for key in rule.incidents.customDetails {
                let values = finding.customDetails.first { $0.key == key }?.values ?? []
                parts.append("detail \(key) " + values.sorted().joined(separator: "\u{1f}"))
            }
            return parts.joined(separator: "\u{1e}")
        }
    }
}
