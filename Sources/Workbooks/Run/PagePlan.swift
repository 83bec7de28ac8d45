/// What a page shows, before its panels are answered.
///
/// Parameters are set first, from the top down; then each item is looked at once, and what is visible becomes part of
/// the page.
struct PagePlan {
    private let document: WorkbookDocument
    private let asked: [String: [String]]
    private let resolve: (WorkbookParameter, ParameterValues) -> ResolvedParameter
    private(set) var values = ParameterValues()
    private var parameters: [String: ResolvedParameter] = [:]

    /// - Parameter resolve: finds a parameter's choices and value, given those before it.
    init(
        document: WorkbookDocument, asked: [String: [String]],
        resolve: @escaping (WorkbookParameter, ParameterValues) -> ResolvedParameter
    ) {
        self.document = document
        self.asked = asked
        self.resolve = resolve
    }

    /// The visible items.
    mutating func items() -> [ResolvedItem] {
        declare(document.items)
        return visible(document.items, at: [])
    }

    /// Sets parameters in the order they are declared; tabs set theirs to the first tab when nobody chose one.
    private mutating func declare(_ items: [WorkbookItem]) {
        for item in items where isVisible(item) {
            switch item.kind {
            case .parameters(let list):
                for parameter in list {
                    let resolved = resolve(parameter, values)
                    parameters[parameter.name] = resolved
                    values.set(parameter.name, resolved.value, parameter)
                }
            case .links(let links, _):
                for link in links where link.setsParameter && values[link.cellValue] == nil {
                    let chosen = asked[link.cellValue]?.first
                    let known = links.first { $0.cellValue == link.cellValue && $0.subTarget == chosen } ?? link
                    let value = ParameterValue(
                        content: .texts([known.subTarget], isAll: false), label: known.label)
                    values.set(link.cellValue, value, nil)
                }
            case .group(let inner, _): declare(inner)
            case .text, .query, .unsupported: break
            }
        }
    }

    private func isVisible(_ item: WorkbookItem) -> Bool { item.conditions.allSatisfy(values.holds) }

    private func visible(_ items: [WorkbookItem], at path: [Int]) -> [ResolvedItem] {
        items.enumerated().filter { isVisible($0.element) }.map { place, item in
            ResolvedItem(name: item.name, width: item.width, kind: resolved(item, at: path + [place]))
        }
    }

    private func resolved(_ item: WorkbookItem, at path: [Int]) -> ResolvedItem.Kind {
        switch item.kind {
        case .text(let markdown, let style):
            return .text(markdown: values.substitute(markdown, .text), style: style)
        case .parameters(let list): return .parameters(list.compactMap { parameters[$0.name] })
        case .links(let links, let isTabs): return .links(links.map(resolved), isTabs: isTabs)
        case .query(let query):
            return .panel(
                Panel(
                    id: PanelID(path: path), query: query, title: values.substitute(query.title, .text),
                    text: values.substitute(query.text, .query), range: values.range(query.timeRange)))
        case .group(let inner, let title):
            return .group(visible(inner, at: path), title: title.map { values.substitute($0, .text) })
        case .unsupported(let reason): return .note(reason)
        }
    }

    private func resolved(_ link: WorkbookLink) -> ResolvedLink {
        guard link.setsParameter else {
            return ResolvedLink(
                label: link.label, address: Link(untrusted: values.substitute(link.cellValue, .text)), isCurrent: false)
        }
        return ResolvedLink(
            label: link.label,
            address: WorkbookAddress.make(document.id, asked, setting: link.cellValue, to: link.subTarget),
            isCurrent: values[link.cellValue]?.plain == link.subTarget)
    }
}
