import Content
import KQLEngine
import Tables

/// Decides which vulnerabilities are to be mended by when, by the decision tables of the content, as the workspace
/// knew at a time.
package struct Triage: Sendable {
    /// What is asked.
    package struct Request: Sendable {
        /// A device's id or name, also without its domain; nil for all.
        package var device: String?
        package var cve: String?
        /// Ids of models; empty for all.
        package var models: [String] = []
        /// Ticks; what became known later does not count.
        package var at: Int64
        /// Whether findings that are gone are told too.
        package var withClosed = false
        /// Whether only vulnerabilities are asked for that are, or were, in CISA's catalogue of known exploited ones.
        package var onlyKnownExploited = false

        package init(at: Int64) { self.at = at }
    }

    private let content: TriageContent
    private let derivation: TriageDerivation
    private let engine: Engine

    /// - Returns: nil when the content says nothing of triage.
    package init?(_ content: TriageContent, provider: any TableProvider) {
        guard let derivation = content.derivation, !content.models.isEmpty else { return nil }
        self.content = content
        self.derivation = derivation
        engine = Engine(provider: provider)
    }

    /// The ids of the models that may ask for forensic triage.
    var forensicModels: [String] {
        content.models.filter { $0.outcomes.contains(where: \.needsForensics) }.map(\.id)
    }

    /// The decisions, by device, vulnerability and model.
    ///
    /// - Throws: `QueryError` and `ContentProblem` when the content's queries cannot be run.
    package func decide(_ request: Request) throws -> [TriageDecision] {
        let evidence = try TriageEvidence(
            derivation, engine: engine, until: request.at, cve: request.cve,
            onlyKnownExploited: request.onlyKnownExploited)
        let models = content.models.filter { request.models.isEmpty || request.models.contains($0.id) }
        // A finding that is gone is told once: by the model that may still ask for something, where one does.
        let asking = models.filter { $0.outcomes.contains(where: \.needsForensics) }
        let tellingClosed = Set((asking.isEmpty ? models : asking).map(\.id))
        var decisions: [TriageDecision] = []
        for key in evidence.findings.keys.sorted() {
            let subject = Subject(key, evidence)
            if let wanted = request.device, !Self.isMeant(wanted, subject) { continue }
            for model in models {
                let history = FindingHistory(subject, model, content, derivation, until: request.at)
                let decision = decision(subject, model, history, at: request.at)
                if history.state == .closed {
                    guard tellingClosed.contains(model.id) else { continue }
                    guard request.withClosed || decision.opensInvestigation else { continue }
                }
                decisions.append(decision)
            }
        }
        return decisions
    }

    private static func isMeant(_ text: String, _ subject: Subject) -> Bool {
        let wanted = text.lowercased()
        let name = subject.name.lowercased()
        let ids = subject.plant?.ids ?? [subject.key.device]
        return ids.contains { $0.lowercased() == wanted } || name == wanted || name.prefix { $0 != "." } == wanted
    }

    private func name(_ state: FindingHistory.State, _ model: DecisionTable) -> String {
        switch state {
        case .closed: TriageDecision.Status.closed.rawValue
        case .notAffected: TriageDecision.Status.notAffected.rawValue
        case .decided(let outcome): model.outcomes[outcome].id
        }
    }

    private func decision(
        _ subject: Subject, _ model: DecisionTable, _ history: FindingHistory, at time: Int64
    ) -> TriageDecision {
        var status = TriageDecision.Status.open
        var outcome: DecisionTable.Outcome?
        var rank = -1
        switch history.state {
        case .closed: status = .closed
        case .notAffected: status = .notAffected
        case .decided(let index):
            outcome = model.outcomes[index]
            rank = index
        }
        let controls = status == .closed ? [] : subject.controls(at: time)
        let path = history.path
        // A search that found nothing is an answer.
        let answered: Set<TriagePoint> = [.exploitation, .publicWellbeing]
        var conflicts: [TriageDecision.Conflict] = []
        if let outcome, model.points.contains(.inKev) {
            conflicts = Readings(
                subject: subject, time: time, model: model, triage: content, derivation: derivation, controls: controls
            ).conflicts(outcome)
        }
        return TriageDecision(
            device: subject.key.device, deviceName: subject.name, cve: subject.key.cve, model: model.id, status: status,
            decision: status == .closed ? nil : name(history.state, model), title: outcome?.title, rank: rank,
            detected: history.detected, since: status == .closed ? nil : history.since, due: history.due,
            forensics: forensics(subject, model, history, outcome, at: time),
            path: path.map { point, reading in
                TriageDecision.Step(
                    point: point, value: point.values[reading.value], source: reading.source.name, asOf: reading.asOf,
                    rule: reading.rule)
            },
            missing: path.filter { $0.reading.source == .unknown && !answered.contains($0.point) }.map(\.point),
            conflicts: conflicts,
            controls: controls.map {
                TriageDecision.Control(
                    id: $0.id, control: $0.statement.content.control, holds: $0.holds, provenAt: $0.provenAt,
                    expires: $0.expires)
            },
            changes: history.changes.map { change in
                TriageDecision.Change(
                    time: change.time, from: change.from.map { name($0, model) }, to: name(change.to, model),
                    because: change.because)
            },
            prediction: subject.vulnerability.prediction)
    }

    private func forensics(
        _ subject: Subject, _ model: DecisionTable, _ history: FindingHistory, _ outcome: DecisionTable.Outcome?,
        at time: Int64
    ) -> TriageDecision.ForensicTriage? {
        guard model.outcomes.contains(where: \.needsForensics) else { return nil }
        var forensics = TriageDecision.ForensicTriage()
        let said = subject.vulnerability.knownExploited.at(time)?.forensicTriage
        forensics.catalogue = said.flatMap { $0.isEmpty ? nil : $0 }
        if outcome?.needsForensics ?? false {
            forensics.isRequired = true
            forensics.since = history.since
        }
        if let began = history.lastForensics {
            let verdicts: Set = ["noevidence", "suspected", "confirmed"]
            forensics.isOwed = !subject.statements.contains { statement in
                statement.content.kind == .triageVerdict && statement.recorded > began
                    && verdicts.contains(TriagePoint.plain(statement.content.value))
            }
        }
        return forensics
    }
}
