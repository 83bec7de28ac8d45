import Content
import Lab
import Pipeline

/// The scenarios that a command names.
enum LabScenarios {
    /// Reads names between commas; `none` and an empty text are no scenario.
    ///
    /// - Throws: `OperatorError` for a name that no scenario has, and for a scenario that the lab cannot play.
    static func named(_ names: String, in library: ContentLibrary) throws -> [Scenario] {
        let wanted = names.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        return try wanted.filter { $0 != "none" }.map { name in
            guard let definition = library.scenarios.first(where: { $0.id == name }) else {
                let known = library.scenarios.map(\.id).joined(separator: ", ")
                throw OperatorError(
                    "there is no scenario \(name)", got: library.scenarioProblems.first?.description,
                    next: "name one of: \(known)", isConfiguration: true)
            }
            do throws(ScenarioRefusal) { return try Scenario(definition.script) } catch {
                throw OperatorError(
                    "the scenario \(name) cannot be played", tried: definition.file, got: error.reason,
                    next: "mend the file", isConfiguration: true)
            }
        }
    }
}
