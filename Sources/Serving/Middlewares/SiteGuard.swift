import Hummingbird

/// Keeps other web sites from asking this server by a reader's browser: they cannot read its answers, but a question
/// alone can occupy it, or make it fetch what it names.
///
/// A browser says where a request comes from, in `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/) and
/// `Origin`, which pages cannot set. Only this very origin is let in: a page of another local port is another site. A
/// person may follow a link from elsewhere to one of the pages; programs, which send neither header, may ask
/// everything.
struct SiteGuard<Context: RequestContext>: RouterMiddleware {
    private let scheme: String
    private let standardPort: Int
    /// The paths that show a page.
    private let pages: [RouterPath]
    private let onRefusal: DoorWatch?

    init(isSecure: Bool, pages: [RouterPath], onRefusal: DoorWatch? = nil) {
        scheme = isSecure ? "https" : "http"
        standardPort = isSecure ? 443 : 80
        self.pages = pages
        self.onRefusal = onRefusal
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard isOwn(request) else {
            let reason = "refused: requests of other sites are not served"
            onRefusal?(DoorRefusal(.forbidden, reason, of: request, in: context))
            return PlainAnswer.make(.forbidden, reason)
        }
        return try await next(request, context)
    }

    private func isOwn(_ request: Request) -> Bool {
        let origins = request.headers[values: .origin]
        guard origins.count <= 1, origins.allSatisfy({ isOwn(origin: $0[...], of: request) }) else { return false }
        let sites = request.headers[values: FetchField.site]
        guard sites.count <= 1 else { return false }
        let isPage = isNavigationToPage(request)
        switch sites.first {
        // Typed or bookmarked, or of one of the own pages; a link of a page leads to pages only.
        case "none": return true
        case "same-origin": return isPage || request.headers[FetchField.mode] != "navigate" || request.method == .post
        case "same-site", "cross-site": return isPage
        // A browser without these headers, or no browser: an `Origin` that is there was looked at.
        case nil: return isPage || !origins.isEmpty || isReferrerOwn(request)
        default: return false
        }
    }

    /// Whether a person follows a link, or types an address, in a window of its own; frames and images are no
    /// navigations.
    private func isNavigationToPage(_ request: Request) -> Bool {
        guard request.method == .get || request.method == .head, request.headers[.origin] == nil else { return false }
        if let mode = request.headers[FetchField.mode] {
            guard mode == "navigate", request.headers[FetchField.destination] == "document" else { return false }
        } else if request.headers[FetchField.site] != nil {
            return false
        }
        let parts = request.uri.path.split(separator: "/", omittingEmptySubsequences: true)
        return pages.contains { page in
            page.components.count == parts.count && zip(page.components, parts).allSatisfy { $0 ~= $1 }
        }
    }

    private func isReferrerOwn(_ request: Request) -> Bool {
        request.headers[values: FetchField.referrer].allSatisfy { address in
            guard let scheme = address.firstRange(of: "://") else { return false }
            let end = address[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? address.endIndex
            return isOwn(origin: address[..<end], of: request)
        }
    }

    private func isOwn(origin: Substring, of request: Request) -> Bool {
        guard origin.lowercased().hasPrefix(scheme + "://"), let host = request.head.authority.flatMap(Authority.init),
            let named = Authority(String(origin.dropFirst(scheme.count + 3)))
        else { return false }
        return named.host == host.host && (named.port ?? standardPort) == (host.port ?? standardPort)
    }
}

/// Headers by which a browser says what a request is for.
enum FetchField {
    static let site = PolicyFields.name("Sec-Fetch-Site")
    static let mode = PolicyFields.name("Sec-Fetch-Mode")
    static let destination = PolicyFields.name("Sec-Fetch-Dest")
    static let referrer = PolicyFields.name("Referer")
}
