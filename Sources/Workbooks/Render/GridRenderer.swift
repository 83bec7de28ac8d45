import KQLEngine
import Tables

/// A query's rows as an HTML table with the workbook's column formatters.
struct GridRenderer {
    private let settings: GridSettings
    private let workbooks: WorkbookDirectory
    private let schema: Schema
    private let cells: [Column]
    private let rowCount: Int
    private let columns: [GridColumn]

    init(_ rows: DrawnRows) throws {
        settings = rows.query.grid
        workbooks = rows.workbooks
        let schema = rows.table.schema
        self.schema = schema
        let cells = try schema.columns.indices.map { try rows.table.batch.column($0) }
        self.cells = cells
        rowCount = rows.table.count
        let settings = settings
        columns = schema.columns.indices.compactMap { place in
            let formatter = settings.formatters.first { $0.matches(schema[place].name) }
            if formatter?.kind == .hidden { return nil }
            return GridColumn(place, formatter, settings.labels[schema[place].name], schema, cells)
        }
    }

    func markup() -> Markup {
        let rows = order()
        let shown = rows.prefix(settings.rowLimit)
        return filter
            + Markup(.div, [.class: "scroll"]) {
                Markup(.table, [.class: "grid"]) {
                    Markup(.thead) { Markup(.tr) { columns.map(\.heading) } }
                    Markup(.tbody) {
                        for row in shown {
                            Markup.newline
                            Markup(.tr) { for column in columns { cell(column, row) } }
                        }
                        Markup.newline
                    }
                }
            } + notes(shown: shown.count)
    }

    private var filter: Markup {
        guard settings.hasFilter else { return Markup() }
        return Markup(
            empty: .input,
            [.class: "filter", .type: "search", .placeholder: "Filter rows", .ariaLabel: "Filter rows"])
    }

    /// What a reader would not know from the table alone.
    private func notes(shown: Int) -> Markup {
        var notes: [String] = []
        if rowCount > shown { notes.append("The first \(shown) of \(NumberText.grouped(Int64(rowCount))) rows.") }
        for column in columns {
            guard let formatter = column.formatter, formatter.kind == nil else { continue }
            notes.append("\(column.label) is shown as text: there is no column renderer \(formatter.number).")
        }
        return notes.map { note in Markup(.p, [.class: "cut"]) { note } }.joined()
    }

    /// `SignatureAgeDays` as `Signature age days`.
    static func spaced(_ name: String) -> String {
        var out = ""
        var previous: Character = " "
        for c in name {
            if c == "_" {
                out += " "
            } else if c.isUppercase, previous.isLowercase {
                out += " " + c.lowercased()
            } else {
                out.append(c)
            }
            previous = c
        }
        return out
    }

    // MARK: Order

    private func order() -> [Int] {
        var rows = Array(0..<rowCount)
        for key in settings.sort.reversed() {
            guard let c = schema.index(of: key.column) else { continue }
            let values = rows.map { cells[c][$0] }
            let order = rows.indices.sorted { a, b in
                let isLess = Self.less(values[a], values[b])
                let isMore = Self.less(values[b], values[a])
                return isLess == isMore ? a < b : key.isAscending ? isLess : isMore
            }
            rows = order.map { rows[$0] }
        }
        return rows
    }

    private static func less(_ a: Value, _ b: Value) -> Bool {
        if let x = a.doubleValue, let y = b.doubleValue { return x < y }
        if case .datetime(let x) = a, case .datetime(let y) = b { return x < y }
        return a.text < b.text
    }

    // MARK: Cells

