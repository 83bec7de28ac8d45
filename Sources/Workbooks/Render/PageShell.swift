/// The frame of every page.
package struct PageShell: Sendable {
    private let navigation: [(id: String, title: String)]

    /// Pages that need a parameter which only a link gives are not in the navigation.
    package init(documents: [WorkbookDocument]) {
        navigation = documents.filter { !$0.role.isDetail }.map { ($0.id, $0.title) }
    }

    /// A page with a body of the caller's own.
    package func page(title: String, current: String?, body: Markup) -> HTMLPage {
        let document = Markup(.html, [.lang: "en"]) {
            Markup.newline
            Markup(.head) {
                Markup.newline
                Markup(empty: .meta, [.charset: "utf-8"])
                Markup.newline
                Markup(empty: .meta, [.name: "viewport", .content: "width=device-width, initial-scale=1"])
                Markup.newline
                Markup(.title) { "\(title) · Vestige" }
                Markup.newline
                Markup(.styleSheet)
                Markup.newline
                Markup(.theme)
                Markup.newline
            }
            Markup.newline
            Markup(.body) {
                Markup.newline
                header(current)
                Markup.newline
                body
                Markup.newline
                Markup(.script)
                Markup.newline
            }
            Markup.newline
        }
        return HTMLPage(document)
    }

    /// A page that says that there is no such page.
    package func missing(_ what: String) -> HTMLPage {
        let body = Markup(.main) { Markup(.div, [.class: "text error"]) { Markup(.p) { what } } }
        return page(title: "Not found", current: nil, body: body)
    }

    private func header(_ current: String?) -> Markup {
        Markup(.header) {
            Markup(link: .home, [.class: "brand"]) { "Vestige" }
            Markup(.nav) {
                for (id, title) in navigation {
                    Markup(link: WorkbookAddress.make(id, [:]), [.ariaCurrent: id == current ? "page" : nil]) { title }
                }
            }
            if let account = PageAccount.current { account.markup }
            Markup(.button, [.id: "theme", .type: "button", .ariaLabel: "Light or dark"]) { "◐" }
        }
    }
}
