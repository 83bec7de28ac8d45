import Forensics
import Testing
import Workbench

/// The report of a case as a page of its own.
@Suite struct InvestigationReportTests {
    private func report(_ change: (inout CaseFile) -> Void = { _ in }) -> String {
        var file = CaseFixture.file()
        change(&file)
        return InvestigationReport.page(file).text
    }

    /// Names, gaps and rows come with data; none of them begins markup.
    @Test func nothingOfTheDataIsMarkup() {
        let page = report()
        #expect(!page.contains("<img") && !page.contains("<b>hunt"))
        #expect(page.contains("no rows of &lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"))
        #expect(page.contains("&lt;b&gt;hunt&lt;/b&gt;"))
    }

    /// A file that is sent on must not need another: no script, no address but places in itself.
    @Test func itStandsByItself() throws {
        let page = report()
        for word in ["<script", "src=\"", "@import", "url(", "<form"] { #expect(!page.contains(word), "\(word)") }
        let links = page.matches(of: /href="([^"]*)"/).map { String($0.1) }
        #expect(!links.isEmpty)
        for link in links {
            #expect(link.hasPrefix("#"))
            #expect(page.contains("id=\"\(link.dropFirst())\""), "\(link) leads nowhere")
        }
    }

    /// The order in which somebody reads at three in the morning.
    @Test func theFirstThingsComeFirst() {
        let page = report()
        let order = [
            "Someone got in: first sign", "What to do in the next hour", "How they got in", "What held",
            "What they did", "Where they went", "Who else has the same gap", "What we do not know", "Lanes", "Timeline",
        ]
        let places = order.map { page.range(of: $0)?.lowerBound }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    /// Every claim leads to its rows and to the KQL that finds them.
    @Test func everyClaimHoldsItsRows() {
        let page = report()
        for claim in CaseFixture.file().statements where claim.kind != .entry {
            #expect(page.contains("id=\"c-\(claim.id)\""), "\(claim.object)")
        }
        #expect(page.components(separatedBy: "| where Timestamp == datetime(").count > 8)
    }

    /// A claim that somebody rejected stays in sight, with their word; it is not drawn and asks for nothing.
    @Test func whatWasRejectedStaysInSight() throws {
        let claim = try #require(CaseFixture.file().statements.first { $0.object == "files-encrypted" })
        let page = report { file in
            _ = file.judge(claim.id, .rejected, reason: "the backup's own work", now: 0, actor: "finch")
        }
        #expect(page.contains("class=\"rejected\"") && page.contains("the backup&#39;s own work"))
        #expect(page.contains("1 claims were rejected by people.") && !page.contains("Save the backups"))
    }

    /// The picture shows as many devices as fit, says of how many, and holds the others too.
    @Test func lanesSayHowManyThereAre() {
        let few = report()
        #expect(few.components(separatedBy: "class=\"lane\"").count - 1 == 4)
        #expect(!few.contains("those reached first. The others"))
        let many = InvestigationReport.page(CaseFixture.file(more: 90)).text
        #expect(many.contains("Drawn: devices 1 to 40 of 94, those reached first."))
        #expect(many.contains("<summary>Devices 41 to 80 of 94</summary>"))
        #expect(many.contains("<summary>Devices 81 to 94 of 94</summary>"))
        #expect(many.components(separatedBy: "class=\"lane\"").count - 1 == 94)
    }

    /// Protection that goes off is a thick band from then on; what nobody knows is neither on nor off.
    @Test func postureIsDrawn() {
        let page = report()
        #expect(page.contains(": off or open: av.mode</title>"))
        #expect(page.contains("10.9.8.7: no row tells how protection stood"))
        #expect(page.contains("class=\"conduit\""))
    }

    @Test func verdictsInWords() {
        for (verdict, words) in [
            (Investigation.Verdict.prevented, "<h1>An attempt was stopped</h1>"), (.none, "<h1>Nothing found"),
            (.unknown, "<h1>Not known"),
        ] {
            var file = CaseFile(id: "x", opened: 0)
            let summary = CaseSummary(verdict: verdict, devices: [])
            file.add(.summary, id: "s", body: summary.json, now: 0, actor: "t", action: "state")
            let page = InvestigationReport.page(file).text
            #expect(page.contains(words) && !page.contains("class=\"lane\""))
        }
    }
}
