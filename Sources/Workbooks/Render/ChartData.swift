import KQL
import KQLEngine
import Tables

/// Series of a chart: points over time or along numbers, or one value for each category.
struct ChartData {
    struct Point {
        let x: Double
        let y: Double
    }

    struct Series {
        let name: String
        var points: [Point] = []
        var total: Double { points.reduce(0) { $0 + $1.y } }
    }

    /// What a point's x is.
    enum Axis {
        /// Ticks.
        case time
        case number
        /// A place in `categories`.
        case category
    }

    private(set) var axis = Axis.category
    private(set) var categories: [String] = []
    private(set) var series: [Series] = []
    /// Series that were left out, the least first.
    private(set) var seriesLeftOut = 0
    /// A chart of more cannot be read.
    static let seriesMax = 24

    /// The axes are the settings', or what the columns' types suggest.
    init(_ table: ResultTable, settings: ChartSettings, shape: ChartKind.Shape) throws {
        let columns = ChartColumns(table, settings, shape)
        let cells = try table.schema.columns.indices.map { try table.batch.column($0) }
        let isExpanded = columns.y.contains { table.schema[$0].type == .dynamic }
        axis = columns.axis
        var seriesPlaces: [String: Int] = [:]
        var categoryPlaces: [String: Int] = [:]
        for row in 0..<table.count {
            for y in columns.y {
                let name = columns.seriesName(y, row, cells, table.schema)
                let values = cells[y][row].arrayValue ?? [cells[y][row]]
                for (i, value) in values.enumerated() {
                    guard let number = value.doubleValue, number.isFinite else { continue }
                    let place: Double?
                    switch columns.x.map({ cells[$0][row] }) {
                    case nil: place = Double(isExpanded ? i : row)
                    case .array(let places)? where isExpanded: place = places.count > i ? self.place(places[i]) : nil
                    case let cell? where axis == .category:
                        place = Double(self.place(ofCategory: NumberText.cell(cell), &categoryPlaces))
                    case let cell?: place = self.place(cell)
                    }
                    guard let place else { continue }
                    if seriesPlaces[name] == nil {
                        seriesPlaces[name] = series.count
                        series.append(Series(name: name))
                    }
                    if let s = seriesPlaces[name] { series[s].points.append(Point(x: place, y: number)) }
                }
            }
        }
        if axis != .category { for s in series.indices { series[s].points.sort { $0.x < $1.x } } }
        if series.count > Self.seriesMax {
            let kept = Set(series.sorted { $0.total > $1.total }.prefix(Self.seriesMax).map(\.name))
            seriesLeftOut = series.count - kept.count
            series = series.filter { kept.contains($0.name) }
        }
    }

    private mutating func place(ofCategory name: String, _ places: inout [String: Int]) -> Int {
        if let place = places[name] { return place }
        places[name] = categories.count
        categories.append(name)
        return categories.count - 1
    }

    /// A time or a number as a place on the axis. Times in arrays are texts once they were JSON.
    private func place(_ cell: Value) -> Double? {
        switch (axis, cell) {
        case (.time, .datetime(let ticks)): return Double(ticks)
        case (.time, .string(let text)): return DateTime.parse(text).map { Double($0) }
        case (.time, _): return nil
        default:
            guard let number = cell.doubleValue, number.isFinite else { return nil }
            return number
        }
    }

    /// What stands at a place on the axis.
    func label(_ x: Double) -> String {
        switch axis {
        case .time: NumberText.time(Int64(x)) + " UTC"
        case .number: NumberText.plain(x, 2)
        case .category: categories.indices.contains(Int(x)) ? categories[Int(x)] : ""
        }
    }

    /// The sum of all series for each category, in the categories' order.
    var categoryTotals: [Double] {
        var totals = [Double](repeating: 0, count: categories.count)
        for series in series { for point in series.points { totals[Int(point.x)] += point.y } }
        return totals
    }
}

/// Which columns are a chart's axes and series.
private struct ChartColumns {
    let x: Int?
    let axis: ChartData.Axis
    let y: [Int]
    let group: Int?

    init(_ table: ResultTable, _ settings: ChartSettings, _ shape: ChartKind.Shape) {
        let schema = table.schema
        let all = schema.columns.indices
        func type(_ column: Int) -> ScalarType { schema[column].type }
        // A column of arrays, as make-series gives it: of numbers it is drawn, of times it is their axis.
        func array(_ column: Int) -> [Value]? {
            guard type(column) == .dynamic, table.count > 0, let cells = try? table.batch.column(column) else {
                return nil
            }
            return cells[0].arrayValue
        }
        func isTimes(_ items: [Value]?) -> Bool {
            switch items?.first {
            case .datetime?: true
            case .string(let text)?: InferredRecords.isTime(text)
            default: false
            }
        }
        let numbers = all.filter { type($0).isNumeric || array($0)?.first?.doubleValue != nil }
        let named = settings.x.flatMap { schema.index(of: $0) }
        let first =
            all.first { type($0) == .datetime || isTimes(array($0)) }
            ?? all.first { !type($0).isNumeric && type($0) != .dynamic }
        // Without a time or a text, points have the first of several numbers as their place.
        let x = named ?? first ?? (shape == .series && numbers.count > 1 ? numbers.first : nil)
        self.x = x
        axis =
            switch x {
            case nil: .number
            case let x? where type(x) == .datetime || isTimes(array(x)): .time
            case let x? where type(x).isNumeric || array(x) != nil: .number
            default: .category
            }
        y = settings.y?.compactMap { schema.index(of: $0) } ?? numbers.filter { $0 != x }
        group = settings.group.flatMap { schema.index(of: $0) } ?? all.first { $0 != x && type($0) == .string }
    }

    func seriesName(_ y: Int, _ row: Int, _ cells: [Column], _ schema: Schema) -> String {
        guard let group else { return GridRenderer.spaced(schema[y].name) }
        let name = NumberText.cell(cells[group][row])
        let full = y == self.y.first && self.y.count == 1 ? name : "\(name) \(schema[y].name)"
        return full.isEmpty ? "(none)" : full
    }
}
