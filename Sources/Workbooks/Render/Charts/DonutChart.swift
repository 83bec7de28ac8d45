/// A ring of shares with the total inside.
struct DonutChart {
    let frame: ChartFrame
    /// More shares than these are one, called Other.
    private static let sharesMax = 8
    private static let radius = 42.0

    private struct Share {
        let name: String
        let value: Double
    }

    func markup() -> Markup {
        let shares = self.shares()
        guard !shares.isEmpty else { return Markup() }
        let total = shares.reduce(0) { $0 + $1.value }
        let title = frame.title.isEmpty ? "Shares" : frame.title
        let summary = shares.map { "\($0.name) \(NumberText.count($0.value))" }.joined(separator: ", ")
        return Markup(.div, [.class: "donut"]) {
            Markup(.svg, [.viewBox: "0 0 120 120", .role: "img", .ariaLabel: "\(title): \(summary)"]) {
                rings(shares, total)
                let figure = NumberText.count(total)
                Markup(
                    .text,
                    [.class: figure.count > 4 ? "long" : nil, .x: "60", .y: "65", .textAnchor: "middle"]
                ) { figure }
            }
            Markup(.ul, [.class: "legend"]) {
                for (i, share) in shares.enumerated() {
                    ChartFrame.legendEntry(color(share, i), share.name, NumberText.count(share.value))
                }
            }
        }
    }

    /// The largest first. What is not above zero has no share.
    private func shares() -> [Share] {
        let data = frame.data
        var shares =
            data.axis == .category && !data.categories.isEmpty
            ? zip(data.categories, data.categoryTotals).map { Share(name: $0.isEmpty ? "(none)" : $0, value: $1) }
            : data.series.map { Share(name: $0.name, value: $0.total) }
        shares = shares.filter { $0.value > 0 }.sorted { $0.value > $1.value }
        guard shares.count > Self.sharesMax else { return shares }
        let rest = shares.dropFirst(Self.sharesMax - 1).reduce(0) { $0 + $1.value }
        return shares.prefix(Self.sharesMax - 1) + [Share(name: "Other", value: rest)]
    }

    private func color(_ share: Share, _ place: Int) -> NamedColor {
        frame.settings.labels[share.name]?.color ?? .ofSeries(place)
    }

    private func rings(_ shares: [Share], _ total: Double) -> Markup {
        let around = 2 * Double.pi * Self.radius
        var start = 0.0
        return shares.enumerated().map { i, share in
            let length = around * share.value / total
            defer { start += length }
            // A ring of one share is closed; others leave a gap to the next.
            let drawn = shares.count == 1 ? length : max(length - 1, 0.5)
            let attributes: Markup.Attributes = [
                .cx: "60", .cy: "60", .r: coordinate(Self.radius), .fill: "none", .stroke: color(share, i).color,
                .strokeWidth: "16", .strokeDasharray: "\(coordinate(drawn)) \(coordinate(around))",
                .strokeDashoffset: coordinate(-start), .transform: "rotate(-90 60 60)",
            ]
            return Markup(.circle, attributes) {
                Markup(.title) { "\(share.name): \(NumberText.plain(share.value, 1))" }
            }
        }.joined()
    }
}
