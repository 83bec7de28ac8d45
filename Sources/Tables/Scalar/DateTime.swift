/// Instants as Kusto keeps them: 100-nanosecond ticks since 0001-01-01T00:00:00Z.
package enum DateTime {
    package static let ticksPerSecond: Int64 = 10_000_000
    package static let ticksPerDay: Int64 = 864_000_000_000
    /// Ticks of 1970-01-01.
    package static let unixEpoch: Int64 = 621_355_968_000_000_000

    /// Seconds since 1970.
    package static func unixSeconds(_ ticks: Int64) -> Double { Double(ticks - unixEpoch) / Double(ticksPerSecond) }
    /// Ticks of 9999-12-31T23:59:59.9999999.
    package static let maximum: Int64 = 3_155_378_975_999_999_999

    /// A date and time of day taken apart.
    package struct Parts: Sendable, Equatable {
        package var year = 1
        package var month = 1
        package var day = 1
        package var hour = 0
        package var minute = 0
        package var second = 0
        package var fraction: Int64 = 0
    }

    /// Days since 0001-01-01 of a proleptic Gregorian date.
    package static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yoe = y - era * 400
        let doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy
        return era * 146_097 + doe - 306
    }

    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Ticks of a date and time, or nil when a part is out of range.
    package static func ticks(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0,
        fraction: Int64 = 0
    ) -> Int64? {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= daysInMonth(year: year, month: month),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        let seconds = Int64(hour * 3600 + minute * 60 + second)
        return Int64(days(year: year, month: month, day: day)) * ticksPerDay + seconds * ticksPerSecond + fraction
    }

    package static func parts(_ ticks: Int64) -> Parts {
        var days = Int(ticks / ticksPerDay)
        var rest = ticks % ticksPerDay
        if rest < 0 {
            rest += ticksPerDay
            days -= 1
        }
        let z = days + 306
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        var p = Parts()
        p.day = doy - (153 * mp + 2) / 5 + 1
        p.month = mp < 10 ? mp + 3 : mp - 9
        p.year = yoe + era * 400 + (p.month <= 2 ? 1 : 0)
        let seconds = rest / ticksPerSecond
        p.fraction = rest % ticksPerSecond
        p.hour = Int(seconds / 3600)
        p.minute = Int(seconds / 60 % 60)
        p.second = Int(seconds % 60)
        return p
    }

    /// 0 for Sunday to 6 for Saturday.
    package static func dayOfWeek(_ ticks: Int64) -> Int {
        Int((floorDivide(ticks, ticksPerDay) + 1) % 7)
    }

    package static func dayOfYear(_ ticks: Int64) -> Int {
        let p = parts(ticks)
        return days(year: p.year, month: p.month, day: p.day) - days(year: p.year, month: 1, day: 1) + 1
    }

    @inlinable
    package static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let q = a / b
        return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q
    }

    /// Seconds since 1970, as a floating number's whole and fractional part allow.
    package static func ticks(unixMilliseconds ms: Int64) -> Int64? {
        let (product, overflow) = ms.multipliedReportingOverflow(by: 10_000)
        let (sum, more) = product.addingReportingOverflow(unixEpoch)
        return overflow || more || sum < 0 || sum > maximum ? nil : sum
    }

    /// ISO 8601 with seven fractional digits and `Z`, as Kusto answers write it.
    package static func format(_ ticks: Int64) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(28)
        append(ticks, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    package static func append(_ ticks: Int64, to out: inout [UInt8]) {
        let p = parts(ticks)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 28) { text in
            Digits.write(p.year, width: 4, to: text, at: 0)
            text[4] = 45
            Digits.write(p.month, width: 2, to: text, at: 5)
            text[7] = 45
            Digits.write(p.day, width: 2, to: text, at: 8)
            text[10] = 84
            Digits.write(p.hour, width: 2, to: text, at: 11)
            text[13] = 58
            Digits.write(p.minute, width: 2, to: text, at: 14)
            text[16] = 58
            Digits.write(p.second, width: 2, to: text, at: 17)
            text[19] = 46
            Digits.write(Int(p.fraction), width: 7, to: text, at: 20)
            text[27] = 90
            out.append(contentsOf: UnsafeBufferPointer(text))
        }
    }
}

