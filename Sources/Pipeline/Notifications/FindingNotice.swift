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

        var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
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
    var severity: Severity { findings.map(\.severity).max() ?? .informational }
    var title: String {
        guard let first = findings.max(by: { $0.severity < $1.severity }) else { return "" }
        return findings.count == 1 ? first.title : "\(first.title) and \(findings.count - 1) more"
    }

    /// Notices of a batch, by incident, in the order of their first findings.
    ///
    /// - Parameter least: findings that are milder are left out; so are those that were told as Sentinel would.
    static func notices(_ batch: Batch, least: Severity) throws -> [FindingNotice] {
        func column(_ name: String) throws -> Column? { try batch.column(named: name) }
        let (ids, rules, titles) = (
            try column("FindingId"), try column("RuleId"), try column("FindingTitle")
        )
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
            let severity = Severity(rawValue: severities?[row].text ?? "") ?? .medium
            guard severity >= least, repeats?[row].boolValue != true else { continue }
            let id = ids?[row].text ?? ""
            let finding = Finding(
                id: id, rule: rules?[row].text ?? "", title: titles?[row].text ?? "",
                description: texts?[row].text ?? "",
                severity: severity, time: times?.ticks(row) ?? 0, events: events?[row].longValue ?? 0,
                tactics: JSON(tactics?[row] ?? .null), techniques: JSON(techniques?[row] ?? .null),
                entities: JSON(entities?[row] ?? .null), details: JSON(details?[row] ?? .null))
            let incident = incidents?[row].text ?? ""
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

extension Column {
    /// A time; nil where there is none.
    fileprivate func ticks(_ row: Int) -> Int64? {
        if case .datetime(let t) = self[row] { t } else { nil }
    }
}
