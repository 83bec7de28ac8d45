import Hummingbird

/// What a route asks of whoever calls it.
enum RouteAccess: Sendable, Equatable {
    /// Anybody, without signing in.
    case open
    case needs(Role)
}

/// The role that each route needs, in one place. A route that stands here not is for administrators only; a test walks
/// the router and names it.
enum AccessTable {
    private static let written: KeyValuePairs<RouterPath, [HTTPRequest.Method: RouteAccess]> = [
        "/": [.get: .needs(.reader)],
        workbook: [.get: .needs(.reader)],
        InvestigationRoutes.list: [.get: .needs(.reader), .post: .needs(.analyst)],
        InvestigationRoutes.one: [.get: .needs(.reader)],
        InvestigationRoutes.claim: [.get: .needs(.reader), .post: .needs(.analyst)],
        InvestigationRoutes.notes: [.post: .needs(.analyst)],
        InvestigationRoutes.export: [.get: .needs(.reader)],
        "/v1/rest/query": [.get: .needs(.reader), .post: .needs(.reader)],
        "/v2/rest/query": [.get: .needs(.reader), .post: .needs(.reader)],
        "/v1/rest/mgmt": [.get: .needs(.reader), .post: .needs(.reader)],
        "/v1/rest/ping": [.get: .open],
        // Clients read here how to sign in.
        "/v1/rest/auth/metadata": [.get: .open],
        "/v1/workspaces/:workspace/query": [.get: .needs(.reader), .post: .needs(.reader)],
        "/v1/workspaces/:workspace/metadata": [.get: .needs(.reader)],
        "/v1/$batch": [.post: .needs(.reader)],
        "/healthz": [.get: .open], "/readyz": [.get: .open],
        "/metrics": [.get: .needs(.reader)],
        RouterPath(SignInPath.page): [.get: .open, .post: .open],
        RouterPath(SignInPath.entra): [.get: .open],
        RouterPath(SignInPath.callback): [.get: .open],
        RouterPath(SignInPath.signOut): [.post: .open],
    ]
    /// By the pattern as the router tells it.
    private static let routes = Dictionary(uniqueKeysWithValues: written.map { ($0.key.description, $0.value) })
    /// A workbook's page.
    static let workbook: RouterPath = "/workbooks/:id"

    /// - Parameter endpoint: the pattern of the route that the router found; anything else where it found none.
    static func access(_ method: HTTPRequest.Method, endpoint: String?) -> RouteAccess {
        guard let endpoint, let methods = routes[endpoint] else { return .needs(.administrator) }
        return methods[method == .head ? .get : method] ?? .needs(.administrator)
    }

    /// Whether a route stands in the table.
    static func declares(_ method: HTTPRequest.Method, endpoint: String) -> Bool {
        routes[endpoint]?[method == .head ? .get : method] != nil
    }
}

/// Where people sign in and out.
enum SignInPath {
    static let page = "/sign-in"
    static let entra = "/sign-in/entra"
    /// The redirect URI of the app registration is this behind the server's address.
    static let callback = "/sign-in/callback"
    static let signOut = "/sign-out"

    /// An address within the site to go back to; the site's first page for every other text. It begins with one slash,
    /// so no browser reads a host in it.
    static func safeReturn(_ text: String?) -> String {
        guard let text, text.utf8.count <= 2_048, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }), !text.hasPrefix(page)
        else { return "/" }
        return text
    }
}
