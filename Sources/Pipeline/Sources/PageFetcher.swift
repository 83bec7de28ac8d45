import Azure
import Content
import Foundation
import Tables

/// Fetches a source's pages one after the other and decodes them.
struct PageFetcher: Sendable {
    let endpoint: SourceEndpoint
    /// Ticks.
    let now: Int64
    /// Tries for a page whose text is cut or garbled.
    private static let malformedAttempts = 3

    private var definition: SourceDefinition { endpoint.definition }

    /// Calls `take` with every page.
    ///
    /// - Throws: `OperatorError`, or what `take` throws.
    func pages(_ take: (RecordPage, _ bytes: Int) async throws -> Void) async throws {
        switch endpoint.service {
        case .defender(let client, _, _) where definition.service == .graphHunting:
            for k in 0..<definition.partitions {
                let query = (definition.query ?? "").replacing("{partitions}", with: String(definition.partitions))
                    .replacing("{partition}", with: String(k))
                let place = definition.partitions == 1 ? "the answer" : "part \(k + 1) of \(definition.partitions)"
                let (page, bytes) = try await decoded(place) { try await client.hunt(query, permissions: definition.permissions) }
                try await take(page, bytes)
            }
        case .defender(let client, let downloader, _):
            if endpoint.prefersFiles, let path = definition.files {
                try await FileExport(endpoint: endpoint, client: client, downloader: downloader).pages(path, take)
            } else {
                try await linked(client, take)
            }
        case .web(let feed):
            let (page, bytes) = try await feed.page(definition, endpoint.name)
            try await take(page, bytes)
        case .sensor(let client, _):
            let (page, bytes) = try await decoded("the answer") {
                try await client.get(definition.path ?? "/", parameters: sensorParameters)
            }
            try await take(page, bytes)
        }
    }

    private func linked(_ client: DefenderClient, _ take: (RecordPage, Int) async throws -> Void) async throws {
        var parameters = definition.parameters
        var number = 1
        var skip = 0
        var link = ""
        var seen: Set<String> = []
        if definition.paging == .nextLink { parameters.append(("pageSize", String(definition.pageSize))) }
        repeat {
            if definition.paging == .skip || link.isEmpty {
                let paged = definition.paging == .skip ? [("$top", String(definition.pageSize)), ("$skip", String(skip))] : []
                link = Self.query(definition.path ?? "/", parameters + paged)
            }
            let target = link
            guard seen.insert(target).inserted else {
                throw OperatorError(
                    "source \(endpoint.name) stopped on page \(number)", tried: "GET \(target.prefix { $0 != "?" })",
                    got: "a link to a page that was read before", means: "the service's paging goes in circles", next: "run the command again")
            }
            let (page, bytes) = try await decoded("page \(number)") { try await client.page(target, permissions: definition.permissions) }
            try await take(page, bytes)
            switch definition.paging {
            case .none: return
            case .nextLink: link = page.nextLink ?? ""
            case .skip:
                if page.batch.count < definition.pageSize { return }
                skip += definition.pageSize
            }
            number += 1
        } while !link.isEmpty
    }

    private func decoded(_ place: String, _ call: () async throws -> ServiceResponse) async throws -> (RecordPage, Int) {
        for attempt in 1... {
            let response: ServiceResponse
            do { response = try await call() } catch let error as ServiceError {
                throw OperatorError(error, title: "source \(endpoint.name) stopped on \(place)", safe: Self.safe)
            }
            do {
                let reader = RecordReader(
                    columns: definition.columns, unmapped: TableDefinition.unmapped.name, isOneRecord: definition.isOneRecord)
                return (try reader.read(response.body), response.body.count)
            } catch {
                let isCut = if case .malformed = error { true } else { false }
                if isCut, attempt < Self.malformedAttempts {
                    try await Task.sleep(for: .milliseconds(200 * attempt))
                    continue
                }
                throw OperatorError(
                    "source \(endpoint.name) stopped on \(place)", tried: "reading \(response.body.count) bytes, attempt \(attempt)", got: error.description,
                    means: isCut ? "the answer is not whole" : nil, safe: Self.safe,
                    next: isCut ? "run the command again; if it stays so, look for a proxy that cuts answers" : "check the source's query and path")
            }
        }
        throw CancellationError()
    }

    static let safe = "nothing of this source was changed; the next run goes on from its last checkpoint"

    /// A call that differs from the last ones gets a new answer rather than the server's cached one.
    private var sensorParameters: [(String, String)] {
        guard let vary = definition.varyMinutes else { return definition.parameters }
        let minute = Int(now / (60 * DateTime.ticksPerSecond) % 60)
        return definition.parameters + [("minutesTimeFrame", String(vary - minute))]
    }

    private static func query(_ path: String, _ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return path }
        let allowed = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$,:'")
        return path + "?" + parameters.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: allowed) ?? $1)" }.joined(separator: "&")
    }
}
