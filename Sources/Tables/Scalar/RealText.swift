/// The text of floating numbers as .NET writes it, which is what Kusto answers carry.
package enum RealText {
    /// Shortest digits that read back to the same number: `0.1`, `100.0`, `1E+20`, `NaN`, `Infinity`.
    package static func format(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == value.rounded(.towardZero), value.magnitude < 1e15 {
            if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
            return "\(Int64(value)).0"
        }
        let (digits, exponent, negative) = shortest(value)
        var out = negative ? "-" : ""
        let point = exponent + 1
        if exponent >= 15 || exponent < -5 {
            out += digits.prefix(1)
            if digits.count > 1 { out += "." + digits.dropFirst() }
            let size = abs(exponent)
            out += (exponent < 0 ? "E-" : "E+") + (size < 10 ? "0\(size)" : "\(size)")
        } else if point <= 0 {
            out += "0." + String(repeating: "0", count: -point) + digits
        } else if digits.count <= point {
            out += digits + String(repeating: "0", count: point - digits.count) + ".0"
        } else {
            out += digits.prefix(point) + "." + digits.dropFirst(point)
        }
        return out
    }

    /// The shortest significant digits and the exponent of the first one.
    package static func shortest(_ value: Double) -> (digits: String, exponent: Int, negative: Bool) {
        var text = Substring(value.magnitude.description)
        var exponent = 0
        if let e = text.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            exponent = Int(text[text.index(after: e)...]) ?? 0
            text = text[..<e]
        }
        let pieces = text.split(separator: ".", omittingEmptySubsequences: false)
        let whole = pieces[0]
        let fraction = pieces.count > 1 ? pieces[1] : ""
        var digits = String(whole) + String(fraction)
        exponent += whole.utf8.count - 1
        while digits.utf8.count > 1, digits.hasPrefix("0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.utf8.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        return (digits, exponent, value.sign == .minus)
    }
}
