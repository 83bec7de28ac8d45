import Content
import Foundation
import KQLEngine
import Tables
import Testing

/// The shipped rules: each finds what it must and leaves alone what it must.
@Suite struct RuleContentTests {
    private static let now = Estate.time("2026-09-01T12:00:00Z")

    private func hits(_ rule: AnalyticsRule, _ test: RuleNotes.Test, shift: Int64 = 0, reversed: Bool = false) throws
        -> Int
    {
        let estate = Estate()
        for (table, rows) in test.rows {
            let definition = try #require(Estate.library.tables[table], "\(rule.file): no table \(table)")
            var values = rows.map { cells -> [Value] in
                var named = Dictionary(cells.map { ($0.column, $0.text) }) { _, new in new }
                for time in ["TimeGenerated", "Timestamp"] where definition.schema.index(of: time) != nil {
                    if named[time] == nil { named[time] = "-5m" }
                }
                return Estate.row(table, named, now: Self.now + shift)
            }
            if reversed { values.reverse() }
            estate.tables.set(
                table, schema: definition.schema, batches: [Batch(schema: definition.schema, rows: values)])
        }
        var options = QueryOptions()
        options.now = Self.now + shift
        return try Engine(provider: estate.tables).run(rule.query, options: options).primary.count
    }

    @Test(arguments: Estate.library.rules.map(\.own.slug)) func findsWhatItMust(_ slug: String) throws {
        let rule = try #require(Estate.library.rules.first { $0.own.slug == slug })
        #expect(rule.own.tests.contains { $0.hits > 0 } && rule.own.tests.contains { $0.hits == 0 })
        for test in rule.own.tests {
            #expect(try hits(rule, test) == test.hits, "\(slug): \(test.name)")
            // Neither the day nor the order of the rows makes a difference.
            #expect(try hits(rule, test, shift: 864_000_000_000) == test.hits, "\(slug): \(test.name), a day later")
            #expect(try hits(rule, test, reversed: true) == test.hits, "\(slug): \(test.name), the other way round")
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
