import Content
import KQLEngine
import Tables

/// A point's value and where it came from.
struct Reading {
    enum Source: Hashable {
        case table(TriageInput)
        /// Computed from other points, or given by the kind of the device.
        case rule
        /// Nothing was known.
        case unknown

        /// The name that decisions show.
        var name: String {
            switch self {
            case .table(let input): input.table
            case .rule: "rule"
            case .unknown: "default"
            }
        }
    }

    /// The value's place among the point's values.
    var value: Int
    var source: Source
    /// `TimeGenerated` of the row that gave it; ticks. Right at the last instant of the evidence only.
    var asOf: Int64?
    /// Which of the rules of the derivation gave it.
    var rule: String

    static func said(_ statement: StatementLog.Statement, _ point: TriagePoint) -> Reading? {
        point.value(statement.content.value).map {
            Reading(value: $0, source: .table(.statements), asOf: statement.recorded, rule: "person")
        }
    }
}

/// The points of one finding at one instant, for one model.
struct Readings {
    let subject: Subject
    let time: Int64
    let model: DecisionTable
    let triage: TriageContent
    let derivation: TriageDerivation
    let controls: [Subject.ControlState]

    private var cve: TriageEvidence.Vulnerability { subject.vulnerability }

    func callAsFunction(_ point: TriagePoint) -> Reading {
        switch point {
        case .inKev: inKev
        case .publiclyExposed: exposed
        case .exploitation: exploitation
        case .systemExposure: exposure
        case .automatable: changed(automatable, .automatable)
        case .technicalImpact: changed(technicalImpact, .technicalImpact)
        case .safetyImpact: safety
        case .missionImpact: changed(mission(.missionImpact, .missionImpact), .missionImpact)
        case .missionPrevalence: changed(mission(.missionPrevalence, .missionPrevalence), .missionPrevalence)
        case .publicWellbeing:
            person(.publicWellbeing) ?? Reading(value: 0, source: .rule, asOf: nil, rule: "W1")
        case .humanImpact, .missionWellbeing: computed(point)
        }
    }

    /// The points that a decision shows, each derived one followed by those that it comes from.
    var shown: [TriagePoint] {
        model.points.flatMap { point in [point] + (triage.table(for: point)?.points ?? []) }
    }

    private func person(_ kind: StatementLog.Kind) -> Reading? {
        guard let point = kind.point else { return nil }
        return subject.statements.best(kind, at: time).flatMap { Reading.said($0, point) }
    }

    private func computed(_ point: TriagePoint) -> Reading {
        guard let table = triage.table(for: point) else { preconditionFailure("no table gives \(point.rawValue)") }
        let values = table.points.map { self($0).value }
        return Reading(value: table.outcome(values), source: .rule, asOf: nil, rule: table.id)
    }

    // The vulnerability.

    var isKnownExploited: Bool { cve.knownExploited.at(time) != nil }

    private var inKev: Reading {
        guard subject.firstCatalogue.map({ $0 <= time }) ?? false else {
            return Reading(value: 0, source: .unknown, asOf: nil, rule: "K0")
        }
        let asOf = cve.knownExploited.entries.isEmpty ? nil : cve.knownExploited.newest
        return Reading(value: isKnownExploited ? 1 : 0, source: .table(.knownExploited), asOf: asOf, rule: "K1")
    }

    /// The vector that counts, and whose it is: NVD's, or that of the record where NVD's is missing or malformed.
    private var vector: (vector: CVSS, input: TriageInput, asOf: Int64)? {
        if case .some(.some(let vector)) = cve.nvd.at(time) { return (vector, .nvd, cve.nvd.newest) }
        return cve.record.at(time)?.vector.map { ($0, .cveRecords, cve.record.newest) }
    }

    private func published(_ value: Int?) -> Reading? {
        value.map { Reading(value: $0, source: .table(.cveRecords), asOf: cve.record.newest, rule: "SSVC") }
    }

    /// The highest of all that speaks of attacks; none is absence of evidence and never beats evidence.
    private var exploitation: Reading {
        if let said = person(.exploitation) { return said }
        var found: [Reading] = []
        if isKnownExploited {
            found.append(
                Reading(value: 2, source: .table(.knownExploited), asOf: cve.knownExploited.newest, rule: "E1"))
        }
        if let answer = published(cve.record.at(time)?.exploitation) { found.append(answer) }
        for (level, value) in [(TriageEvidence.Exploitability.isInKit, 2), (.isPublic, 1)] {
            let newest = subject.present(at: time).filter { $0.sighting.exploitability == level }.map(\.newest).max()
            if let newest {
                found.append(Reading(value: value, source: .table(.vulnerabilities), asOf: newest, rule: "E4"))
            }
        }
        if cve.isExploitAvailable.at(time) == true {
            found.append(
                Reading(
                    value: 1, source: .table(.vulnerabilityKB), asOf: cve.isExploitAvailable.newest, rule: "E5"))
        }
        if let (vector, input, asOf) = vector, vector.version == .v40, let value = ["A": 2, "P": 1][vector["E"] ?? ""] {
            found.append(Reading(value: value, source: .table(input), asOf: asOf, rule: "E6"))
        }
        guard let highest = found.map(\.value).max(), let first = found.first(where: { $0.value == highest }) else {
            return Reading(value: 0, source: .unknown, asOf: nil, rule: "E9")
        }
        return first
    }

