import Tables

/// Spans of time in ticks of 100 ns, as the stages of an investigation reckon them.
package enum Span {
    package static let second = DateTime.ticksPerSecond
    package static let minute = 60 * second
    package static let hour = 60 * minute
    package static let day = 24 * hour

    /// How far two times of the day lie apart, over midnight too.
    package static func ofDay(_ a: Int64, _ b: Int64) -> Int64 {
        let apart = abs(a % day - b % day)
        return min(apart, day - apart)
    }
}
