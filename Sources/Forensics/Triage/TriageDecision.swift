import Content
import Tables

/// What a model says of a vulnerability on a device at a time, with the path that led there.
package struct TriageDecision: Sendable {
    /// Whether the finding is there, declared harmless, or gone.
    package enum Status: String, Sendable { case open, closed, notAffected = "not-affected" }

    /// A point on the path.
    package struct Step: Sendable {
        package let point: TriagePoint
        package let value: String
        /// The table whose row gave the value, `rule` or `default`.
        package let source: String
        /// `TimeGenerated` of that row; ticks.
        package let asOf: Int64?
        package let rule: String
    }

    /// Until when it is to be mended. Days are calendar days in UTC; times are ticks.
    package struct Due: Sendable {
        package let days: Int
        package let date: Int64
        /// The first instant that is late.
        package let time: Int64
        let start: FindingHistory.Start
        /// The directive read literally: from detection or the catalogue's date, whichever came first.
        package let strictDate: Int64
    }

    /// Whether the device is to be looked at for traces of an attack, and until when.
    package struct ForensicTriage: Sendable {
        package var isRequired = false
        /// Whether that is still to be done, though the finding may be gone.
        package var isOwed = false
        /// What the catalogue says: Yes, No, or nothing.
        package var catalogue: String?
        /// Ticks; from when the clocks run.
        package var since: Int64?

        package var clock: ForensicClock? { since.map(ForensicClock.init) }
    }

    /// Sources that contradict each other.
    package struct Conflict: Sendable {
        package enum Kind: String, Sendable {
            case ssvcVersusKev = "ssvc-vs-kev"
            case kevTriageVersusImpact = "kev-triage-vs-ssvc-impact"
            case kevTriageVersusTable = "kev-triage-vs-table"
            case personVersusCisa = "person-vs-cisa"
        }

        package let kind: Kind
        package let saw: [String]
        package let took: String
        package let why: String
    }

    /// A compensating control.
    package struct Control: Sendable {
        package let id: String
        package let control: String
        package let holds: Bool
        /// Ticks.
        package let provenAt: Int64?
        package let expires: Int64?
    }

    /// A point whose value changed.
    package struct Because: Sendable {
        package let point: TriagePoint
        package let from: String
        package let to: String
        package let source: String
    }

    /// A change of the decision; `closed` while the finding was away.
    package struct Change: Sendable {
        package let time: Int64
        package let from: String?
        package let to: String
        package let because: [Because]
    }

    package let device: String
    package let deviceName: String
    package let cve: String
    package let model: String
    package let status: Status
    /// Nil when it is closed.
    package let decision: String?
    /// What is to be done.
    package let title: String?
    /// How grave the decision is among those of its model; 0 is the mildest.
    package let rank: Int
    package let detected: Int64?
    package let since: Int64?
    package let due: Due?
    /// Nil for models that ask for none.
    package let forensics: ForensicTriage?
    package let path: [Step]
    /// Points of which nothing was known.
    package let missing: [TriagePoint]
    package let conflicts: [Conflict]
    package let controls: [Control]
    package let changes: [Change]
    /// The chance of an attack within thirty days (EPSS), which ranks within a decision and never makes one.
    package let prediction: (score: Double, model: String)?

    /// Whether the device is to be investigated now: it is exposed, and the vulnerability is attacked, automatable
    /// and total; or the
    /// directive asks for forensic triage and it is not done.
    package var opensInvestigation: Bool { forensics?.isOwed ?? false }
}

/// The neutral form of decisions.
package enum TriageJSON {
    /// - Parameter withHistory: whether every change is told.
    package static func write(_ d: TriageDecision, withHistory: Bool) -> JSON {
        var out: JSON.Members = [
            "device": ["id": .string(d.device), "name": .string(d.deviceName)], "cve": .string(d.cve),
            "model": .string(d.model), "status": .string(d.status.rawValue), "decision": text(d.decision),
            "title": text(d.title), "detected": time(d.detected), "since": time(d.since), "due": due(d.due),
        ]
        if let forensics = d.forensics { out["forensicTriage"] = write(forensics) }
        out["path"] = .array(
            d.path.map {
                [
                    "point": .string($0.point.rawValue), "value": .string($0.value), "source": .string($0.source),
                    "asOf": time($0.asOf), "rule": .string($0.rule),
                ]
            })
        out["missing"] = .array(d.missing.map { .string($0.rawValue) })
        out["conflicts"] = .array(
            d.conflicts.map {
                [
                    "kind": .string($0.kind.rawValue), "saw": .array($0.saw.map { .string($0) }),
                    "took": .string($0.took), "why": .string($0.why),
                ]
            })
        out["controls"] = .array(
            d.controls.map {
                [
                    "id": .string($0.id), "control": .string($0.control), "holds": .bool($0.holds),
                    "provenAt": time($0.provenAt), "expires": time($0.expires),
                ]
            })
        if let prediction = d.prediction {
            out["epss"] = ["score": .number(prediction.score), "model": .string(prediction.model)]
        }
        if withHistory {
            out["history"] = .array(
                d.changes.map { change in
                    [
                        "time": time(change.time), "from": text(change.from), "to": .string(change.to),
                        "because": .array(
                            change.because.map {
                                [
                                    "point": .string($0.point.rawValue), "from": .string($0.from),
                                    "to": .string($0.to), "source": .string($0.source),
                                ]
                            }),
                    ]
                })
        }
        return .object(out)
    }

    private static func write(_ forensics: TriageDecision.ForensicTriage) -> JSON {
        var out: JSON.Members = [
            "required": .bool(forensics.isRequired), "owed": .bool(forensics.isOwed),
            "catalog": text(forensics.catalogue),
        ]
        if let clock = forensics.clock {
            for step in ForensicClock.Step.allCases { out[step.rawValue] = time(clock.due(step)) }
        }
        return .object(out)
    }

    private static func due(_ due: TriageDecision.Due?) -> JSON {
        guard let due else { return .null }
        return [
            "days": .integer(Int64(due.days)), "date": .string(Day.text(due.date)), "time": time(due.time),
            "start": .string(due.start.rawValue), "strictDate": .string(Day.text(due.strictDate)),
        ]
    }

    private static func time(_ ticks: Int64?) -> JSON { ticks.map { .string(DateTime.format($0)) } ?? .null }
    private static func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
}
