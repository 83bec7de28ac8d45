import Foundation
import Tables

/// What charts share: axes, colours, labels and the legend. Coordinates are those of the drawing, about a pixel of a
/// wide screen each, so that letters are as large in a narrow panel as in a wide one.
struct ChartFrame {
    let data: ChartData
    let settings: ChartSettings
    let height: Double
    let title: String
    let width: Double
    let left = 44.0
    let right = 6.0
    let bottom = 26.0
    let top = 8.0

    /// From values to places.
    struct Scale {
        let low: Double
        let high: Double
        let from: Double
        let to: Double

        func callAsFunction(_ value: Double) -> Double {
            high == low ? from : from + (value - low) / (high - low) * (to - from)
        }
    }

    func color(_ place: Int) -> String { namedColor(place).color }

    private func namedColor(_ place: Int) -> NamedColor {
        settings.labels[data.series[place].name]?.color ?? .ofSeries(place)
    }

    func name(_ place: Int) -> String {
        settings.labels[data.series[place].name]?.label ?? data.series[place].name
    }

    // MARK: Axes

    /// Round steps that cover `low` to `high`.
    static func ticks(from low: Double, to high: Double) -> [Double] {
        guard high > low else { return low == 0 ? [0, 1] : ticks(from: min(low, 0), to: max(low, 0)) }
        let raw = (high - low) / 4
        let power = pow(10, floor(log10(raw)))
        guard raw.isFinite, power > 0, power.isFinite else { return [low, high] }
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        guard last - first <= 100 else { return [low, high] }
        return (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    /// The scale from bottom to top that shows zero and all of `values`, with its ticks.
    func vertical(_ values: some Sequence<Double>) -> (scale: Scale, ticks: [Double]) {
        let low = values.reduce(0) { min($0, $1) }
        let high = values.reduce(0) { max($0, $1) }
        let ticks = Self.ticks(from: low, to: high)
        return (Scale(low: ticks[0], high: ticks[ticks.count - 1], from: height - bottom, to: top), ticks)
    }

    /// A tick as text, with the decimals that tell it from the next.
    static func label(_ tick: Double, of ticks: [Double]) -> String {
        guard ticks.count > 1 else { return NumberText.count(tick) }
        guard max(abs(ticks[ticks.count - 1]), abs(ticks[0])) < 10_000 else { return NumberText.shortCount(tick) }
        let step = abs(ticks[1] - ticks[0])
        let digits = step > 0 ? max(0, Int((1 - log10(step)).rounded(.up))) : 0
        return NumberText.plain(tick, min(digits, 9))
    }

    /// The chart with rules at the ticks.
    func svg(_ y: Scale, _ ticks: [Double], body: Markup) -> Markup {
        let attributes: Markup.Attributes = [
            .class: "chart", .viewBox: "0 0 \(coordinate(width)) \(coordinate(height))", .role: "img",
            .ariaLabel: summary, .preserveAspectRatio: "none",
        ]
        return Markup(.svg, attributes) {
            for tick in ticks {
                let place = coordinate(y(tick))
                Markup.newline
                Markup(
                    empty: .line,
                    [.class: "rule", .x1: coordinate(left), .x2: coordinate(width), .y1: place, .y2: place])
                Markup(
                    .text,
                    [.class: "axis", .x: coordinate(left - 6), .y: place, .dy: "4", .textAnchor: "end"]
                ) { Self.label(tick, of: ticks) }
            }
            body
            Markup.newline
        }
    }

    /// The chart in a sentence.
    var summary: String {
        let named = data.series.indices.prefix(8).map { "\(name($0)) \(NumberText.count(data.series[$0].total))" }
        let more = data.series.count > 8 ? " and \(data.series.count - 8) more" : ""
        return "\(title.isEmpty ? "Chart" : title): \(named.joined(separator: ", "))\(more)"
    }

    /// A text under the horizontal axis.
    func label(_ x: Double, _ text: String, anchor: String = "middle") -> Markup {
        Markup(
            .text, [.class: "axis", .x: coordinate(x), .y: coordinate(height - 8), .textAnchor: anchor]
        ) { text }
    }

    /// Places along the horizontal axis, evenly spread.
    func horizontalLabels(_ first: Double, _ last: Double, _ x: Scale) -> Markup {
        if data.axis == .category { return categoryLabels { x(Double($0)) } }
        guard last > first else { return label(x(first), short(first, span: .infinity), anchor: "start") }
        let steps = 6
        var before = ""
        return (0...steps).map { i in
            let value = first + (last - first) * Double(i) / Double(steps)
            let text = short(value, span: last - first)
            // The same day twice tells nothing the second time.
            defer { before = text }
            guard text != before else { return Markup() }
            return label(x(value), text, anchor: i == 0 ? "start" : i == steps ? "end" : "middle")
        }.joined()
    }

    /// The categories' names, as long as there is room for them.
    func categoryLabels(_ place: (Int) -> Double) -> Markup {
        guard data.categories.count <= Self.categoryNamesMax else { return Markup() }
        let room = (width - left) / Double(max(data.categories.count, 1))
        return data.categories.enumerated().map { i, name in
            label(place(i), name.count * 7 > Int(room) ? name.prefix(max(4, Int(room / 7) - 1)) + "…" : name)
        }.joined()
    }

    private static let categoryNamesMax = 16

    /// A place on the axis in a few letters: for times, the day when the axis spans days, else the time of day.
    func short(_ value: Double, span: Double) -> String {
        guard data.axis == .time else { return NumberText.plain(value, span < 10 ? 2 : 0) }
        let text = DateTime.format(Int64(value))
        let isDay = span > 3 * Double(DateTime.ticksPerDay) || Int64(value) % DateTime.ticksPerDay == 0
        return isDay ? String(text.dropFirst(5).prefix(5)) : String(text.dropFirst(11).prefix(5))
    }

    /// What appears when one points at a mark.
    func tip(_ series: Int, _ value: Double, at x: Double) -> Markup {
        Markup(.title) { "\(name(series)): \(NumberText.plain(value, 2))\n\(data.label(x))" }
    }

    // MARK: Legend

    /// The series with their sums or, of lines, their last values.
    func legend(showsSum: Bool = true) -> Markup {
        guard data.series.count > 1 || showsSum else { return leftOut }
        let entries = data.series.indices.map { i -> Markup in
            let value = showsSum ? data.series[i].total : data.series[i].points.last?.y
            return Self.legendEntry(namedColor(i), name(i), value.map { NumberText.count($0) } ?? "")
        }
        return Markup(.ul, [.class: "legend"]) { entries } + leftOut
    }

    static func legendEntry(_ color: NamedColor, _ name: String, _ value: String) -> Markup {
        Markup(.li) {
            Markup(.i, [.class: "c-\(color.variable)"]) {}
            Markup(.span) { name }
            Markup(.b) { value }
        }
    }

    /// Says that series are missing, where some are.
    private var leftOut: Markup {
        guard data.seriesLeftOut > 0 else { return Markup() }
        return Markup(.p, [.class: "cut"]) {
            "The \(data.series.count) largest of \(data.series.count + data.seriesLeftOut) series."
        }
    }
}
