import Tables

/// A rule that looks for trouble: `Content/Rules/*.yaml`, in Microsoft Sentinel's form
/// (https://github.com/Azure/Azure-Sentinel/wiki/Query-Style-Guide,
/// https://learn.microsoft.com/azure/sentinel/create-analytics-rules).
package struct AnalyticsRule: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case scheduled = "Scheduled", nearRealTime = "NRT" }
    package enum Severity: String, Sendable, CaseIterable {
        case informational = "Informational", low = "Low", medium = "Medium", high = "High"

        /// The severity that a text means, in any case.
        package init?(_ text: String) {
            guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == text.trimmed.lowercased() })
            else {
                return nil
            }
            self = found
        }
    }
    package enum Comparison: String, Sendable, CaseIterable { case gt, lt, eq, ne }
    package enum Grouping: String, Sendable, CaseIterable {
        case singleAlert = "SingleAlert", alertPerResult = "AlertPerResult"
    }

    /// Texts that replace the rule's own, from columns of the first result.
    package struct Override: Sendable {
        package var name: String?
        package var description: String?
        package var tacticsColumn: String?
        package var severityColumn: String?
    }

    /// How findings become incidents.
    package struct Incidents: Sendable {
        package enum Matching: String, Sendable, CaseIterable {
            case allEntities = "AllEntities", anyAlert = "AnyAlert", selected = "Selected"
        }
        package enum Detail: String, Sendable, CaseIterable { case displayName = "DisplayName", severity = "Severity" }

        package var areCreated = true
        package var areGrouped = false
        /// Ticks; how long after its first finding an incident takes more.
        package var lookback = 5 * 60 * 60 * DateTime.ticksPerSecond
        package var matching = Matching.allEntities
        package var entities: [String] = []
        package var details: [Detail] = []
        package var customDetails: [String] = []
    }

    package let file: String
    /// The GUID.
    package let id: String
    package let name: String
    package let description: String
    package let severity: Severity
    package let kind: Kind
    /// Ticks; of an NRT rule a minute.
    package let frequency: Int64
    package let period: Int64
    package let comparison: Comparison
    package let threshold: Int
    package let tactics: [String]
    package let techniques: [String]
    package let query: String
    package let entities: [EntityMapping]
    package let customDetails: [(key: String, column: String)]
    package let overrides: Override
    package let grouping: Grouping
    package let incidents: Incidents
    /// Ticks; nil when nothing is suppressed.
    package let suppression: Int64?
    package let version: String
    /// What Vestige adds to the form.
    package let own: RuleNotes

    init(yaml: Fields) throws {
        try yaml.only([
            "id", "name", "description", "severity", "status", "requiredDataConnectors", "queryFrequency",
            "queryPeriod",
            "triggerOperator", "triggerThreshold", "tactics", "relevantTechniques", "query", "entityMappings",
            "customDetails", "alertDetailsOverride", "eventGroupingSettings", "sentinelEntitiesMappings",
            "incidentConfiguration", "suppressionEnabled", "suppressionDuration", "version", "kind", "tags", "metadata",
            "vestige",
        ])
        file = yaml.file
        id = try yaml.string("id")
        name = try yaml.string("name")
        description = try yaml.string("description").trimmed
        severity = try yaml.choice("severity")
        kind = try yaml.choice("kind")
        let minute = 60 * DateTime.ticksPerSecond
        if kind == .nearRealTime {
            (frequency, period, comparison, threshold) = (minute, minute, .gt, 0)
        } else {
            frequency = try yaml.duration("queryFrequency")
            period = try yaml.duration("queryPeriod")
            comparison = try yaml.choice("triggerOperator")
            threshold = try yaml.optionalInt("triggerThreshold") ?? 0
        }
        tactics = try yaml.strings("tactics")
        techniques = try yaml.strings("relevantTechniques")
        query = try yaml.string("query")
        entities = try yaml.list("entityMappings").map(EntityMapping.init)
        customDetails = try yaml.texts("customDetails").map { (key: $0.0, column: $0.1) }
        overrides = try Self.overrides(yaml)
        let events = try yaml.optionalFields("eventGroupingSettings")
        grouping = try events?.optionalChoice("aggregationKind") ?? .singleAlert
        incidents = try Self.incidents(yaml)
        let isSuppressed = try yaml.optionalBool("suppressionEnabled") ?? false
        suppression = isSuppressed ? try yaml.duration("suppressionDuration") : nil
        version = try yaml.string("version")
        own = try RuleNotes(yaml: try yaml.optionalFields("vestige"))
    }

    private static func overrides(_ yaml: Fields) throws -> Override {
        guard let fields = try yaml.optionalFields("alertDetailsOverride") else { return Override() }
        try fields.only([
            "alertDisplayNameFormat", "alertDescriptionFormat", "alertTacticsColumnName", "alertSeverityColumnName",
            "alertDynamicProperties",
        ])
        return Override(
            name: try fields.optionalString("alertDisplayNameFormat"),
            description: try fields.optionalString("alertDescriptionFormat"),
            tacticsColumn: try fields.optionalString("alertTacticsColumnName"),
            severityColumn: try fields.optionalString("alertSeverityColumnName"))
    }

    private static func incidents(_ yaml: Fields) throws -> Incidents {
        var incidents = Incidents()
        guard let fields = try yaml.optionalFields("incidentConfiguration") else { return incidents }
        try fields.only(["createIncident", "groupingConfiguration"])
        incidents.areCreated = try fields.optionalBool("createIncident") ?? true
        guard let grouping = try fields.optionalFields("groupingConfiguration") else { return incidents }
        try grouping.only([
            "enabled", "reopenClosedIncident", "lookbackDuration", "matchingMethod", "groupByEntities",
            "groupByAlertDetails", "groupByCustomDetails",
        ])
        incidents.areGrouped = try grouping.optionalBool("enabled") ?? false
        if grouping.has("lookbackDuration") { incidents.lookback = try grouping.duration("lookbackDuration") }
        incidents.matching = try grouping.optionalChoice("matchingMethod") ?? .allEntities
        incidents.entities = try grouping.strings("groupByEntities")
        incidents.details = try grouping.placedStrings("groupByAlertDetails").map { text in
            guard let detail = Incidents.Detail(rawValue: text.text) else {
                throw ContentProblem(text.place, "alerts are grouped by DisplayName or Severity, not '\(text.text)'")
            }
            return detail
        }
        incidents.customDetails = try grouping.strings("groupByCustomDetails")
        return incidents
    }
}

