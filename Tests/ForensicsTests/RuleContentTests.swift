import Content
import Forensics
import KQLEngine
import Tables
import Testing

/// The shipped rules: each finds what it must and leaves alone what it must.
@Suite struct RuleContentTests {
    @Test(arguments: Estate.library.rules.map(\.own.slug)) func findsWhatItMust(_ slug: String) throws {
        let rule = try #require(Estate.library.rules.first { $0.own.slug == slug })
        #expect(rule.own.tests.contains { $0.hits > 0 } && rule.own.tests.contains { $0.hits == 0 })
        let failures = ContentTrial(Estate.library).failures(rule.own.tests, of: rule.query)
        #expect(failures.map(\.description) == [])
    }

    /// With aggregated reporting, repeats of the hour come as an action of their own: who asks for one asks for both.
    @Test func repeatsThatAreReportedTogetherCount() {
        let rules = Estate.library.rules.map { ($0.file, $0.query) }
        for (file, query) in rules + Estate.library.hunts.map({ ($0.file, $0.query) }) {
            #expect(!query.contains(#"ActionType == "ProcessCreated""#), "\(file)")
        }
    }

    @Test func thereAreEnoughAndEachHasItsOwnName() {
        let rules = Estate.library.rules
        #expect(rules.count >= 40)
        #expect(Set(rules.map(\.id)).count == rules.count)
        #expect(Set(rules.map(\.own.slug)).count == rules.count)
        for rule in rules { #expect(rule.description.hasPrefix("Finds "), "\(rule.file)") }
        #expect(RuleCheck.run(Estate.library, ContentCatalog(Estate.library)).map(\.description) == [])
    }
}
