import Content
import Crypto
import Foundation
import Tables

/// What a run of a rule raised: an alert, in Sentinel's words.
package struct RuleFinding: Sendable {
    /// One thing that a finding is about: its type, and texts by identifier.
    package struct Entity: Sendable, Hashable {
        package let type: String
        package let identifiers: [String: String]
        /// In the order of the mapping.
        package let order: [String]

        package static func == (a: Entity, b: Entity) -> Bool { a.type == b.type && a.identifiers == b.identifiers }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(type)
            hasher.combine(identifiers)
        }

        package var json: JSON {
            .object(
                JSON.Members(
                    [("type", .string(type))]
                        + order.compactMap { key in
                            identifiers[key].map { (key, .string($0)) }
                        }))
        }
    }

    package let id: String
    /// The rule's GUID.
    package let rule: String
    /// Ticks; when the run was scheduled.
    package let time: Int64
    package let windowStart: Int64
    package let windowEnd: Int64
    package let name: String
    package let description: String
    package let severity: AnalyticsRule.Severity
    package let tactics: [String]
    package let techniques: [String]
    /// Results that it stands for.
    package let events: Int
    package let entities: [Entity]
    package let customDetails: [(key: String, values: [String])]
    /// Nil when the rule makes none.
    package var incident: String?
    package let isAsSentinel: Bool

    package var json: JSON {
        [
            "id": .string(id), "rule": .string(rule), "time": .string(DateTime.format(time)),
            "windowStart": .string(DateTime.format(windowStart)), "windowEnd": .string(DateTime.format(windowEnd)),
            "name": .string(name), "description": .string(description), "severity": .string(severity.rawValue),
            "tactics": .array(tactics.map { .string($0) }), "techniques": .array(techniques.map { .string($0) }),
            "events": .integer(Int64(events)), "entities": .array(entities.map(\.json)), "customDetails": details,
            "incident": incident.map { .string($0) } ?? .null,
        ]
    }

    private var details: JSON {
        .object(JSON.Members(customDetails.map { ($0.key, .array($0.values.map { .string($0) })) }))
    }

    /// A row of `VestigeFindings_CL`.
    func row(_ schema: Schema) -> [Value] {
        let cells: [String: Value] = [
            "TimeGenerated": .datetime(time), "ChangeType": .string("Added"), "SourceName": .string("rules"),
            "RowId": .string(id), "FindingId": .string(id), "RuleId": .string(rule), "FindingTitle": .string(name),
            "Description": .string(description), "Severity": .string(severity.rawValue),
            "Tactics": .array(tactics.map { .string($0) }), "Techniques": .array(techniques.map { .string($0) }),
            "WindowStart": .datetime(windowStart), "WindowEnd": .datetime(windowEnd),
            "EventCount": .long(Int64(events)), "Entities": .array(entities.map { Value($0.json) }),
            "CustomDetails": Value(details), "IncidentId": .string(incident ?? ""), "IsAsSentinel": .bool(isAsSentinel),
        ]
        return schema.columns.map { cells[$0.name] ?? ($0.type == .string ? .string("") : .null) }
    }

    /// An id that the same parts give always.
    static func id(_ parts: String...) -> String {
        let digest = SHA256.hash(data: Data(parts.joined(separator: "\u{1f}").utf8))
        return Hex.string(digest.prefix(16))
    }
}

/// Results of a rule's query, and the findings that they make.
struct RuleResults {
    let rule: AnalyticsRule
    let schema: Schema
    let rows: [[Value]]

    /// One text for each row that only equal rows have.
    var digests: [String] {
        let names = schema.columns.map(\.name)
        return rows.map { row in
            RuleFinding.id(JSONWriter.string(.array(zip(names, row).map { .array([.string($0), $1]) })))
        }
    }

    private func text(_ column: String, _ row: [Value]) -> String {
        schema.index(of: column).map { row[$0].text } ?? ""
    }

