import Azure
import Content
import Foundation
import Tables

/// A part of what a source gives.
enum FetchedPage: Sendable {
    /// - Parameters:
    ///   - bytes: of the answer.
    ///   - next: where to go on behind this page.
    ///   - given: what the definition's `givenColumn` holds in its rows.
    ///   - isLatest: whether it holds the latest rows of all kinds.
    case page(RecordPage, bytes: Int, next: Value, given: String? = nil, isLatest: Bool = false)
    /// A page that cannot be read, while those behind it may be.
    case lost(OperatorError, next: Value)
}

/// Pages that could not be read: they are passed over when one behind them can be, but not all that there are.
struct Losses {
    private var pending: [(error: OperatorError, next: Value)] = []
    private var anyRead = false
    private static let inARowMax = 2

    /// Whether the next page may be tried after this failure.
    mutating func bears(_ error: OperatorError, next: Value) -> Bool {
        guard error.isPassing == true, pending.count < Self.inARowMax else { return false }
        pending.append((error, next))
        return true
    }

    /// After a page that was read: those before it are lost.
    mutating func tell(_ take: (FetchedPage) async throws -> Void) async throws {
        anyRead = true
        let lost = pending
        pending = []
        for (error, next) in lost { try await take(.lost(error, next: next)) }
    }

    /// At the end: the last pages are lost, unless nothing was read at all.
    mutating func end(_ take: (FetchedPage) async throws -> Void) async throws {
        guard let last = pending.last else { return }
        if !anyRead { throw last.error }
        try await tell(take)
    }
}

/// Fetches a source's pages one after the other and decodes them.
struct PageFetcher: Sendable {
    let endpoint: SourceEndpoint
    /// Ticks.
    let now: Int64
    /// Until when events were read by the last run, ticks; nil when there was none.
    var since: Int64?
    /// Tries for a page whose text is cut or garbled.
    private static let malformedAttempts = 3

    private var definition: SourceDefinition { endpoint.definition }

    /// Calls `take` with every page, and with every page that cannot be read though the ones behind it can.
    ///
    /// - Parameter cursor: where to go on, as told with a page before; null for the beginning.
    /// - Throws: `OperatorError`, or what `take` throws.
    func pages(from cursor: Value = .null, _ take: (FetchedPage) async throws -> Void) async throws {
        switch endpoint.service {
        case .defender(let client, _, _) where definition.window != nil:
            try await EventWindows(fetcher: self, client: client).pages(from: cursor, take)
        case .defender(let client, _, _) where definition.service == .graphHunting:
            try await partitions(client, cursor, take)
        case .defender(let client, let downloader, _):
            if endpoint.prefersFiles, let path = definition.files {
                try await FileExport(endpoint: endpoint, client: client, downloader: downloader).pages(
                    path, from: cursor, take)
            } else if definition.isPerDevice {
                try await devices(client, cursor, take)
            } else if definition.paging == .skip {
                try await offsets(client, cursor, take)
            } else {
                try await linked(client, cursor, take)
            }
        case .web(let feed):
            let (page, bytes) = try await feed.page(definition, endpoint.name, now: now)
            try await take(.page(page, bytes: bytes, next: .null))
        case .sensor(let client, _) where definition.paging == .page: try await numbered(client, cursor, take)
        case .sensor(let client, let name): try await variants(client, name, take)
        case .resourceGraph(let client, _): try await graph(client, cursor, take)
        }
    }

    /// The latest rows of all kinds, then those of some kinds by themselves, which reach further back.
    private func variants(_ client: SensorClient, _ name: String, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        let extra = (definition.variants?.values ?? []).map { [(definition.variants?.name ?? "", $0)] }
        for (i, parameters) in ([[]] + extra).enumerated() {
            let place = parameters.first.map { "the answer for \($0.1)" } ?? "the answer"
            let (page, bytes) = try await decoded(place) {
                try await client.get(definition.path ?? "/", parameters: sensorParameters(i) + parameters)
            }
            try await take(.page(page, bytes: bytes, next: .null, given: name, isLatest: i == 0))
        }
    }

