import KQLEngine
import Tables

/// Series of a chart: points over time, or one value for each category.
struct ChartData {
    struct Series {
        var name: String
        var points: [(x: Double, y: Double)] = []
        var total: Double { points.reduce(0) { $0 + $1.y } }
    }

    /// Whether x is a time in ticks; else it is a place in `categories`.
    var isTime = false
    var categories: [String] = []
    var series: [Series] = []
    static let seriesMax = 24

    /// The axes are the chart settings', or what the columns' types suggest.
    init(_ table: ResultTable, settings: Bag) throws {
        let schema = table.schema
        let columns = try schema.columns.indices.map { try table.batch.column($0) }
        let numbers = schema.columns.indices.filter { schema[$0].type.isNumeric }
        let x =
            settings["xAxis"]?.stringValue.flatMap { schema.index(of: $0) } ?? schema.columns.indices.first {
                schema[$0].type == .datetime
            }
            ?? schema.columns.indices.first { !schema[$0].type.isNumeric && schema[$0].type != .dynamic }
        let ys =
            settings["yAxis"]?.arrayValue?.compactMap { $0.stringValue.flatMap { schema.index(of: $0) } }
            ?? numbers.filter { $0 != x }
        let group =
            settings["group"]?.stringValue.flatMap { schema.index(of: $0) }
            ?? schema.columns.indices.first { $0 != x && schema[$0].type == .string }
        isTime = x.map { schema[$0].type == .datetime } ?? false
        var byName: [String: Int] = [:]
        var byCategory: [String: Int] = [:]
        for row in 0..<table.count {
            var place = Double(row)
            if let x {
                if isTime {
                    guard case .datetime(let t) = columns[x][row] else { continue }
                    place = Double(t)
                } else {
                    let name = NumberText.cell(columns[x][row])
                    if byCategory[name] == nil {
                        byCategory[name] = categories.count
                        categories.append(name)
                    }
                    place = Double(byCategory[name] ?? 0)
                }
            }
            for y in ys {
                guard let value = columns[y][row].doubleValue else { continue }
                let name =
                    group.map { g in NumberText.cell(columns[g][row]) + (ys.count > 1 ? " \(schema[y].name)" : "") }
                    ?? GridRenderer.spaced(schema[y].name)
                if byName[name] == nil {
                    byName[name] = series.count
                    series.append(Series(name: name.isEmpty ? "(none)" : name))
                }
                if let s = byName[name] { series[s].points.append((place, value)) }
            }
        }
        if isTime { for s in series.indices { series[s].points.sort { $0.x < $1.x } } }
        if series.count > Self.seriesMax {
            let kept = series.sorted { $0.total > $1.total }.prefix(Self.seriesMax).map(\.name)
            series = series.filter { kept.contains($0.name) }
        }
    }
}
