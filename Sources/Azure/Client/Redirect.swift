import AsyncHTTPClient
import Foundation

/// Answers that name another address (https://www.rfc-editor.org/rfc/rfc9110#name-redirection-3xx).
enum Redirect {
    static let countMax = 10
    private static let followed: Set<Int> = [301, 302, 303, 307, 308]

    /// Where an answer says that the document is; nil where it names no web address.
    static func target(of response: ServiceResponse, at address: String) -> URLComponents? {
        guard let text = response.headers["location"]?.trimmingCharacters(in: .whitespaces), !text.isEmpty,
            let url = URL(string: text, relativeTo: URL(string: address))?.absoluteURL,
            let parts = URLComponents(url: url, resolvingAgainstBaseURL: true), parts.host?.isEmpty == false
        else { return nil }
        return parts
    }

    /// The error for a call that must not be followed, since it carries what proves who calls.
    static func refusal(of response: ServiceResponse, to request: ServiceRequest) -> ServiceError {
        let place = target(of: response, at: request.url).flatMap { shown($0) }
        return ServiceError(
            tried: request.shown,
            got: place.map { "\(response.status), a redirect to \($0)" }
                ?? "\(response.status), a redirect that names no address",
            means: "calls with a token or a signature are not followed, so that neither reaches another host",
            next: place.map { "if \($0) is where the service is now, correct the address in the configuration" }
                ?? "check the address in the configuration",
            status: response.status)
    }

    /// Where a public document is to be fetched next.
    ///
    /// - Throws: `ServiceError` when the answer leads nowhere, or where nobody should follow.
    static func next(after response: ServiceResponse, at address: String, _ asked: String) throws -> String {
        func refuse(_ got: String, _ means: String?) -> ServiceError {
            ServiceError(
                tried: asked, got: got, means: means, next: "set the list's address in 'feeds' of the configuration",
                status: response.status)
        }
        guard followed.contains(response.status), let target = target(of: response, at: address),
            let place = shown(target), let scheme = target.scheme?.lowercased()
        else { throw refuse("\(response.status), a redirect that names no address", nil) }
        let from = URLComponents(string: address)
        guard scheme == "https" || scheme == "http" else {
            throw refuse("\(response.status), a redirect to \(place)", "only web addresses are followed")
        }
        guard scheme == "https" || from?.scheme?.lowercased() == "http" else {
            throw refuse(
                "\(response.status), a redirect to \(place)",
                "from https to http nobody is followed: it could be changed")
        }
        if isPrivate(target.host), !isPrivate(from?.host) {
            throw refuse(
                "\(response.status), a redirect to \(place)",
                "a public address that leads to this machine is not followed")
        }
        guard let url = target.string else { throw refuse("\(response.status), a redirect to \(place)", nil) }
        return url
    }

    /// Scheme, host and path: a query may hold a signature.
    private static func shown(_ parts: URLComponents) -> String? {
        var parts = parts
        (parts.query, parts.fragment, parts.user, parts.password) = (nil, nil, nil, nil)
        return parts.string
    }

    private static func isPrivate(_ host: String?) -> Bool {
        guard let host else { return false }
        if let address = NetworkAddress(host) { return address.kind == .loopback || address.kind == .linkLocal }
        return ProxyException.Target(host, port: 0).isLoopback
    }
}

extension ServiceResponse {
    var isRedirect: Bool { (300..<400).contains(status) && status != 304 }
}

extension ServiceClient {
    /// Fetches a public document; where it has moved, from its new address.
    ///
    /// Nothing that proves who asks goes along, here or there.
    ///
    /// - Returns: any answer but a redirect, 408, 429 and 5xx.
    package func document(
        at address: String, headers: [(String, String)] = [], timeoutSeconds: Int = 300
    ) async throws -> ServiceResponse {
        precondition(!headers.contains { $0.0.lowercased() == "authorization" }, "a public document needs no token")
        var place = address
        var seen: Set<String> = [address]
        let asked = "GET \(address.prefix { $0 != "?" })"
        for _ in 0...Redirect.countMax {
            var request = ServiceRequest("GET", place, headers: headers, timeoutSeconds: timeoutSeconds)
            request.takesRedirects = true
            let response = try await send(request)
            guard response.isRedirect else { return response }
            place = try Redirect.next(after: response, at: place, asked)
            guard seen.insert(place).inserted else {
                throw ServiceError(
                    tried: asked, got: "redirects that go in circles, to \(place.prefix { $0 != "?" }) again",
                    next: "set the list's address in 'feeds' of the configuration", status: response.status)
            }
        }
        throw ServiceError(
            tried: asked, got: "more than \(Redirect.countMax) redirects, the last to \(place.prefix { $0 != "?" })",
            next: "set the list's address in 'feeds' of the configuration")
    }
}

extension Proxy {
    var setting: HTTPClient.Configuration.Proxy {
        switch kind {
        case .socks: return .socksServer(host: host, port: port)
        case .http:
            guard let user else { return .server(host: host, port: port) }
            return .server(
                host: host, port: port, authorization: .basic(username: user, password: password?.text ?? ""))
        }
    }
}