    /// `page` from 0 and `size`, until a page is short.
    private func numbered(_ client: SensorClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var number = Int(cursor.bagValue?["page"]?.longValue ?? 0)
        var isLast = false
        repeat {
            let parameters = definition.parameters + [("page", String(number)), ("size", String(definition.pageSize))]
            let (page, bytes) = try await decoded("page \(number + 1)") {
                try await client.get(definition.path ?? "/", parameters: parameters)
            }
            isLast = page.batch.count < definition.pageSize
            number += 1
            try await take(
                .page(page, bytes: bytes, next: .bag(Bag([("page", .long(Int64(number)))])), given: endpoint.sensorName)
            )
        } while !isLast
    }

    private func graph(_ client: ResourceGraphClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var token = cursor.bagValue?["skipToken"]?.stringValue
        var number = 1
        repeat {
            let asked = token
            let (page, bytes) = try await decoded("page \(number)") {
                try await client.page(definition.query ?? "", skipToken: asked, permissions: definition.permissions)
            }
            token = page.nextLink
            number += 1
            try await take(
                .page(page, bytes: bytes, next: token.map { .bag(Bag([("skipToken", .string($0))])) } ?? .null))
        } while token != nil
    }

    /// A call for each chosen device.
    private func devices(_ client: DefenderClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        guard !endpoint.choice.devices.isEmpty else {
            throw OperatorError(
                "source \(endpoint.name) asks about single devices", got: "the configuration chooses none",
                next: "name some with 'investigate: {devices: [...]}' in the configuration, or with --device",
                isConfiguration: true)
        }
        var losses = Losses()
        for k in Int(cursor.bagValue?["device"]?.longValue ?? 0)..<endpoint.choice.devices.count {
            let device = endpoint.choice.devices[k]
            let next = Value.bag(Bag([("device", .long(Int64(k + 1)))]))
            let path = (definition.path ?? "/").replacing("{device}", with: device)
            do {
                let (page, bytes) = try await ofDevice(device, path, client)
                try await losses.tell(take)
                try await take(.page(page, bytes: bytes, next: next, given: device))
            } catch let error as OperatorError where losses.bears(error, next: next) {}
        }
        try await losses.end(take)
    }

    /// One query for each part of the devices.
    private func partitions(_ client: DefenderClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var losses = Losses()
        for k in Int(cursor.bagValue?["partition"]?.longValue ?? 0)..<definition.partitions {
            let query = (definition.query ?? "").replacing("{partitions}", with: String(definition.partitions))
                .replacing("{partition}", with: String(k))
            let place = definition.partitions == 1 ? "the answer" : "part \(k + 1) of \(definition.partitions)"
            let next = Value.bag(Bag([("partition", .long(Int64(k + 1)))]))
            do {
                let (page, bytes) = try await decoded(place) {
                    try await client.hunt(query, permissions: definition.permissions)
                }
                try await losses.tell(take)
                try await take(.page(page, bytes: bytes, next: next))
            } catch let error as OperatorError where definition.partitions > 1 && losses.bears(error, next: next) {}
        }
        try await losses.end(take)
    }

    /// `$top` and `$skip`, until a page is short.
    private func offsets(_ client: DefenderClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var skip = Int(cursor.bagValue?["skip"]?.longValue ?? 0)
        var losses = Losses()
        var isLast = false
        repeat {
            let parameters = definition.parameters + [("$top", String(definition.pageSize)), ("$skip", String(skip))]
            let place = "page \(skip / definition.pageSize + 1)"
            skip += definition.pageSize
            let next = Value.bag(Bag([("skip", .long(Int64(skip)))]))
            do {
                let link = Self.query(definition.path ?? "/", parameters)
                let (page, bytes) = try await decoded(place) {
                    try await client.page(link, permissions: definition.permissions)
                }
                isLast = page.batch.count < definition.pageSize
                try await losses.tell(take)
                try await take(.page(page, bytes: bytes, next: next))
            } catch let error as OperatorError where losses.bears(error, next: next) {}
        } while !isLast
    }

