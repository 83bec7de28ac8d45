import Content
import Tables
import Workspace

/// When sources run.
package struct RunPlanner: Sendable {
    private let intervals: [String: Int]
    private let schedules: [String: Schedule]
    /// Seconds after which a source that failed is tried again, when its schedule is longer: a run that was cut off goes on then.
    private static let retrySeconds = 15 * 60

    /// - Parameter schedules: by the id of a source; others run at their content's interval.
    package init(library: ContentLibrary, schedules: [String: Schedule]) {
        intervals = Dictionary(library.sources.map { ($0.id, $0.intervalSeconds) }) { _, new in new }
        self.schedules = schedules
    }

    /// When a source is due again, ticks.
    package func next(after last: RunRecord) -> Int64 {
        let id = String(last.source.prefix { $0 != "@" })
        let schedule = schedules[id] ?? .every(seconds: intervals[id] ?? 3_600)
        let regular = schedule.next(after: last.started, jitter: Self.jitter(last.source))
        if last.error == nil { return regular }
        return min(regular, last.ended + Int64(Self.retrySeconds) * DateTime.ticksPerSecond)
    }

    /// How long a source rests after a run, whatever the clock says.
    func rest(after last: RunRecord) -> Duration {
        .seconds(Double(next(after: last) - last.started) / Double(DateTime.ticksPerSecond))
    }

    /// A number from 0 up to 1 that a name decides: sources of one interval do not all call in the same second.
    static func jitter(_ name: String) -> Double {
        var name = name
        let hash = name.withUTF8 { ByteHash.hash($0) }
        return Double(hash >> 11) / Double(1 << 53)
    }
}
