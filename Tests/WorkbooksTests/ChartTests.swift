import Content
import KQL
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workbooks

/// Every kind of chart and every column renderer, drawn from literal rows and compared byte for byte.
@Suite struct DrawingTests {
    /// Rows that suit a chart: over time, along numbers, or by category.
    private static let time = """
        datatable(When: datetime, Site: string, Events: long) [
            datetime(2026-03-12), "north", 4, datetime(2026-03-12), "south", 9, datetime(2026-03-13), "north", 7,
            datetime(2026-03-13), "south", 2, datetime(2026-03-14), "north", -3, datetime(2026-03-14), "a <b> & 'c'", 5]
        """
    private static let category = """
        datatable(Platform: string, Good: long, Bad: long) [
            "Windows", 120345, 12, "macOS", 40, 3, "Linux <x>", 22, 9, "", 1, 0]
        """
    private static let number = """
        datatable(Score: real, Devices: long) [1.5, 10, 3.25, 40, 7.75, 12, 9.8, 3]
        """

    static let kinds = ChartKind.allCases.filter { $0.drawing != nil && $0.shape != .rows }

    @Test(arguments: kinds) func aChartOverTime(_ kind: ChartKind) async throws {
        try await draw(kind, "time", Self.time)
    }

    @Test(arguments: kinds) func aChartByCategory(_ kind: ChartKind) async throws {
        try await draw(kind, "category", Self.category)
    }

    @Test(arguments: [ChartKind.line, .area, .scatter]) func aChartAlongNumbers(_ kind: ChartKind) async throws {
        try await draw(kind, "number", Self.number)
    }

    private func draw(_ kind: ChartKind, _ rows: String, _ query: String) async throws {
        let name = try #require(kind.names.first)
        let panel = try await Self.panel(query, ["visualization": .string(name), "title": "Drawn"])
        Golden.expect(panel, equals: "Tests/WorkbooksTests/Golden/chart-\(name)-\(rows).html")
    }

    /// What `render` says counts where the workbook says nothing.
    @Test func theQuerysOwnRenderIsHeeded() async throws {
        let byRender = try await Self.panel(Self.category + "\n| render columnchart with (ycolumns=Bad)", [:])
        #expect(byRender.contains("<rect") && !byRender.contains("120,345"))
        let unstacked = try await Self.panel(Self.time + "\n| render barchart with (kind=unstacked)", [:])
        let stacked = try await Self.panel(Self.time + "\n| render barchart", [:])
        #expect(unstacked.contains("<rect") && stacked.contains("<rect") && unstacked != stacked)
    }

    /// Series as make-series gives them: arrays of times and numbers.
    @Test func arraysAreExpandedToPoints() async throws {
        let query = """
            datatable(Site: string, When: dynamic, Events: dynamic) [
                "north", dynamic(["2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z", "2026-03-14T00:00:00Z"]), dynamic([1, 4, 2]),
                "south", dynamic(["2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z", "2026-03-14T00:00:00Z"]), dynamic([3, null, 5])]
            """
        let drawn = try await Self.panel(query, ["visualization": "timechart"])
        #expect(drawn.components(separatedBy: "<polyline").count == 3)
        #expect(drawn.contains("south: 5\n2026-03-14 00:00 UTC"))
    }

    @Test(arguments: [
        ("map", "Only the Azure portal draws map"), ("graph", "Only the Azure portal draws graph"),
        ("barchrat", "There is no chart called barchrat"), ("<i>", "There is no chart called &lt;i&gt;"),
    ])
    func whatIsNotDrawnIsTold(_ name: String, _ reason: String) async throws {
        let drawn = try await Self.panel(Self.category, ["visualization": .string(name)])
        #expect(drawn.contains(reason + "; the rows are shown as a table.") && drawn.contains("<table class=\"grid\">"))
    }

