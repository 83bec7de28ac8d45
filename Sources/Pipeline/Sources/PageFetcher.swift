import Azure
import Content

/// Fetches what a source gives, by the kind of paging that its definition and its service ask for.
struct PageFetcher: Sendable {
    let reader: PageReader

    init(
        endpoint: SourceEndpoint, now: Int64, reach: Reach = Reach(), parts: Int? = nil,
        validators: FeedValidators? = nil
    ) {
        reader = PageReader(endpoint: endpoint, now: now, reach: reach, parts: parts, validators: validators)
    }

    /// What an error says of what was stored before.
    static let safe = "nothing that is stored was changed; the next run goes on where this one stopped, or begins anew"

    var paging: any Paging {
        switch reader.endpoint.call {
        case .hunting(let request, let client):
            switch request.reading {
            case .windows(let window):
                WindowPaging(reader: reader, client: client, request: request, window: window)
            case .division(let division):
                DivisionPaging(reader: reader, client: client, request: request, division: division)
            }
        case .rest(let request, let client, let downloader):
            if let downloader, let path = request.files {
                FilePaging(reader: reader, client: client, downloader: downloader, path: path)
            } else if request.isPerDevice {
                DevicePaging(reader: reader, client: client, request: request)
            } else if request.paging == .skip {
                SkipPaging(reader: reader, client: client, request: request)
            } else {
                LinkPaging(reader: reader, client: client, request: request)
            }
        case .graph(let request, let client): TokenPaging(reader: reader, client: client, request: request)
        case .appliance(let request, let client, let name):
            if request.paging == .page {
                NumberPaging(reader: reader, client: client, request: request, name: name)
            } else {
                VariantPaging(reader: reader, client: client, request: request, name: name)
            }
        case .web(let feed): FeedPaging(reader: reader, feed: feed)
        }
    }

    /// Calls `take` with every page, and with every page that cannot be read though the ones behind it can.
    ///
    /// - Throws: `OperatorError`, or what `take` throws.
    func pages(from cursor: Cursor = .start, _ take: PageTaker) async throws {
        try await paging.pages(from: cursor, take)
    }
}
