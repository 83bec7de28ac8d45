import Tables

/// A column of a grid, with what its cells have in common.
struct GridColumn {
    let place: Int
    let label: String
    let formatter: ColumnFormatter?
    let isNumeric: Bool
    private let isTime: Bool
    /// Whether all times are beginnings of days, and so are days.
    private let isDay: Bool
    /// The least and the greatest value of all columns that share the formatter.
    private let scale: (low: Double, high: Double)?

    init(_ place: Int, _ formatter: ColumnFormatter?, _ label: String?, _ schema: Schema, _ cells: [Column]) {
        self.place = place
        self.formatter = formatter
        self.label = label ?? GridRenderer.spaced(schema[place].name)
        isNumeric = schema[place].type.isNumeric
        let isTime = schema[place].type == .datetime
        self.isTime = isTime
        let column = cells[place]
        isDay =
            isTime
            && (0..<column.count).allSatisfy { row in
                if case .datetime(let ticks) = column[row] { ticks % DateTime.ticksPerDay == 0 } else { true }
            }
        scale = formatter.flatMap { $0.kind?.isScaled == true ? Self.scale($0, schema, cells) : nil }
    }

    private static func scale(_ formatter: ColumnFormatter, _ schema: Schema, _ cells: [Column]) -> (Double, Double) {
        let numbers = schema.columns.indices.filter { formatter.matches(schema[$0].name) }.flatMap { c in
            (0..<cells[c].count).compactMap { cells[c][$0].doubleValue }.filter(\.isFinite)
        }
        // A bar begins at zero; a heatmap's colours at the least value.
        let isHeatmap = formatter.kind == .heatmap
        let least = numbers.min().map { isHeatmap ? $0 : min($0, 0) }
        guard let low = formatter.min ?? least, let high = formatter.max ?? numbers.max(), high > low else {
            return (0, max(formatter.max ?? numbers.max() ?? 1, 1))
        }
        return (low, high)
    }

    var heading: Markup {
        Markup(.th, [.class: isNumeric ? "num" : nil, .scope: "col", .tabindex: "0"]) {
            label
            if isTime, !isDay { Markup(.small) { " UTC" } }
        }
    }

    /// A cell in words.
    func text(_ value: Value) -> String {
        switch value {
        case .bool: NumberText.cell(value)
        case .datetime(let ticks) where isDay: String(DateTime.format(ticks).prefix(10))
        default:
            switch (value.doubleValue, formatter) {
            case (let number?, let formatter?): NumberText.format(number, formatter.format)
            case (let number?, nil) where !number.isFinite: NumberText.format(number)
            default: NumberText.cell(value)
            }
        }
    }

    /// Where a value stands between the least and the greatest, 0 to 1; nil for what is no number.
    func fraction(_ value: Value) -> Double? {
        guard let scale, value.boolValue == nil, let number = value.doubleValue, number.isFinite else { return nil }
        let fraction = (number - scale.low) / (scale.high - scale.low)
        return fraction.isFinite ? min(max(fraction, 0), 1) : nil
    }

    /// Whether nothing is the least there can be.
    var startsAtZero: Bool { (scale?.low ?? 0) >= 0 }
}
