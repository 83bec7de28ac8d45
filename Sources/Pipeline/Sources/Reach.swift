import Content
import Tables

/// From when on a run asks its source, and what the vendor's bound has put out of reach since the last run.
struct Reach: Sendable, Equatable {
    /// Ticks; nil for everything that the source has.
    var from: Int64?
    /// When the last whole run began, ticks; nil for the first one.
    var last: Int64?
    /// Time about which the service can no longer be asked.
    var gap: Gap?
    /// Whether only what is new is asked for: what does not come may still be there.
    var isPartial = false
    /// Whether as much is read as the source can give.
    var isFull = true

    /// The vendor counts from when the call arrives, by its own clock.
    private static let margin = 3_600 * DateTime.ticksPerSecond

    init() {}

    /// - Parameters:
    ///   - now: when the run began, ticks.
    ///   - isFull: whether everything is to be read, if the source can give it.
    ///   - first: seconds that somebody wants the first run to look back.
    ///   - memory: how long rows are remembered, ticks, for a table of events: older ones would count as new again; nil
    ///     for a table of states.
    init(
        _ definition: SourceDefinition, _ checkpoint: Checkpoint, now: Int64, isFull: Bool, first: Int?, memory: Int64?
    ) {
        func ticks(_ seconds: Int) -> Int64 { Int64(seconds) * DateTime.ticksPerSecond }
        last = checkpoint.run
        let bound = definition.lookbackMax.map { now - ticks($0) }
        func bounded(_ time: Int64, margin: Int64 = 0) -> Int64 { max(time, bound.map { $0 + margin } ?? time) }
        if let window = definition.window {
            from = bounded(last.map { $0 - ticks(window.overlap) } ?? now - ticks(first ?? window.first))
        } else if let rule = definition.since {
            if let least = rule.first {
                from = bounded(last.map { $0 - ticks(rule.overlap) } ?? now - ticks(least), margin: Self.margin)
                isPartial = true
            } else if let last, let oldest = memory {
                // Once everything was read, reading it again would find what is forgotten and take it for news.
                from = isFull ? now - oldest : max(Self.place(checkpoint, last) - ticks(rule.overlap), last - oldest)
                isPartial = true
            } else if let last, !isFull, bound.map({ last >= $0 + Self.margin }) ?? true {
                from = Self.place(checkpoint, last) - ticks(rule.overlap)
                isPartial = true
            }
        }
        self.isFull = isFull || !isPartial
        // What can be read as a whole leaves no gap.
        let hasBound = definition.window != nil || isPartial || definition.since == nil
        if hasBound, let bound, let last, last < bound { gap = Gap(from: last, to: max(bound, from ?? bound)) }
    }

    /// Where the last run had come to: its time, or that of the latest row by the service's own clock, if that is earlier.
    private static func place(_ checkpoint: Checkpoint, _ last: Int64) -> Int64 { min(last, checkpoint.since ?? last) }
}
