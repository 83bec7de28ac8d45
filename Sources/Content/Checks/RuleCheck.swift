import Foundation
import KQL
import Tables

/// Checks rules against the limits of Sentinel's form
/// (https://learn.microsoft.com/azure/sentinel/sentinel-service-limits,
/// https://github.com/Azure/Azure-Sentinel, .script/tests/detectionTemplateSchemaValidation).
package enum RuleCheck {
    static let tactics: Set<String> = [
        "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess",
        "Discovery", "LateralMovement", "Collection", "Exfiltration", "CommandAndControl", "Impact", "Reconnaissance",
        "ResourceDevelopment", "PreAttack", "ImpairProcessControl", "InhibitResponseFunction", "Evasion",
    ]
    private static let minute = 60 * DateTime.ticksPerSecond

    package static func run(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        var problems: [ContentProblem] = []
        for rule in library.rules {
            for message in limits(rule) { problems.append(ContentProblem(rule.file, message)) }
            problems += query(rule, catalog) + ContentTest.problems(rule.own.tests, library)
        }
        return problems
    }

    private static func limits(_ rule: AnalyticsRule) -> [String] {
        var found: [String] = []
        func check(_ isWrong: Bool, _ message: @autoclosure () -> String) { if isWrong { found.append(message()) } }
        check(UUID(uuidString: rule.id) == nil, "'id' must be a GUID, not '\(rule.id)'")
        check(rule.name.count > 256, "'name' has \(rule.name.count) characters; 256 at most")
        check(rule.description.count > 5_000, "'description' has \(rule.description.count) characters; 5,000 at most")
        check(
            rule.query.isEmpty || rule.query.count > 10_000, "'query' has \(rule.query.count) characters; 1 to 10,000")
        check(
            rule.version.wholeMatch(of: /\d+\.\d+\.\d+/) == nil, "'version' is written 1.0.0, not '\(rule.version)'")
        if rule.kind == .scheduled {
            let spans = [("queryFrequency", rule.frequency), ("queryPeriod", rule.period)]
            for (name, span) in spans where span < 5 * minute || span > 14 * 24 * 60 * minute {
                found.append("'\(name)' is from 5 minutes to 14 days")
            }
            check(rule.frequency > rule.period, "'queryFrequency' must not be longer than 'queryPeriod'")
            check(
                rule.period >= 2 * 24 * 60 * minute && rule.frequency < 60 * minute,
                "a 'queryPeriod' of two days or more needs a 'queryFrequency' of an hour or more")
            check(!(0...10_000).contains(rule.threshold), "'triggerThreshold' is from 0 to 10,000")
        }
        check(rule.suppression.map { $0 > 24 * 60 * minute } ?? false, "'suppressionDuration' is 24 hours at most")
        for tactic in rule.tactics where !tactics.contains(tactic) {
            found.append("Sentinel knows no tactic '\(tactic)'")
        }
        for technique in rule.techniques where technique.wholeMatch(of: /T\d{4}(\.\d{3})?/) == nil {
            found.append("'\(technique)' is no technique: T1110, T1110.003, T0855")
        }
        found += EntityMapping.problems(rule.entities, max: 10)
        check(rule.customDetails.count > 20, "there are \(rule.customDetails.count) custom details; 20 at most")
        for (key, _) in rule.customDetails where key.count > 20 || key.wholeMatch(of: /[A-Za-z]\w*/) == nil {
            found.append("the custom detail '\(key)' is a word of 20 characters at most")
        }
        for (name, text, length) in [
            ("alertDisplayNameFormat", rule.overrides.name, 256),
            ("alertDescriptionFormat", rule.overrides.description, 5_000),
        ] {
            guard let text else { continue }
            check(text.count > length, "'\(name)' has \(text.count) characters; \(length) at most")
            check(text.matches(of: /\{\{/).count > 3, "'\(name)' names more than three columns")
        }
        let incidents = rule.incidents
        check(
            incidents.areGrouped && incidents.matching == .selected
                && incidents.entities.isEmpty && incidents.details.isEmpty && incidents.customDetails.isEmpty,
            "'matchingMethod' Selected needs 'groupByEntities', 'groupByAlertDetails' or 'groupByCustomDetails'")
        let keys = Set(rule.customDetails.map(\.key))
        for detail in incidents.customDetails where !keys.contains(detail) {
            found.append("'groupByCustomDetails' names '\(detail)', which is no custom detail")
        }
        return found
    }

    private static func query(_ rule: AnalyticsRule, _ catalog: ContentCatalog) -> [ContentProblem] {
        func problem(_ text: String) -> [ContentProblem] { [ContentProblem(rule.file, text)] }
        // Sentinel takes neither in a rule.
        if rule.query.contains(/(?i)\b(search|union)\s+\*/) {
            return problem("rules may not search everywhere: 'search *' and 'union *'")
        }
        do {
            guard let schema = try Binder(catalog: catalog).bind(try Parser.parse(rule.query)).results.last?.plan.schema
            else { return problem("the query gives no table") }
            var used = rule.entities.flatMap { $0.fields.map(\.column) } + rule.customDetails.map(\.column)
            used += [rule.overrides.tacticsColumn, rule.overrides.severityColumn].compactMap { $0 }
            for format in [rule.overrides.name, rule.overrides.description].compactMap({ $0 }) {
                used += format.matches(of: /\{\{\s*(\w+)\s*\}\}/).map { String($0.1) }
            }
            return Set(used).sorted().filter { schema.index(of: $0) == nil }.flatMap {
                problem("the query gives no column '\($0)'")
            }
        } catch let error as Diagnostic {
            let (line, column) = error.position(in: rule.query)
            return problem("query \(line):\(column): \(error.code): \(error.message)")
        } catch { return problem("\(error)") }
    }
}
