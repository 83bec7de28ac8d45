import Azure
import Content

/// `page` from 0 and `size`, until a page is short.
struct NumberPaging: Paging {
    static let kind = PagingKind.number
    let reader: PageReader
    let client: SensorClient
    let request: ApplianceRequest
    /// Of the sensor or management console.
    let name: String

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var number: Int
        switch cursor {
        case .start: number = 0
        case .page(let next): number = next
        default: throw reader.foreign(cursor)
        }
        var isLast = false
        repeat {
            let parameters =
                reader.filled(request.parameters) + [("page", String(number)), ("size", String(request.pageSize))]
            let (page, bytes) = try await reader.decoded("page \(number + 1)") {
                try await client.get(request.path, parameters: parameters)
            }
            isLast = page.batch.count < request.pageSize
            number += 1
            try await take(.page(page, bytes: bytes, next: .page(number: number), given: name))
        } while !isLast
    }
}
