/// The frame of a page that stands by itself: it needs nothing but its own file, and prints.
package enum ReportShell {
    /// - Parameter title: for the window and the printed page.
    package static func page(title: String, body: Markup) -> HTMLPage {
        HTMLPage(
            Markup(.html, [.lang: "en"]) {
                Markup(.head) {
                    Markup(empty: .meta, [.charset: "utf-8"])
                    Markup(empty: .meta, [.name: "viewport", .content: "width=device-width, initial-scale=1"])
                    Markup(.title) { title }
                    Markup(.report)
                    Markup(.investigation)
                }
                Markup.newline
                Markup(.body) { body }
            })
    }
}
