import Content
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workspace

/// The rules of the content over a session's workspace.
struct LocalRules: Sendable {
    private let session: Session

    init(_ session: Session) { self.session = session }

    func runner(asSentinel: Bool) throws -> RuleRunner {
        guard let table = session.library.tables[RuleRunner.table] else {
            throw OperatorError(
                "rules cannot run", got: "the content has no table \(RuleRunner.table)", next: "vestige content check",
                isConfiguration: true)
        }
        let sinks = try session.configuration.sinks.filter {
            try $0.kind.plan(session.library).part(of: table.name) != nil
        }
        return RuleRunner(
            session.workspace, provider: try session.provider(), schema: table.schema, sinks: sinks.map(\.name),
            asSentinel: asSentinel)
    }

    /// Runs what is due.
    ///
    /// - Returns: what happened, by rule; a workspace that cannot be written to is told as a failure of its own.
    func runDue(now: Int64) -> (outcomes: [RuleRunner.Outcome], failures: [OperatorError]) {
        var outcomes: [RuleRunner.Outcome] = []
        do {
            let runner = try runner(asSentinel: false)
            for rule in session.library.rules {
                outcomes.append(try runner.run(rule, at: try runner.due(rule, now: now)))
            }
        } catch {
            return (outcomes, [OperatorError(error, title: "the rules stopped", safe: "what was collected is stored")])
        }
        let unusable = session.library.judgingProblems.map {
            OperatorError(
                "a rule cannot be used", tried: $0.file, got: $0.message, safe: "the others have run",
                next: "vestige content check names all of them")
        }
        return (outcomes, unusable + outcomes.filter { $0.error != nil }.map(Self.failure))
    }

    static func failure(_ outcome: RuleRunner.Outcome) -> OperatorError {
        guard let error = outcome.error else { preconditionFailure("only a rule that failed has a failure") }
        return OperatorError(
            error, title: "the rule \(outcome.rule.name) stopped", safe: "the run is done again next time")
    }

    private static func findings(_ outcomes: [RuleRunner.Outcome]) -> [RuleFinding] {
        outcomes.flatMap(\.findings).sorted { ($0.time, $0.rule) < ($1.time, $1.rule) }
    }

    static func json(_ outcomes: [RuleRunner.Outcome]) -> JSON {
        let rules = outcomes.map { outcome -> JSON in
            [
                "rule": .string(outcome.rule.id), "name": .string(outcome.rule.name),
                "runs": .integer(Int64(outcome.runs)), "doneBefore": .integer(Int64(outcome.doneBefore)),
                "suppressed": .integer(Int64(outcome.suppressed)),
                "findings": .integer(Int64(outcome.findings.count)), "late": .integer(Int64(outcome.late)),
            ]
        }
        return ["findings": .array(findings(outcomes).map(\.json)), "rules": .array(rules)]
    }

    static func text(_ outcomes: [RuleRunner.Outcome], width: Int?) -> String {
        var table = TextTable(
            ["time", "severity", "finding", "events", "about"], numbers: [false, false, false, true, false])
        for finding in findings(outcomes) {
            let about = finding.entities.flatMap { entity in entity.order.compactMap { entity.identifiers[$0] } }
            table.append([
                String(DateTime.format(finding.time).prefix(16)) + "Z", finding.severity.rawValue, finding.name,
                String(finding.events), about.joined(separator: ", "),
            ])
        }
        let runs = outcomes.reduce(0) { $0 + $1.runs }
        let done = outcomes.reduce(0) { $0 + $1.doneBefore }
        let suppressed = outcomes.reduce(0) { $0 + $1.suppressed }
        let late = outcomes.reduce(0) { $0 + $1.late }
        let count = outcomes.reduce(0) { $0 + $1.findings.count }
        var out = count == 0 ? "" : table.rendered(width: width) + "\n"
        out += "\(outcomes.count) rules, \(Human.count(runs)) runs, \(Human.count(count)) findings"
        if done > 0 { out += "; \(Human.count(done)) runs were done before" }
        if suppressed > 0 { out += "; \(Human.count(suppressed)) were suppressed" }
        out += "\n"
        for outcome in outcomes where outcome.late > 0 {
            out += "\(outcome.rule.name): \(Human.count(outcome.late)) rows came after their window was looked at\n"
        }
        if late > 0 { out += "late rows are found when a longer period comes round again, and lost otherwise\n" }
        return out
    }
}

/// What follows each collect, one collect at a time: the rules that are due, then the devices that call for an
/// investigation.
actor RulesAfterCollect {
    private let rules: LocalRules
    private let session: Session

    init(_ session: Session) {
        self.session = session
        rules = LocalRules(session)
    }

    /// What a collector calls.
    nonisolated var followUp: @Sendable () async -> FollowUp { { await self.run() } }

    private func run() -> FollowUp {
        let now = SystemClock.now()
        let (outcomes, failures) = rules.runDue(now: now)
        var followUp = FollowUp(failures: failures)
        let findings = outcomes.reduce(0) { $0 + $1.findings.count }
        if findings > 0 { followUp.notes.append("the rules found \(Human.count(findings)); see VestigeFindings_CL") }
        let late = outcomes.filter { $0.late > 0 }.map { "\($0.rule.name) (\(Human.count($0.late)))" }
        if !late.isEmpty {
            followUp.notes.append("rows came after their window was looked at: \(late.joined(separator: ", "))")
        }
        do { followUp.notes += try investigations(now) } catch {
            followUp.failures.append(
                OperatorError(error, title: "triage stopped", safe: "what was collected is stored"))
        }
        return followUp
    }

    /// **The one place where triage opens investigations**, for each device that calls for one.
    private func investigations(_ now: Int64) throws -> [String] {
        guard let triage = Triage(session.library.triage, provider: try session.provider()) else { return [] }
        let calls = try triage.investigationCalls(at: now)
        guard let first = calls.first else { return [] }
        let opened = try TriageCases(session).open(calls, now: now)
        let until =
            first.clock.map { ", verdict by \(DateTime.format($0.due(.verdict)).prefix(16))Z" } ?? ""
        let more = calls.count > 1 ? " and \(Human.count(calls.count - 1)) more" : ""
        let device = first.deviceName.isEmpty ? first.device : first.deviceName
        return [
            "forensic triage is owed: \(device), \(first.cve)\(until)\(more); "
                + "see vestige triage --model bod-26-04"
        ] + opened.map { "the case \($0) was opened; see vestige case show \($0)" }
    }
}
