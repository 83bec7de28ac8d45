import KQL
import Tables

/// A query and how its answer is drawn.
struct WorkbookQuery: Sendable {
    let text: String
    let title: String
    /// How the author wants it drawn; nil leaves it to the query's own `render`.
    let visualization: String?
    let size: PanelSize
    let noDataMessage: String?
    let timeRange: String?
    let grid: GridSettings
    let tiles: TileSettings
    let chart: ChartSettings
    let card: CardSettings

    init(_ content: JSON) {
        text = content.text("query") ?? ""
        title = content.text("title") ?? ""
        visualization = content.words("visualization")
        size = content.count("size").flatMap { PanelSize(rawValue: $0) } ?? .medium
        noDataMessage = content.words("noDataMessage")
        timeRange = content.words("timeContextFromParameter")
        grid = GridSettings(content.object("gridSettings"))
        tiles = TileSettings(content.object("tileSettings"))
        chart = ChartSettings(content.object("chartSettings"))
        card = CardSettings(content.object("textSettings"))
    }
}

/// A panel's height, by its number in files.
enum PanelSize: Int, Sendable {
    case medium = 0
    case small = 1
    case large = 2
    case full = 3
    case tiny = 4

    /// Units of a chart's own coordinates.
    var chartHeight: Double {
        switch self {
        case .medium: 260
        case .small: 180
        case .large: 380
        case .full: 420
        case .tiny: 130
        }
    }
}

/// A chart's axes and series; what is not set follows from the columns' types.
struct ChartSettings: Sendable {
    struct SeriesLabel: Sendable {
        let label: String?
        let color: NamedColor?
    }

    enum Stacking: String, Sendable { case `default`, stacked, unstacked, stacked100 }

    private(set) var x: String?
    private(set) var y: [String]?
    private(set) var group: String?
    private(set) var stacking = Stacking.default
    /// By the series' names.
    let labels: [String: SeriesLabel]

    init(_ settings: JSON) {
        x = settings.words("xAxis")
        y = settings["yAxis"]?.array?.compactMap(\.scalarText)
        group = settings.words("group")
        let labels = settings.objects("seriesLabelSettings").compactMap { setting -> (String, SeriesLabel)? in
            guard let name = setting.text("seriesName") else { return nil }
            let color = setting.words("color").flatMap { NamedColor(named: $0) }
            return (name, SeriesLabel(label: setting.words("label"), color: color))
        }
        self.labels = Dictionary(labels) { first, _ in first }
    }

    /// These settings, and for what they leave open those of the query's own `render`.
    func completed(with render: RenderSpec?) -> ChartSettings {
        guard let render else { return self }
        func columns(_ property: String) -> [String]? {
            render[property]?.split(separator: ",").map { String($0.drop { $0 == " " }) }
        }
        var settings = self
        if x == nil { settings.x = columns("xcolumn")?.first }
        if y == nil { settings.y = columns("ycolumns") }
        if group == nil { settings.group = columns("series")?.first }
        if let kind = render["kind"], let stacking = Stacking(rawValue: kind) { settings.stacking = stacking }
        return settings
    }
}

/// What of a row stands where on a tile.
struct TileSettings: Sendable {
    enum Place: String, CaseIterable, Sendable {
        case title = "titleContent"
        case subtitle = "subtitleContent"
        case left = "leftContent"
        case right = "rightContent"
        case bottom = "secondaryContent"
    }

    let slots: [(place: Place, content: ColumnFormatter)]

    init(_ settings: JSON) {
        slots = Place.allCases.compactMap { place in
            settings[place.rawValue].flatMap { $0.members == nil ? nil : (place, ColumnFormatter($0)) }
        }
    }
}

/// How a single cell is shown.
struct CardSettings: Sendable {
    let isMarkdown: Bool

    init(_ settings: JSON) { isMarkdown = settings.text("style") == "markdown" }
}