    /// Whether the number of results is what the rule waits for.
    var isTriggered: Bool {
        switch rule.comparison {
        case .gt: rows.count > rule.threshold
        case .lt: rows.count < rule.threshold
        case .eq: rows.count == rule.threshold
        case .ne: rows.count != rule.threshold
        }
    }

    /// The finding that stands for some of the results.
    ///
    /// - Parameter number: its place among the findings of the run.
    func finding(_ rows: [[Value]], number: Int, window: (from: Int64, to: Int64), asSentinel: Bool) -> RuleFinding {
        let first = rows.first
        let overrides = rule.overrides
        let name = overrides.name.flatMap { filled($0, first) }
        let description = overrides.description.flatMap { filled($0, first) }
        let severity = overrides.severityColumn.flatMap { column in
            first.flatMap { AnalyticsRule.Severity(text(column, $0)) }
        }
        return RuleFinding(
            id: RuleFinding.id(
                rule.id.lowercased(), asSentinel ? "sentinel" : "local", String(window.to), String(number)),
            rule: rule.id, time: window.to, windowStart: window.from, windowEnd: window.to, name: name ?? rule.name,
            description: description ?? rule.description, severity: severity ?? rule.severity,
            tactics: overrides.tacticsColumn.flatMap { column in first.flatMap { tactics(column, $0) } }
                ?? rule.tactics,
            techniques: rule.techniques, events: rows.count, entities: entities(rows),
            customDetails: rule.customDetails.map { key, column in (key, distinct(rows.map { text(column, $0) })) },
            incident: nil, isAsSentinel: asSentinel)
    }

    /// A text with the columns of a result in it; nil when one of them is empty.
    private func filled(_ format: String, _ row: [Value]?) -> String? {
        guard let row else { return nil }
        var isWhole = true
        let text = format.replacing(/\{\{\s*([A-Za-z_]\w*)\s*\}\}/) { match in
            let value = self.text(String(match.1), row)
            if value.isEmpty { isWhole = false }
            return value
        }
        return isWhole ? text : nil
    }

    private static let knownTactics: Set<String> = [
        "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess",
        "Discovery", "LateralMovement", "Collection", "Exfiltration", "CommandAndControl", "Impact", "Reconnaissance",
        "ResourceDevelopment", "PreAttack", "ImpairProcessControl", "InhibitResponseFunction", "Evasion",
    ]

    /// Tactics of a column: a list, or a text of names; nil when one of them is unknown.
    private func tactics(_ column: String, _ row: [Value]) -> [String]? {
        guard let i = schema.index(of: column) else { return nil }
        var names: [String]
        if let items = row[i].arrayValue {
            names = items.map(\.text)
        } else {
            let text = row[i].text
            if let list = (try? JSON(parsing: text))?.array {
                names = list.compactMap(\.string)
            } else {
                names = text.split { ",;".contains($0) }.map(String.init)
            }
        }
        // "Lateral Movement" is written as well as "LateralMovement".
        names = names.map { $0.filter { !$0.isWhitespace } }
        guard !names.isEmpty, names.allSatisfy(Self.knownTactics.contains) else { return nil }
        return distinct(names)
    }

    private func entities(_ rows: [[Value]]) -> [RuleFinding.Entity] {
        var seen: Set<RuleFinding.Entity> = []
        var entities: [RuleFinding.Entity] = []
        for mapping in rule.entities {
            for row in rows {
                var identifiers: [String: String] = [:]
                for (identifier, column) in mapping.fields {
                    let value = text(column, row)
                    if !value.isEmpty { identifiers[identifier] = value }
                }
                let entity = RuleFinding.Entity(
                    type: mapping.type, identifiers: identifiers, order: mapping.fields.map(\.identifier))
                if !identifiers.isEmpty, seen.insert(entity).inserted { entities.append(entity) }
            }
        }
        return entities
    }

    private func distinct(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}
