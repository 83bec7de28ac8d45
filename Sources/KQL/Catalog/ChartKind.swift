/// A way to draw a result. `render` in KQL and the `visualization` of workbooks name the same drawings, some by other
/// names; every name stands here once.
///
/// Sources: <https://learn.microsoft.com/kusto/query/render-operator> and
/// <https://github.com/microsoft/Application-Insights-Workbooks/tree/master/Documentation/Visualizations>.
package enum ChartKind: Sendable, CaseIterable {
    case table
    case tiles
    case card
    case stat
    case pie
    /// Horizontal bars, one for each category; over time, stacked columns.
    case bar
    /// Stacked columns.
    case column
    /// Columns side by side.
    case unstackedColumn
    case line
    case area
    case scatter
    case map
    case graph
    case treemap
    case pivot
    case timePivot
    case ladder
    case plotly

    /// What a drawing shows, for those that have few means, such as a terminal.
    package enum Shape: Sendable {
        /// Rows as they are.
        case rows
        /// A value for each category.
        case categories
        /// Points along an axis.
        case series
        /// Something that only the portals draw.
        case elsewhere
    }

    private struct Declaration {
        /// Names that `render` takes.
        let kql: [String]
        /// Names in workbooks; those of `render` are read there too.
        let workbook: [String]
        let shape: Shape

        init(kql: [String] = [], workbook: [String] = [], _ shape: Shape) {
            self.kql = kql
            self.workbook = workbook
            self.shape = shape
        }
    }

    private var declaration: Declaration {
        switch self {
        case .table: Declaration(kql: ["table"], .rows)
        case .tiles: Declaration(workbook: ["tiles"], .rows)
        case .card: Declaration(kql: ["card"], .rows)
        case .stat: Declaration(workbook: ["stat"], .rows)
        case .pie: Declaration(kql: ["piechart"], .categories)
        case .bar: Declaration(kql: ["barchart"], .categories)
        case .column: Declaration(kql: ["columnchart"], workbook: ["categoricalbar"], .categories)
        case .unstackedColumn: Declaration(workbook: ["unstackedbar"], .categories)
        case .line: Declaration(kql: ["linechart", "timechart", "anomalychart"], .series)
        case .area: Declaration(kql: ["areachart", "stackedareachart"], .series)
        case .scatter: Declaration(kql: ["scatterchart"], .series)
        case .map: Declaration(workbook: ["map"], .elsewhere)
        case .graph: Declaration(kql: ["graph"], .elsewhere)
        case .treemap: Declaration(kql: ["treemap"], .elsewhere)
        case .pivot: Declaration(kql: ["pivotchart"], .elsewhere)
        case .timePivot: Declaration(kql: ["timepivot"], .elsewhere)
        case .ladder: Declaration(kql: ["ladderchart"], .elsewhere)
        case .plotly: Declaration(kql: ["plotly"], .elsewhere)
        }
    }

    /// What the drawing shows.
    package var shape: Shape { declaration.shape }

    /// Every name, the one that `render` takes first.
    package var names: [String] { declaration.kql + declaration.workbook }

    /// The drawing of a name, whatever the case of its letters; nil for a name that nobody knows.
    package init?(named name: String) {
        guard let kind = Self.byName[name.lowercased()] else { return nil }
        self = kind
    }

    private static let byName = Dictionary(
        uniqueKeysWithValues: allCases.flatMap { kind in kind.names.map { ($0, kind) } })

    /// What `render` is completed with: names of drawings that are made here.
    package static let renderNames = allCases.filter { $0.shape != .elsewhere }.flatMap { $0.declaration.kql }.sorted()
}
