import Azure
import Content
import KQL
import Tables

/// Reads a table of events by windows of time, each as long as an answer has room for.
///
/// An answer of advanced hunting has limits of rows, bytes and time, has no pages, and does not say that something is missing
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery): an answer that is full is asked for again in
/// halves, and a second that is still too full by parts of the devices.
struct WindowPaging: Paging {
    static let kind = PagingKind.window
    let reader: PageReader
    let client: DefenderClient
    let request: HuntingRequest
    let window: HuntingRequest.Window

    /// The next window is not made longer when this one gave more than one row in so many of what an answer holds.
    private static let room = 4
    private static let shortest = DateTime.ticksPerSecond
    private static let longest = DateTime.ticksPerDay
    private static let partsMax = 256

    private var endpoint: SourceEndpoint { reader.endpoint }

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var (from, end) = span
        var step = Self.longest
        switch cursor {
        case .start: break
        case .window(let place, let length): (from, step) = (place, length)
        default: throw reader.foreign(cursor)
        }
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
                    try await parts(from, to, .window(from: to, step: step), take)
                    from = to
                    continue
                }
                try await losses.tell(take)
                if page.batch.count * Self.room < request.rowsMax { step = min(step * 2, Self.longest) }
                from = to
                try await take(.page(page, bytes: bytes, next: .window(from: from, step: step)))
            } catch let error as OperatorError where losses.bears(error, next: .window(from: to, step: step)) {
                from = to
            }
        }
        try await losses.end(take)
    }

    /// What is to be read, from where the last run ended.
    private var span: (Int64, Int64) {
        if let range = endpoint.choice.range { return (range.lowerBound, range.upperBound) }
        return (reader.reach.from ?? reader.now, reader.now)
    }

    /// A window that is as short as can be, by parts of the devices.
    private func parts(_ from: Int64, _ to: Int64, _ next: Cursor, _ take: PageTaker) async throws {
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
            try await take(.page(page, bytes: bytes, next: isLast ? next : .window(from: from, step: Self.shortest)))
            k += 1
        }
    }

    /// The events of a window; nil when they are too many for one answer.
    private func answer(_ from: Int64, _ to: Int64, part: (Int, Int)?) async throws -> (RecordPage, Int)? {
        var query = request.query.replacing("{from}", with: "datetime(\(DateTime.format(from)))")
            .replacing("{to}", with: "datetime(\(DateTime.format(to)))").replacing("{devices}", with: devices)
        if let (k, count) = part {
            query += "\n| where hash(strcat(column_ifexists('DeviceId', ''), Timestamp), \(count)) == \(k)"
        }
        let place = "the window from \(DateTime.format(from).prefix(19))Z to \(DateTime.format(to).prefix(19))Z"
        do {
            let (page, bytes) = try await reader.decoded(place) {
                try await client.hunt(query, permissions: endpoint.definition.permissions)
            }
            // A full answer does not say that it is cut.
            return page.batch.count < request.rowsMax ? (page, bytes) : nil
        } catch let error as OperatorError where error.isTooLarge { return nil }
    }

    /// The condition that rows are of the chosen devices.
    private var devices: String {
        let chosen = endpoint.choice.devices
        guard !chosen.isEmpty else { return "" }
        let list = chosen.map { "'" + KQLLiteral.escaped($0) + "'" }.joined(separator: ", ")
        return
            " and (DeviceId in~ (\(list)) or DeviceName in~ (\(list)) or tostring(split(DeviceName, '.')[0]) in~ (\(list)))"
    }
}
