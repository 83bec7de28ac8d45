/// Workbook colours as the page's own, which follow the light and dark themes.
enum Palette {
    /// Series of charts, in this order.
    static let series = (1...12).map { "var(--s\($0))" }

    /// A colour by its workbook name.
    static func color(_ name: String) -> String? {
        switch name {
        case "red", "redBright", "redDark": "var(--bad)"
        case "orange", "orangeDark": "var(--warn)"
        case "yellow", "yellowDark": "var(--mild)"
        case "green", "greenDark", "greenDarkDark": "var(--good)"
        case "blue", "blueDark", "blueDarkDark", "lightBlue", "turquoise": "var(--info)"
        case "purple", "purpleDark", "magenta", "pink", "amethyst": "var(--s2)"
        case "gray", "grayBlue": "var(--none)"
        default: nil
        }
    }

    /// The class of a named colour, for fills behind text.
    static func tone(_ name: String) -> String {
        switch name {
        case "red", "redBright", "redDark": "bad"
        case "orange", "orangeDark": "warn"
        case "yellow", "yellowDark": "mild"
        case "green", "greenDark", "greenDarkDark": "good"
        case "blue", "blueDark", "blueDarkDark", "lightBlue", "turquoise": "info"
        default: "none"
        }
    }

    /// Stops of a ramp, low to high.
    private static func stops(_ palette: String) -> [String] {
        switch palette {
        case "greenRed": ["var(--good)", "var(--mild)", "var(--warn)", "var(--bad)"]
        case "redGreen": ["var(--bad)", "var(--warn)", "var(--mild)", "var(--good)"]
        case "yellowOrangeRed", "orangeRed", "yellowRed": ["var(--mild)", "var(--warn)", "var(--bad)"]
        case "coldHot", "blueOrange": ["var(--info)", "var(--warn)"]
        case "hotCold", "orangeBlue": ["var(--warn)", "var(--info)"]
        default: ["transparent", color(palette) ?? "var(--info)"]
        }
    }

    /// A background for a value at `fraction` of its scale.
    static func heat(_ palette: String, _ fraction: Double) -> String {
        let stops = stops(palette)
        let place = min(max(fraction, 0), 1) * Double(stops.count - 1)
        let low = min(Int(place), stops.count - 2)
        let share = Int(((place - Double(low)) * 100).rounded())
        return "color-mix(in srgb, \(stops[low + 1]) \(share)%, \(stops[low]))"
    }
}
