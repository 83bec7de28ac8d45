import Testing

@testable import Workbooks

/// Nothing that came with data begins markup.
@Suite struct MarkupTests {
    @Test func textsAndAttributesAreEscaped() {
        let hostile = "<b a=\"1\" c='2'>&amp;</b>"
        let escaped = "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;"
        #expect(Markup(text: hostile).source == escaped)
        let element = Markup(.td, [.title: hostile]) { hostile }
        #expect(element.source == "<td title=\"\(escaped)\">\(escaped)</td>")
    }

    @Test func controlCharactersAreLeftOutAndLineEndsStay() {
        #expect(Markup(text: "a\u{0}b\u{1B}[31mc\r\nd\te").source == "ab[31mc\nd\te")
        #expect(Markup(text: "Grüße 日本 👩‍👧").source == "Grüße 日本 👩‍👧")
    }

    @Test func attributesWithoutAValueAreLeftOut() {
        #expect(
            Markup(empty: .input, [.class: nil, .value: "", .name: "n"]).source == "<input value=\"\" name=\"n\"/>")
    }

    @Test func contentIsBuiltFromPartsConditionsAndLoops() {
        func list(_ items: [String], isLong: Bool) -> String {
            Markup(.ul) {
                for item in items { Markup(.li) { item } }
                if isLong { "more <" } else { Markup(empty: .hr) }
                if items.isEmpty { "none" }
            }.source
        }
        #expect(list(["a", "<"], isLong: true) == "<ul><li>a</li><li>&lt;</li>more &lt;</ul>")
        #expect(list([], isLong: false) == "<ul><hr/>none</ul>")
    }

    @Test func placesOnAPageAreAlwaysNumbers() {
        #expect([0.04, 12.34, -3, 1.05].map(coordinate) == ["0", "12.3", "-3", "1.1"])
        #expect([Double.nan, .infinity, -.infinity, 1e300].map(coordinate) == ["0", "0", "0", "0"])
    }

    @Test func addressesAreEncodedByTheirBytes() {
        #expect(WorkbookAddress.escape("a b/ü&=~-._9") == "a%20b%2F%C3%BC%26%3D~-._9")
        let address = WorkbookAddress.make("p", ["B": ["2"], "A": ["x&y", "z"]], setting: "B", to: "3")
        #expect(address.text == "/workbooks/p?A=x%26y&A=z&B=3" && !address.leavesSite)
    }

    @Test(arguments: [
        ("# T\r\n\r\ntext\r\nmore", "<h2>T</h2><p>text<br/>more</p>"),
        ("- a\n- *b*\n\nc", "<ul><li>a</li><li><em>b</em></li></ul><p>c</p>"),
        (
            "|a|b|\r\n|-|-|\r\n|1|<i>|",
            "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>&lt;i&gt;</td></tr></table>"
        ),
        ("a\n---\nb", "<p>a</p><hr/><p>b</p>"), ("**a `<b>`**", "<p><strong>a <code>&lt;b&gt;</code></strong></p>"),
        ("x<BR/>y <br>", "<p>x<br/>y <br/></p>"),
        ("[a](javascript:1) [b](/w)", "<p>a <a href=\"/w\">b</a></p>"),
        (
            "[a](https://a.example/?x=1&y) [b](/\\evil.example) [c](//evil.example)",
            "<p><a href=\"https://a.example/?x=1&amp;y\" rel=\"noopener noreferrer\">a</a> b c</p>"
        ),
        ("a * b ** c [d](", "<p>a * b ** c [d](</p>"), ("####### seven", "<p>####### seven</p>"),
    ])
    func markdownIsDrawn(_ text: String, _ html: String) {
        #expect(Markdown.markup(text).source == html)
    }
}

/// Numbers as people read them.
@Suite struct NumberTextTests {
    private func text(_ number: Double, unit: Int, digits: Int? = nil) -> String {
        var options: [(String, Int)] = []
        if let digits { options.append(("maximumFractionDigits", digits)) }
        let format = NumberFormat([
            "unit": .integer(Int64(unit)),
            "options": .object(.init(options.map { ($0.0, .integer(Int64($0.1))) })),
        ])
        return NumberText.format(number, format)
    }

    @Test(arguments: [
        (1_536.0, 2, "1.5 kB"), (1_536, 36, "1.5 KiB"), (1_536, 37, "1.5 MiB"), (2.5, 5, "2.5 GB"), (12.34, 1, "12.3%"),
        (99_999, 17, "99,999"), (120_345, 17, "120.3K"), (-1_500_000, 17, "−1.5M"), (90, 24, "1.5 min"),
        (250, 23, "250 ms"), (12, 22, "12 µs"), (36, 26, "1.5 d"), (3, 27, "3 d"), (7, 31, "7/s"), (0, 24, "0 s"),
        (5, 999, "5"), (.nan, 17, "–"), (.infinity, 2, "–"),
    ])
    func unitsScaleThemselves(_ number: Double, _ unit: Int, _ expected: String) {
        #expect(text(number, unit: unit) == expected)
    }

    @Test func digitsAreBoundedAndSharesAreHundredths() {
        #expect(text(3.14159, unit: 1, digits: 3) == "3.142%" && text(3.5, unit: 1, digits: -4) == "4%")
        #expect(NumberText.format(0.256, NumberFormat(["options": ["style": "percent"]])) == "25.6%")
        #expect(NumberText.plain(-0.25, 2) == "−0.25" && NumberText.plain(1e300, 2) == "1E+300")
        #expect(NumberText.grouped(.min) == "−9,223,372,036,854,775,808")
    }

    @Test(arguments: [
        (0.0, 10.0, ["0", "2.5", "5", "7.5", "10"]), (0, 4, ["0", "1", "2", "3", "4"]),
        (-3, 13, ["−5", "0", "5", "10", "15"]), (0, 0, ["0", "1"]),
        (0, 0.001, ["0", "0.00025", "0.0005", "0.00075", "0.001"]),
        (0, 150_000, ["0", "50K", "100K", "150K"]),
    ])
    func axesSayWhatTheyMean(_ low: Double, _ high: Double, _ labels: [String]) {
        let ticks = ChartFrame.ticks(from: low, to: high)
        #expect(ticks.map { ChartFrame.label($0, of: ticks) } == labels)
    }

    @Test func axesOfOddNumbersEnd() {
        for (low, high) in [(0.0, Double.leastNonzeroMagnitude), (0, 1.7e308), (-1.7e308, 1.7e308), (1e15, 1e15 + 1)] {
            let ticks = ChartFrame.ticks(from: low, to: high)
            #expect(ticks.count >= 2 && ticks.count <= 102, "\(low) to \(high)")
            for tick in ticks { #expect(!ChartFrame.label(tick, of: ticks).isEmpty) }
        }
    }

    @Test(arguments: [
        ("==", "7", true), ("!=", "7", false), (">", "6.5", true), (">=", "7", true), ("<", "7", false),
        ("<=", "x", false),
        ("contains", "7", true), ("startsWith", "8", false), ("endsWith", "7", true), ("is Empty", "", false),
        ("regex", "^[0-9]$", true), ("regex", "(", false), ("Default", "", true), ("unheard of", "7", false),
    ])
    func thresholdsCompare(_ comparison: String, _ wanted: String, _ holds: Bool) {
        let rule = Threshold(["operator": .string(comparison), "thresholdValue": .string(wanted)])
        #expect(rule.holds(for: .long(7)) == holds)
    }
}
