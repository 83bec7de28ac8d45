import Tables

/// By when each step of a forensic triage is due, from when it was asked for (BOD 26-04, implementation guidance).
package struct ForensicClock: Sendable, Equatable {
    /// The steps in their order; their names in decisions.
    package enum Step: String, Sendable, CaseIterable {
        case scope = "scopeBy"
        case volatile = "volatileBy"
        case verdict = "verdictBy"

        package var hours: Int64 {
            switch self {
            case .scope: 2
            case .volatile: 24
            case .verdict: 72
            }
        }

        fileprivate var words: String {
            switch self {
            case .scope: "scope"
            case .volatile: "volatile evidence"
            case .verdict: "verdict"
            }
        }
    }

    /// Ticks.
    package let since: Int64

    package init(since: Int64) { self.since = since }

    /// The first instant at which a step is late; ticks.
    package func due(_ step: Step) -> Int64 { since + step.hours * Span.hour }

    /// All steps with their times in UTC.
    package var text: String {
        Step.allCases.map { "\($0.words) by \(DateTime.format(due($0)).prefix(16))Z" }.joined(separator: ", ")
    }
}
