import Tables

/// Spans of time in ticks of 100 ns, as the stages of an investigation reckon them.
package enum Span {
    package static let second = DateTime.ticksPerSecond
    package static let minute = 60 * second
    package static let hour = 60 * minute
    package static let day = 24 * hour
}
