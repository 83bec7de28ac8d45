import Tables

/// A small chart in a cell, without axes.
struct Sparkline {
    enum Style: Sendable { case line, area, bars }

    let style: Style
    let points: [Double]

    /// - Parameter cell: an array of numbers; anything else has nothing to draw.
    init(_ style: Style, _ cell: Value) {
        self.style = style
        points = (cell.arrayValue ?? []).compactMap(\.doubleValue).filter(\.isFinite)
    }

    func markup() -> Markup {
        guard points.count > 1, let low = points.min(), let high = points.max() else { return Markup() }
        let y = ChartFrame.Scale(low: min(low, 0), high: max(high, .leastNormalMagnitude), from: 22, to: 2)
        let attributes: Markup.Attributes = [
            .class: "sparkline", .viewBox: "0 0 100 24", .preserveAspectRatio: "none", .ariaHidden: "true",
        ]
        return Markup(.svg, attributes) { if style == .bars { bars(y) } else { line(y) } }
    }

    private func line(_ y: ChartFrame.Scale) -> Markup {
        let x = ChartFrame.Scale(low: 0, high: Double(points.count - 1), from: 1, to: 99)
        let line = points.enumerated().map { "\(coordinate(x(Double($0)))),\(coordinate(y($1)))" }.joined(
            separator: " ")
        let stroke = Markup(
            empty: .polyline,
            [
                .points: line, .fill: "none", .stroke: "var(--s1)", .strokeWidth: "1.5",
                .vectorEffect: "non-scaling-stroke",
            ])
        guard style == .area else { return stroke }
        return Markup(empty: .polygon, [.points: "1,23 \(line) 99,23", .fill: "var(--s1)", .opacity: ".25"])
            + stroke
    }

    private func bars(_ y: ChartFrame.Scale) -> Markup {
        let slot = 98 / Double(points.count)
        return points.enumerated().map { place, value in
            let (top, bottom) = (y(max(value, 0)), y(min(value, 0)))
            return Markup(
                empty: .rect,
                [
                    .x: coordinate(1 + slot * Double(place)), .y: coordinate(top), .width: coordinate(slot * 0.8),
                    .height: coordinate(max(bottom - top, 0.5)), .fill: "var(--s1)",
                ])
        }.joined()
    }
}
