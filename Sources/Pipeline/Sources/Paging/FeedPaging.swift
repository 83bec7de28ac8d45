import Content
import Tables

/// A public list in one piece; one that is published by months, for every month since the last run.
struct FeedPaging: Paging {
    static let kind = PagingKind.feed
    let reader: PageReader
    let feed: WebFeed

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        guard cursor == .start else { throw reader.foreign(cursor) }
        for time in times {
            try await feed.pages(
                reader.definition, reader.endpoint.name, now: time, validators: reader.validators, take)
        }
    }

    /// A time in each month that is asked for, the latest first: of an entry that two months have, the newer counts.
    private var times: [Int64] {
        guard feed.isMonthly, let last = reader.reach.last else { return [reader.now] }
        let earliest = Self.month(max(last, reader.reach.gap?.to ?? last))
        let latest = Self.month(reader.now)
        guard earliest < latest else { return [reader.now] }
        return [reader.now]
            + (earliest..<latest).reversed().compactMap { DateTime.ticks($0 / 12, $0 % 12 + 1, 15) }
    }

    /// Months since the year 0.
    private static func month(_ time: Int64) -> Int {
        let parts = DateTime.parts(time)
        return parts.year * 12 + parts.month - 1
    }
}
