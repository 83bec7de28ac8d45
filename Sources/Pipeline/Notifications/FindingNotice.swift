import KQLEngine
import Tables

/// What people are told of findings of one incident at once.
struct FindingNotice: Sendable {
    /// A finding, from its row of `VestigeFindings_CL`.
    struct Finding: Sendable {
        let id: String
        let rule: String
        let title: String
        let description: String
        let severity: Severity
        /// Ticks.
        let time: Int64
        let events: Int64
        let tactics: JSON
        let techniques: JSON
        let entities: JSON
        let details: JSON
    }

    enum Severity: String, Sendable, CaseIterable, Comparable {
        case informational = "Informational"
        case low = "Low"
        case medium = "Medium"
        case high = "High"

        private var rank: Int {
            switch self {
            case .informational: 0
            case .low: 1
            case .medium: 2
            case .high: 3
            }
        }
        static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

        /// Syslog's: critical, warning, notice and informational (RFC 5424, section 6.2.1).
        var syslog: Int {
            switch self {
            case .high: 2
            case .medium: 4
            case .low: 5
            case .informational: 6
            }
        }
    }

    /// The incident's id; the finding's own where the rule makes none.
    let incident: String
    let findings: [Finding]
    /// Rows of the batch that it comes from.
    let rows: [Int]

    /// The table whose rows are told.
    static let table = "VestigeFindings_CL"

    /// The same for the same findings.
    var id: String {
        findings.count == 1 ? findings[0].id : "\(incident)-\(findings[findings.count - 1].id)"
    }
    var severity: Severity { gravest.severity }
    var title: String {
        findings.count == 1 ? gravest.title : "\(gravest.title) and \(findings.count - 1) more"
    }
    /// When the last of it was found; ticks.
    var time: Int64 { findings[findings.count - 1].time }

    private var gravest: Finding {
        guard let gravest = findings.max(by: { $0.severity < $1.severity }) else {
            preconditionFailure("a notice has findings")
        }
        return gravest
    }

    /// Notices of a batch, by incident, in the order of their first findings.
    ///
    /// - Parameter least: findings that are milder are left out; so are those that were told as Sentinel would.
    static func notices(_ batch: Batch, least: Severity) throws -> [FindingNotice] {
        func column(_ name: String) throws -> Column {
            guard let column = try batch.column(named: name) else {
                throw OperatorError(
                    "findings could not be told", got: "the rows of \(table) have no column \(name)",
                    next: "vestige content check", isConfiguration: true)
            }
            return column
        }
        let (ids, rules, titles) = (try column("FindingId"), try column("RuleId"), try column("FindingTitle"))
        let (texts, severities, times) = (
            try column("Description"), try column("Severity"), try column("TimeGenerated")
        )
        let (events, tactics, techniques) = (
            try column("EventCount"), try column("Tactics"), try column("Techniques")
        )
        let (entities, details) = (try column("Entities"), try column("CustomDetails"))
        let (incidents, repeats) = (try column("IncidentId"), try column("IsAsSentinel"))
        var order: [String] = []
        var groups: [String: (findings: [Finding], rows: [Int])] = [:]
        for row in 0..<batch.count {
            // Of a severity that is none of Sentinel's, people are told rather than not.
            let severity = Severity(rawValue: severities[row].text) ?? .medium
            guard severity >= least, repeats[row].boolValue != true else { continue }
            let id = ids[row].text
            // One without a time is told all the same.
            let time = if case .datetime(let ticks) = times[row] { ticks } else { SystemClock.now() }
            let finding = Finding(
                id: id, rule: rules[row].text, title: titles[row].text, description: texts[row].text,
                severity: severity, time: time, events: events[row].longValue ?? 1,
                tactics: JSON(tactics[row]), techniques: JSON(techniques[row]), entities: JSON(entities[row]),
                details: JSON(details[row]))
            let incident = incidents[row].text
            let key = incident.isEmpty ? id : incident
            if groups[key] == nil { order.append(key) }
            groups[key, default: ([], [])].findings.append(finding)
            groups[key]?.rows.append(row)
        }
        return order.compactMap { key in
            groups[key].map { FindingNotice(incident: key, findings: $0.findings, rows: $0.rows) }
        }
    }

    var json: JSON {
        [
            "incident": .string(incident), "title": .string(title),
            "severity": .string(severity.rawValue),
            "findings": .array(
                findings.map {
                    [
                        "id": .string($0.id), "rule": .string($0.rule), "title": .string($0.title),
                        "description": .string($0.description), "severity": .string($0.severity.rawValue),
                        "time": .string(DateTime.format($0.time)), "events": .integer($0.events),
                        "tactics": $0.tactics,
                        "techniques": $0.techniques, "entities": $0.entities, "customDetails": $0.details,
                    ]
                }),
        ]
    }

    /// The notice for people, some lines a finding.
    var text: String {
        findings.map { finding in
            let about = (finding.entities.array ?? []).map { entity in
                (entity.members?.values ?? []).compactMap(\.string).joined(separator: " ")
            }
            var lines = [
                "\(finding.severity.rawValue): \(finding.title)",
                "\(DateTime.format(finding.time).prefix(16))Z, \(finding.events) events",
                finding.description,
            ]
            if !about.isEmpty { lines.append(about.joined(separator: "\n")) }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n\n") + "\n\nIncident \(incident)\n"
    }
}
