import Azure
import Content

/// Pages of Resource Graph, each with a token that leads to the next.
struct TokenPaging: Paging {
    static let kind = PagingKind.token
    let reader: PageReader
    let client: ResourceGraphClient
    let request: GraphRequest

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var token: String?
        var number = 1
        switch cursor {
        case .start: break
        case .token(let text, let page): (token, number) = (text, page)
        default: throw reader.foreign(cursor)
        }
        var seen: Set<String> = []
        repeat {
            let asked = token
            let (page, bytes) = try await reader.decoded("page \(number)") {
                try await client.page(request.query, skipToken: asked, permissions: reader.definition.permissions)
            }
            token = page.nextLink
            if let token, !seen.insert(token).inserted {
                throw OperatorError(
                    "source \(reader.endpoint.name) stopped on page \(number)",
                    got: "a token of a page that was read before", means: "the service's paging goes in circles",
                    safe: PageFetcher.safe, next: "run the command again", isPassing: false)
            }
            number += 1
            try await take(
                .page(page, bytes: bytes, next: token.map { .token(text: $0, page: number) } ?? .start))
        } while token != nil
    }
}
