import KQL
import KQLEngine

/// Rows to be drawn, with what their panel says about it.
struct DrawnRows {
    let table: ResultTable
    let query: WorkbookQuery
    let chart: ChartSettings
    /// What the panel is called, for readers who do not see it.
    let title: String
    /// Percent of the page.
    let width: Int
    let workbooks: WorkbookDirectory

    /// A chart's series and its frame.
    func frame(_ shape: ChartKind.Shape) throws -> ChartFrame {
        ChartFrame(
            data: try ChartData(table, settings: chart, shape: shape), settings: chart,
            height: query.size.chartHeight, title: title, width: chartWidth)
    }

    private var chartWidth: Double {
        switch width {
        case ...40: 480
        case ...75: 720
        default: 960
        }
    }
}

/// Draws rows.
typealias Drawing = @Sendable (DrawnRows) throws -> Markup

extension ChartKind {
    /// How a kind is drawn; nil for what only the portals draw.
    var drawing: Drawing? {
        switch self {
        case .table: { try GridRenderer($0).markup() }
        case .tiles: { try TileRenderer($0).markup() }
        case .card, .stat: { try CardRenderer.markup($0) }
        case .pie: { DonutChart(frame: try $0.frame(.categories)).markup() }
        case .bar: { try BarChart.markup(bars: $0) }
        case .column: { BarChart(frame: try $0.frame(.categories), isStacked: true).markup() }
        case .unstackedColumn: { BarChart(frame: try $0.frame(.categories), isStacked: false).markup() }
        case .line: { LineChart(frame: try $0.frame(.series), isArea: false).markup() }
        case .area: { LineChart(frame: try $0.frame(.series), isArea: true).markup() }
        case .scatter: { ScatterChart(frame: try $0.frame(.series)).markup() }
        case .map, .graph, .treemap, .pivot, .timePivot, .ladder, .plotly: nil
        }
    }

    /// Whether the drawing stands on the page without a card around it.
    var isBare: Bool { self == .tiles || self == .card || self == .stat }
}

/// The workbooks that links may lead to.
struct WorkbookDirectory: Sendable {
    private let ids: [String: String]

    init(_ documents: [WorkbookDocument] = []) {
        let templates = documents.compactMap { document in document.template.map { ($0, document.id) } }
        ids = Dictionary(templates + documents.map { ($0.id, $0.id) }) { first, _ in first }
    }

    /// The id of the workbook that a template's name means: the one that was made from it, or that has this id.
    func id(ofTemplate name: String) -> String? { ids[name] }
}
