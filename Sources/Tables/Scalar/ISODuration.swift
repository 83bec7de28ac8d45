/// Durations such as `P1DT2H30M5.5S` and `P2W`. Years and months have no fixed length and are refused.
package enum ISODuration {
    package static func ticks(_ text: String) -> Int64? {
        guard text.first == "P" else { return nil }
        var total = 0.0
        var digits = ""
        var isTime = false
        var hasPart = false
        for c in text.dropFirst() {
            if c.isASCII, c.isNumber || c == "." || c == "," {
                digits.append(c == "," ? "." : c)
                continue
            }
            if c == "T", digits.isEmpty, !isTime {
                isTime = true
                continue
            }
            let seconds: Double
            switch (c, isTime) {
            case ("W", false): seconds = 7 * 86_400
            case ("D", false): seconds = 86_400
            case ("H", true): seconds = 3_600
            case ("M", true): seconds = 60
            case ("S", true): seconds = 1
            default: return nil
            }
            guard let n = Double(digits) else { return nil }
            total += n * seconds
            digits = ""
            hasPart = true
        }
        guard hasPart, digits.isEmpty, total < 9e11 else { return nil }
        return Int64((total * Double(DateTime.ticksPerSecond)).rounded())
    }

    /// A duration that may be negative: `-PT1H`.
    package static func ticks(signed text: String) -> Int64? {
        text.first == "-" ? ticks(String(text.dropFirst())).map { -$0 } : ticks(text)
    }
}