/// What Vestige adds to a rule of Sentinel's form, under `vestige`; left out where rules are exported.
package struct RuleNotes: Sendable {
    /// A short name.
    package var slug = ""
    /// What the rule cannot see.
    package var blind = ""
    /// Rows that the rule must find, or must not.
    package var tests: [ContentTest] = []

    init(yaml: Fields?) throws {
        guard let yaml else { return }
        try yaml.only(["slug", "blind", "tests"])
        slug = try yaml.optionalString("slug") ?? ""
        blind = try yaml.optionalString("blind") ?? ""
        tests = try yaml.list("tests").map(ContentTest.init)
    }
}

extension Fields {
    /// A length of time as rules write it: `5m`, `1h`, `14d`, or an ISO 8601 duration. Ticks.
    func duration(_ name: String) throws -> Int64 {
        let text = try string(name)
        let short = text.last.map { "mhd".contains($0) } ?? false
        guard let ticks = short ? TimeSpan.parse(text) : ISODuration.ticks(text), ticks > 0 else {
            throw fail(
                "'\(shown(name))' is a length of time such as 5m, 1h or 14d, not \"\(text.prefix(40))\"", at: name)
        }
        return ticks
    }

    func optionalChoice<T: RawRepresentable & CaseIterable>(_ name: String) throws -> T? where T.RawValue == String {
        guard let text = try optionalString(name) else { return nil }
        guard let value = T(rawValue: text) else {
            let all = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw fail("'\(shown(name))' is one of \(all), not \"\(text.prefix(40))\"", at: name)
        }
        return value
    }

    func choice<T: RawRepresentable & CaseIterable>(_ name: String) throws -> T where T.RawValue == String {
        guard let value: T = try optionalChoice(name) else { throw fail("'\(shown(name))' is missing") }
        return value
    }
}
