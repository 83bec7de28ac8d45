import Tables

/// When a source runs: every so often, or at the times of a cron line, in UTC.
package enum Schedule: Sendable, Equatable {
    /// Seconds between the beginnings of two runs.
    case every(seconds: Int)
    case cron(CronTimes)

    /// Reads `15m`, `6h`, `1d`, or five fields: minute, hour, day of the month, month, day of the week.
    package init?(_ text: String) {
        if text.trimmed.split(separator: " ").count == 5 {
            guard let times = CronTimes(text) else { return nil }
            self = .cron(times)
        } else {
            guard text.contains(where: \.isLetter), let ticks = TimeSpan.parse(text.trimmed),
                ticks >= 10 * DateTime.ticksPerSecond
            else { return nil }
            self = .every(seconds: Int(ticks / DateTime.ticksPerSecond))
        }
    }

    /// When a source runs next after a run that began at `last`; ticks.
    ///
    /// - Parameter jitter: 0 up to 1, the same for a source at all times: sources of one interval do not all call in the same second.
    package func next(after last: Int64, jitter: Double) -> Int64 {
        switch self {
        case .every(let seconds):
            // Up to a tenth of the interval, five minutes at most.
            let spread = min(Double(seconds) / 10, 300) * jitter
            return last + Int64((Double(seconds) + spread) * Double(DateTime.ticksPerSecond))
        case .cron(let times): return times.next(after: last) + Int64(jitter * 30 * Double(DateTime.ticksPerSecond))
        }
    }
}

/// The minutes that a cron line names.
package struct CronTimes: Sendable, Equatable {
    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// Days of the month and of the week are alternatives when both are named, as cron has it.
    private let isEitherDay: Bool

    init?(_ text: String) {
        let fields = text.trimmed.split(separator: " ").map(String.init)
        guard fields.count == 5, let minutes = Self.set(fields[0], 0...59), let hours = Self.set(fields[1], 0...23),
            let days = Self.set(fields[2], 1...31),
            let months = Self.set(fields[3], 1...12), let weekdays = Self.set(fields[4], 0...7)
        else { return nil }
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        // Sunday is 0 and 7.
        self.weekdays = Set(weekdays.map { $0 % 7 })
        isEitherDay = fields[2] != "*" && fields[4] != "*"
    }

    /// `*`, `5`, `1-5`, `*/15`, `10-40/10`, and several of them with commas.
    private static func set(_ text: String, _ range: ClosedRange<Int>) -> Set<Int>? {
        var out = Set<Int>()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let step = pieces.count == 2 ? Int(pieces[1]) : 1, step > 0 else { return nil }
            let bounds: ClosedRange<Int>
            if pieces[0] == "*" {
                bounds = range
            } else {
                let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
                guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high,
                    range.contains(low), range.contains(high)
                else {
                    return nil
                }
                bounds = low...(ends.count == 1 && pieces.count == 2 ? range.upperBound : high)
            }
            out.formUnion(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
        }
        return out
    }

    /// The first minute after `ticks` that is named; four years on when none is.
    func next(after ticks: Int64) -> Int64 {
        let minute = 60 * DateTime.ticksPerSecond
        var at = (DateTime.floorDivide(ticks, minute) + 1) * minute
        let limit = at + 4 * 366 * DateTime.ticksPerDay
        while at < limit {
            let p = DateTime.parts(at)
            let inMonth = days.contains(p.day)
            let inWeek = weekdays.contains(DateTime.dayOfWeek(at))
            if !months.contains(p.month) || !(isEitherDay ? inMonth || inWeek : inMonth && inWeek) {
                at = (DateTime.floorDivide(at, DateTime.ticksPerDay) + 1) * DateTime.ticksPerDay
            } else if !hours.contains(p.hour) {
                at = (DateTime.floorDivide(at, 60 * minute) + 1) * 60 * minute
            } else if !minutes.contains(p.minute) {
                at += minute
            } else {
                return at
            }
        }
        return limit
    }
}
