/// The frame of every page.
package struct PageShell: Sendable {
    private let navigation: [(id: String, title: String)]

    /// Pages that need a parameter which only a link gives are not in the navigation.
    package init(documents: [WorkbookDocument]) {
        navigation = documents.filter { !$0.role.isDetail }.map { ($0.id, $0.title) }
    }

    /// What the navigation calls the pages of investigations.
    private static let investigations = "investigations"

    /// A page of investigations.
    package func investigation(title: String, body: Markup) -> HTMLPage {
        page(title: title, current: Self.investigations, body: body, styles: [.investigation])
    }

    /// A page with a body of the caller's own.
    package func page(title: String, current: String?, body: Markup) -> HTMLPage {
        page(title: title, current: current, body: body, styles: [])
    }

    private func page(title: String, current: String?, body: Markup, styles: [PageAsset]) -> HTMLPage {
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
                for style in styles {
                    Markup(style)
                    Markup.newline
                }
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
                // The frame of the page to sign in on leads nowhere.
                if !navigation.isEmpty {
                    let isCurrent = current == Self.investigations
                    Markup(link: Link(path: [Self.investigations]), [.ariaCurrent: isCurrent ? "page" : nil]) {
                        "Investigations"
                    }
                }
            }
            if let account = PageAccount.current { account.markup }
            Markup(.button, [.id: "theme", .type: "button", .ariaLabel: "Light or dark"]) { "◐" }
        }
    }
}
