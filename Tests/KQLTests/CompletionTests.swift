import KQL
import Tables
import Testing

/// What may be written next, wherever the cursor stands.
@Suite struct CompletionTests {
    private func complete(_ text: String) -> (start: Int, items: [Completion]) {
        Completer(catalog: TestCatalog()).complete(text, at: text.utf8.count)
    }

    private func names(_ text: String) -> [String] { complete(text).items.map(\.text) }

    @Test(arguments: [
        ("Dev", ["Devices"]), ("Al", ["Alerts"]), ("odd", []), ("['od", []), ("Rec", ["Recent"]), ("pri", ["print"]),
        ("uni", ["union"]),
        ("Devices | wh", ["where"]), ("Devices | project-r", ["project-rename", "project-reorder"]),
        ("Devices | top-", ["top-hitters", "top-nested"]),
        ("Devices | where Nam", ["Name"]), ("Devices | where Name has 'x' and Sco", ["Score"]),
        ("Devices | extend Zz = 1 | where Zz", ["Zz"]),
        ("Devices | project Only = Name | where Na", []),
        ("Devices | summarize arg_m", ["arg_max", "arg_min"]),
        ("Devices | where arg_m", []), ("Devices | evaluate bag", ["bag_unpack"]),
        ("Devices | render time", ["timechart"]),
        ("Devices | render sta", ["stackedareachart"]), ("let nnn = 5; Devices | where Score > nn", ["nnn"]),
        ("Alerts | join kind=inner (Dev", ["Devices"]), ("Alerts | join kind=inner (Devices | where Sc", ["Score"]),
        ("Alerts | union Dev", ["Devices"]), ("Devices | where Name == 'Dev", []),
        ("Devices | where Name == \"Dev", []),
        ("Devices | order by Ris", ["Risk"]),
        ("Devices | summarize count() by De", ["DeviceId", "degrees", "default"]),
        ("Devices | where startof", ["startofday", "startofmonth", "startofweek", "startofyear"]),
    ]) func offers(_ text: String, _ expected: [String]) {
        #expect(names(text) == expected)
    }

    @Test func theWordThatIsReplacedStartsWhereItStarts() {
        #expect(complete("Devices | where Nam").start == 16)
        #expect(complete("Devices | project-r").start == 10)
        #expect(complete("Dev").start == 0)
        // Bytes, not characters.
        #expect(complete("// é\nDev").start == 6)
    }

    @Test func columnsComeFirstWithTheirTypes() {
        let items = complete("Devices | where S").items
        #expect(items.prefix(3).map(\.text) == ["Score", "Seen", "Small"])
        #expect(items.prefix(3).map(\.detail) == ["long", "datetime", "int"])
        #expect(items.prefix(3).allSatisfy { $0.kind == .column })
        let kinds = items.map(\.kind)
        #expect(kinds == kinds.sorted())
    }

    @Test func nothingIsOfferedTwice() {
        for text in ["", "D", "Devices | ", "Devices | where ", "Devices | summarize ", "let a = 1; "] {
            let found = names(text)
            #expect(Set(found).count == found.count, "\(text)")
        }
    }

    @Test func namesThatNeedQuotesComeWithThem() {
        #expect(names("['odd name'] | project ").contains("['a b']"))
        #expect(names("").contains("['odd name']"))
    }

    /// At every place of a query there is an answer, and the word it replaces ends at the cursor.
    @Test func everyPlaceIsAnswered() {
        let text =
            "let n = 'é'; Devices | where Name has_any ('a', n) | join kind=inner (Alerts | take 5) on DeviceId | summarize x = count() by bin(Seen, 1h)"
        for offset in 0...text.utf8.count {
            let answer = Completer(catalog: TestCatalog()).complete(text, at: offset)
            #expect(answer.start <= offset)
        }
    }
}
