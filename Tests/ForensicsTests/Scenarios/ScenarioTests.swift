import Content
import Forensics
import Tables
import TestKit
import Testing

/// The investigation over what each of the lab's scenarios brought through collect finds the scenario's truth.
@Suite(.serialized) struct ScenarioTests {
    private static let ids = Repository.library().scenarios.map(\.id)

    @Test func thereAreEightOfThemAndSomeAreQuiet() {
        let scenarios = Repository.library().scenarios
        #expect(scenarios.count >= 8)
        #expect(scenarios.filter { $0.truth.verdict == "none" }.count >= 2)
        #expect(scenarios.contains { $0.truth.verdict == "prevented" })
    }

    @Test(arguments: ids) func theTruthIsFound(_ id: String) async throws {
        try await PlayedEstate.play(id) { estate, _ in
            let truth = estate.scenario.truth
            let result = try estate.investigate()
            #expect(result.verdict.rawValue == truth.verdict)
            let entry = result.entry.map { "\(estate.short(result, $0.device)) \($0.vector)" }
            #expect(entry == truth.entry.map { "\($0.device) \($0.vector)" })
            let harm = Set(result.harm.map { "\(estate.short(result, $0.device)) \($0.what)" })
            #expect(harm == Set(truth.harm.map { "\($0.device) \($0.what)" }))
            let causes = result.causes.map { "\(estate.short(result, $0.device)) \($0.control)" }
            let wanted = truth.causes.map { "\($0.device) \($0.control)" }
            #expect(Set(causes).isSuperset(of: wanted), "\(causes)")
            // Beside the true causes stand a few that belong to what happened, never a list of everything.
            #expect(causes.count <= wanted.count + 3, "\(causes)")
            let path = result.movements.map { "\(estate.short(result, $0.from)) \(estate.short(result, $0.to))" }
            #expect(path == truth.path.map { "\($0.from) \($0.to)" })
            let held = Set(result.held.map { "\(estate.short(result, $0.device)) \($0.control)" })
            #expect(held == Set(truth.held.map { "\($0.device) \($0.control)" }))
        }
    }
}
