import KQLEngine
import Tables

/// A query's rows as tiles.
struct TileRenderer {
    private let rows: DrawnRows
    /// Azure draws no more: https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-tile-visualizations.
    private static let tilesMax = 100
    /// A figure of more letters is set smaller.
    private static let figureLettersMax = 8

    init(_ rows: DrawnRows) { self.rows = rows }

    func markup() throws -> Markup {
        let all = try rows.table.rows()
        let tiles = all.prefix(Self.tilesMax).map { Markup.newline + tile($0) }
        let note =
            all.count > tiles.count
            ? Markup(.p, [.class: "cut"]) { "The first \(tiles.count) of \(all.count) tiles." } : Markup()
        return Markup(.div, [.class: "tiles"]) { tiles } + note
    }

    private func tile(_ row: [Value]) -> Markup {
        var tone = Tone?.none
        var parts = Markup()
        for (place, content) in rows.query.tiles.slots {
            guard let c = rows.table.schema.index(of: content.match) else { continue }
            let value = row[c]
            tone = self.tone(content, value) ?? tone
            if let style = content.kind?.sparkline {
                parts += Markup(.div, [.class: place.style]) { Sparkline(style, value).markup() }
                continue
            }
            let text = value.boolValue == nil ? value.doubleValue.map { NumberText.format($0, content.format) } : nil
            let shown = text ?? NumberText.cell(value)
            let isWords = place == .left && shown.count > Self.figureLettersMax
            parts += Markup(.div, [.class: place.style + (isWords ? " words" : "")]) { shown }
        }
        return Markup(.div, [.class: tone.map { "tile \($0.rawValue)" } ?? "tile"]) { parts }
    }

    /// What a part's rules or its palette say of a tile; nil when they say nothing.
    private func tone(_ content: ColumnFormatter, _ value: Value) -> Tone? {
        if content.kind == .thresholds || !content.thresholds.isEmpty {
            let rule = content.thresholds.first { $0.holds(for: value) }
            return rule.map { NamedColor(named: $0.representation)?.tone ?? .none }
        }
        guard content.kind == .bigNumber, case .one(let color)? = content.palette else { return nil }
        return color.tone
    }
}

extension TileSettings.Place {
    /// The class of the style sheet.
    fileprivate var style: String {
        switch self {
        case .title: "title"
        case .subtitle: "subtitle"
        case .left: "figure"
        case .right: "side"
        case .bottom: "bottom"
        }
    }
}

/// The first cell as a large figure or as text.
enum CardRenderer {
    static func markup(_ rows: DrawnRows) throws -> Markup {
        guard rows.table.count > 0, let value = try rows.table.batch.row(0).first else { return Markup() }
        if rows.query.card.isMarkdown { return Markup(.div, [.class: "text"]) { Markdown.markup(value.text) } }
        return Markup(.div, [.class: "big"]) { NumberText.cell(value) }
    }
}
