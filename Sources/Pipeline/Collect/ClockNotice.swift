import KQLEngine
import Tables
import Workspace

/// What is said about a clock that was or is wrong.
package enum ClockNotice {
    /// - Returns: nil when the clock is right.
    static func text(_ state: ClockState) -> String? {
        switch state {
        case .right: nil
        case .corrected(let correction): text(correction)
        case .behind(let ticks):
            "this machine's clock is \(length(ticks)) behind the last run: it is behind now, or was ahead then. Rows are stamped just "
                + "after that run, so that their order holds; check the clock"
        }
    }

    /// A correction, for whoever reads the rows later.
    package static func text(_ correction: ClockCorrection) -> String {
        "the clock was \(length(correction.ahead)) ahead until \(DateTime.format(correction.found).prefix(19))Z: "
            + "\(correction.rows) rows that it stamped count as observed just before then; what it said is kept beside them. "
            + "What sinks had got by then bears the wrong time"
    }

    package static func text(_ future: FutureRows) -> String {
        "\(future.rows) rows bear times up to \(length(future.ahead)) ahead of this machine's clock: it was ahead when they came, or is "
            + "behind now; when it was ahead, the next collect puts them in their place"
    }

    private static func length(_ ticks: Int64) -> String {
        func whole(_ unit: Int64) -> Int64 { (ticks + unit / 2) / unit }
        let (minute, hour) = (60 * DateTime.ticksPerSecond, 3_600 * DateTime.ticksPerSecond)
        return switch ticks {
        case ..<(2 * hour): "\(whole(minute)) minutes"
        case ..<(2 * DateTime.ticksPerDay): "\(whole(hour)) hours"
        default: "\(whole(DateTime.ticksPerDay)) days"
        }
    }
}

extension Checkpoint {
    /// Where a source stands, when the clock was ahead at its last run: a full copy is due, and what came since the latest that the service
    /// told of is asked for again.
    func corrected(now: Int64) -> Checkpoint {
        let limit = now + ClockJudgement.tolerance
        var out = self
        if let keyframe, keyframe > limit { out.keyframe = nil }
        if let full, full > limit { out.full = nil }
        if let since, since > limit { out.since = nil }
        if let run, run > limit { out.run = latest.map { min($0, now) } }
        return out
    }
}

/// What the workspace tells of the clock, for `vestige status`.
package struct ClockHealth: Sendable {
    /// The last first.
    package let corrections: [ClockCorrection]
    package let future: FutureRows?

    /// - Parameter now: ticks.
    package init(_ workspace: Workspace, now: Int64) throws(WorkspaceError) {
        corrections = try workspace.clockCorrections()
        future = try workspace.futureRows(now: now)
    }

    /// One sentence for each.
    package var lines: [String] { [future.map(ClockNotice.text)].compactMap { $0 } + corrections.map(ClockNotice.text) }
}
