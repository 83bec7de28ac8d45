/// Columns over time or category, stacked or side by side.
struct BarChart {
    let frame: ChartFrame
    let isStacked: Bool
    private static let barWidthMax = 46.0

    /// Bars as workbooks mean them: stacked columns over time, else one horizontal bar for each category.
    static func markup(bars rows: DrawnRows) throws -> Markup {
        let frame = try rows.frame(.categories)
        return frame.data.axis == .category
            ? CategoryBars(frame: frame).markup()
            : BarChart(frame: frame, isStacked: rows.chart.stacking != .unstacked).markup()
    }

    func markup() -> Markup {
        let data = frame.data
        let places =
            data.axis == .category
            ? data.categories.indices.map(Double.init) : Set(data.series.flatMap { $0.points.map(\.x) }).sorted()
        guard !places.isEmpty, !data.series.isEmpty else { return Markup() }
        let index = Dictionary(uniqueKeysWithValues: places.enumerated().map { ($1, $0) })
        let bars = self.bars(index)
        let (y, ticks) = frame.vertical(bars.flatMap { [$0.low, $0.high] })
        let slot = (frame.width - frame.left - frame.right) / Double(places.count)
        let width = min(slot * 0.72, Self.barWidthMax)
        let lanes = isStacked ? 1 : Double(data.series.count)
        let marks = bars.map { bar -> Markup in
            let lane = isStacked ? 0 : width / lanes * Double(bar.series)
            let x = frame.left + 4 + slot * Double(bar.place) + (slot - width) / 2 + lane
            let (top, bottom) = (y(max(bar.low, bar.high)), y(min(bar.low, bar.high)))
            let attributes: Markup.Attributes = [
                .x: coordinate(x), .y: coordinate(top), .width: coordinate(width / lanes),
                .height: coordinate(bottom - top), .fill: frame.color(bar.series),
            ]
            return Markup.newline
                + Markup(.rect, attributes) {
                    frame.tip(bar.series, bar.high - bar.low, at: places[bar.place])
                }
        }
        let labels = Markup.newline + self.labels(places, slot)
        return frame.svg(y, ticks, body: marks.joined() + labels) + frame.legend()
    }

    private struct Bar {
        let series: Int
        let place: Int
        let low: Double
        let high: Double
    }

    /// What is below zero is stacked downwards.
    private func bars(_ index: [Double: Int]) -> [Bar] {
        var above = [Double](repeating: 0, count: index.count)
        var below = above
        var bars: [Bar] = []
        for (s, series) in frame.data.series.enumerated() {
            for point in series.points {
                guard let place = index[point.x] else { continue }
                let low = !isStacked ? 0 : point.y < 0 ? below[place] : above[place]
                if point.y < 0 { below[place] = low + point.y } else { above[place] = low + point.y }
                bars.append(Bar(series: s, place: place, low: low, high: low + point.y))
            }
        }
        return bars
    }

    private func labels(_ places: [Double], _ slot: Double) -> Markup {
        func middle(_ place: Int) -> Double { frame.left + 4 + slot * (Double(place) + 0.5) }
        if frame.data.axis == .category { return frame.categoryLabels(middle) }
        let span = places[places.count - 1] - places[0]
        return stride(from: 0, to: places.count, by: max(1, places.count / 7)).map { place in
            frame.label(middle(place), frame.short(places[place], span: span))
        }.joined()
    }
}

/// One horizontal bar for each category, in the rows' order.
struct CategoryBars {
    let frame: ChartFrame
    private static let barsMax = 20

    func markup() -> Markup {
        let data = frame.data
        guard !data.series.isEmpty else { return Markup() }
        // A bar has no room below zero: it shows what is above, its figure the whole sum.
        let high = max(widths.max() ?? 0, .leastNormalMagnitude)
        let totals = data.categoryTotals
        let rows = data.categories.enumerated().prefix(Self.barsMax).map { place, name in
            Markup.newline
                + Markup(.li) {
                    Markup(.span, [.title: name]) { name }
                    parts(place, high)
                    Markup(.b) { NumberText.count(totals[place]) }
                }
        }
        let cut = data.categories.count - rows.count
        var bars = Markup(.ol, [.class: "hbars"]) {
            rows
            Markup.newline
        }
        if cut > 0 {
            bars += Markup(.p, [.class: "cut"]) { "The first \(rows.count) of \(data.categories.count) bars." }
        }
        return data.series.count > 1 ? bars + frame.legend() : bars
    }

    /// The value of one series in one category.
    private func value(_ series: ChartData.Series, _ place: Int) -> Double {
        series.points.reduce(0) { Int($1.x) == place ? $0 + $1.y : $0 }
    }

    private var widths: [Double] {
        frame.data.categories.indices.map { place in
            frame.data.series.reduce(0) { $0 + max(0, value($1, place)) }
        }
    }

    private func parts(_ place: Int, _ high: Double) -> Markup {
        let parts = frame.data.series.enumerated().compactMap { s, series -> ShareBar.Part? in
            let value = value(series, place)
            guard value > 0 else { return nil }
            return ShareBar.Part(
                share: value / high, color: frame.color(s),
                tip: "\(frame.name(s)): \(NumberText.plain(value, 1))")
        }
        return ShareBar.markup(parts)
    }
}
