import KQL
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing

@testable import vestige

/// What the program writes for people, whatever stands in names and messages.
@Suite(.serialized) struct TerminalTests {
    private func steers(_ text: String) -> Bool {
        text.unicodeScalars.contains { SteeringCharacters.contains($0) && $0 != "\n" }
    }

    @Test func tablesHaveNeitherControlsInCellsNorInNames() {
        var table = TextTable(["a\u{0}b", "c\u{1B}[2J"], numbers: [false, true])
        table.append(["x\u{9B}1m\ny", "1\u{202E}"])
        let text = table.rendered(width: 80)
        #expect(!steers(text) && text.split(separator: "\n").count == 2)
        let drawn = table.drawn(width: nil, isBold: true).text
        #expect(drawn.hasPrefix("\u{1B}[1m") && drawn.ranges(of: "\u{1B}").count == 2)
    }

    @Test func aLogEventIsOneLine() throws {
        let facts: Logger.Metadata = ["error": "500\nerror: fake\u{1B}[31m", "rows": "7", "list": ["a\r", "b"]]
        func line(_ format: Logs.Format) -> String {
            LineLogHandler.line(
                format, .warning, "refused\u{1B}]0;x\u{7}\r\n2026-01-01 error: forged", facts, label: "vestige", at: 0)
        }
        let text = line(.text)
        #expect(!steers(text) && !text.contains("\n"))
        #expect(text.contains("Z warning vestige: error=500 error: fake"))
        #expect(text.contains(" rows=7 "))
        let json = line(.json)
        #expect(!steers(json) && !json.contains("\n"))
        let parsed = try JSON(parsing: Array(json.utf8))
        #expect(parsed["rows"]?.integer == 7 && parsed["level"]?.string == "warning")
        #expect(parsed["message"]?.string?.hasPrefix("refused") == true && parsed["list"]?.array?.count == 2)
    }

    @Test func chartsHaveNoControlsOfNames() throws {
        let query = "print ['x\\u001b[31m'] = 'lis\\u009b\\u202e', n = 3 | render barchart with (title='t\\u001b[2J')"
        let result = try Engine(provider: MemoryTables()).run(query, options: QueryOptions())
        let chart = try TerminalChart(result.primary, result.render, width: 80, hasColor: false)?.text().text
        #expect(chart.map { !steers($0) && $0.contains("lis") } == true)
    }

    @Test func whatIsTypedIsDrawnWithoutControls() {
        var screen = PromptScreen(hasColor: false)
        let drawn = screen.draw(
            LineBuffer("a\u{1B}[2J\u{9B}\u{202E}b"), width: 80, below: ["x", TerminalText(line: "\u{7}")])
        #expect(!drawn.text.contains("\u{1B}[2J") && !drawn.text.contains("\u{9B}") && !drawn.text.contains("\u{7}"))
    }

    @Test func partsOfAnErrorCannotBeginALine() {
        let error = OperatorError("title", got: "x\nerror: fake\u{1B}[31m\r\n  next    run this", next: "wait").rendered
        #expect(!steers(error) && error.split(separator: "\n").count == 3)
    }

    @Test func formulasAreTextInTheFormForSpreadsheets() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let query = "print ['=a'] = '=cmd|x', n = -5, t = '-5', plain = 'a=b'"
        let safe = try await CommandTests.run(["query", "--format", "csv-excel", query], in: folder)
        #expect(safe.status == 0 && safe.out.hasSuffix("'=a,n,t,plain\r\n'=cmd|x,-5,'-5,a=b\r\n"))
        let exact = try await CommandTests.run(["query", "--format", "csv", query], in: folder)
        #expect(exact.out == "=a,n,t,plain\r\n=cmd|x,-5,-5,a=b\r\n")
    }

    /// What goes to a file or another program is data: nothing is changed in it.
    @Test func whatIsNoTerminalGetsDataAsItIs() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let query = "print x = 'a\\u001b\\u009b\\u202e\\r\\nb\\tc'"
        let csv = try await CommandTests.run(["query", "--format", "csv", query], in: folder)
        #expect(csv.out == "x\r\n\"a\u{1B}\u{9B}\u{202E}\r\nb\tc\"\r\n")
        let lines = try await CommandTests.run(["query", "--format", "ndjson", query], in: folder)
        #expect(lines.out.contains("\u{9B}\u{202E}"))
    }

    /// Standard error is read by people and kept in logs: it is clean wherever it goes.
    @Test func errorsAreCleanInAPipeToo() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for words in [
            ["query", "print '\u{1B}[31m\u{202E}' | nonsense\u{9B}"], ["check", "Nosuch\u{7F}"],
            ["query", "--file", "/nosuch/\u{1B}[31m\nerror: fake"], ["query", "--bogus\u{1B}[2J", "print 1"],
            ["status", "--workspace", "/nosuch\u{85}\u{2028}x"],
        ] {
            let outcome = try await CommandTests.run(words, in: folder)
            #expect(outcome.status != 0 && !outcome.err.isEmpty && !steers(outcome.err), "\(words): \(outcome.err)")
            #expect(!outcome.err.contains("\nerror: fake"))
        }
    }
}