    private func linked(_ client: DefenderClient, _ cursor: Value, _ take: (FetchedPage) async throws -> Void)
        async throws
    {
        var number = Int(cursor.bagValue?["page"]?.longValue ?? 1)
        var seen: Set<String> = []
        let size = definition.paging == .nextLink ? [("pageSize", String(definition.pageSize))] : []
        var link =
            cursor.bagValue?["link"]?.stringValue
            ?? Self.query(definition.path ?? "/", definition.parameters.map(filled) + size)
        while !link.isEmpty {
            let target = link
            guard seen.insert(target).inserted else {
                throw OperatorError(
                    "source \(endpoint.name) stopped on page \(number)", tried: "GET \(target.prefix { $0 != "?" })",
                    got: "a link to a page that was read before", means: "the service's paging goes in circles",
                    next: "run the command again",
                    isPassing: false)
            }
            func fetch() async throws -> (RecordPage, Int) {
                try await decoded("page \(number)") {
                    try await client.page(target, permissions: definition.permissions)
                }
            }
            var (page, bytes) = try await fetch()
            // A page that is full and names none behind it may have lost its link.
            if definition.paging == .nextLink, page.nextLink == nil, page.batch.count >= definition.pageSize {
                (page, bytes) = try await fetch()
            }
            number += 1
            link = definition.paging == .nextLink ? page.nextLink ?? "" : ""
            // Behind the last page there is nothing to go on with: the last page is read again.
            let next = Value.bag(
                Bag([
                    ("link", .string(link.isEmpty ? target : link)),
                    ("page", .long(Int64(link.isEmpty ? number - 1 : number))),
                ]))
            try await take(.page(page, bytes: bytes, next: next))
        }
    }

    /// The answer about a device; one that the service does not know has nothing.
    private func ofDevice(_ device: String, _ path: String, _ client: DefenderClient) async throws -> (RecordPage, Int)
    {
        // It is said now and then of devices that it knows, too.
        for attempt in 1...Self.malformedAttempts {
            do {
                return try await decoded("device \(device)") {
                    try await client.page(path, permissions: definition.permissions)
                }
            } catch let error
                as OperatorError
                where error.status == 404
            {
                if attempt < Self.malformedAttempts { try await Task.sleep(for: .milliseconds(200 * attempt)) }
            }
        }
        let reader = RecordReader(columns: definition.columns, unmapped: TableDefinition.unmapped.name)
        return (try reader.read(Array("[]".utf8)), 0)
    }

    func decoded(_ place: String, _ call: () async throws -> ServiceResponse) async throws -> (RecordPage, Int) {
        for attempt in 1... {
            let response: ServiceResponse
            do { response = try await call() } catch let error as ServiceError {
                throw OperatorError(error, title: "source \(endpoint.name) stopped on \(place)", safe: Self.safe)
            }
            do {
                let reader = RecordReader(
                    columns: definition.columns, unmapped: TableDefinition.unmapped.name,
                    isOneRecord: definition.isOneRecord)
                return (try reader.read(response.body, path: definition.records), response.body.count)
            } catch {
                let isCut = if case .malformed = error { true } else { false }
                if isCut, attempt < Self.malformedAttempts {
                    try await Task.sleep(for: .milliseconds(200 * attempt))
                    continue
                }
                throw OperatorError(
                    "source \(endpoint.name) stopped on \(place)",
                    tried: "reading \(response.body.count) bytes, attempt \(attempt)", got: error.description,
                    means: isCut ? "the answer is not whole" : nil, safe: Self.safe,
                    next: isCut
                        ? "run the command again; if it stays so, look for a proxy that cuts answers"
                        : "check the source's query and path",
                    isPassing: isCut)
            }
        }
        throw CancellationError()
    }

    static let safe = "nothing that is stored was changed; the next run goes on where this one stopped, or begins anew"

    /// A call that differs from the last ones gets a new answer rather than the server's cached one.
    private func sensorParameters(_ call: Int) -> [(String, String)] {
        guard let vary = definition.varyMinutes else { return definition.parameters }
        let minute = Int(now / (60 * DateTime.ticksPerSecond) % 60)
        return definition.parameters + [("minutesTimeFrame", String(vary - (minute + call) % 60))]
    }

    /// A parameter with `{since}` filled in: when the last run that was whole began, with some hours before it.
    private func filled(_ parameter: (String, String)) -> (String, String) {
        guard parameter.1.contains("{since}") else { return parameter }
        // A delta is made every six hours, and goes back fourteen days at most.
        let earliest = now - 13 * DateTime.ticksPerDay
        let from = max(since.map { $0 - DateTime.ticksPerDay / 2 } ?? earliest, earliest)
        return (parameter.0, parameter.1.replacing("{since}", with: DateTime.format(from)))
    }

    private static func query(_ path: String, _ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return path }
        let allowed = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$,:'")
        return path + "?"
            + parameters.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: allowed) ?? $1)" }.joined(
                separator: "&")
    }
}
