import KQLEngine
import Tables

/// One query of the Log Analytics interface, from an address, a body or an item of a batch.
struct LogAnalyticsRequest: Sendable {
    let text: String
    var options = QueryOptions()
    var wantsStatistics = false
    var wantsRender = false

    /// Bytes of a result at most, and seconds of a query, as the service has them
    /// (https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api).
    private static let resultBytesMax = 100 << 20
    private static let secondsDefault = 180.0
    private static let secondsMax = 600.0

    /// - Parameter address: what the request's address says besides.
    init(fields: Bag, address: Bag = Bag([(String, Value)]()), prefer: String, now: Int64) throws(LogAnalyticsError) {
        guard let query = (fields["query"] ?? address["query"])?.stringValue,
            query.contains(where: { !$0.isWhitespace })
        else {
            throw LogAnalyticsError(
                .badRequest, "BadArgumentError", "The request had some invalid properties",
                inner: ("QueryValidationError", "there is no 'query'"))
        }
        text = query
        options.resultBytesMax = Self.resultBytesMax
        options.durationMax = Self.secondsDefault
        var scope: QueryTimespan?
        for given in [fields["timespan"], address["timespan"]] {
            guard let span = given?.stringValue, !span.isEmpty else { continue }
            guard let parsed = QueryTimespan(span, now: now) else {
                throw LogAnalyticsError(
                    .badRequest, "BadArgumentError", "The request had some invalid properties",
                    inner: ("InvalidTimespan", "'timespan' is not an ISO 8601 duration or interval: \"\(span)\""))
            }
            scope = scope.map { $0.intersection(parsed) } ?? parsed
        }
        if let scope { options.timeScope = TimeScope(column: "TimeGenerated", from: scope.from, to: scope.to) }
        for token in prefer.split(separator: ",").map({ $0.filter { !$0.isWhitespace }.lowercased() }) {
            if token == "include-statistics=true" { wantsStatistics = true }
            if token == "include-render=true" { wantsRender = true }
            if token.hasPrefix("wait="), let seconds = Double(token.dropFirst(5)), seconds > 0 {
                options.durationMax = min(seconds, Self.secondsMax)
            }
        }
    }
}
