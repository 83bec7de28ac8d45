import KQL
import KQLEngine
import Tables

/// A resolved workbook as one HTML page.
package struct PageRenderer: Sendable {
    private let shell: PageShell
    private let workbooks: WorkbookDirectory

    /// A renderer for the pages of one site.
    ///
    /// - Parameter documents: all workbooks: those of the navigation, and those that links may lead to.
    package init(documents: [WorkbookDocument]) {
        shell = PageShell(documents: documents)
        workbooks = WorkbookDirectory(documents)
    }

    /// The whole page, from the document type to its last line.
    package func page(_ workbook: ResolvedWorkbook) -> HTMLPage {
        let body = Markup(.main) { items(workbook.items, workbook) }
        return shell.page(title: workbook.document.title, current: workbook.document.id, body: body)
    }

    private func items(_ items: [ResolvedItem], _ workbook: ResolvedWorkbook) -> Markup {
        Markup(.div, [.class: "row"]) {
            for item in items {
                Markup.newline
                Markup(.section, [.class: "item w\(min(max(item.width, 1), 100))"]) { self.item(item, workbook) }
            }
            Markup.newline
        }
    }

    private func item(_ item: ResolvedItem, _ workbook: ResolvedWorkbook) -> Markup {
        switch item.kind {
        case .text(let markdown, let style):
            Markup(.div, [.class: "text \(style.rawValue)"]) { Markdown.markup(markdown) }
        case .parameters(let list): ParameterForm(list, workbook.asked).markup()
        case .links(let links, let isTabs): self.links(links, isTabs)
        case .group(let inner, let title):
            (title.map { title in Markup(.h3) { title } } ?? Markup()) + items(inner, workbook)
        case .note(let text): Markup(.div, [.class: "text info"]) { text }
        case .panel(let panel): self.panel(panel, workbook.answer(to: panel), width: item.width)
        }
    }

    private func links(_ links: [ResolvedLink], _ isTabs: Bool) -> Markup {
        Markup(.div, [.class: isTabs ? "tabs" : "links"]) {
            for link in links {
                if let address = link.address {
                    Markup(link: address, [.ariaCurrent: link.isCurrent ? "true" : nil]) { link.label }
                }
            }
        }
    }

    // MARK: Panels

    private func panel(_ panel: Panel, _ answer: ResolvedWorkbook.Answer, width: Int) -> Markup {
        var caption = panel.title
        let content: Markup
        let visualization = panel.query.visualization
        var kind = visualization.flatMap { ChartKind(named: $0) }
        switch answer {
        case .failure(let error): content = Self.error(Self.explain(error))
        case .success(let result):
            caption = caption.replacing("{$rowCount}", with: String(result.primary.count))
            kind = (visualization ?? result.render?.kind).flatMap { ChartKind(named: $0) }
            if result.primary.count == 0 {
                content = Markup(.p, [.class: "empty"]) {
                    panel.query.noDataMessage ?? "The query returned no results."
                }
            } else {
                content = drawing(panel, result, title: caption, width: width)
            }
        }
        return Markup(.div, [.class: kind?.isBare == true ? "panel bare" : "panel"]) {
            if !caption.isEmpty { Markup(.h3) { caption } }
            content
            Markup(.details, [.class: "kql"]) {
                Markup(.summary) { "KQL" }
                Markup(.pre) { panel.text }
            }
        }
    }

    private static func error(_ text: String) -> Markup { Markup(.div, [.class: "text error"]) { text } }

    private static func explain(_ error: QueryError) -> String {
        guard case .invalid(let diagnostic, let query) = error else { return error.message }
        let (line, column) = diagnostic.position(in: query)
        return "\(diagnostic.message) (line \(line), column \(column))"
    }

    /// The rows as the author or the query wants them. What is not drawn here is shown as a table, and told.
    private func drawing(_ panel: Panel, _ result: QueryResult, title: String, width: Int) -> Markup {
        let name = panel.query.visualization ?? result.render?.kind
        let rows = DrawnRows(
            table: result.primary, query: panel.query, chart: panel.query.chart.completed(with: result.render),
            title: title, width: width, workbooks: workbooks)
        do {
            guard let name else { return try GridRenderer(rows).markup() }
            guard let kind = ChartKind(named: name) else {
                return try instead(of: "There is no chart called \(name)", rows)
            }
            guard let drawing = kind.drawing else {
                return try instead(of: "Only the Azure portal draws \(name)", rows)
            }
            let drawn = try drawing(rows)
            return drawn.isEmpty ? try instead(of: "There is nothing to draw in these rows", rows) : drawn
        } catch {
            return Self.error((error as? QueryError).map(Self.explain) ?? "\(error)")
        }
    }

    private func instead(of reason: String, _ rows: DrawnRows) throws -> Markup {
        Markup(.p, [.class: "instead"]) { "\(reason); the rows are shown as a table." }
            + (try GridRenderer(rows).markup())
    }
}