    private func cell(_ column: GridColumn, _ row: Int) -> Markup {
        let value = cells[column.place][row]
        let shown = column.text(value)
        let plain = Markup(.td, [.class: column.isNumeric ? "num" : nil]) { shown }
        guard let formatter = column.formatter, let kind = formatter.kind else { return plain }
        switch kind {
        case .thresholds: return threshold(formatter, value, shown)
        case .heatmap, .unnamedHeatmap:
            guard let fraction = column.fraction(value) else { return plain }
            let isNothing = value.doubleValue == 0 && column.startsAtZero
            let fill = isNothing ? "" : " " + (formatter.palette ?? .usual).heat(fraction)
            return Markup(.td, [.class: "heat" + fill]) { Markup(.span) { shown } }
        case .bar, .barUnderneath:
            guard let fraction = column.fraction(value) else { return plain }
            let color = (formatter.palette ?? .usual).color
            return Markup(.td, [.class: "bar"]) {
                Markup(.span) { shown }
                ShareBar.markup([ShareBar.Part(share: max(fraction, Self.leastBar), color: color, tip: nil)])
            }
        case .link: return link(formatter, value, row, shown)
        case .sparkLine, .sparkBar, .sparkArea:
            guard let style = kind.sparkline, value.arrayValue != nil else { return plain }
            return Markup(.td, [.class: "spark"]) { Sparkline(style, value).markup() }
        case .icon:
            return Markup(.td, [.class: "icon"]) {
                Icon.markup(shown)
                Markup(.span) { shown }
            }
        case .compositeBar: return composite(formatter, row)
        case .rightAligned: return Markup(.td, [.class: "num"]) { shown }
        case .automatic, .text, .hidden, .dateTime, .bigNumber, .resource, .resourceGroup, .subscription,
            .resourceType, .location, .timeline:
            return plain
        }
    }

    private func threshold(_ formatter: ColumnFormatter, _ value: Value, _ shown: String) -> Markup {
        guard let rule = formatter.thresholds.first(where: { $0.holds(for: value) }) else {
            return Markup(.td) { shown }
        }
        if formatter.colorsByThreshold {
            let tone = NamedColor(named: rule.representation)?.tone ?? .none
            return Markup(.td) { Markup(.span, [.class: "tag \(tone.rawValue)"]) { rule.label(shown) } }
        }
        return Markup(.td, [.class: "icon"]) {
            Icon.markup(rule.representation)
            Markup(.span) { rule.label(shown) }
        }
    }

    private func link(_ formatter: ColumnFormatter, _ value: Value, _ row: Int, _ shown: String) -> Markup {
        let label = formatter.link?.label ?? shown
        return Markup(.td) {
            if let address = formatter.link.flatMap({ address($0, value, row) }) {
                Markup(link: address) { label }
            } else {
                label
            }
        }
    }

    /// Of a bar: so much of a narrow column is a line that can be seen.
    private static let leastBar = 0.005

    /// Where a cell leads: to an address, or to another workbook with parameters taken from the row. Nil when that
    /// workbook is not here, or the address would lead elsewhere than it says.
    private func address(_ link: LinkTarget, _ value: Value, _ row: Int) -> Link? {
        guard let workbook = link.workbook else {
            let cell = link.column.flatMap { schema.index(of: $0) }.map { cells[$0][row] } ?? value
            return Link(untrusted: cell.text)
        }
        guard let id = workbooks.id(ofTemplate: workbook.template) else { return nil }
        var asked: [String: [String]] = [:]
        for parameter in workbook.parameters {
            switch parameter.value {
            case .text(let text): asked[parameter.name] = [text]
            case .column(let name):
                guard let c = schema.index(of: name) else { return nil }
                asked[parameter.name] = [cells[c][row].text]
            }
        }
        return WorkbookAddress.make(id, asked)
    }

    private func composite(_ formatter: ColumnFormatter, _ row: Int) -> Markup {
        guard let bar = formatter.composite else { preconditionFailure("a composite bar was read without settings") }
        let parts = bar.parts.compactMap { part -> (name: String, value: Double, color: String)? in
            guard let c = schema.index(of: part.column), let value = cells[c][row].doubleValue, value.isFinite,
                value > 0
            else { return nil }
            return (part.column, value, (part.color ?? .tone(.info)).color)
        }
        let total = parts.reduce(0) { $0 + $1.value }
        var label = bar.label
        for (c, spec) in schema.columns.enumerated() {
            label = label.replacing("[\"\(spec.name)\"]", with: NumberText.cell(cells[c][row]))
        }
        return Markup(.td, [.class: "composite"]) {
            Markup(.span) { label }
            ShareBar.markup(
                parts.map { part in
                    ShareBar.Part(
                        share: part.value / total, color: part.color,
                        tip: "\(part.name): \(NumberText.plain(part.value, 1))")
                })
        }
    }
}