    private func unknown(_ point: TriagePoint) -> Reading {
        let value = (isKnownExploited ? model.unknownInKev[point] : nil) ?? model.unknown[point]
        // What a model says nothing of is taken at its worst.
        return Reading(value: value ?? point.values.count - 1, source: .unknown, asOf: nil, rule: "D1")
    }

    /// A person's word and what CISA published, in the order of the model.
    private func told(_ point: TriagePoint, _ kind: StatementLog.Kind, _ answer: Reading?) -> Reading? {
        model.published.contains(point) ? answer ?? person(kind) : person(kind) ?? answer
    }

    private var automatable: Reading {
        if let told = told(.automatable, .automatable, published(cve.record.at(time)?.automatable)) { return told }
        guard let (vector, input, asOf) = vector else { return unknown(.automatable) }
        return Reading(value: vector.isAutomatable ? 1 : 0, source: .table(input), asOf: asOf, rule: "A3")
    }

    private var technicalImpact: Reading {
        if let told = told(.technicalImpact, .technicalImpact, publishedImpact) { return told }
        guard let (vector, input, asOf) = vector else { return unknown(.technicalImpact) }
        return Reading(value: vector.isTotal ? 1 : 0, source: .table(input), asOf: asOf, rule: "T3")
    }

    /// What CISA said: its answer, or in the catalogue that devices are to be looked at, which only total impact asks
    /// for. Of two that
    /// differ the later counts; on the same day the graver.
    private var publishedImpact: Reading? {
        let record = cve.record.at(time)
        let answer = published(record?.impact)
        guard catalogueSaysTotal else { return answer }
        if answer?.value == 1 { return answer }
        if answer != nil, let answered = record?.answered, let added = cve.knownExploited.at(time)?.dateAdded,
            Day.of(answered) > Day.of(added)
        {
            return answer
        }
        return Reading(
            value: 1, source: .table(.knownExploited), asOf: cve.knownExploited.newest, rule: "T2")
    }

    private var catalogueSaysTotal: Bool {
        cve.knownExploited.at(time).map { TriagePoint.plain($0.forensicTriage) == "yes" } ?? false
    }

    // The device.

    private var exposed: Reading {
        var reading = exposure
        reading.value = reading.value == 2 ? 1 : 0
        return reading
    }

    private var exposure: Reading {
        let isControlled = model.controlled.contains(.systemExposure) || model.controlled.contains(.publiclyExposed)
        let plain = person(.exposure) ?? deviceExposure
        return isControlled ? lowered(plain, .systemExposure) : plain
    }

    private var deviceExposure: Reading {
        if let device = subject.device, let isFacing = device.at(time)?.isInternetFacing {
            return Reading(value: isFacing ? 2 : 1, source: .table(.devices), asOf: device.newest, rule: "X2")
        }
        if let listed = place.listed, !listed.facts.layer.isEmpty {
            return Reading(value: 1, source: .table(.plantInventory), asOf: listed.newest, rule: "X4")
        }
        return Reading(value: 2, source: .unknown, asOf: nil, rule: "X5")
    }

    /// What the inventory and the sensors say of a plant device now.
    private var place:
        (listed: (facts: PlantEvidence.Listed, newest: Int64)?, seen: (facts: PlantEvidence.Seen, newest: Int64)?)
    {
        guard let plant = subject.plant else { return (nil, nil) }
        let listed = plant.listed.compactMap { line in line.at(time).map { (facts: $0, newest: line.newest) } }
        let seen = plant.seen.compactMap { line in line.at(time).map { (facts: $0, newest: line.newest) } }
        return (listed.first { !$0.facts.layer.isEmpty } ?? listed.first, seen.first)
    }

    /// The role of a plant device and the row that tells it.
    private var role: (role: TriageDerivation.Role, input: TriageInput, asOf: Int64)? {
        let place = place
        if let listed = place.listed, !listed.facts.layer.isEmpty,
            let role = derivation.roles.first(where: { $0.layers.contains(listed.facts.layer) })
        {
            return (role, .plantInventory, listed.newest)
        }
        if let seen = place.seen, let role = derivation.roles.first(where: { $0.deviceTypes.contains(seen.facts.type) })
        {
            return (role, .plantDevices, seen.newest)
        }
        if let listed = place.listed,
            let role = derivation.roles.first(where: { $0.deviceTypes.contains(listed.facts.type) })
        {
            return (role, .plantInventory, listed.newest)
        }
        return nil
    }

