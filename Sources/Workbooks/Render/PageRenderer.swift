import KQL
import KQLEngine
import Tables

/// A resolved workbook as one HTML page.
package struct PageRenderer: Sendable {
    /// Other workbooks, for the page's navigation.
    private let navigation: [(id: String, title: String)]

    package init(navigation: [(id: String, title: String)]) { self.navigation = navigation }

    package func page(_ workbook: ResolvedWorkbook) -> String {
        Self.shell(
            title: workbook.document.title, navigation: navigation, current: workbook.document.id,
            body: "<main>\(items(workbook.items, workbook))</main>")
    }

    /// The frame of every page.
    package static func shell(title: String, navigation: [(id: String, title: String)], current: String?, body: String)
        -> String
    {
        let links = navigation.map {
            "<a href=\"/workbooks/\(WorkbookAddress.escape($0.id))\"\($0.id == current ? " aria-current=\"page\"" : "")>\(Markup.escape($0.title))</a>"
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Markup.escape(title)) · Vestige</title>
            <style>\(String(decoding: PackageResources.workbook_css, as: UTF8.self))</style>
            <script>\(String(decoding: PackageResources.theme_js, as: UTF8.self))</script>
            </head>
            <body>
            <header><a class="brand" href="/">Vestige</a><nav>\(links.joined())</nav><button id="theme" type="button" aria-label="Light or dark">◐</button></header>
            \(body)
            <script>\(String(decoding: PackageResources.workbook_js, as: UTF8.self))</script>
            </body>
            </html>

            """
    }

    private func items(_ items: [ResolvedItem], _ workbook: ResolvedWorkbook) -> String {
        "<div class=\"row\">"
            + items.map { "<section class=\"item\" style=\"--w:\($0.width)%\">\(item($0, workbook))</section>" }
            .joined() + "</div>"
    }

    private func item(_ item: ResolvedItem, _ workbook: ResolvedWorkbook) -> String {
        switch item.kind {
        case .text(let markdown, let style):
            return "<div class=\"text \(Markup.escape(style))\">\(Markdown.html(markdown))</div>"
        case .parameters(let list, _): return parameters(list, workbook)
        case .links(let links, let style): return self.links(links, style)
        case .group(let inner, let title):
            return (title.map { "<h3>\(Markup.escape($0))</h3>" } ?? "") + items(inner, workbook)
        case .note(let text): return "<div class=\"text info\">\(Markup.escape(text))</div>"
        case .query(let query, let title, let text, let answer): return panel(query, title, text, answer)
        }
    }

    private func links(_ links: [ResolvedLink], _ style: String) -> String {
        let list = links.filter { Markup.isSafe(address: $0.address) }.map {
            "<a href=\"\(Markup.escape($0.address))\"\($0.isCurrent ? " aria-current=\"true\"" : "")>\(Markup.escape($0.label))</a>"
        }
        return "<div class=\"\(style == "tabs" ? "tabs" : "links")\">\(list.joined())</div>"
    }

    private func parameters(_ list: [ResolvedParameter], _ workbook: ResolvedWorkbook) -> String {
        let shown = list.filter { !$0.parameter.isHidden }
        guard !shown.isEmpty else { return "" }
        var out = "<form class=\"parameters\" method=\"get\">"
        let own = Set(shown.map(\.parameter.name))
        for (name, values) in workbook.asked.sorted(by: { $0.key < $1.key }) where !own.contains(name) {
            for value in values {
                out += "<input type=\"hidden\" name=\"\(Markup.escape(name))\" value=\"\(Markup.escape(value))\">"
            }
        }
        for p in shown {
            let name = Markup.escape(p.parameter.name)
            out +=
                "<label title=\"\(Markup.escape(p.problem ?? p.parameter.description))\"><span>\(Markup.escape(p.parameter.label))</span>"
            switch p.parameter.control {
            case .text: out += "<input name=\"\(name)\" value=\"\(Markup.escape(p.value.label))\">"
            case .fixed: out += "<b>\(Markup.escape(p.value.label))</b>"
            default:
                out += "<select name=\"\(name)\">"
                if !p.choices.contains(where: \.isSelected) { out += "<option value=\"\" selected></option>" }
                // A list of several chosen values shows as one entry: the page sets one at a time.
                for choice in p.choices {
                    out +=
                        "<option value=\"\(Markup.escape(choice.value))\"\(choice.isSelected ? " selected" : "")>\(Markup.escape(choice.label))</option>"
                }
                out += "</select>"
            }
            out += "</label>"
        }
        return out + "<noscript><button>Apply</button></noscript></form>"
    }

    private func panel(
        _ query: WorkbookQuery, _ title: String, _ text: String, _ answer: Result<QueryResult, QueryError>
    ) -> String {
        let content: String
        var caption = title
        switch answer {
        case .failure(let error): content = "<div class=\"text error\">\(Markup.escape(Self.explain(error)))</div>"
        case .success(let result):
            caption = caption.replacing("{$rowCount}", with: String(result.primary.count))
            if result.primary.count == 0 {
                content =
                    "<p class=\"empty\">\(Markup.escape(query.noDataMessage ?? "The query returned no results."))</p>"
            } else {
                do { content = try draw(query, result) } catch {
                    content = "<div class=\"text error\">\(Markup.escape("\(error)"))</div>"
                }
            }
        }
        let head = caption.isEmpty ? "" : "<h3>\(Markup.escape(caption))</h3>"
        let isBare = query.visualization == "tiles" || query.visualization == "card"
        return
            "<div class=\"panel\(isBare ? " bare" : "")\">\(head)\(content)<details class=\"kql\"><summary>KQL</summary><pre>\(Markup.escape(text))</pre></details></div>"
    }

    private static func explain(_ error: QueryError) -> String {
        if case .invalid(let diagnostic, let query) = error {
            let (line, column) = diagnostic.position(in: query)
            return "\(diagnostic.message) (line \(line), column \(column))"
        }
        return error.message
    }

    private func draw(_ query: WorkbookQuery, _ result: QueryResult) throws -> String {
        let table = result.primary
        let kind = query.visualization.isEmpty ? result.render?.kind ?? "table" : query.visualization
        let heights: [Int: Double] = [0: 260, 1: 180, 2: 380, 3: 420, 4: 130]
        let height = heights[query.size] ?? 260
        func chart() throws -> ChartRenderer { try ChartRenderer(table, settings: query.chart, height: height) }
        switch kind {
        case "tiles": return try TileRenderer(settings: query.tiles).html(table)
        case "card", "stat": return try TileRenderer.card(table, query.card)
        case "piechart": return try chart().donut()
        case "timechart", "linechart", "scatterchart": return try chart().lines(isArea: false)
        case "areachart": return try chart().lines(isArea: true)
        case "barchart":
            let drawn = try chart()
            return drawn.data.isTime ? drawn.bars(isStacked: true) : drawn.categories()
        case "unstackedbar": return try chart().bars(isStacked: false)
        case "categoricalbar", "columnchart": return try chart().bars(isStacked: true)
        default: return try GridRenderer(settings: query.grid, query: query).html(table)
        }
    }
}
