import Testing

@testable import Lab

/// What the lab knows stands in files that are built into it.
@Suite struct AssetTests {
    @Test func everyControlStandsOnceForItsPlatform() {
        let ids = Controls.all.map { "\($0.platform) \($0.id)" }
        #expect(Set(ids).count == ids.count)
        #expect(Set(Controls.all.map(\.platform)) == ["Windows", "macOS", "Linux", "Other"])
        for control in Controls.all {
            #expect((1...100).contains(control.compliance) && (1...10).contains(control.impact), "\(control)")
        }
    }

    @Test func familiesWithoutControlsOfTheirOwnHaveThoseOfOther() {
        #expect(Controls.of(family: "Android").map(\.id) == Controls.of(family: "Other").map(\.id))
        #expect(Controls.of(family: "Windows").contains { $0.id == "scid-2003" && $0.name.contains("Tamper") })
    }

    @Test func everyVulnerabilityIsComplete() {
        #expect(Set(Vulnerabilities.all.map(\.id)).count == Vulnerabilities.all.count)
        for one in Vulnerabilities.all {
            #expect(one.id.hasPrefix("CVE-") && !one.platforms.isEmpty && (0...10).contains(one.score), "\(one)")
            #expect(!one.summary.isEmpty && !one.fix.isEmpty && one.published.count == 10, "\(one)")
        }
    }

    @Test func fieldsAreReadByTheirColumns() {
        let table = AssetTable(Array("a,b,c,d\n\"x, y\",1.5,2,p;q\n".utf8), name: "t.csv")
        #expect(table.records.count == 1)
        #expect(table.records[0].text("a") == "x, y" && table.records[0].number("b") == 1.5)
        #expect(table.records[0].integer("c") == 2 && table.records[0].list("d") == ["p", "q"])
    }
}
