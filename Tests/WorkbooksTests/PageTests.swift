import Content
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workbooks

/// What a page shows for what its address asks.
@Suite struct PageTests {
    private func document(_ items: [JSON], _ name: String = "w", template: String? = nil) throws -> WorkbookDocument {
        var workbook: JSON.Members = ["version": "Notebook/1.0", "items": .array(items)]
        workbook["fromTemplateId"] = template.map { .string($0) }
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        return WorkbookDocument(try WorkbookFixture.file(JSON.object(workbook).text, in: folder, name: name))
    }

    private func resolve(_ document: WorkbookDocument, _ asked: [String: [String]] = [:]) async -> ResolvedWorkbook {
        await WorkbookRun(provider: MemoryTables(), now: FixtureWorkspace.now).resolve(document, asked: asked)
    }

    private static func dropdown(_ more: JSON.Members = [:]) -> JSON {
        var parameter: JSON.Members = [
            "name": "P", "type": 2, "isRequired": true, "query": "datatable(x: string)['a', 'b', 'c']",
        ]
        for (name, value) in zip(more.names, more.values) { parameter[name] = value }
        return ["type": 9, "content": ["parameters": [.object(parameter)]]]
    }

    private static func text(_ text: String) -> JSON { ["type": 1, "content": ["json": .string(text)]] }

    private static func query(_ text: String, when tab: String? = nil) -> JSON {
        var item: JSON.Members = ["type": 3, "content": ["query": .string(text)]]
        item["conditionalVisibility"] = tab.map {
            ["parameterName": "Tab", "comparison": "isEqualTo", "value": .string($0)]
        }
        return .object(item)
    }

    /// A link to what is no longer there shows nothing of another thing.
    @Test func aChoiceThatIsNotThereIsNotReplaced() async throws {
        let document = try document([Self.dropdown(), Self.query("print v = '{P}'")])
        let page = await resolve(document, ["P": ["zzz"]])
        #expect(page.values["P"]?.plain == "zzz")
        #expect(try page.answer(to: page.panels[0]).get().primary.rows() == [[.string("zzz")]])
        #expect(PageRenderer(documents: []).page(page).text.contains("there is no choice zzz here"))
        let usual = await resolve(document)
        #expect(usual.values["P"]?.plain == "a")
    }

    @Test func aFilterThatIsNotThereDoesNotWidenToAll() async throws {
        let all: JSON.Members = [
            "multiSelect": true, "typeSettings": ["additionalResourceOptions": ["value::all"], "selectAllValue": "*"],
        ]
        let document = try document([Self.dropdown(all)])
        #expect(await resolve(document).values.substitute("{P}", .query) == "'*'")
        #expect(await resolve(document, ["P": ["Solaris"]]).values.substitute("{P}", .query) == "'Solaris'")
        #expect(await resolve(document, ["P": ["b", "zzz"]]).values.substitute("{P}", .query) == "'b','zzz'")
        #expect(await resolve(document, ["P": [""]]).values.substitute("{P}", .query) == "'*'")
    }

    /// The mark for the first choice, and choices that say that they are the default.
    @Test func theFirstAndTheDefaultAreFound() async throws {
        let first = try document([Self.dropdown(["isRequired": false, "value": ["value::1"]])])
        #expect(await resolve(first).values["P"]?.plain == "a")
        let own = try document([
            Self.dropdown([
                "query": "", "isRequired": false,
                "jsonData": #"[{"value":"x","label":"X"},{"value":"y","label":"Y","selected":true},3]"#,
            ])
        ])
        let page = await resolve(own)
        #expect(page.values["P"]?.plain == "y" && page.values["P"]?.label == "Y")
        #expect(await resolve(own, ["P": ["3"]]).values["P"]?.plain == "3")
    }

    @Test func aParameterWhoseQueryFailsSaysWhy() async throws {
        let document = try document([Self.dropdown(["query": "Nothing | take 1"])])
        let drawn = PageRenderer(documents: []).page(await resolve(document)).text
        #expect(drawn.contains("<em class=\"problem\">") && drawn.contains("Nothing"))
    }

