/// Lines, or areas that stand on one another, over time or along numbers.
struct LineChart {
    let frame: ChartFrame
    let isArea: Bool
    /// More points than these stand too close for dots.
    private static let dotsMax = 60

    private struct Step {
        let x: Double
        let low: Double
        let high: Double
    }

    func markup() -> Markup {
        let lines = steps()
        let xs = lines.joined().map(\.x)
        guard let first = xs.min(), let last = xs.max() else { return Markup() }
        let (y, ticks) = frame.vertical(lines.joined().flatMap { [$0.low, $0.high] })
        let x = ChartFrame.Scale(low: first, high: last, from: frame.left + 4, to: frame.width - frame.right)
        let marks = lines.enumerated().map { mark($1, series: $0, x, y) }.joined()
        let labels = frame.horizontalLabels(first, last, x)
        return frame.svg(y, ticks, body: marks + Markup.newline + labels) + frame.legend(showsSum: isArea)
    }

    /// The series as steps; in a stack, each stands on those before.
    private func steps() -> [[Step]] {
        let series = frame.data.series
        guard isArea else { return series.map { $0.points.map { Step(x: $0.x, low: 0, high: $0.y) } } }
        // A series without a value at some time counts as nothing there.
        let places = Set(series.flatMap { $0.points.map(\.x) }).sorted()
        var floor: [Double: Double] = [:]
        return series.map { one in
            let own = Dictionary(one.points.map { ($0.x, $0.y) }, uniquingKeysWith: +)
            return places.map { place in
                let low = floor[place, default: 0]
                let high = low + own[place, default: 0]
                floor[place] = high
                return Step(x: place, low: low, high: high)
            }
        }
    }

    private func mark(_ steps: [Step], series: Int, _ x: ChartFrame.Scale, _ y: ChartFrame.Scale) -> Markup {
        let color = frame.color(series)
        let line = steps.map { "\(coordinate(x($0.x))),\(coordinate(y($0.high)))" }
        var mark = Markup.newline
        if isArea {
            let base = steps.reversed().map { "\(coordinate(x($0.x))),\(coordinate(y($0.low)))" }
            let points = (line + base).joined(separator: " ")
            mark += Markup(empty: .polygon, [.points: points, .fill: color, .opacity: ".75"])
        } else {
            let attributes: Markup.Attributes = [
                .points: line.joined(separator: " "), .fill: "none", .stroke: color, .strokeWidth: "2",
                .vectorEffect: "non-scaling-stroke",
            ]
            mark += Markup(empty: .polyline, attributes)
        }
        for step in steps where steps.count <= Self.dotsMax && (!isArea || step.high > step.low) {
            let attributes: Markup.Attributes = [
                .class: "dot", .cx: coordinate(x(step.x)), .cy: coordinate(y(step.high)), .r: "3", .fill: color,
            ]
            mark += Markup(.circle, attributes) {
                frame.tip(series, isArea ? step.high - step.low : step.high, at: step.x)
            }
        }
        return mark
    }
}