    @Test func aChartWithoutNumbersIsTold() async throws {
        for kind in Self.kinds {
            let name = try #require(kind.names.first)
            let drawn = try await Self.panel("print a = 'x', b = 'y'", ["visualization": .string(name)])
            #expect(
                drawn.contains("There is nothing to draw in these rows") && drawn.contains("<td>y</td>"), "\(name)")
        }
    }

    /// Numbers that have no place on a page never end the program: infinities, NaN, and ends too far apart to scale.
    @Test(arguments: kinds.flatMap { $0.names }) func numbersWithoutAPlaceAreDrawnAround(_ name: String) async throws {
        let query = """
            datatable(When: datetime, Site: string, Value: real) [
                datetime(2026-03-12), "a", real(nan), datetime(2026-03-13), "a", real(+inf), datetime(2026-03-14), "b", real(-inf),
                datetime(2026-03-14), "a", 1.5, datetime(2026-03-14), "c", 1.7e308, datetime(2026-03-15), "c", -1.7e308,
                datetime(0001-01-01), "d", 1.0, datetime(9999-12-31), "d", 5e-324]
            """
        for shape in [
            "", "| project Value, Other = Value", "| project Site, Value", "| project When, Value = Value * 0",
        ] {
            let drawn = try await Self.panel("\(query)\n\(shape)", ["visualization": .string(name)])
            let isDrawn = ["<svg", "hbars", "There is nothing to draw"].contains { drawn.contains($0) }
            #expect(
                isDrawn && !drawn.contains("text error") && !drawn.contains("=\"nan") && !drawn.contains(",nan"),
                "\(shape)")
        }
    }

    @Test func seriesThatAreLeftOutAreCounted() async throws {
        let query =
            "range i from 1 to 40 step 1 | project When = datetime(2026-03-14) + i % 3 * 1h, Name = strcat('s', i), i"
        let drawn = try await Self.panel(query, ["visualization": "linechart"])
        #expect(drawn.contains("The 24 largest of 40 series."))
        let bars = try await Self.panel(
            "range i from 1 to 40 step 1 | project N = tostring(i), i", ["visualization": "barchart"])
        #expect(bars.contains("The first 20 of 40 bars."))
        let tiles = try await Self.panel(
            "range i from 1 to 140 step 1",
            ["visualization": "tiles", "tileSettings": ["leftContent": ["columnMatch": "i", "formatter": 12]]])
        #expect(tiles.contains("The first 100 of 140 tiles."))
    }

    @Test func everyNameMeansOneKind() {
        let names = ChartKind.allCases.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for kind in ChartKind.allCases {
            for name in kind.names { #expect(ChartKind(named: name.uppercased()) == kind) }
            #expect((kind.drawing == nil) == (kind.shape == .elsewhere), "\(kind)")
        }
        #expect(ChartKind(named: "") == nil && ChartKind(named: "pie") == nil)
        #expect(ChartKind.renderNames.contains("timechart") && !ChartKind.renderNames.contains("tiles"))
    }

    /// One panel over no tables, as it stands on the page.
    static func panel(_ query: String, _ settings: JSON) async throws -> String {
        var content = settings.members ?? JSON.Members()
        content["query"] = .string(query)
        let workbook: JSON = [
            "version": "Notebook/1.0", "items": [["type": 3, "name": "panel", "content": .object(content)]],
        ]
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let document = WorkbookDocument(try WorkbookFixture.file(workbook.text, in: folder))
        let run = WorkbookRun(provider: MemoryTables(), now: FixtureWorkspace.now)
        let page = PageRenderer(documents: [document]).page(await run.resolve(document, asked: [:])).text
        let start = try #require(page.firstRange(of: "<main>"))
        let end = try #require(page.firstRange(of: "</main>"))
        return page[start.lowerBound..<end.upperBound] + "\n"
    }
}

/// Grids, tiles and cards.
@Suite struct CellTests {
    @Test(arguments: CellFormatter.allCases) func everyColumnRenderer(_ formatter: CellFormatter) async throws {
        let query = """
            datatable(Name: string, Value: real, Spark: dynamic, Good: long, Bad: long) [
                "success", 0.0, dynamic([1, 5, 2, 8]), 3, 1, "<b>error</b>", 45.5, dynamic([3, -1, 2]), 0, 0,
                "/workbooks/w?x=1", -2.25, dynamic(null), 1, 9, "javascript:alert(1)", real(nan), dynamic(["x"]), 0, 2]
            """
        let options: JSON = [
            "palette": "greenRed", "thresholdsOptions": "colors",
            "thresholdsGrid": [
                ["operator": ">", "thresholdValue": "40", "representation": "redBright", "text": "<i>{0}</i>"],
                ["operator": "regex", "thresholdValue": "^s.c+ess$", "representation": "green", "text": "{0}{1}"],
                ["operator": "Default", "thresholdValue": .null, "representation": "gray", "text": "{0}"],
            ],
            "compositeBarSettings": [
                "labelText": "[\"Good\"] of <all>",
                "columnSettings": [
                    ["columnName": "Good", "color": "green"], ["columnName": "Bad", "color": "redBright"],
                ],
            ],
        ]
        let formatters: [JSON] = ["Name", "Value", "Spark"].map { column in
            [
                "columnMatch": .string(column), "formatter": .integer(Int64(formatter.rawValue)),
                "formatOptions": options,
            ]
        }
        let drawn = try await DrawingTests.panel(query, ["gridSettings": ["formatters": .array(formatters)]])
        #expect(!drawn.contains("<b>error") && !drawn.contains("<i>45") && !drawn.contains("href=\"javascript"))
        let number = formatter.rawValue < 10 ? "0\(formatter.rawValue)" : "\(formatter.rawValue)"
        Golden.expect(drawn, equals: "Tests/WorkbooksTests/Golden/cells-\(number)-\(formatter).html")
    }

