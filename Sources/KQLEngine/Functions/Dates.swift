import Tables

extension ScalarFunctions {
    private static func ticks(_ v: Value) -> Int64? { if case .datetime(let t) = v { t } else { nil } }

    private static func make(_ t: Int64?) -> Value {
        guard let t, t >= 0, t <= DateTime.maximum else { return .null }
        return .datetime(t)
    }

    private static func part(_ f: @escaping (DateTime.Parts, Int64) -> Int) -> ScalarKernel {
        .strict { a, _ in ticks(a[0]).map { .long(Int64(f(DateTime.parts($0), $0))) } ?? .null }
    }

    /// The start of the period `offset` periods after the one that `t` lies in.
    static func startOfPeriod(_ unit: String, _ t: Int64, _ offset: Int = 0) -> Int64? {
        let p = DateTime.parts(t)
        // Beyond this many of any unit there is no datetime.
        guard offset.magnitude < 4_000_000 else { return nil }
        let day = DateTime.floorDivide(t, DateTime.ticksPerDay)
        switch unit {
        case "day": return (day + Int64(offset)).multiplied(by: DateTime.ticksPerDay)
        case "week":
            return (day - Int64(DateTime.dayOfWeek(t)) + Int64(offset) * 7).multiplied(by: DateTime.ticksPerDay)
        case "month":
            let months = p.year * 12 + p.month - 1 + offset
            return DateTime.ticks(months / 12, months % 12 + 1, 1)
        default: return DateTime.ticks(p.year + offset, 1, 1)
        }
    }

    private static func edge(_ unit: String, end: Bool) -> ScalarKernel {
        .strict { a, _ in
            guard let t = ticks(a[0]) else { return .null }
            let offset = a.count > 1 ? Int(a[1].longValue ?? 0) : 0
            if end { return make(offset.adding(1).flatMap { startOfPeriod(unit, t, $0) }?.subtracting(1)) }
            return make(startOfPeriod(unit, t, offset))
        }
    }

    private static func addMonths(_ t: Int64, _ n: Int) -> Int64? {
        let p = DateTime.parts(t)
        guard n.magnitude < 200_000 else { return nil }
        let months = p.year * 12 + p.month - 1 + n
        guard months >= 12 else { return nil }
        let (y, m) = (months / 12, months % 12 + 1)
        let day = min(p.day, DateTime.daysInMonth(year: y, month: m))
        return DateTime.ticks(y, m, day).map { $0 + t % DateTime.ticksPerDay }
    }

    private static func add(_ a: [Value]) -> Value {
        guard let n = a[1].longValue, let t = ticks(a[2]) else { return .null }
        func span(_ ticks: Int64) -> Value {
            make(n.multiplied(by: ticks)?.adding(t))
        }
        switch a[0].text.lowercased() {
        case "year": return make(Int(n).multiplied(by: 12).flatMap { addMonths(t, $0) })
        case "quarter": return make(Int(n).multiplied(by: 3).flatMap { addMonths(t, $0) })
        case "month": return make(addMonths(t, Int(n)))
        case "week": return span(7 * DateTime.ticksPerDay)
        case "day": return span(DateTime.ticksPerDay)
        case "hour": return span(36_000_000_000)
        case "minute": return span(600_000_000)
        case "second": return span(10_000_000)
        case "millisecond": return span(10_000)
        case "microsecond": return span(10)
        case "nanosecond": return make(t.adding(n / 100))
        default: return .null
        }
    }

    private static func difference(_ a: [Value]) -> Value {
        guard let x = ticks(a[1]), let y = ticks(a[2]) else { return .null }
        let p = DateTime.parts(x)
        let q = DateTime.parts(y)
        func count(_ unit: Int64) -> Value { .long(DateTime.floorDivide(x, unit) - DateTime.floorDivide(y, unit)) }
        switch a[0].text.lowercased() {
        case "year": return .long(Int64(p.year - q.year))
        case "quarter": return .long(Int64((p.year - q.year) * 4 + (p.month - 1) / 3 - (q.month - 1) / 3))
        case "month": return .long(Int64((p.year - q.year) * 12 + p.month - q.month))
        case "week":
            let week = 7 * DateTime.ticksPerDay
            return .real(
                Double(
                    DateTime.floorDivide(x + DateTime.ticksPerDay, week)
                        - DateTime.floorDivide(y + DateTime.ticksPerDay, week)))
        case "day": return count(DateTime.ticksPerDay)
        case "hour": return count(36_000_000_000)
        case "minute": return count(600_000_000)
        case "second": return count(10_000_000)
        case "millisecond": return count(10_000)
        case "microsecond": return count(10)
        case "nanosecond": return (x - y).multiplied(by: 100).map { .long($0) } ?? .null
        default: return .null
        }
    }

