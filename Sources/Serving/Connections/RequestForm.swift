import NIOHTTP1

/// Why a request is not answered as it was asked.
struct Refusal: Sendable, Equatable, Error {
    let status: HTTPResponseStatus
    /// For the client: what is wrong, without what it sent.
    let reason: String
    var retryAfterSeconds: Int?

    static let headTooLarge = Refusal(status: .requestHeaderFieldsTooLarge, reason: "the request's head is too large")
    static let bodyTooLarge = Refusal(status: .payloadTooLarge, reason: "the request's body is too large")
    static let tooSlow = Refusal(status: .requestTimeout, reason: "the request came too slowly")
    static let malformed = Refusal(status: .badRequest, reason: "this is not a well-formed HTTP request")
    static let unknownMethod = Refusal(status: .notImplemented, reason: "this method is not known here")
    static let unknownVersion = Refusal(
        status: .httpVersionNotSupported, reason: "only HTTP/1.1 is spoken here")
    static let ending = Refusal(
        status: .serviceUnavailable, reason: "the server is ending; ask again soon", retryAfterSeconds: 2)
    static let full = Refusal(
        status: .serviceUnavailable, reason: "too many connections are being answered; ask again soon",
        retryAfterSeconds: 2)
    static let bodiesFull = Refusal(
        status: .serviceUnavailable, reason: "too many requests are being taken in; ask again soon",
        retryAfterSeconds: 2)
}

/// What a request's head must be like before anything is made of it: one host, a target and a framing that can be
/// read in one way only (https://www.rfc-editor.org/rfc/rfc9112).
struct RequestForm: Sendable {
    let names: ServedNames
    let isSecure: Bool
    let bodyBytesMax: Int

    private var scheme: String { isSecure ? "https" : "http" }
    private var standardPort: Int { isSecure ? 443 : 80 }

    /// - Parameter port: the one that the connection came in by.
    func check(_ head: HTTPRequestHead, port: Int) throws(Refusal) {
        guard head.version.major == 1 else { throw .unknownVersion }
        let hosts = head.headers["Host"]
        guard hosts.count == 1, let authority = Authority(hosts[0]) else {
            throw Refusal(status: .badRequest, reason: "a request names exactly one host")
        }
        try checkTarget(head, authority)
        guard names.contains(authority, port: port, standard: standardPort) else {
            throw Refusal(status: .forbidden, reason: "refused: this host name is not served here")
        }
        try checkFraming(head)
    }

    /// The target is a path, or a whole address of the same host.
    private func checkTarget(_ head: HTTPRequestHead, _ authority: Authority) throws(Refusal) {
        let wrong = Refusal(status: .badRequest, reason: "the request's target is no path of this server")
        guard head.uri.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !head.uri.contains("#") else { throw wrong }
        if head.uri.hasPrefix("/") { return }
        if head.uri == "*", head.method == .OPTIONS { return }
        guard let colon = head.uri.firstRange(of: "://"), head.uri[..<colon.lowerBound].lowercased() == scheme else {
            throw wrong
        }
        let rest = head.uri[colon.upperBound...]
        let place = rest.prefix { $0 != "/" && $0 != "?" }
        guard let named = Authority(String(place)), named.host == authority.host,
            (named.port ?? standardPort) == (authority.port ?? standardPort)
        else { throw wrong }
    }

    private func checkFraming(_ head: HTTPRequestHead) throws(Refusal) {
        let lengths = head.headers["Content-Length"]
        if head.headers.contains(name: "Transfer-Encoding") {
            guard lengths.isEmpty, head.version.minor >= 1 else { throw .malformed }
            let codings = head.headers[canonicalForm: "Transfer-Encoding"].map { $0.lowercased() }
            switch codings.firstIndex(of: "chunked") {
            case 0 where codings.count == 1: break
            // Chunked comes last, or nobody can tell where the body ends.
            case let place? where place < codings.count - 1: throw .malformed
            // What else there is, nobody here undoes.
            case _? where codings.count > 1, nil where !codings.isEmpty:
                throw Refusal(status: .notImplemented, reason: "this transfer coding is not known here")
            default: throw .malformed
            }
        }
        guard lengths.count <= 1 else { throw .malformed }
        if let text = lengths.first {
            guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { throw .malformed }
            guard let length = Int(text), length <= bodyBytesMax else { throw .bodyTooLarge }
        }
        if let expected = head.headers.first(name: "Expect"), expected.lowercased() != "100-continue" {
            throw Refusal(status: .expectationFailed, reason: "this expectation is not known here")
        }
    }
}
