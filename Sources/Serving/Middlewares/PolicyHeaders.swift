import Hummingbird

/// Tells browsers, on every answer, what it may be used for.
///
/// What a page may load and run is the page's own to say (`content-security-policy` of its answer); an answer that
/// says nothing is no page, and may do nothing.
package struct PolicyHeaders<Context: RequestContext>: RouterMiddleware {
    let isSecure: Bool

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in PolicyFields.base where !response.headers.contains(field.name) { response.headers.append(field) }
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}

/// The header fields of every answer.
package enum PolicyFields {
    /// `same-origin` and not `no-referrer`, which would make a browser send `Origin: null` with the site's own forms.
    /// (https://fetch.spec.whatwg.org/#append-a-request-origin-header); no other site learns an address either way.
    static let base: [HTTPFields.Element] = [
        HTTPFields.Element(
            name: .contentSecurityPolicy,
            value: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"),
        HTTPFields.Element(name: .xContentTypeOptions, value: "nosniff"),
        HTTPFields.Element(name: name("Referrer-Policy"), value: "same-origin"),
        HTTPFields.Element(name: name("X-Frame-Options"), value: "DENY"),
        HTTPFields.Element(name: name("Cross-Origin-Resource-Policy"), value: "same-origin"),
        HTTPFields.Element(name: name("Cross-Origin-Opener-Policy"), value: "same-origin"),
        HTTPFields.Element(
            name: name("Permissions-Policy"),
            value: "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ]

    static func name(_ text: String) -> HTTPFields.Element.Name {
        guard let name = HTTPFields.Element.Name(text) else { preconditionFailure("\(text) is no name of a header") }
        return name
    }
}