    private static func isoWeek(_ t: Int64) -> Int {
        let weekday = (DateTime.dayOfWeek(t) + 6) % 7
        let thursday = t + Int64(3 - weekday) * DateTime.ticksPerDay
        return (DateTime.dayOfYear(thursday) - 1) / 7 + 1
    }

    private static func datePart(_ unit: String, _ t: Int64) -> Value {
        let p = DateTime.parts(t)
        switch unit.lowercased() {
        case "year": return .long(Int64(p.year))
        case "quarter": return .long(Int64((p.month - 1) / 3 + 1))
        case "month": return .long(Int64(p.month))
        case "week_of_year", "weekofyear": return .long(Int64(isoWeek(t)))
        case "day": return .long(Int64(p.day))
        case "dayofyear": return .long(Int64(DateTime.dayOfYear(t)))
        case "hour": return .long(Int64(p.hour))
        case "minute": return .long(Int64(p.minute))
        case "second": return .long(Int64(p.second))
        case "millisecond": return .long(p.fraction / 10_000)
        case "microsecond": return .long(p.fraction / 10)
        case "nanosecond": return .long(p.fraction * 100)
        default: return .null
        }
    }

    private static func unix(_ scale: Double) -> ScalarKernel {
        .strict { a, _ in
            if let n = a[0].longValue, scale >= 1 {
                return make(
                    n.multiplied(by: scale == 10 ? 10 : scale == 10_000 ? 10_000 : 10_000_000)?
                        .adding(DateTime.unixEpoch))
            }
            guard let x = a[0].doubleValue else { return .null }
            return make((x * scale).rounded().whole?.adding(DateTime.unixEpoch))
        }
    }

    private static func span(_ a: [Value]) -> Value {
        if a.count == 1 { return a[0].converted(to: .timespan) }
        let n = a.map { $0.doubleValue ?? 0 }
        let ticks: Double =
            switch n.count {
            case 2: (n[0] * 3600 + n[1] * 60) * 1e7
            case 3: (n[0] * 3600 + n[1] * 60 + n[2]) * 1e7
            default: (n[0] * 86400 + n[1] * 3600 + n[2] * 60 + n[3]) * 1e7
            }
        return ticks.rounded().whole.map { .timespan($0) } ?? .null
    }

    static var dates: [String: ScalarKernel] {
        [
            "now": .lenient { a, c in
                if case .timespan(let t)? = a.first { return make(c.now.adding(t)) }
                return .datetime(c.now)
            },
            "ago": .strict { a, c in if case .timespan(let t) = a[0] { make(c.now.subtracting(t)) } else { .null } },
            "startofday": edge("day", end: false), "startofweek": edge("week", end: false),
            "startofmonth": edge("month", end: false), "startofyear": edge("year", end: false),
            "endofday": edge("day", end: true),
            "endofweek": edge("week", end: true), "endofmonth": edge("month", end: true),
            "endofyear": edge("year", end: true),
            "datetime_add": .strict { a, _ in add(a) }, "datetime_diff": .strict { a, _ in difference(a) },
            "datetime_part": .strict { a, _ in ticks(a[1]).map { datePart(a[0].text, $0) } ?? .null },
            "datepart": .strict { a, _ in ticks(a[1]).map { datePart(a[0].text, $0) } ?? .null },
            "dayofweek": .strict { a, _ in
                ticks(a[0]).map { .timespan(Int64(DateTime.dayOfWeek($0)) * DateTime.ticksPerDay) } ?? .null
            },
            "dayofmonth": part { p, _ in p.day }, "dayofyear": part { _, t in DateTime.dayOfYear(t) },
            "hourofday": part { p, _ in p.hour }, "monthofyear": part { p, _ in p.month },
            "getmonth": part { p, _ in p.month },
            "getyear": part { p, _ in p.year }, "week_of_year": part { _, t in isoWeek(t) },
            "weekofyear": part { _, t in isoWeek(t) },
            "make_datetime": .strict { a, _ in
                if a.count == 1 { return a[0].converted(to: .datetime) }
                let n = a.map { $0.doubleValue ?? -1 }
                let seconds = n.count > 5 ? n[5] : 0
                guard n.allSatisfy({ $0.magnitude < 100_000 }) else { return .null }
                return make(
                    DateTime.ticks(
                        Int(n[0]), Int(n[1]), Int(n[2]), n.count > 3 ? Int(n[3]) : 0, n.count > 4 ? Int(n[4]) : 0,
                        Int(seconds),
                        fraction: Int64(((seconds - seconds.rounded(.down)) * 1e7).rounded())))
            },
            "make_timespan": .strict { a, _ in span(a) },
            "unixtime_seconds_todatetime": unix(10_000_000), "unixtime_milliseconds_todatetime": unix(10_000),
            "unixtime_microseconds_todatetime": unix(10), "unixtime_nanoseconds_todatetime": unix(0.01),
            "format_datetime": .strict { a, _ in
                ticks(a[0]).map { .string(DateFormat.datetime($0, a[1].text)) } ?? .null
            },
            "format_timespan": .strict { a, _ in
                if case .timespan(let t) = a[0] { .string(DateFormat.timespan(t, a[1].text)) } else { .null }
            },
            "datetime_utc_to_local": .strict { a, _ in
                ticks(a[0]).map { make(TimeZones.toLocal($0, a[1].text)) } ?? .null
            },
            "datetime_local_to_utc": .strict { a, _ in ticks(a[0]).map { make(TimeZones.toUTC($0, a[1].text)) } ?? .null
            },
            "datetime_list_timezones": .lenient { _, _ in .array(TimeZones.names.map { .string($0) }) },
        ]
    }
}