    private var isEngineeringStation: Bool {
        let (listed, seen) = place
        return seen?.facts.isEngineeringStation ?? false || seen?.facts.type == "engineeringstation"
            || listed?.facts.type == "engineeringstation"
    }

    private var safety: Reading {
        if let said = person(.safetyImpact) { return said }
        if let (role, input, asOf) = role, !role.isOffice {
            let station = isEngineeringStation ? role.engineeringStation[.safetyImpact] : nil
            if let value = station ?? role.values[.safetyImpact] {
                return Reading(value: value, source: .table(input), asOf: asOf, rule: "S1")
            }
        }
        if role?.role.isOffice ?? !subject.isOfPlant { return Reading(value: 0, source: .rule, asOf: nil, rule: "S2") }
        return Reading(value: 1, source: .unknown, asOf: nil, rule: "S3")
    }

    private func mission(_ point: TriagePoint, _ kind: StatementLog.Kind) -> Reading {
        if let said = person(kind) { return said }
        if let (role, input, asOf) = role, let value = role.values[point] {
            return Reading(value: value, source: .table(input), asOf: asOf, rule: "M1")
        }
        if let device = subject.device, let name = device.at(time)?.assetValue,
            let value = derivation.assetValues[name]?[point]
        {
            return Reading(value: value, source: .table(.devices), asOf: device.newest, rule: "M2")
        }
        if let machine = subject.machine, let name = machine.at(time),
            let value = derivation.assetValues[name]?[point]
        {
            return Reading(value: value, source: .table(.machines), asOf: machine.newest, rule: "M3")
        }
        return Reading(value: 1, source: .unknown, asOf: nil, rule: "M4")
    }

    // Controls.

    /// A point as the controls that hold leave it, where the model lets controls change it.
    private func changed(_ reading: Reading, _ point: TriagePoint) -> Reading {
        model.controlled.contains(point) ? lowered(reading, point) : reading
    }

    /// A point as the controls that hold leave it: a value that one gives, and at most one step down for all others.
    private func lowered(_ reading: Reading, _ point: TriagePoint) -> Reading {
        var lowest = reading
        for state in controls where state.holds {
            guard let control = derivation.controls[state.control], let change = control.changes[point] else {
                continue
            }
            if control.onlyLocalVectors, !(vector?.vector.isLocal ?? false) { continue }
            let value =
                switch change {
                case .down: max(0, reading.value - 1)
                case .value(let value): value
                }
            if value < lowest.value {
                lowest = Reading(
                    value: value, source: .table(.statements), asOf: state.statement.recorded, rule: "C \(control.id)")
            }
        }
        return lowest
    }

    // Contradictions.

    /// What sources say otherwise than each other, with what was taken.
    ///
    /// - Parameter outcome: what the table says.
    func conflicts(_ outcome: DecisionTable.Outcome) -> [TriageDecision.Conflict] {
        var found: [TriageDecision.Conflict] = []
        let exploitations = TriagePoint.exploitation.values
        let record = cve.record.at(time)
        if isKnownExploited, let answer = record?.exploitation, answer < 2 {
            found.append(
                .init(
                    kind: .ssvcVersusKev, saw: ["kev: active", "ssvc: \(exploitations[answer])"], took: "active",
                    why: "the catalogue names what is attacked; an answer may be older"))
        }
        let impact = publishedImpact
        if catalogueSaysTotal, record?.impact == 0 {
            let values = TriagePoint.technicalImpact.values
            found.append(
                .init(
                    kind: .kevTriageVersusImpact,
                    saw: ["kev: forensic triage, which total impact asks for", "ssvc: partial"],
                    took: values[impact?.value ?? 1], why: "the later of the two counts, the graver on the same day"))
        }
        if catalogueSaysTotal, !outcome.needsForensics {
            found.append(
                .init(
                    kind: .kevTriageVersusTable, saw: ["kev: forensic triage", "table: \(outcome.id)"],
                    took: outcome.id, why: "the table with this device's exposure decides"))
        }
        for (point, kind, answer) in [
            (TriagePoint.automatable, StatementLog.Kind.automatable, published(record?.automatable)),
            (.technicalImpact, .technicalImpact, impact),
        ] where model.published.contains(point) {
            guard let said = person(kind), let answer, said.value != answer.value else { continue }
            found.append(
                .init(
                    kind: .personVersusCisa,
                    saw: ["person: \(point.values[said.value])", "cisa: \(point.values[answer.value])"],
                    took: point.values[answer.value], why: "under this model what CISA published stands"))
        }
        return found
    }
}

/// Calendar days in UTC.
enum Day {
    /// The first instant of the day of an instant; ticks.
    static func of(_ time: Int64) -> Int64 { time - time % DateTime.ticksPerDay }

    /// `2026-08-24`.
    static func text(_ time: Int64) -> String { String(DateTime.format(time).prefix(10)) }
}
