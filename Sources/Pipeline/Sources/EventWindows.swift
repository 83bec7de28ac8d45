import Azure
import Content
import Tables

/// Reads a table of events by windows of time, each as long as an answer has room for.
///
/// An answer of advanced hunting has at most 100,000 rows and 50 MB, takes at most three minutes, has no pages, and does not say that
/// something is missing (https://learn.microsoft.com/graph/api/security-security-runhuntingquery): an answer that is full is asked for
/// again in halves, and a second that is still too full by parts of the devices.
struct EventWindows: Sendable {
    let fetcher: PageFetcher
    let client: DefenderClient

    private static let rowsMax = 100_000
    /// Rows above which the next window is not made longer.
    private static let rowsWanted = 25_000
    private static let shortest = DateTime.ticksPerSecond
    private static let longest = DateTime.ticksPerDay
    private static let partsMax = 256
    /// How far back the service goes.
    private static let reach = 30 * DateTime.ticksPerDay

    private var endpoint: SourceEndpoint { fetcher.endpoint }

    func pages(from cursor: Value, _ take: (FetchedPage) async throws -> Void) async throws {
        let bag = cursor.bagValue
        var (from, end) = span
        from = bag?["from"]?.longValue ?? from
        var step = bag?["step"]?.longValue ?? Self.longest
        var losses = Losses()
        while from < end {
            let to = min(end, from + step)
            do {
                guard let (page, bytes) = try await answer(from, to, part: nil) else {
                    if step > Self.shortest {
                        step = max(Self.shortest, step / 2)
                        continue
                    }
                    try await losses.tell(take)
                    try await parts(from, to, place(to, step), take)
                    from = to
                    continue
                }
                try await losses.tell(take)
                if page.batch.count < Self.rowsWanted { step = min(step * 2, Self.longest) }
                from = to
                try await take(.page(page, bytes: bytes, next: place(from, step)))
            } catch let error as OperatorError where losses.bears(error, next: place(to, step)) { from = to }
        }
        try await losses.end(take)
    }

    private func place(_ from: Int64, _ step: Int64) -> Value {
        .bag(Bag([("from", .long(from)), ("step", .long(step))]))
    }

    /// What is to be read, from where the last run ended.
    private var span: (Int64, Int64) {
        if let range = endpoint.choice.range { return (range.lowerBound, range.upperBound) }
        guard let window = endpoint.definition.window else { return (fetcher.now, fetcher.now) }
        let first = Int64(endpoint.choice.since ?? window.first)
        let start =
            fetcher.since.map { $0 - Int64(window.overlap) * DateTime.ticksPerSecond } ?? fetcher.now - first
            * DateTime.ticksPerSecond
        return (max(start, fetcher.now - Self.reach), fetcher.now)
    }

    /// A window that is as short as can be, by parts of the devices.
    private func parts(_ from: Int64, _ to: Int64, _ next: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var count = 2
        var k = 0
        while k < count {
            guard let (page, bytes) = try await answer(from, to, part: (k, count)) else {
                guard count < Self.partsMax else {
                    throw OperatorError(
                        "source \(endpoint.name) stopped at \(DateTime.format(from))",
                        got: "one second of one device in \(count) is more than an answer holds",
                        safe: PageFetcher.safe, next: "choose devices: 'investigate.devices' in the configuration",
                        isPassing: true)
                }
                // Rows that were read already count once.
                (k, count) = (0, 2 * count)
                continue
            }
            // Until the last part is there, the window begins anew.
            let isLast = k == count - 1
            try await take(.page(page, bytes: bytes, next: isLast ? next : place(from, Self.shortest)))
            k += 1
        }
    }

    /// The events of a window; nil when they are too many for one answer.
    private func answer(_ from: Int64, _ to: Int64, part: (Int, Int)?) async throws -> (RecordPage, Int)? {
        var query = (endpoint.definition.query ?? "").replacing("{from}", with: "datetime(\(DateTime.format(from)))")
            .replacing("{to}", with: "datetime(\(DateTime.format(to)))").replacing("{devices}", with: devices)
        if let (k, count) = part {
            query += "\n| where hash(strcat(column_ifexists('DeviceId', ''), Timestamp), \(count)) == \(k)"
        }
        let place = "the window from \(DateTime.format(from).prefix(19))Z to \(DateTime.format(to).prefix(19))Z"
        do {
            let (page, bytes) = try await fetcher.decoded(place) {
                try await client.hunt(query, permissions: endpoint.definition.permissions)
            }
            // A full answer does not say that it is cut.
            return page.batch.count < Self.rowsMax ? (page, bytes) : nil
        } catch let error as OperatorError where error.isTooLarge { return nil }
    }

    /// The condition that rows are of the chosen devices.
    private var devices: String {
        let chosen = endpoint.choice.devices
        guard !chosen.isEmpty else { return "" }
        let list = chosen.map { "'" + $0.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'" }.joined(
            separator: ", ")
        return
            " and (DeviceId in~ (\(list)) or DeviceName in~ (\(list)) or tostring(split(DeviceName, '.')[0]) in~ (\(list)))"
    }
}