/// Durations as Kusto keeps them: 100-nanosecond ticks.
package enum TimeSpan {
    /// `[-][d.]hh:mm:ss[.fffffff]`.
    package static func format(_ ticks: Int64) -> String {
        var out: [UInt8] = []
        if ticks < 0 { out.append(45) }
        let total = ticks.magnitude
        let days = total / 864_000_000_000
        let seconds = total / 10_000_000 % 86_400
        let fraction = Int(total % 10_000_000)
        if days > 0 {
            out.append(contentsOf: String(days).utf8)
            out.append(46)
        }
        Digits.append(Int(seconds / 3600), width: 2, to: &out)
        out.append(58)
        Digits.append(Int(seconds / 60 % 60), width: 2, to: &out)
        out.append(58)
        Digits.append(Int(seconds % 60), width: 2, to: &out)
        if fraction > 0 {
            out.append(46)
            Digits.append(fraction, width: 7, to: &out)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Ticks of one unit suffix (`d`, `h`, `min`, `ms`, `tick`, …), or nil.
    package static func unit(_ suffix: some StringProtocol) -> Double? {
        switch suffix {
        case "d", "day", "days": 864_000_000_000
        case "h", "hr", "hrs", "hour", "hours": 36_000_000_000
        case "m", "min", "minute", "minutes": 600_000_000
        case "s", "sec", "second", "seconds": 10_000_000
        case "ms", "milli", "millis", "millisecond", "milliseconds": 10_000
        case "micro", "micros", "microsecond", "microseconds": 10
        case "nano", "nanos", "nanosecond", "nanoseconds": 0.01
        case "tick", "ticks": 1
        default: nil
        }
    }

    /// Reads `1d`, `1.02:03:04.5`, `02:03`, `-3h`, or a bare number of days.
    package static func parse(_ text: some StringProtocol) -> Int64? {
        var u = Array(text.utf8)
        while let last = u.last, last <= 32 { u.removeLast() }
        while let first = u.first, first <= 32 { u.removeFirst() }
        guard !u.isEmpty else { return nil }
        var sign: Int64 = 1
        if u[0] == 45 || u[0] == 43 {
            if u[0] == 45 { sign = -1 }
            u.removeFirst()
        }
        if u.contains(58) { return parseClock(u).map { $0 * sign } }
        var end = 0
        while end < u.count, (48...57).contains(u[end]) || u[end] == 46 { end += 1 }
        guard end > 0, let number = Double(String(decoding: u[..<end], as: UTF8.self)) else { return nil }
        var suffixStart = end
        while suffixStart < u.count, u[suffixStart] == 32 { suffixStart += 1 }
        let suffix = String(decoding: u[suffixStart...], as: UTF8.self)
        guard let scale = suffix.isEmpty ? 864_000_000_000 : unit(suffix) else { return nil }
        let value = number * scale
        guard value.magnitude < 9.2e18 else { return nil }
        return Int64(value.rounded()) * sign
    }

    private static func parseClock(_ u: [UInt8]) -> Int64? {
        let pieces = u.split(separator: 58, omittingEmptySubsequences: false)
        guard (2...4).contains(pieces.count) else { return nil }
        func number(_ s: ArraySlice<UInt8>) -> Int64? {
            guard !s.isEmpty, s.allSatisfy({ (48...57).contains($0) }) else { return nil }
            return Int64(String(decoding: s, as: UTF8.self))
        }
        var days: Int64 = 0
        var rest = pieces[...]
        var hoursText = rest.removeFirst()
        if pieces.count == 4 {
            guard let d = number(hoursText) else { return nil }
            days = d
            hoursText = rest.removeFirst()
        } else if let dot = hoursText.firstIndex(of: 46) {
            guard let d = number(hoursText[..<dot]) else { return nil }
            days = d
            hoursText = hoursText[(dot + 1)...]
        }
        guard let hours = number(hoursText), let minutes = number(rest.removeFirst()) else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if let last = rest.first {
            if let dot = last.firstIndex(of: 46) {
                guard let s = number(last[..<dot]) else { return nil }
                seconds = s
                var digits = Array(last[(dot + 1)...].prefix(7))
                while digits.count < 7 { digits.append(48) }
                guard let f = number(digits[...]) else { return nil }
                fraction = f
            } else {
                guard let s = number(last) else { return nil }
                seconds = s
            }
        }
        guard hours < 24, minutes < 60, seconds < 60, days < 10_675_200 else { return nil }
        return ((days * 24 + hours) * 60 + minutes) * 600_000_000 + seconds * 10_000_000 + fraction
    }
}

/// Decimal digits of small non-negative numbers.
package enum Digits {
    package static func append(_ value: Int, width: Int, to out: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<max(width, 1) { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(48 + value / divisor % 10))
            divisor /= 10
        }
    }

    /// Writes the last `width` digits where `text` has room for them.
    @inline(__always)
    static func write(_ value: Int, width: Int, to text: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        var rest = UInt32(truncatingIfNeeded: value)
        var i = start &+ width
        while i > start {
            i &-= 1
            let next = rest / 10
            text[i] = UInt8(truncatingIfNeeded: 48 &+ rest &- next &* 10)
            rest = next
        }
    }

    /// `value` padded with zeros to `width`.
    package static func padded(_ value: Int, _ width: Int) -> String {
        var out: [UInt8] = []
        append(value, width: width, to: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
