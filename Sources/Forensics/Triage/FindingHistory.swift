import Content
import Tables

/// What a model decided of a finding from the first row on: the stretches of time in which a decision stood.
struct FindingHistory {
    enum State: Equatable {
        /// No row carries the finding.
        case closed
        /// A statement says that the device is not affected.
        case notAffected
        /// A place among the model's outcomes.
        case decided(Int)

        var isOpen: Bool { self != .closed }
    }

    struct Change {
        let time: Int64
        let from: State?
        let to: State
        let because: [TriageDecision.Because]
    }

    /// Why the clock of a deadline began.
    enum Start: String { case detected, kevAdded = "kev-added", tightened }

    private struct Step {
        let time: Int64
        let state: State
        let readings: [Reading]
        /// Whether it is in the catalogue of known exploited vulnerabilities.
        let inKev: Bool
    }

    private let subject: Subject
    private let model: DecisionTable
    private let points: [TriagePoint]
    private let steps: [Step]

    /// - Parameter end: ticks; the last instant that counts.
    init(
        _ subject: Subject, _ model: DecisionTable, _ triage: TriageContent, _ derivation: TriageDerivation,
        until end: Int64
    ) {
        self.subject = subject
        self.model = model
        var shown: [TriagePoint] = []
        var steps: [Step] = []
        for time in subject.instants(until: end) {
            let readings = Readings(
                subject: subject, time: time, model: model, triage: triage, derivation: derivation,
                controls: subject.controls(at: time))
            if shown.isEmpty { shown = readings.shown }
            let inKev = readings.isKnownExploited
            if subject.present(at: time).isEmpty {
                steps.append(Step(time: time, state: .closed, readings: [], inKev: inKev))
            } else if subject.isNotAffected(at: time) {
                steps.append(Step(time: time, state: .notAffected, readings: [], inKev: inKev))
            } else {
                let all = shown.map { readings($0) }
                let values = model.points.map { point -> Int in
                    guard let i = shown.firstIndex(of: point) else { preconditionFailure("every point is shown") }
                    return all[i].value
                }
                steps.append(
                    Step(time: time, state: .decided(model.outcome(values)), readings: all, inKev: inKev))
            }
        }
        points = shown
        self.steps = steps
    }

    var state: State { steps.last?.state ?? .closed }

    /// The points behind the last decision.
    var path: [(point: TriagePoint, reading: Reading)] { zip(points, steps.last?.readings ?? []).map { ($0, $1) } }

    /// The start of the unbroken time, ending now, in which a condition is met; nil when it is not met now.
    private func start(where isMet: (Step) -> Bool) -> Int? {
        guard let last = steps.last, isMet(last) else { return nil }
        return (steps.lastIndex { !isMet($0) } ?? -1) + 1
    }

    /// Since when the decision stands.
    var since: Int64? { start { $0.state == state }.map { steps[$0].time } }

    /// The first sight of the finding in the unbroken time in which any program carried it.
    var detected: Int64? {
        guard let index = start(where: { $0.state.isOpen }) else { return nil }
        let began = steps[index].time
        var first: Int64?
        for (_, timeline) in subject.programs {
            for (i, entry) in timeline.entries.enumerated() {
                guard let sighting = entry.facts else { continue }
                let isOver = i + 1 < timeline.entries.count && timeline.entries[i + 1].time <= began
                if entry.time < began, isOver { continue }
                let seen = sighting.firstSeen ?? entry.time
                first = min(first ?? seen, seen)
            }
        }
        return first
    }

    /// Every change of the decision, the first included.
    var changes: [Change] {
        var changes: [Change] = []
        var before: Step?
        for step in steps {
            defer { before = step }
            if before?.state == step.state { continue }
            var because: [TriageDecision.Because] = []
            for (i, point) in points.enumerated() {
                guard let old = before?.readings, i < old.count, i < step.readings.count else { break }
                if old[i].value == step.readings[i].value { continue }
                because.append(
                    .init(
                        point: point, from: point.values[old[i].value], to: point.values[step.readings[i].value],
                        source: step.readings[i].source.name))
            }
            changes.append(Change(time: step.time, from: before?.state, to: step.state, because: because))
        }
        return changes
    }

    // Deadlines.

    private func days(_ state: State) -> Int? {
        if case .decided(let outcome) = state { model.outcomes[outcome].days } else { nil }
    }

    /// Until when it is to be mended: of every level that is at least as lax as the decision, the start of the
    /// unbroken time with a
    /// decision of that level or a stricter one, and the level's days; the earliest counts. So a stricter decision
    /// never moves
    /// an earlier date back, and a laxer one runs from the first start.
    var due: TriageDecision.Due? {
        guard let days = days(state), let detected, let now = steps.last else { return nil }
        let added = now.inKev ? subject.vulnerability.knownExploited.at(now.time)?.dateAdded : nil
        var earliest: (date: Int64, start: Start)?
        for level in Set(model.outcomes.compactMap(\.days)).sorted() where level >= days {
            guard let first = start(where: { self.days($0.state).map { $0 <= level } ?? false }) else { continue }
            for (time, reason) in starts(first, detected, added) {
                let date = Day.of(time) + Int64(level) * DateTime.ticksPerDay
                if earliest.map({ date < $0.date }) ?? true { earliest = (date, reason) }
            }
        }
        guard let earliest else { return nil }
        let strict = Day.of(min(detected, added ?? detected)) + Int64(days) * DateTime.ticksPerDay
        return TriageDecision.Due(
            days: days, date: earliest.date, time: earliest.date + DateTime.ticksPerDay, start: earliest.start,
            strictDate: strict)
    }

    /// When the clock of a level began, whose unbroken time began with a step: in the catalogue on the day that CISA
    /// added it; otherwise
    /// when it was detected; when it became stricter for another reason, that day.
    private func starts(_ first: Int, _ detected: Int64, _ added: Int64?) -> [(Int64, Start)] {
        let isFirst = first == 0 || !steps[first - 1].state.isOpen
        let before = first == 0 ? false : steps[first - 1].inKev
        var starts: [(Int64, Start)] = []
        // It entered the catalogue with this step, or later in this time.
        let entered =
            steps[first].inKev && (isFirst || !before)
            || steps[first...].indices.dropFirst().contains { steps[$0].inKev && !steps[$0 - 1].inKev }
        if let added, entered { starts.append((added, .kevAdded)) }
        if isFirst {
            if added == nil || !steps[first].inKev { starts.append((detected, .detected)) }
        } else if added == nil || before || !steps[first].inKev {
            starts.append((steps[first].time, .tightened))
        }
        return starts
    }

    // Forensic triage.

    /// When the last demand to look at the device for traces of an attack began; nil when there was none.
    var lastForensics: Int64? {
        func needs(_ step: Step) -> Bool {
            if case .decided(let outcome) = step.state { model.outcomes[outcome].needsForensics } else { false }
        }
        guard let last = steps.lastIndex(where: needs) else { return nil }
        let before = steps[..<last].lastIndex { !needs($0) } ?? -1
        return steps[before + 1].time
    }
}
