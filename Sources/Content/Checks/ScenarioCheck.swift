import Tables

/// Checks that scenarios fit the tables, the controls and the categories of harm, and that two can be played at once.
enum ScenarioCheck {
    static func run(_ library: ContentLibrary) -> [ContentProblem] {
        var problems = library.scenarioProblems
        let controls = Set(library.controls.map(\.id))
        let harms = Set(library.havoc.map(\.id))
        var owners: [String: String] = [:]
        for scenario in library.scenarios {
            var told: Set<String> = []
            for use in scenario.used {
                guard let schema = library.tables[use.table]?.schema else {
                    if told.insert(use.table).inserted {
                        problems.append(ContentProblem(use.place, "there is no table '\(use.table)'"))
                    }
                    continue
                }
                guard let i = schema.index(of: use.column) else {
                    problems.append(ContentProblem(use.place, "'\(use.table)' has no column '\(use.column)'"))
                    continue
                }
                guard let text = use.text, !text.isEmpty else { continue }
                if Value.string(text).converted(to: schema[i].type).isNull {
                    problems.append(
                        ContentProblem(
                            use.place, "'\(use.table).\(use.column)' is \(schema[i].type.name), not \"\(text)\""))
                }
            }
            for cause in scenario.truth.causes + scenario.truth.held
            where !controls.contains(cause.control) && !cause.control.hasPrefix("CVE-") {
                problems.append(ContentProblem(scenario.file, "there is no control '\(cause.control)'"))
            }
            for harm in scenario.truth.harm where !harms.contains(harm.what) {
                problems.append(ContentProblem(scenario.file, "there is no category of harm '\(harm.what)'"))
            }
            for place in scenario.places {
                if let other = owners.updateValue(scenario.id, forKey: place.lowercased()), other != scenario.id {
                    problems.append(ContentProblem(scenario.file, "'\(place)' is a device of '\(other)' too"))
                }
            }
        }
        return problems
    }
}
