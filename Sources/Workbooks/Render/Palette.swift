/// What a colour means; the style sheet has a class and a variable for each.
enum Tone: String, Sendable {
    case good, mild, warn, bad, info, none

}

/// A colour by its name in workbooks, as one of the page's own.
enum NamedColor: Sendable {
    case tone(Tone)
    /// A colour of charts that means nothing.
    case series(Int)

    init?(named name: String) {
        switch name {
        case "red", "redBright", "redDark": self = .tone(.bad)
        case "orange", "orangeDark": self = .tone(.warn)
        case "yellow", "yellowDark": self = .tone(.mild)
        case "green", "greenDark", "greenDarkDark": self = .tone(.good)
        case "blue", "blueDark", "blueDarkDark", "lightBlue", "turquoise": self = .tone(.info)
        case "purple", "purpleDark", "magenta", "pink", "amethyst": self = .series(1)
        case "gray", "grayBlue": self = .tone(.none)
        default: return nil
        }
    }

    /// The colour of a chart's series at a place, in the order of the style sheet.
    static func ofSeries(_ place: Int) -> NamedColor { .series(place % seriesCount) }

    private static let seriesCount = 12

    /// The name of the style sheet's variable, and the last part of its classes' names.
    var variable: String {
        switch self {
        case .tone(let tone): tone.rawValue
        case .series(let place): "s\(place + 1)"
        }
    }

    /// The colour as an attribute of SVG; it follows the page's theme.
    var color: String { "var(--\(variable))" }

    /// The meaning, for fills behind text: a colour without one has none.
    var tone: Tone { if case .tone(let tone) = self { tone } else { .none } }
}

/// A colour, or a ramp of colours from low to high.
enum Palette: Sendable {
    case one(NamedColor)
    case ramp([Tone])

    /// nil for names that stand for no colour, such as `auto` and `none`, and for those that nobody knows.
    init?(named name: String) {
        switch name {
        case "greenRed": self = .ramp([.good, .mild, .warn, .bad])
        case "redGreen": self = .ramp([.bad, .warn, .mild, .good])
        case "yellowOrangeRed", "orangeRed", "yellowRed": self = .ramp([.mild, .warn, .bad])
        case "coldHot", "blueOrange": self = .ramp([.info, .warn])
        case "hotCold", "orangeBlue": self = .ramp([.warn, .info])
        default:
            guard let color = NamedColor(named: name) else { return nil }
            self = .one(color)
        }
    }

    /// A workbook that names no palette, or one that nobody knows, gets this.
    static let usual = Palette.one(.tone(.info))

    /// The colour of a bar.
    var color: String {
        switch self {
        case .one(let color): color.color
        case .ramp: NamedColor.tone(.info).color
        }
    }

    /// The classes that give a background to a value at `fraction` of its scale: two colours and how much of the
    /// second.
    func heat(_ fraction: Double) -> String {
        let stops: [String] =
            switch self {
            case .one(let color): ["nothing", color.variable]
            case .ramp(let tones): tones.map(\.rawValue)
            }
        precondition(fraction.isFinite, "a value without a place on its scale has no colour")
        let place = min(max(fraction, 0), 1) * Double(stops.count - 1)
        let low = min(Int(place), stops.count - 2)
        let share = Int(((place - Double(low)) * 100).rounded())
        return "hi-\(stops[low + 1]) lo-\(stops[low]) p\(share)"
    }
}

/// Small signs beside text.
enum Icon {
    static func markup(_ name: String) -> Markup {
        let (tone, path) = drawing(name)
        return Markup(.svg, [.class: "sign \(tone.rawValue)", .viewBox: "0 0 16 16", .ariaHidden: "true"]) {
            Markup(empty: .circle, [.cx: "8", .cy: "8", .r: "7"])
            Markup(empty: .path, [.d: path])
        }
    }

    private static func drawing(_ name: String) -> (Tone, path: String) {
        switch name {
        case "success", "Available", "Check", "1": (.good, "M4 8.5 7 11.5 12 5")
        case "error", "failed", "critical", "Sev0", "Sev1", "Unavailable", "4": (.bad, "M5 5l6 6M11 5l-6 6")
        case "warning", "Sev2", "Degraded", "2", "3": (.warn, "M8 4v5M8 11.5v.5")
        case "up", "trendup": (.bad, "M8 12V4M4.5 7.5 8 4l3.5 3.5")
        case "down", "trenddown": (.good, "M8 4v8M4.5 8.5 8 12l3.5-3.5")
        case "info", "Sev3": (.info, "M8 7v5M8 4.5v.5")
        default: (.none, "M5 8h6")
        }
    }
}
