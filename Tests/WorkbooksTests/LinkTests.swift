import Testing

@testable import Workbooks

/// Which addresses of data may stand in links.
@Suite struct LinkTests {
    @Test(arguments: [
        ("/workbooks/a", false), ("/workbooks/a?x=%5C%0A", false), ("#x", false), ("?a=b&c=d", false), ("/", false),
        ("/a//b", false), ("/./a", false), ("https://a.example", true), ("https://a.example/", true),
        ("HTTPS://A.example:8443/x?y#z", true), ("https://a.example?x=user@b", true),
        ("https://[2001:db8::1]:443/", true),
        ("https://bücher.example/", true), ("https://10.0.0.1/", true), ("https://a.example/x:y@z", true),
    ])
    func addressesWithinTheSiteAndOverTLSAreLinks(_ address: String, _ leavesSite: Bool) {
        let link = Link(untrusted: address)
        #expect(link?.text == address && link?.leavesSite == leavesSite)
    }

    @Test(arguments: [
        "", " ", "a", "a/b", "./a", "../a", "//a.example", "///a.example", "/\\a.example", "/\\/a.example",
        "\\\\a.example",
        "\\/a.example", "/a\\b", "?\\", "#a b", "http://a.example/", "http:a.example", "https:a.example",
        "https:/a.example",
        "https:///a.example", "https://", "https://?x", "https://#x", "https://:443/", "https:\\\\a.example",
        "https://a.example\\@b.example", "https://user@a.example", "https://user:secret@a.example/",
        "https://microsoft.com@evil.example/", "https://a.example:/", "https://a.example:80:90/",
        "https://a.example:x/",
        "https://[::1]evil/", "https://[::1", "https://%65vil.example/", "https://a,b/", "javascript:alert(1)",
        "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\u{1}javascript:alert(1)",
        " javascript:alert(1)", "\u{A0}javascript:alert(1)", "javascript&colon;alert(1)", "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd", "blob:https://a", "mailto:a@b", "about:blank", "//", "/\t/a.example", "/\r\n/a.example",
        "\t//a.example", " /a", "/a ", "https://a.example/\n", "https://a.example/\u{0}", "/\u{7F}", "/\u{85}",
        "/\u{202E}gpj.exe", "/\u{2066}a", "/\u{200B}", "/\u{FEFF}a", "/\u{2028}", "https://a.example/\u{202E}",
        "https://a\u{AD}.example/", "／／a.example", "https：//a.example",
    ])
    func whatABrowserWouldReadOtherwiseIsNone(_ address: String) { #expect(Link(untrusted: address) == nil) }

    @Test func partsOfAPathStayParts() {
        #expect(Link(path: ["workbooks", "../v1?x#y"]).text == "/workbooks/..%2Fv1%3Fx%23y")
        #expect(Link(path: ["//evil.example"]).text == "/%2F%2Fevil.example")
        #expect(Link(path: ["a"], query: [(name: "n&m", value: "1=2\r\n")]).text == "/a?n%26m=1%3D2%0D%0A")
    }

    @Test func theHostOfALinkDoesNotLearnWhereItStands() {
        func markup(_ address: String) -> String {
            Link(untrusted: address).map { link in Markup(link: link, [.class: "c"]) { "<t>" }.source } ?? "none"
        }
        let href = "https://a.example/&quot;&#39;&gt;&lt;b"
        #expect(
            markup("https://a.example/\"'><b")
                == "<a class=\"c\" href=\"\(href)\" rel=\"noopener noreferrer\">&lt;t&gt;</a>")
        #expect(markup("/x") == "<a class=\"c\" href=\"/x\">&lt;t&gt;</a>")
    }
}
