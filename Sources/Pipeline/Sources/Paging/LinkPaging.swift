import Azure
import Content
import Tables

/// Pages that name the next one (`@odata.nextLink`), or an answer in one piece.
struct LinkPaging: Paging {
    static let kind = PagingKind.link
    let reader: PageReader
    let client: DefenderClient
    let request: RestRequest

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var number = 1
        var link: String? = URLQuery.address(request.path, reader.filled(request.parameters) + size)
        switch cursor {
        case .start: break
        case .link(let address, let page): (link, number) = (address, page)
        default: throw reader.foreign(cursor)
        }
        var seen: Set<String> = []
        while let target = link {
            guard seen.insert(target).inserted else {
                throw OperatorError(
                    "source \(reader.endpoint.name) stopped on page \(number)",
                    tried: "GET \(target.prefix { $0 != "?" })",
                    got: "a link to a page that was read before", means: "the service's paging goes in circles",
                    safe: PageFetcher.safe, next: "run the command again", isPassing: false)
            }
            var (page, bytes) = try await fetch(target, number)
            // A page that is full and names none behind it may have lost its link.
            if isPaged, page.nextLink == nil, page.batch.count >= request.pageSize {
                (page, bytes) = try await fetch(target, number)
            }
            link = isPaged ? page.nextLink.flatMap { $0.isEmpty ? nil : $0 } : nil
            if link != nil { number += 1 }
            // Behind the last page there is nothing to go on with: the last page is read again.
            try await take(.page(page, bytes: bytes, next: .link(address: link ?? target, page: number)))
        }
    }

    private var isPaged: Bool { request.paging == .nextLink }
    private var size: [(String, String)] { isPaged ? [("pageSize", String(request.pageSize))] : [] }

    private func fetch(_ target: String, _ number: Int) async throws -> (RecordPage, Int) {
        try await reader.decoded("page \(number)") {
            try await client.page(target, permissions: reader.definition.permissions)
        }
    }
}