    @Test func portalNamesAreDistinct() {
        #expect(Set(CellFormatter.allCases.map(\.portalName)).count == CellFormatter.allCases.count)
    }

    @Test func aRendererThatNobodyKnowsIsTold() async throws {
        let drawn = try await DrawingTests.panel(
            "print DeviceName = 'x'",
            ["gridSettings": ["formatters": [["columnMatch": "DeviceName", "formatter": 99]]]])
        #expect(drawn.contains("Device name is shown as text: there is no column renderer 99."))
    }

    /// Patterns come with a workbook: they are RE2's, which takes linear time whatever they are.
    @Test func patternsMatchWholeNamesInLinearTime() {
        func formatter(_ match: String) -> ColumnFormatter { ColumnFormatter(["columnMatch": .string(match)]) }
        #expect(formatter("Sensor.*|Tamper.*").matches("SensorEnabled"))
        #expect(!formatter("Sensor.*|Tamper").matches("TamperProtection"))
        #expect(formatter("Value [0-9]+").matches("Value 12") && !formatter("Value [0-9]+").matches("Value x"))
        #expect(formatter("\\d").matches("7") && formatter("ab?").matches("a"))
        #expect(!formatter("(").matches("x") && formatter("(").matches("("))
        let hostile = formatter("(a+)+$")
        let clock = ContinuousClock()
        let took = clock.measure { #expect(!hostile.matches(String(repeating: "a", count: 5_000) + "b")) }
        #expect(took < .seconds(1))
    }

    @Test func timesSayTheirZoneAndDaysHaveNone() async throws {
        let drawn = try await DrawingTests.panel(
            "datatable(Seen: datetime, Day: datetime) [datetime(2026-03-14 09:30), datetime(2026-03-14), datetime(2026-03-13), datetime(2026-03-13)]",
            [:])
        #expect(drawn.contains("Seen<small> UTC</small>") && drawn.contains("<td>2026-03-13 00:00</td>"))
        #expect(drawn.contains(">Day</th>") && drawn.contains("<td>2026-03-13</td>"))
    }

    @Test func cutTablesAndEmptyAnswersSaySo() async throws {
        let cut = try await DrawingTests.panel(
            "range i from 1 to 20 step 1", ["gridSettings": ["rowLimit": 5, "filter": true]])
        #expect(cut.contains("The first 5 of 20 rows.") && cut.contains("class=\"filter\""))
        let page = try await DrawingTests.panel(
            "print x = 1 | where x == 2", ["title": "None", "noDataMessage": "No <device> is here."])
        Golden.expect(page, equals: "Tests/WorkbooksTests/Golden/panel-empty.html")
    }

    @Test func aQueryThatFailsSaysWhereAndWhy() async throws {
        let page = try await DrawingTests.panel("Nothing<b>\n| take 1", ["title": "Fails"])
        Golden.expect(page, equals: "Tests/WorkbooksTests/Golden/panel-failed.html")
    }

    @Test func tilesAndCards() async throws {
        let tiles = try await DrawingTests.panel(
            """
            datatable(Title: string, Value: long, Note: string, Trend: dynamic) [
                "Bad", 120345, "of <all>", dynamic([1, 2, 3]), "Good", 0, "none", dynamic(null)]
            """,
            [
                "visualization": "tiles",
                "tileSettings": [
                    "titleContent": ["columnMatch": "Title", "formatter": 1],
                    "subtitleContent": ["columnMatch": "Note", "formatter": 1],
                    "leftContent": [
                        "columnMatch": "Value", "formatter": 18, "numberFormat": ["unit": 17],
                        "formatOptions": [
                            "thresholdsGrid": [
                                ["operator": ">", "thresholdValue": 0, "representation": "redBright"],
                                ["operator": "Default", "representation": "green"],
                            ]
                        ],
                    ],
                    "secondaryContent": ["columnMatch": "Trend", "formatter": 21],
                ],
            ])
        Golden.expect(tiles, equals: "Tests/WorkbooksTests/Golden/chart-tiles.html")
        let card = try await DrawingTests.panel("print strcat('**', 7, '** <b>')", ["visualization": "card"])
        Golden.expect(card, equals: "Tests/WorkbooksTests/Golden/chart-card.html")
        let markdown = try await DrawingTests.panel(
            "print '# A <b>\\r\\n\\r\\n- *x*\\r\\n---\\r\\n[l](https://a.example/?q=\"x) [m](javascript:1)<br>end'",
            ["visualization": "card", "textSettings": ["style": "markdown"]])
        Golden.expect(markdown, equals: "Tests/WorkbooksTests/Golden/chart-card-markdown.html")
    }
}
