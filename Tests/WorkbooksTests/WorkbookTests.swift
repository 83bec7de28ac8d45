import Content
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workbooks

@Suite struct WorkbookTests {
    private func parameter(_ json: String) throws -> WorkbookDocument {
        let file =
            #"{"version":"Notebook/1.0","items":[{"type":9,"content":{"parameters":[\#(json)]}},{"type":1,"content":{"json":"{P}|{P:label}|{x}"}},{"type":3,"content":{"query":"print v = '{Q}'"}}]}"#
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        return WorkbookDocument(try WorkbookFixture.file(file, in: folder))
    }

    private func run(_ document: WorkbookDocument, _ asked: [String: [String]] = [:]) async -> ResolvedWorkbook {
        await WorkbookRun(provider: MemoryTables(), now: 638_000_000_000_000_000).resolve(document, asked: asked)
    }

    @Test func valuesAreQuotedAndUnknownBracesStay() async throws {
        let document = try parameter(
            #"{"name":"P","type":2,"multiSelect":true,"quote":"'","jsonData":"[\"a\",\"b\"]","value":["a","b"]}"#)
        let workbook = await run(document)
        #expect(workbook.values.substitute("in ({P}) {x} {P:label}", .query) == "in ('a','b') {x} a, b")
    }

    @Test func allIsWhatTheAuthorSaid() async throws {
        let document = try parameter(
            #"{"name":"P","type":2,"multiSelect":true,"quote":"'","jsonData":"[\"a\",\"b\"]","value":["value::all"],"typeSettings":{"additionalResourceOptions":["value::all"],"selectAllValue":"*"}}"#
        )
        #expect(await run(document).values.substitute("{P}", .query) == "'*'")
        #expect(await run(document, ["P": ["b"]]).values.substitute("{P}", .query) == "'b'")
    }

    /// A value that holds quotes cannot end the text it is put into.
    @Test(arguments: ["x' | union T //", "\\' | take 1", "a\"b", "line\nbreak"]) func aValueCannotLeaveItsQuotes(
        _ value: String
    ) async throws {
        let document = try parameter(#"{"name":"Q","type":1,"value":""}"#)
        let workbook = await run(document, ["Q": [value]])
        let panel = try #require(workbook.panels.first)
        #expect(panel.id == PanelID(path: [2]))
        #expect(try workbook.answer(to: panel).get().primary.rows() == [[.string(value)]])
    }

    @Test func markupInDataIsShownAsText() async throws {
        let document = try parameter(#"{"name":"Q","type":1,"value":"<script>alert(1)</script>"}"#)
        let page = PageRenderer(documents: []).page(await run(document)).text
        #expect(!page.contains("<script>alert(1)"))
        #expect(page.contains("&lt;script&gt;alert(1)"))
    }

    @Test func timeRangesGiveBoundsAndGrain() async throws {
        let document = try parameter(#"{"name":"P","type":4,"value":{"durationMs":86400000}}"#)
        let values = await run(document).values
        #expect(values.substitute("{P:grain}", .query) == "30m")
        #expect(values.substitute("x {P}", .query).hasPrefix("x  between (datetime("))
        #expect(values.substitute("{P:label}", .text) == "Last 24 hours")
    }
}

/// A workbook file made for a test.
enum WorkbookFixture {
    static func file(_ json: String, in folder: String, name: String = "w") throws -> WorkbookFile {
        try FolderWriter.write(json, to: "\(folder)/Workbooks/\(name).workbook")
        let (library, problems) = ContentLibrary.load(folders: [folder])
        if let problem = problems.first { throw problem }
        return library.workbooks[0]
    }
}
