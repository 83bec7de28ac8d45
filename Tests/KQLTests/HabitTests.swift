import Testing

@testable import KQL

/// What somebody who knows SQL is told.
@Suite struct HabitTests {
    @Test(arguments: [
        ("Devices | where Name is null", "isnull(x)"), ("select Name from Devices", "begins with the table"),
        ("Devices | where Name in 'a', 'b'", "in ('a', 'b')"), ("Devices | where Name !in 'a'", "in ('a', 'b')"),
        ("Devices where Score == 1", "'|' is missing before 'where'"),
        ("Devices | sort by Score limit 5", "'|' is missing before 'limit'"),
        ("Devices | where Score == 1 AND Ok", "small letters: and"),
        ("Devices | summarize count() group by Name", "summarize … by"),
        ("Devices | where Name LIKE 'x'", "texts are compared with has"),
        ("Devices | where not Score == 1", "Expected: "),
        ("toscalar(Devices where Ok)", "'|' is missing before 'where'"),
    ]) func hints(_ query: String, _ words: String) {
        do throws(Diagnostic) {
            _ = try Parser.parse(query)
            Issue.record("it was read: \(query)")
        } catch {
            #expect(error.message.contains("Expected: "), "\(error.message)")
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    private func message(_ query: String) -> String? {
        do {
            _ = try Binder(catalog: TestCatalog()).bind(try Parser.parse(query))
            return nil
        } catch { return (error as? Diagnostic).map { "\($0.message) \($0.suggestion ?? "-")" } }
    }

    @Test func anEqualsSignGivesANameInWhere() {
        #expect(message("Devices | where Name = 'x'")?.contains("'==' compares") == true)
        #expect(message("Devices | where Name = 'x' and Ok")?.contains("'==' compares") == true)
        #expect(message("Devices | where Name == 3 + 'x'")?.contains("'==' compares") == false)
        #expect(message("Devices | where IsGood = (Score == 1)") == nil)
    }

    /// A name that nobody can see is no correction.
    @Test func nothingIsNotSuggested() {
        #expect(NearMiss.find("a", in: ["", "\u{1}b"]) == nil)
        #expect(NearMiss.find("ab", in: ["", "aB1"]) == "aB1")
    }
}

/// What runs here, and would be refused by the service although its parser reads it.
@Suite struct WarningTests {
    private func warnings(_ query: String) throws -> [String] {
        try Binder(catalog: TestCatalog()).bind(try Parser.parse(query)).warnings.map(\.code)
    }

    @Test(arguments: [
        ("Devices | extend P = prev(Name)", ["VK030"]), ("Devices | sort by Name | extend P = prev(Name)", []),
        ("Devices | serialize P = row_number()", []), ("Devices | serialize | where next(Ok)", []),
        ("Devices | top 3 by Name | where Ok | project N = row_number(), Name | where N > prev(N)", []),
        ("Devices | sort by Name | summarize count() by Name | extend N = row_cumsum(count_)", ["VK030"]),
        ("range x from 1 to 3 step 1 | extend y = next(x)", []),
        ("Devices | join kind=inner (Devices) on Tags", ["VK031"]), ("Devices | join kind=inner (Devices) on Name", []),
        ("union withsource=Name Devices, Alerts", ["VK032"]), ("union withsource=From Devices, Alerts", []),
        ("union isfuzzy=true Devices, workspace('x').Devices", ["VK033"]),
    ]) func areGiven(_ query: String, _ wanted: [String]) throws {
        #expect(try warnings(query) == wanted, "\(query)")
    }

    @Test func theyMarkTheCall() throws {
        let text = "Devices | extend P = prev(Name)"
        let found = try #require(try Binder(catalog: TestCatalog()).bind(try Parser.parse(text)).warnings.first)
        #expect(found.severity == .warning && found.range == 21..<25)
        #expect(found.render(in: text).hasPrefix("warning[VK030]: "))
    }
}
