import Content
import Tables

/// What people, vendors and proofs said, and when it was recorded.
struct StatementLog {
    /// The kinds of `TriageStatements_CL`.
    enum Kind: String {
        case exposure, exploitation, automatable, vex, control, proof
        case missionImpact = "mission-impact"
        case missionPrevalence = "mission-prevalence"
        case publicWellbeing = "public-wellbeing"
        case safetyImpact = "safety-impact"
        case technicalImpact = "technical-impact"
        case triageVerdict = "triage-verdict"

        /// The point of which a person gives the value.
        var point: TriagePoint? {
            switch self {
            case .exposure: .systemExposure
            case .exploitation: .exploitation
            case .automatable: .automatable
            case .missionImpact: .missionImpact
            case .missionPrevalence: .missionPrevalence
            case .publicWellbeing: .publicWellbeing
            case .safetyImpact: .safetyImpact
            case .technicalImpact: .technicalImpact
            case .vex, .control, .proof, .triageVerdict: nil
            }
        }
    }

    /// What a statement says, without when.
    struct Content: Equatable {
        let kind: Kind
        let value: String
        let device: String
        let cve: String
        let vendor: String
        let name: String
        let version: String
        let control: String
        let controlID: String
        /// Ticks; nil for no bound.
        let proofMaxAge: Int64?
        let from: Int64?
        let until: Int64?
        let author: String
        let reason: String
    }

    struct Statement {
        let id: String
        let content: Content
        /// Ticks; when it was recorded, and when it was recorded otherwise or taken back.
        let recorded: Int64
        let superseded: Int64?

        /// From when to when it counts: what is recorded later counts from then on.
        var start: Int64 { max(recorded, content.from ?? recorded) }
        var end: Int64? { [superseded, content.until].compactMap { $0 }.min() }

        func holds(at time: Int64) -> Bool { start <= time && end.map { time < $0 } ?? true }

        /// Device and vulnerability before device before vulnerability before everything.
        var particularity: Int { (content.device.isEmpty ? 0 : 2) + (content.cve.isEmpty ? 0 : 1) }
    }

    private var byDevice: [String: [Statement]] = [:]
    private var byVulnerability: [String: [Statement]] = [:]
    private var general: [Statement] = []
    /// By the control's id.
    private(set) var proofs: [String: [Statement]] = [:]

    init() {}

    init(_ rows: TriageRows) {
        var timelines: [String: FactHistory<Content>] = [:]
        for row in rows.order {
            let id = rows.text("StatementId", row)
            // A kind that triage does not know says nothing to it.
            guard let kind = Kind(rawValue: rows.text("Kind", row).trimmed.lowercased()) else { continue }
            let content = Content(
                kind: kind, value: rows.text("Value", row).trimmed, device: rows.text("DeviceId", row).trimmed,
                cve: rows.cve(row), vendor: rows.text("SoftwareVendor", row), name: rows.text("SoftwareName", row),
                version: rows.text("SoftwareVersion", row), control: TriagePoint.plain(rows.text("Control", row)),
                controlID: rows.text("ControlId", row).trimmed,
                proofMaxAge: TimeSpan.parse(rows.text("ProofMaxAge", row)), from: rows.ticks("ValidFrom", row),
                until: rows.ticks("ValidUntil", row), author: rows.text("Author", row),
                reason: rows.text("Reason", row).trimmed)
            timelines[id, default: FactHistory()].add(rows.isGone(row) ? nil : content, at: rows.time(row))
        }
        for (id, timeline) in timelines.sorted(by: { $0.key < $1.key }) {
            for (i, entry) in timeline.entries.enumerated() {
                guard let content = entry.facts else { continue }
                let next = i + 1 < timeline.entries.count ? timeline.entries[i + 1].time : nil
                add(Statement(id: id, content: content, recorded: entry.time, superseded: next))
            }
        }
    }

    private mutating func add(_ statement: Statement) {
        if statement.content.kind == .proof {
            proofs[statement.content.controlID, default: []].append(statement)
        } else if !statement.content.device.isEmpty {
            byDevice[statement.content.device, default: []].append(statement)
        } else if !statement.content.cve.isEmpty {
            byVulnerability[statement.content.cve, default: []].append(statement)
        } else {
            general.append(statement)
        }
    }

    /// Every statement that ever counts for a vulnerability on a device, proofs apart.
    ///
    /// - Parameter ids: the names under which the device is known.
    func about(_ ids: Set<String>, cve: String) -> [Statement] {
        let own = ids.sorted().flatMap { byDevice[$0] ?? [] }.filter { $0.content.cve.isEmpty || $0.content.cve == cve }
        return own + (byVulnerability[cve] ?? []) + general
    }
}

extension [StatementLog.Statement] {
    /// The statement of a kind that counts at a time: the most particular, then the newest.
    func best(_ kind: StatementLog.Kind, at time: Int64) -> StatementLog.Statement? {
        var best: StatementLog.Statement?
        for statement in self where statement.content.kind == kind && statement.holds(at: time) {
            if let point = kind.point, point.value(statement.content.value) == nil { continue }
            guard let other = best else {
                best = statement
                continue
            }
            if (statement.particularity, statement.recorded) >= (other.particularity, other.recorded) {
                best = statement
            }
        }
        return best
    }
}
