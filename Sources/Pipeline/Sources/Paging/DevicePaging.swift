import Azure
import Content
import Tables

/// A call for each chosen device.
struct DevicePaging: Paging {
    static let kind = PagingKind.device
    let reader: PageReader
    let client: DefenderClient
    let request: RestRequest

    private var devices: [String] { reader.endpoint.choice.devices }

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        guard !devices.isEmpty else {
            throw OperatorError(
                "source \(reader.endpoint.name) asks about single devices", got: "the configuration chooses none",
                next: "name some with 'investigate: {devices: [...]}' in the configuration, or with --device",
                isConfiguration: true)
        }
        var first = 0
        switch cursor {
        case .start: break
        case .device(let done):
            // Somebody chose other devices meanwhile.
            guard let place = devices.firstIndex(of: done) else { throw reader.foreign(cursor) }
            first = place + 1
        default: throw reader.foreign(cursor)
        }
        var losses = Losses()
        for device in devices[first...] {
            let next = Cursor.device(done: device)
            do {
                let (page, bytes) = try await answer(about: device)
                try await losses.tell(take)
                try await take(.page(page, bytes: bytes, next: next, given: device))
            } catch let error as OperatorError where losses.bears(error, next: next) {}
        }
        try await losses.end(take)
    }

    /// The answer about a device; one that the service does not know has nothing.
    private func answer(about device: String) async throws -> (RecordPage, Int) {
        let path = request.path.replacing("{device}", with: device)
        // It is said now and then of devices that it knows, too.
        for attempt in 1...PageReader.malformedAttempts {
            do {
                return try await reader.decoded("device \(device)") {
                    try await client.page(
                        URLQuery.address(path, request.parameters), permissions: reader.definition.permissions)
                }
            } catch let error as OperatorError where error.status == 404 {
                if attempt < PageReader.malformedAttempts { try await Task.sleep(for: PageReader.retryDelay * attempt) }
            }
        }
        let empty = RecordReader(columns: reader.definition.columns, unmapped: TableDefinition.unmapped.name)
        return (try empty.read(Array("[]".utf8)), 0)
    }
}
