import Tables

/// The `timespan` of a Log Analytics request: an ISO 8601 duration (up to now) or interval
/// (https://learn.microsoft.com/azure/azure-monitor/logs/api/request-format).
package struct QueryTimespan: Equatable {
    /// Ticks.
    package var from: Int64?
    package var to: Int64?

    /// Reads `P7D`, `PT1H30M`, `start/end`, `start/duration` or `duration/end`; nil when it is none of them.
    package init?(_ text: String, now: Int64) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1:
            guard let length = ISODuration.ticks(parts[0]) else { return nil }
            from = now - length
            to = nil
        case 2:
            let first = ISODuration.ticks(parts[0])
            let second = ISODuration.ticks(parts[1])
            if let length = first, second == nil, let end = DateTime.parse(parts[1]) {
                (from, to) = (end - length, end)
            } else if let length = second, first == nil, let start = DateTime.parse(parts[0]) {
                (from, to) = (start, start + length)
            } else if let start = DateTime.parse(parts[0]), let end = DateTime.parse(parts[1]) {
                (from, to) = (start, end)
            } else {
                return nil
            }
        default: return nil
        }
    }

    private init(from: Int64?, to: Int64?) {
        self.from = from
        self.to = to
    }

    /// What both leave.
    package func intersection(_ other: QueryTimespan) -> QueryTimespan {
        QueryTimespan(from: [from, other.from].compactMap { $0 }.max(), to: [to, other.to].compactMap { $0 }.min())
    }
}
