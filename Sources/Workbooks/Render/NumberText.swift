import Foundation
import Tables

/// Values as people read them.
enum NumberText {
    /// A number in a workbook's unit (17 counts, 1 percent, 2 to 5 bytes, 22 to 27 durations).
    static func format(_ d: Double, _ format: Bag = Bag()) -> String {
        guard d.isFinite else { return "–" }
        let unit = Int(format["unit"]?.longValue ?? 0)
        let options = format["options"]?.bagValue ?? Bag()
        let digits = options["maximumFractionDigits"]?.longValue.map { Int($0) }
        let style = options["style"]?.stringValue
        switch unit {
        case 17: return scaled(d, ["", "K", "M", "B"], 1000)
        case 1: return plain(d, digits ?? 1) + "%"
        case 2, 36: return scaled(d, [" B", " kB", " MB", " GB", " TB"], 1000)
        case 3, 37: return format2(d * 1e3)
        case 4, 38: return format2(d * 1e6)
        case 24: return duration(d)
        case 25: return duration(d * 60)
        case 26: return duration(d * 3600)
        case 27: return "\(plain(d, digits ?? 1)) d"
        default: return style == "percent" ? plain(d * 100, digits ?? 1) + "%" : plain(d, digits ?? 2)
        }
    }

    private static func format2(_ bytes: Double) -> String { scaled(bytes, [" B", " kB", " MB", " GB", " TB"], 1000) }

    private static func scaled(_ d: Double, _ units: [String], _ step: Double) -> String {
        var value = d
        var unit = 0
        while abs(value) >= step, unit < units.count - 1 {
            value /= step
            unit += 1
        }
        return plain(value, unit == 0 ? 0 : 1) + units[unit]
    }

    static func duration(_ seconds: Double) -> String {
        if seconds < 60 { return "\(plain(seconds, 1)) s" }
        if seconds < 3600 { return "\(plain(seconds / 60, 1)) min" }
        if seconds < 86_400 { return "\(plain(seconds / 3600, 1)) h" }
        return "\(plain(seconds / 86_400, 1)) d"
    }

    /// Digits grouped by three, without useless zeros.
    static func plain(_ d: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let rounded = (d * scale).rounded() / scale
        let whole = rounded.rounded(.towardZero)
        guard abs(whole) < 9e15 else { return RealText.format(d) }
        var text = grouped(Int64(whole))
        let rest = abs(rounded - whole)
        if digits > 0, rest > 0 {
            var fraction = String(Int64((rest * scale).rounded()))
            fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
            while fraction.hasSuffix("0") { fraction.removeLast() }
            if !fraction.isEmpty { text = (rounded < 0 && whole == 0 ? "-" : "") + text + "." + fraction }
        }
        return text
    }

    static func grouped(_ n: Int64) -> String {
        var digits = Array(String(n.magnitude))
        var i = digits.count - 3
        while i > 0 {
            digits.insert(",", at: i)
            i -= 3
        }
        return (n < 0 ? "−" : "") + String(digits)
    }

    /// A time in UTC, to the second or to the day.
    static func time(_ ticks: Int64) -> String {
        let text = DateTime.format(ticks)
        let day = text.prefix(10)
        return ticks % DateTime.ticksPerDay == 0 ? String(day) : "\(day) \(text.dropFirst(11).prefix(5))"
    }

    /// A cell without a formatter of its own.
    static func cell(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .datetime(let t): time(t)
        case .long(let n): grouped(n)
        case .real(let d): plain(d, 2)
        case .bool(let b): b ? "yes" : "no"
        default: value.text
        }
    }
}
