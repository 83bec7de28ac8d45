import Foundation
import Tables

/// Values as people read them.
enum NumberText {
    static func format(_ number: Double, _ format: NumberFormat = .plain) -> String {
        guard number.isFinite else { return "–" }
        switch format.unit {
        case .none:
            return format.isShare
                ? plain(number * 100, format.digits ?? 1) + "%" : plain(number, format.digits ?? 2)
        case .percent: return plain(number, format.digits ?? 1) + "%"
        case .count: return count(number)
        case .bytes: return scaled(number, decimalBytes, step: 1_000)
        case .kilobytes: return scaled(number * 1e3, decimalBytes, step: 1_000)
        case .megabytes: return scaled(number * 1e6, decimalBytes, step: 1_000)
        case .gigabytes: return scaled(number * 1e9, decimalBytes, step: 1_000)
        case .bytesPerSecond: return scaled(number, decimalBytes, step: 1_000) + "/s"
        case .kilobytesPerSecond: return scaled(number * 1e3, decimalBytes, step: 1_000) + "/s"
        case .megabytesPerSecond: return scaled(number * 1e6, decimalBytes, step: 1_000) + "/s"
        case .bytesOf1024: return scaled(number, binaryBytes, step: 1_024)
        case .kibibytes: return scaled(number * 1_024, binaryBytes, step: 1_024)
        case .mebibytes: return scaled(number * 1_048_576, binaryBytes, step: 1_024)
        case .gibibytes: return scaled(number * 1_073_741_824, binaryBytes, step: 1_024)
        case .perSecond: return plain(number, format.digits ?? 2) + "/s"
        case .microseconds: return duration(number / 1e6)
        case .milliseconds: return duration(number / 1e3)
        case .seconds: return duration(number)
        case .minutes: return duration(number * 60)
        case .hours: return duration(number * 3_600)
        case .days: return "\(plain(number, format.digits ?? 1)) d"
        }
    }

    private static let decimalBytes = [" B", " kB", " MB", " GB", " TB"]
    private static let binaryBytes = [" B", " KiB", " MiB", " GiB", " TiB"]
    /// Counts below are written in full: people compare them with lists.
    private static let countInFull = 100_000.0

    /// A count of things.
    static func count(_ number: Double) -> String {
        abs(number) < countInFull ? plain(number, 1) : shortCount(number)
    }

    /// A count in a few letters.
    static func shortCount(_ number: Double) -> String { scaled(number, ["", "K", "M", "B"], step: 1_000) }

    private static func scaled(_ number: Double, _ units: [String], step: Double) -> String {
        var value = number
        var unit = 0
        while abs(value) >= step, unit < units.count - 1 {
            value /= step
            unit += 1
        }
        return plain(value, unit == 0 ? 0 : 1) + units[unit]
    }

    static func duration(_ seconds: Double) -> String {
        switch abs(seconds) {
        case 0: "0 s"
        case ..<0.001: "\(plain(seconds * 1e6, 1)) µs"
        case ..<1: "\(plain(seconds * 1e3, 1)) ms"
        case ..<60: "\(plain(seconds, 1)) s"
        case ..<3_600: "\(plain(seconds / 60, 1)) min"
        case ..<86_400: "\(plain(seconds / 3_600, 1)) h"
        default: "\(plain(seconds / 86_400, 1)) d"
        }
    }

    /// Digits grouped by three, without useless zeros.
    static func plain(_ number: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let rounded = (number * scale).rounded() / scale
        let whole = rounded.rounded(.towardZero)
        guard abs(whole) < 9e15 else { return RealText.format(number) }
        var text = grouped(Int64(whole))
        let rest = abs(rounded - whole)
        if digits > 0, rest > 0 {
            var fraction = String(Int64((rest * scale).rounded()))
            fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
            while fraction.hasSuffix("0") { fraction.removeLast() }
            if !fraction.isEmpty { text = (rounded < 0 && whole == 0 ? "−" : "") + text + "." + fraction }
        }
        return text
    }

    static func grouped(_ number: Int64) -> String {
        var digits = Array(String(number.magnitude))
        var i = digits.count - 3
        while i > 0 {
            digits.insert(",", at: i)
            i -= 3
        }
        return (number < 0 ? "−" : "") + String(digits)
    }

    /// A time in UTC, to the minute.
    static func time(_ ticks: Int64) -> String {
        let text = DateTime.format(ticks)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }

    /// A cell without a formatter of its own.
    static func cell(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .datetime(let ticks): time(ticks)
        case .long(let number): grouped(number)
        case .real(let number): plain(number, 2)
        case .bool(let flag): flag ? "yes" : "no"
        default: value.text
        }
    }
}