/// .NET-like format strings for times.
enum DateFormat {
    /// `widest` tells the longest run of a letter that is one field; what is over starts another.
    private static func run(_ format: String, widest: (Character, Int) -> Int, _ field: (Character, Int) -> String?)
        -> String
    {
        var out = ""
        let chars = Array(format)
        var i = 0
        while i < chars.count {
            var n = 1
            while i + n < chars.count, chars[i + n] == chars[i] { n += 1 }
            n = min(n, widest(chars[i], n))
            if let text = field(chars[i], n) {
                out += text
                i += n
            } else {
                out.append(chars[i])
                i += 1
            }
        }
        return out
    }

    /// The first `n` digits of a second's fraction.
    ///
    /// - Parameter hidesZero: as `F…` has it: digits that are all zero are left out. Of fewer than seven Kusto leaves
    ///   out all or none, where .NET leaves out those at the end; of seven its page shows the end left out
    ///   (https://learn.microsoft.com/kusto/query/format-datetime-function).
    private static func fraction(_ f: Int64, _ n: Int, hidesZero: Bool) -> String {
        var text = String(Digits.padded(Int(f), 7).prefix(n))
        guard hidesZero else { return text }
        if n >= 7 { while text.hasSuffix("0") { text.removeLast() } }
        return text.allSatisfy { $0 == "0" } ? "" : text
    }

    static func datetime(_ t: Int64, _ format: String) -> String {
        let p = DateTime.parts(t)
        let hour12 = p.hour % 12 == 0 ? 12 : p.hour % 12
        func widest(_ c: Character, _ n: Int) -> Int {
            switch c {
            case "y": n >= 4 ? 4 : 2
            case "f", "F": 7
            default: 2
            }
        }
        return run(format, widest: widest) { c, n in
            switch c {
            case "y": n == 4 ? Digits.padded(p.year, 4) : Digits.padded(p.year % 100, n)
            case "M": Digits.padded(p.month, p.month > 9 ? max(n, 2) : n)
            case "d": Digits.padded(p.day, p.day > 9 ? max(n, 2) : n)
            case "H": Digits.padded(p.hour, p.hour > 9 ? max(n, 2) : n)
            case "h": Digits.padded(hour12, hour12 > 9 ? max(n, 2) : n)
            case "m": Digits.padded(p.minute, p.minute > 9 ? max(n, 2) : n)
            case "s": Digits.padded(p.second, p.second > 9 ? max(n, 2) : n)
            case "f": fraction(p.fraction, n, hidesZero: false)
            case "F": fraction(p.fraction, n, hidesZero: true)
            case "t": n == 1 ? (p.hour < 12 ? "A" : "P") : (p.hour < 12 ? "AM" : "PM")
            default: nil
            }
        }
    }

    static func timespan(_ t: Int64, _ format: String) -> String {
        let total = Int64(clamping: t.magnitude)
        let days = Int(total / DateTime.ticksPerDay)
        let seconds = Int(total / 10_000_000 % 86_400)
        return (t < 0 ? "-" : "")
            + run(format, widest: { c, _ in "dD".contains(c) ? 8 : "fF".contains(c) ? 7 : 2 }) { c, n in
                func number(_ v: Int) -> String { Digits.padded(v, max(n, String(v).count)) }
                switch c {
                case "d", "D": return number(days)
                case "H", "h": return number(seconds / 3600)
                case "m", "M": return number(seconds / 60 % 60)
                case "s", "S": return number(seconds % 60)
                case "f": return fraction(total % 10_000_000, n, hidesZero: false)
                case "F": return fraction(total % 10_000_000, n, hidesZero: true)
                default: return nil
                }
            }
    }
}
