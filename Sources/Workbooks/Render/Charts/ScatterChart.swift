/// Points along time or numbers.
struct ScatterChart {
    let frame: ChartFrame

    func markup() -> Markup {
        let points = frame.data.series.flatMap(\.points)
        let xs = points.map(\.x)
        guard let first = xs.min(), let last = xs.max() else { return Markup() }
        let (y, ticks) = frame.vertical(points.map(\.y))
        let x = ChartFrame.Scale(low: first, high: last, from: frame.left + 8, to: frame.width - frame.right - 4)
        var marks = Markup()
        for (s, series) in frame.data.series.enumerated() {
            for point in series.points {
                let attributes: Markup.Attributes = [
                    .cx: coordinate(x(point.x)), .cy: coordinate(y(point.y)), .r: "4", .fill: frame.color(s),
                    .opacity: ".8",
                ]
                marks += Markup.newline + Markup(.circle, attributes) { frame.tip(s, point.y, at: point.x) }
            }
        }
        let labels = Markup.newline + frame.horizontalLabels(first, last, x)
        return frame.svg(y, ticks, body: marks + labels) + frame.legend(showsSum: false)
    }
}
