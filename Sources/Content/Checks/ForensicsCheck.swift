import KQL
import Tables

/// Checks that hunts, controls and categories of harm fit together and that their queries bind.
enum ForensicsCheck {
    /// What the state query of a control gives.
    private static let stateColumns = ["DeviceId", "TimeGenerated", "ChangeType", "IsOff", "Shown"]

    static func run(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        hunts(library, catalog) + controls(library, catalog)
    }

    private static func hunts(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        var problems: [ContentProblem] = []
        var ids: [String: String] = [:]
        let harms = Set(library.havoc.map(\.id))
        let groups = Dictionary(grouping: library.hunts, by: \.group)
        for hunt in library.hunts {
            func add(_ message: String) { problems.append(ContentProblem(hunt.file, message)) }
            if let other = ids.updateValue(hunt.slug, forKey: hunt.id) { add("has the id of '\(other)'") }
            if let harm = hunt.harm, !harms.contains(harm) {
                add("there is no category of harm '\(harm)' under Havoc/")
            }
            if let entry = hunt.entry, !HuntDefinition.entries.contains(entry) {
                let known = HuntDefinition.entries.sorted().joined(separator: ", ")
                add("'entry' must be one of \(known), not '\(entry)'")
            }
            // A group of one is a slip of the pen: a hunt that stands for itself names none.
            if hunt.group != hunt.slug, groups[hunt.group]?.count == 1 {
                add("no other hunt has the group '\(hunt.group)'; leave 'group' out where a hunt stands for itself")
            }
            for tactic in hunt.tactics where !RuleCheck.tactics.contains(tactic) {
                add("Sentinel knows no tactic '\(tactic)'")
            }
            for table in hunt.needs where library.tables[table] == nil {
                add("'needs' names '\(table)', which is no table")
            }
            // https://learn.microsoft.com/azure/sentinel/hunts: a hunting query maps five entities.
            for message in EntityMapping.problems(hunt.entities, max: 5) { add(message) }
            problems += ContentTest.problems(hunt.tests, library)
            guard let schema = bind(hunt.query, hunt.file, catalog, &problems) else { continue }
            let mapped = Set(hunt.entities.flatMap { $0.fields.map(\.column) })
            for column in mapped.sorted() where schema.index(of: column) == nil {
                add("'entityMappings' names '\(column)', which the query does not give")
            }
        }
        return problems
    }

    private static func controls(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        var problems: [ContentProblem] = []
        let known = Set(library.controls.map(\.id))
        var rules: [String: String] = [:]
        for control in library.controls {
            func add(_ message: String) { problems.append(ContentProblem(control.file, message)) }
            for other in control.sameAs where !known.contains(other) || other == control.id {
                add("'sameAs' names '\(other)', which is no other control")
            }
            if let rule = control.rule, let other = rules.updateValue(control.id, forKey: rule.lowercased()) {
                add("has the 'rule' of '\(other)'")
            }
            for stop in control.stops where stop.technique.wholeMatch(of: /T\d{4}(\.\d{3})?/) == nil {
                add("\"\(stop.technique)\" is not an ATT&CK technique")
            }
            // Where no table tells, people must be told where to look.
            if control.reading == .organisation, control.gap == nil {
                add("'gap' is missing: what shows that the control is missing, as no table does")
            }
            guard let state = control.state else { continue }
            guard let schema = bind(state, control.file, catalog, &problems) else { continue }
            for column in stateColumns where schema.index(of: column) == nil {
                add("the state does not give '\(column)'")
            }
        }
        return problems
    }

    private static func bind(
        _ query: String, _ file: String, _ catalog: ContentCatalog, _ problems: inout [ContentProblem]
    ) -> Schema? {
        do { return try Binder(catalog: catalog).bind(try Parser.parse(query)).results.last?.plan.schema } catch let
            problem as Diagnostic
        {
            let (line, column) = problem.position(in: query)
            problems.append(ContentProblem(file, "query \(line):\(column): \(problem.code): \(problem.message)"))
        } catch { problems.append(ContentProblem(file, "\(error)")) }
        return nil
    }
}
