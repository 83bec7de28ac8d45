import Hummingbird

/// The cookies of signing in. Their names begin with `__Host-`: a browser takes them from this host only, over TLS, for
/// the whole site (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes).
enum AccessCookie: String {
    case session = "__Host-vestige"
    /// Of a browser that is about to sign in.
    case arrival = "__Host-vestige-arrival"

    /// The value that a request brings; nil when it brings none, or several.
    func value(in request: Request) -> String? {
        var found: [Substring] = []
        for field in request.headers[values: .cookie] {
            for part in field.split(separator: ";") {
                let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if pair.count == 2, pair[0] == rawValue { found.append(pair[1]) }
            }
        }
        guard found.count == 1, (32...128).contains(found[0].utf8.count) else { return nil }
        return String(found[0])
    }

    /// Lax, not strict: whoever follows a link from a mail, or comes back from Entra, is signed in already. What
    /// changes something needs the form's token besides.
    func set(_ value: String) -> String { "\(rawValue)=\(value); Path=/; Secure; HttpOnly; SameSite=Lax" }

    var removal: String { "\(rawValue)=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0" }
}

extension Response {
    mutating func add(cookie: String) { headers.append(HTTPField(name: .setCookie, value: cookie)) }
}
