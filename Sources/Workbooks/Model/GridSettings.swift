import KQLEngine
import Tables

/// How a grid's columns look.
struct GridSettings: Sendable {
    let formatters: [ColumnFormatter]
    let labels: [String: String]
    let rowLimit: Int
    let hasFilter: Bool
    /// Column and whether it ascends.
    let sort: [(column: String, isAscending: Bool)]

    /// Azure's own bounds: https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-grid-visualizations.
    private static let rowLimitDefault = 250
    private static let rowLimitMax = 10_000

    init(_ settings: JSON) {
        formatters = settings.objects("formatters").map { ColumnFormatter($0) }
        let labels = settings.objects("labelSettings").compactMap { setting in
            setting.text("columnId").flatMap { column in setting.text("label").map { (column, $0) } }
        }
        self.labels = Dictionary(labels) { _, last in last }
        rowLimit = min(Self.rowLimitMax, max(1, settings.count("rowLimit") ?? Self.rowLimitDefault))
        hasFilter = settings.flag("filter")
        sort = settings.objects("sortBy").compactMap { key in
            key.text("itemKey").map { (Self.column(ofKey: $0), key.count("sortOrder") != 2) }
        }
    }

    /// The column of a generated sort key such as `$gen_bar_Count_1`.
    private static func column(ofKey key: String) -> String {
        guard key.hasPrefix("$gen_") else { return key }
        var parts = key.dropFirst(5).split(separator: "_", omittingEmptySubsequences: false)
        if parts.count > 2 {
            parts.removeFirst()
            if Int(parts[parts.count - 1]) != nil { parts.removeLast() }
        }
        return parts.joined(separator: "_")
    }
}

/// How one column, or all that match a pattern, are drawn.
struct ColumnFormatter: Sendable {
    /// A column's name, or a pattern of names.
    let match: String
    /// nil for a number that nobody knows.
    let kind: CellFormatter?
    /// The number as it stands in the file.
    let number: Int
    let palette: Palette?
    let min: Double?
    let max: Double?
    let format: NumberFormat
    let thresholds: [Threshold]
    /// Whether thresholds colour the cell; else they put an icon before it.
    let colorsByThreshold: Bool
    let link: LinkTarget?
    let composite: CompositeBar?

    init(_ formatter: JSON) {
        match = formatter.text("columnMatch") ?? ""
        number = formatter.count("formatter") ?? CellFormatter.automatic.rawValue
        kind = CellFormatter(rawValue: number)
        format = NumberFormat(formatter.object("numberFormat"))
        let options = formatter.object("formatOptions")
        palette = options.words("palette").flatMap { Palette(named: $0) }
        min = options.double("min")
        max = options.double("max")
        thresholds = options.objects("thresholdsGrid").map { Threshold($0) }
        colorsByThreshold = options.text("thresholdsOptions") == "colors"
        link = kind == .link ? LinkTarget(options) : nil
        composite = kind == .compositeBar ? CompositeBar(options.object("compositeBarSettings")) : nil
    }

    /// Whether a column is meant: by its name, or by a pattern in the dialect of `matches regex`. That is RE2's, whose
    /// time is linear in the name's length whatever a workbook brings along.
    func matches(_ column: String) -> Bool {
        if match == column { return true }
        guard match.contains(where: { "^$.*+?|()[]\\".contains($0) }) else { return false }
        return (try? KQLEngine.Regex("\\A(?:" + match + ")\\z"))?.matches(column) ?? false
    }
}

/// Several columns of a row as parts of one bar.
struct CompositeBar: Sendable {
    let label: String
    let parts: [(column: String, color: NamedColor?)]

    init(_ settings: JSON) {
        label = settings.text("labelText") ?? ""
        parts = settings.objects("columnSettings").compactMap { part in
            part.text("columnName").map { ($0, part.words("color").flatMap { NamedColor(named: $0) }) }
        }
    }
}

/// Where a cell leads.
struct LinkTarget: Sendable {
    enum Argument: Sendable {
        case column(String)
        case text(String)
    }

    let label: String?
    /// The column that holds the address; nil for the cell itself.
    let column: String?
    /// The template of another workbook, with the parameters that it gets.
    let workbook: (template: String, parameters: [(name: String, value: Argument)])?

    init(_ options: JSON) {
        label = options.words("linkLabel")
        column = options.words("linkColumn")
        let context = options.object("workbookContext")
        if options.text("linkTarget")?.lowercased() == "workbooktemplate", let template = context.words("templateId") {
            let parameters = context.objects("templateParameters").compactMap { parameter -> (String, Argument)? in
                guard let name = parameter.words("name"), let value = parameter.text("value") else { return nil }
                return (name, parameter.text("source") == "column" ? .column(value) : .text(value))
            }
            workbook = (template, parameters)
        } else {
            workbook = nil
        }
    }
}
