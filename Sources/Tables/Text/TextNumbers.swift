/// Numbers and times as programs write them, read from bytes; nil for every other spelling.
package enum TextNumbers {
    package static func int64(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        var i = 0
        let isNegative = text.first == 45
        if isNegative { i = 1 }
        guard i < text.count, text.count - i <= 18 else { return nil }
        var n: Int64 = 0
        while i < text.count {
            let digit = text[i] &- 48
            guard digit < 10 else { return nil }
            n = n &* 10 &+ Int64(digit)
            i += 1
        }
        return isNegative ? -n : n
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// Plain decimals of at most 15 digits, for which one division gives the nearest number.
    package static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        var i = 0
        let isNegative = text.first == 45
        if isNegative { i = 1 }
        guard i < text.count, text.count - i <= 16 else { return nil }
        var n: Int64 = 0
        var digits = 0
        var decimals: Int?
        while i < text.count {
            let b = text[i]
            if b == 46, decimals == nil {
                decimals = 0
            } else {
                let digit = b &- 48
                guard digit < 10 else { return nil }
                n = n &* 10 &+ Int64(digit)
                digits += 1
                if let d = decimals { decimals = d + 1 }
            }
            i += 1
        }
        guard digits > 0, digits <= 15 else { return nil }
        let value = Double(n) / powers[decimals ?? 0]
        return isNegative ? -value : value
    }

    /// `2026-01-02T03:04:05.1234567Z`, with a blank for the `T`, fewer decimals, no zone or the day alone.
    package static func datetime(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        func two(_ i: Int) -> Int? {
            let (a, b) = (text[i] &- 48, text[i + 1] &- 48)
            return a < 10 && b < 10 ? Int(a) * 10 + Int(b) : nil
        }
        guard text.count >= 10, text[4] == 45, text[7] == 45, let century = two(0), let years = two(2),
            let month = two(5), let day = two(8),
            case let year = century * 100 + years, year > 0, month >= 1, month <= 12, day >= 1,
            day <= DateTime.daysInMonth(year: year, month: month)
        else { return nil }
        let midnight = Int64(DateTime.days(year: year, month: month, day: day)) * DateTime.ticksPerDay
        if text.count == 10 { return midnight }
        guard text.count >= 19, text[10] == 84 || text[10] == 32, text[13] == 58, text[16] == 58, let hour = two(11),
            let minute = two(14),
            let second = two(17), hour < 24, minute < 60, second < 60
        else { return nil }
        var ticks = midnight + Int64((hour * 60 + minute) * 60 + second) * DateTime.ticksPerSecond
        var i = 19
        if i < text.count, text[i] == 46 {
            i += 1
            var unit: Int64 = 1_000_000
            while i < text.count, case let digit = text[i] &- 48, digit < 10 {
                ticks += Int64(digit) * unit
                unit /= 10
                i += 1
            }
        }
        if i < text.count, text[i] == 90 { i += 1 }
        return i == text.count ? ticks : nil
    }
}
