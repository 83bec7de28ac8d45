import KQLEngine
import Tables

/// A query's rows as cards, and single figures.
struct TileRenderer {
    let settings: Bag

    func html(_ table: ResultTable) throws -> String {
        let cards = try table.rows().prefix(100).map { row in card(row, table.schema) }
        return "<div class=\"tiles\">\(cards.joined())</div>"
    }

    private func slot(_ name: String) -> ColumnFormatter? { settings[name]?.bagValue.map { ColumnFormatter($0) } }

    private func card(_ row: [Value], _ schema: Schema) -> String {
        var tone = ""
        var out = ""
        for (name, style) in [
            ("titleContent", "title"), ("subtitleContent", "subtitle"), ("leftContent", "figure"),
            ("rightContent", "side"), ("secondaryContent", "bottom"),
        ] {
            guard let f = slot(name), let c = schema.index(of: f.match) else { continue }
            let value = row[c]
            if f.kind == 18 || f.options["thresholdsGrid"] != nil {
                let rule = f.options["thresholdsGrid"]?.arrayValue?.compactMap(\.bagValue).first {
                    GridRenderer.meets($0, value)
                }
                tone = rule.map { Palette.tone($0["representation"]?.text ?? "") } ?? tone
            } else if f.kind == 12, let palette = f.options["palette"]?.stringValue, palette != "auto",
                palette != "none"
            {
                tone = Palette.tone(palette)
            }
            if [9, 10, 21].contains(f.kind) {
                out +=
                    "<div class=\"\(style)\">\(ChartRenderer.spark((value.arrayValue ?? []).compactMap(\.doubleValue), isArea: true))</div>"
                continue
            }
            let text = value.doubleValue.map { NumberText.format($0, f.numberFormat) } ?? NumberText.cell(value)
            let isWords = style == "figure" && text.count > 8
            out += "<div class=\"\(style)\(isWords ? " words" : "")\">\(Markup.escape(text))</div>"
        }
        return "<div class=\"tile \(tone)\">\(out)</div>"
    }

    /// The first cell as a large figure or as text.
    static func card(_ table: ResultTable, _ settings: Bag) throws -> String {
        guard table.count > 0, let value = try table.batch.row(0).first else { return "" }
        if settings["style"]?.stringValue == "markdown" {
            return "<div class=\"text\">\(Markdown.html(value.text))</div>"
        }
        return "<div class=\"big\">\(Markup.escape(NumberText.cell(value)))</div>"
    }
}
