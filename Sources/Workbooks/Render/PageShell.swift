/// The frame of every page.
package struct PageShell: Sendable {
    private let navigation: [(id: String, title: String)]

    /// Pages that need a parameter which only a link gives are not in the navigation.
    package init(documents: [WorkbookDocument]) {
        navigation = documents.filter { !$0.role.isDetail }.map { ($0.id, $0.title) }
    }

    /// A page with a body of the caller's own.
    func page(title: String, current: String?, body: Markup) -> String {
        let document = Markup("html", ["lang": "en"]) {
            Markup.newline
            Markup("head") {
                Markup.newline
                Markup(empty: "meta", ["charset": "utf-8"])
                Markup.newline
                Markup(empty: "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                Markup.newline
                Markup("title") { "\(title) · Vestige" }
                Markup.newline
                Markup("style") { Markup(asset: PackageResources.workbook_css) }
                Markup.newline
                Markup("script") { Markup(asset: PackageResources.theme_js) }
                Markup.newline
            }
            Markup.newline
            Markup("body") {
                Markup.newline
                header(current)
                Markup.newline
                body
                Markup.newline
                Markup("script") { Markup(asset: PackageResources.workbook_js) }
                Markup.newline
            }
            Markup.newline
        }
        return (Markup.documentType + document + Markup.newline).source
    }

    /// A page that says that there is no such page.
    package func missing(_ what: String) -> String {
        let body = Markup("main") { Markup("div", ["class": "text error"]) { Markup("p") { what } } }
        return page(title: "Not found", current: nil, body: body)
    }

    private func header(_ current: String?) -> Markup {
        Markup("header") {
            Markup("a", ["class": "brand", "href": "/"]) { "Vestige" }
            Markup("nav") {
                for (id, title) in navigation {
                    let address = "/workbooks/\(WorkbookAddress.escape(id))"
                    Markup("a", ["href": address, "aria-current": id == current ? "page" : nil]) { title }
                }
            }
            if let account = PageAccount.current { account.markup }
            Markup("button", ["id": "theme", "type": "button", "aria-label": "Light or dark"]) { "◐" }
        }
    }
}
