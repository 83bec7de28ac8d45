import Forensics
import Testing
import Workbench

/// The report of an investigation as a page of its own.
@Suite struct InvestigationReportTests {
    private static let hostile = "<img src=x onerror=alert(1)>\"'&"
    private static let start: Int64 = 638_000_000_000_000_000

    private func report(_ change: (inout Investigation) -> Void = { _ in }) -> String {
        var result = Investigation()
        result.verdict = .intrusion
        result.devices = ["a": Self.start, "b": Self.start + Span.hour]
        result.names = ["a": Self.hostile, "b": "srv2"]
        result.unknowns = ["no rows of \(Self.hostile)"]
        result.setAside = ["<b>hunt</b>": 3]
        change(&result)
        return InvestigationReport.page(result).text
    }

    /// Names and gaps come with data; none of them begins markup.
    @Test func nothingOfTheDataIsMarkup() {
        let page = report()
        #expect(!page.contains("<img") && !page.contains("<b>hunt"))
        #expect(page.contains("no rows of &lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"))
        #expect(page.contains("&lt;b&gt;hunt&lt;/b&gt;"))
    }

    /// A file that is sent on must not need another: no script, no address, one style sheet.
    @Test func itStandsByItself() {
        let page = report()
        #expect(page.components(separatedBy: "<style>").count == 2)
        for word in ["<script", "href=", "src=\"", "@import", "url("] { #expect(!page.contains(word), "\(word)") }
    }

    @Test func theHeadlineCounts() {
        #expect(report().contains("2 devices</h1>"))
        #expect(report { $0.devices = ["b": Self.start] }.contains("1 device</h1>"))
        #expect(report { $0.verdict = .prevented }.contains("<h1>An attempt was stopped</h1>"))
    }

    /// A device is a lane; times apart are apart on the axis.
    @Test func lanes() {
        let page = report()
        #expect(page.components(separatedBy: "<line ").count == 3)
        #expect(page.contains(">srv2</text>"))
        #expect(report { $0.devices = [:] }.contains("<svg") == false)
    }
}
