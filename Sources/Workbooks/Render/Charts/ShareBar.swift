/// A horizontal bar of coloured parts, as wide as what it stands in; the style sheet gives its height.
enum ShareBar {
    struct Part {
        /// Of the whole width, 0 to 1.
        let share: Double
        let color: String
        /// What appears when one points at it.
        let tip: String?
    }

    static func markup(_ parts: [Part]) -> Markup {
        var start = 0.0
        return Markup(.svg, [.class: "share"]) {
            for part in parts {
                let place = coordinate(100 * start) + "%"
                let _ = start += part.share
                let attributes: Markup.Attributes = [
                    .x: place, .width: coordinate(100 * part.share) + "%", .height: "100%", .fill: part.color,
                ]
                if let tip = part.tip {
                    Markup(.rect, attributes) { Markup(.title) { tip } }
                } else {
                    Markup(empty: .rect, attributes)
                }
            }
        }
    }
}
