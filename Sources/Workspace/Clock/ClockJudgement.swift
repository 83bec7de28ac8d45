import Tables

/// Whether a clock that says an earlier time than the last run's is right now, and was ahead then, or is behind now.
///
/// Both look the same from one pair of times; the times of all runs tell them apart. A clock that was ahead left a leap: between what
/// came before and the first of its times there is far more than between any two other runs. A clock that is behind now stands
/// somewhere in the midst of a history without leaps.
package enum ClockJudgement {
    /// Times that differ by less than this are ordinary corrections of a clock that runs well, ticks.
    package static let tolerance = 10 * 60 * DateTime.ticksPerSecond
    /// A leap is this many times longer than any other time between two runs.
    private static let leap: Int64 = 3
    private static let leapMin = DateTime.ticksPerDay
    /// This program is not older than this: a clock that says less is behind.
    private static let floor = DateTime.parse("2026-01-01") ?? 0

    /// - Parameters:
    ///   - times: when everything was written that is stored, as the clock said then; ascending, ticks.
    ///   - now: ticks; earlier than the last of them.
    package static func wasAhead(_ times: [Int64], now: Int64) -> Bool {
        guard now >= floor, let first = times.firstIndex(where: { $0 > now }) else { return false }
        let start = first > 0 ? times[first - 1] : now
        let gaps = zip(times, times.dropFirst()).enumerated().filter { $0.offset != first - 1 }.map { $1.1 - $1.0 }
        return times[first] - start > max(leapMin, leap * (gaps.max() ?? 0))
    }

    /// What the times after `now` become: they keep their distances as far as there is room behind what came before, and the last of them
    /// is just before `now`.
    static func corrected(_ times: [Int64], now: Int64) -> [Int64: Int64] {
        guard let last = times.last, last > now else { return [:] }
        let ahead = last - now + 1
        var before = times.last { $0 <= now } ?? Int64.min
        var out: [Int64: Int64] = [:]
        for time in times where time > now {
            before = before == .min ? time - ahead : max(time - ahead, before + 1)
            out[time] = before
        }
        return out
    }
}

/// Times that were put right.
package struct ClockCorrection: Sendable, Equatable {
    /// When it was noticed that the clock had been ahead, ticks.
    package let found: Int64
    /// By how much times were moved back, ticks.
    package let ahead: Int64
    /// The earliest time that was moved, as the clock had said it.
    package let low: Int64
    package let extents: Int
    package let rows: Int
}

/// What a workspace says about the clock.
package enum ClockState: Sendable, Equatable {
    case right
    /// It was ahead, and what was written then has been put in its place.
    case corrected(ClockCorrection)
    /// It is behind what was written before, ticks.
    case behind(Int64)
}

/// Rows with a time that has not come yet.
package struct FutureRows: Sendable, Equatable {
    package let extents: Int
    package let rows: Int
    /// How far the last of them is ahead, ticks.
    package let ahead: Int64
}
