import Azure
import Content
import Tables

/// An answer in one piece; for one that holds the latest rows only, those of all kinds, then those of some kinds by
/// themselves, which reach further back.
struct VariantPaging: Paging {
    static let kind = PagingKind.variant
    let reader: PageReader
    let client: SensorClient
    let request: ApplianceRequest
    /// Of the sensor or management console.
    let name: String

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        guard cursor == .start else { throw reader.foreign(cursor) }
        let extra = request.variants.map { variants in variants.values.map { [(variants.name, $0)] } } ?? []
        for (i, parameters) in ([[]] + extra).enumerated() {
            let place = parameters.first.map { "the answer for \($0.1)" } ?? "the answer"
            let (page, bytes) = try await reader.decoded(place) {
                try await client.get(request.path, parameters: varied(call: i) + parameters)
            }
            try await take(.page(page, bytes: bytes, next: .start, given: name, isLatest: i == 0))
        }
    }

    /// A call that differs from the last ones gets a new answer rather than the server's cached one.
    private func varied(call: Int) -> [(String, String)] {
        let parameters = reader.filled(request.parameters)
        guard let vary = request.varyMinutes else { return parameters }
        let minute = Int(reader.now / (60 * DateTime.ticksPerSecond) % 60)
        return parameters + [("minutesTimeFrame", String(vary - (minute + call) % 60))]
    }
}
