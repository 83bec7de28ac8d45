import Azure
import Content

/// `$top` and `$skip`, until a page is short.
struct SkipPaging: Paging {
    static let kind = PagingKind.skip
    let reader: PageReader
    let client: DefenderClient
    let request: RestRequest

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var skip: Int
        switch cursor {
        case .start: skip = 0
        case .skip(let rows): skip = rows
        default: throw reader.foreign(cursor)
        }
        var losses = Losses()
        var isLast = false
        repeat {
            let parameters =
                reader.filled(request.parameters) + [("$top", String(request.pageSize)), ("$skip", String(skip))]
            let place = "page \(skip / request.pageSize + 1)"
            skip += request.pageSize
            let next = Cursor.skip(rows: skip)
            do {
                let (page, bytes) = try await reader.decoded(place) {
                    try await client.page(
                        URLQuery.address(request.path, parameters), permissions: reader.definition.permissions)
                }
                isLast = page.batch.count < request.pageSize
                try await losses.tell(take)
                try await take(.page(page, bytes: bytes, next: next))
            } catch let error as OperatorError where losses.bears(error, next: next) {}
        } while !isLast
    }
}