    /// Panels keep their ids when others around them are hidden.
    @Test func idsOfPanelsDoNotDependOnWhatIsVisible() async throws {
        let tabs: JSON = [
            "type": 11,
            "content": [
                "links": [
                    ["linkTarget": "parameter", "cellValue": "Tab", "subTarget": "one", "linkLabel": "One"],
                    ["linkTarget": "parameter", "cellValue": "Tab", "subTarget": "two", "linkLabel": "Two"],
                ]
            ],
        ]
        let group: JSON = [
            "type": 12, "content": ["items": [Self.query("print 2", when: "one"), Self.query("print 3")]],
        ]
        let document = try document([tabs, Self.query("print 1", when: "one"), group])
        let one = await resolve(document)
        #expect(one.panels.map(\.id.description) == ["1", "2-0", "2-1"])
        let two = await resolve(document, ["Tab": ["two"]])
        #expect(two.panels.map(\.id.description) == ["2-1"])
        #expect(try two.answer(to: two.panels[0]).get().primary.rows() == [[.long(3)]])
    }

    @Test func linksFindAWorkbookByItsTemplate() async throws {
        let formatter: JSON = [
            "columnMatch": "Name", "formatter": 7,
            "formatOptions": [
                "linkTarget": "WorkbookTemplate",
                "workbookContext": [
                    "templateId": "sentinel-Other",
                    "templateParameters": [
                        ["name": "Device", "source": "column", "value": "Id"], ["name": "Kind", "value": "a&b"],
                    ],
                ],
            ],
        ]
        let from = try document([
            [
                "type": 3,
                "content": [
                    "query": "print Name = 'n', Id = 'x y'", "gridSettings": ["formatters": [formatter]],
                ],
            ]
        ])
        let other = try document([], "other", template: "sentinel-Other")
        let page = await resolve(from)
        let linked = PageRenderer(documents: [from, other]).page(page).text
        #expect(linked.contains("<a href=\"/workbooks/other?Device=x%20y&amp;Kind=a%26b\">n</a>"))
        let alone = PageRenderer(documents: [from]).page(page).text
        #expect(alone.contains("<td>n</td>"))
    }

    @Test func titlesAreTheFirstHeadingWhateverTheLineEnds() throws {
        #expect(try document([Self.text("intro"), Self.text("## A title\r\n\r\nmore\r\n")]).title == "A title")
        #expect(try document([]).title == "w")
    }

    @Test func oldAndOddItemsAreReadOrTold() async throws {
        let old: JSON = ["type": 1, "content": .string(#"{"json":"kept as a text"}"#), "halfWidth": true]
        let document = try document([old, ["type": 10, "content": [:]], ["type": "x"], [:], 7])
        let drawn = PageRenderer(documents: []).page(await resolve(document)).text
        #expect(drawn.contains("kept as a text") && drawn.contains("--w:50%"))
        #expect(drawn.contains("items of type 10 need the Azure portal"))
    }

    @Test func otherParametersStayInTheForm() async throws {
        let document = try document([Self.dropdown()])
        let page = await resolve(document, ["Q": ["1", "<2>"], "P": ["b"]])
        let drawn = PageRenderer(documents: [document]).page(page).text
        #expect(drawn.contains("<input type=\"hidden\" name=\"Q\" value=\"&lt;2&gt;\"/>"))
        #expect(drawn.contains("<option value=\"b\" selected=\"\">b</option>"))
        #expect(!drawn.contains("name=\"P\" value"))
    }

    @Test func aPageThatIsNotThereSaysSo() {
        let page = PageShell(documents: []).missing("There is no workbook <x>.").text
        #expect(
            page.hasPrefix("<!doctype html>\n<html lang=\"en\">") && page.contains("There is no workbook &lt;x&gt;."))
    }
}
