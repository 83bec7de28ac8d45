import Tables
import Testing

/// What may reach a terminal, a log and a spreadsheet.
@Suite struct TerminalTextTests {
    /// One of every kind that steers.
    private static let steering: [Unicode.Scalar] = [
        "\u{0}", "\u{7}", "\u{8}", "\u{B}", "\u{C}", "\u{1B}", "\u{1F}", "\u{7F}", "\u{80}", "\u{85}", "\u{9B}",
        "\u{9D}",
        "\u{61C}", "\u{200E}", "\u{200F}", "\u{2028}", "\u{2029}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}",
    ]

    @Test func whatIsPutIntoALiteralIsOneLineThatSteersNothing() {
        for c in Self.steering {
            let text: TerminalText = "\u{1B}[1ma \(String(c)) b\n"
            #expect(text.text == "\u{1B}[1ma \u{FFFD} b\n", "U+\(String(c.value, radix: 16))")
        }
        let forged: TerminalText = "error: \("x\nerror: fake\r\n\tz")"
        #expect(forged.text == "error: x error: fake   z" || forged.text == "error: x error: fake  z")
        #expect(!forged.text.contains("\n"))
        let plain: TerminalText = "\("Grüße 日本 👩‍👧 a\\b") \(1.5) \(Substring("s"))"
        #expect(plain.text == "Grüße 日本 👩‍👧 a\\b 1.5 s")
    }

    @Test func layoutKeepsItsLinesAndNothingElse() {
        #expect(TerminalText(lines: "a\n  b\r\nc\td\u{1B}[2J").text == "a\n  b\nc d\u{FFFD}[2J")
        #expect(TerminalText(line: "a\nb").text == "a b")
        #expect([TerminalText(line: "a"), "b"].joined(separator: "\n").text == "a\nb")
        #expect(TerminalText(line: "x\u{1B}").styled(31).text == "\u{1B}[31mx\u{FFFD}\u{1B}[0m")
    }

    @Test func jsonSaysTheSameWithEscapes() throws {
        for c in Self.steering {
            let value = Value.array([.string("a\(String(c))b\nc")])
            let shown = SteeringCharacters.escaped(inJSON: JSONWriter.string(value) + "\n")
            #expect(!shown.dropLast().unicodeScalars.contains(where: SteeringCharacters.contains))
            #expect(try JSONReader.parse(shown) == value)
        }
    }
}

/// CSV that a spreadsheet does not run.
@Suite struct SpreadsheetTests {
    @Test(arguments: [
        "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\tplain", "\rplain", "\nplain", " =1", "  +1",
        "\u{A0}=1", "\u{FEFF}=1", "\u{200B}=1", "'=1", "\"=1", "\u{0}=1", "＝1", "＋1", "－1", "＠x", "−1", "+49 30 1234",
        "-",
    ])
    func formulasAreTexts(_ text: String) {
        let line = SpreadsheetCSV.line([.string(text)])
        #expect(line.hasPrefix("'") || line.hasPrefix("\"'"), "\(line)")
        let back = CSV.records(Array(line.utf8))
        #expect(back == [["'" + text]])
    }

    @Test(arguments: [
        "", "a", "a=b", "1", "C:\\x", "https://a.example/?x=-1", "日本", "_x", "(1)", "#N/A", "'quoted'", "2026-01-01",
    ])
    func otherTextsAreAsTheyAre(_ text: String) {
        #expect(CSV.records(Array(SpreadsheetCSV.line([.string(text), .string("z")]).utf8)) == [[text, "z"]])
    }

    @Test func numbersAndTimesAreNoTexts() {
        let line = SpreadsheetCSV.line([.long(-5), .real(-0.5), .timespan(-10), .bool(true), .null, .datetime(0)])
        #expect(line.hasPrefix("-5,-0.5,-00:00:00.0000010,") && !line.contains("'"))
        #expect(SpreadsheetCSV.line([.array([.string("=1")])]) == "\"[\"\"=1\"\"]\"\r\n")
        #expect(SpreadsheetCSV.header(["=a", "b"]) == "'=a,b\r\n")
    }
}
