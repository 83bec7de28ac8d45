import Foundation
import Hummingbird
import Tables

/// Sign-in of people: the authorization endpoint, the published keys, and the half of the token endpoint that takes codes
/// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow,
/// https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
struct AuthorizeRoutes: Sendable {
    let lab: LabState
    let scheme: String

    func add(to router: Router<BasicRequestContext>) {
        router.get("/:tenant/oauth2/v2.0/authorize") { request, context in
            authorize(request, tenant: context.parameters.get("tenant") ?? "")
        }
        router.get("/:tenant/discovery/v2.0/keys") { request, context in
            let tenant = context.parameters.get("tenant") ?? ""
            return Reply.json(try await lab.keys.published(issuer: issuer(request, tenant)))
        }
        // What an administrator sets in the portal.
        router.post("/lab/app") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            guard let given = try? JSON(parsing: Array(body.readableBytesView)) else {
                return Reply.json(.null, status: 400)
            }
            lab.web.change { registration in
                if let redirects = given["redirects"]?.array {
                    registration.redirects = Set(redirects.compactMap(\.string))
                }
                if let version = given["tokenVersion"]?.integer { registration.tokenVersion = Int(version) }
            }
            return Reply.json(.object([:]))
        }
        router.post("/lab/keys/rotate") { _, _ in
            try await lab.keys.rotate()
            return Reply.json(.object([:]))
        }
    }

    private func issuer(_ request: Request, _ tenant: String) -> String {
        "\(scheme)://\(request.head.authority ?? "localhost")/\(tenant)/v2.0"
    }

    // MARK: Authorization

    private func authorize(_ request: Request, tenant: String) -> Response {
        var asked: [String: String] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map {
                String($0).replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            guard asked[parts[0]] == nil else {
                return page(
                    9_000_411, "The request is not properly formatted. The parameter '\(parts[0])' is duplicated.")
            }
            asked[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        guard tenant == lab.identity.tenant else { return page(90_002, "Tenant '\(tenant)' not found.") }
        for name in ["client_id", "response_type", "scope"] where (asked[name] ?? "").isEmpty {
            return page(900_144, "The request body must contain the following parameter: '\(name)'.")
        }
        guard asked["client_id"] == lab.identity.webClient else {
            return page(
                700_016, "Application with identifier '\(asked["client_id"] ?? "")' was not found in the directory.")
        }
        // Nobody is sent to an address that the registration does not name, not even with an error.
        guard let redirect = asked["redirect_uri"], lab.web.registration.redirects.contains(redirect) else {
            return page(
                50_011,
                "The redirect URI '\(asked["redirect_uri"] ?? "")' specified in the request does not match the redirect "
                    + "URIs configured for the application '\(lab.identity.webClient)'.")
        }
        func back(_ answer: [(String, String)]) -> Response {
            var pairs = answer
            if let state = asked["state"] { pairs.append(("state", state)) }
            let query = pairs.map { "\($0)=\(Self.escape($1))" }.joined(separator: "&")
            return Response(status: .found, headers: [.location: "\(redirect)?\(query)", .cacheControl: "no-store"])
        }
        func refuse(_ error: String, _ code: Int, _ text: String) -> Response {
            back([("error", error), ("error_description", "AADSTS\(code): \(text)")])
        }
        guard asked["response_type"] == "code" else {
            return refuse("unsupported_response_type", 700_051, "response_type is not enabled for the application.")
        }
        guard asked["response_mode"] ?? "query" == "query" else {
            return refuse("invalid_request", 9_000_410, "The lab answers with response_mode 'query' only.")
        }
        let scopes = (asked["scope"] ?? "").split(separator: " ").map(String.init)
        guard scopes.contains("openid") else {
            return refuse("invalid_scope", 70_011, "The lab signs people in: the scope must contain 'openid'.")
        }
        let method = asked["code_challenge_method"] ?? "plain"
        if let challenge = asked["code_challenge"] {
            guard ["S256", "plain"].contains(method), (43...128).contains(challenge.utf8.count) else {
                return refuse("invalid_request", 501_491, "Invalid size or method of the code challenge.")
            }
        }
        guard let hint = asked["login_hint"] else {
            if asked["prompt"] == "none" {
                return refuse("login_required", 50_058, "A silent sign-in request was sent but no user is signed in.")
            }
            return choice(request)
        }
        guard let person = WebApplication.people.first(where: { $0.name == hint.lowercased() }) else {
            return page(50_034, "The user account \(hint) does not exist in the directory.")
        }
        let code = lab.web.issue(
            WebApplication.Grant(
                redirect: redirect, challenge: asked["code_challenge"], challengeMethod: method,
                nonce: asked["nonce"], scopes: scopes, person: person,
                expires: lab.issuer.now + WebApplication.codeSeconds))
        return back([("code", code), ("session_state", UUID().uuidString.lowercased())])
    }

    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? ""
    }

    private static func text(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }

    /// Who signs in: the lab asks for no passwords.
    private func choice(_ request: Request) -> Response {
        let links = WebApplication.people.map { person in
            let address = Self.text(request.uri.string + "&login_hint=" + Self.escape(person.name))
            return "<li><a href=\"\(address)\">\(person.display)</a></li>"
        }
        return Reply.raw(
            Array("<!doctype html><title>Pick an account</title><ul>\(links.joined())</ul>".utf8),
            type: "text/html; charset=utf-8")
    }

    /// An error that is shown where it happened.
    private func page(_ code: Int, _ text: String) -> Response {
        Reply.raw(
            Array("<!doctype html><title>Sign in</title><p>AADSTS\(code): \(Self.text(text))</p>".utf8), status: 400,
            type: "text/html; charset=utf-8")
    }
}

/// The second half: what a code, or an application's own proof, is exchanged for.
struct CodeRedemption: Sendable {
    let lab: LabState
    let issuer: String

    struct Refusal: Error {
        let error: String
        let code: Int
        let text: String
    }

    /// Gives an id token for a code, and an access token for Graph that nobody here needs.
    func tokens(_ form: [String: String]) async throws -> JSON {
        guard let code = form["code"], !code.isEmpty else {
            throw Refusal(
                error: "invalid_request", code: 900_144,
                text: "The request body must contain the following parameter: 'code'.")
        }
        guard let grant = lab.web.redeem(code) else {
            throw Refusal(
                error: "invalid_grant", code: 9_002_313, text: "Invalid request. Request is malformed or invalid.")
        }
        guard !grant.isRedeemed else {
            throw Refusal(
                error: "invalid_grant", code: 54_005,
                text: "OAuth2 Authorization code was already redeemed, please retry with a new valid code.")
        }
        guard lab.issuer.now < grant.expires else {
            throw Refusal(error: "invalid_grant", code: 70_008, text: "The provided authorization code has expired.")
        }
        guard form["redirect_uri"] == grant.redirect else {
            throw Refusal(
                error: "invalid_client", code: 500_112,
                text: "The reply address does not match the reply address provided when requesting Authorization code.")
        }
        guard grant.accepts(verifier: form["code_verifier"]) else {
            throw Refusal(
                error: "invalid_grant", code: 501_481,
                text: "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
        }
        let now = lab.issuer.now
        var claims: JSON.Members = [
            "aud": .string(lab.identity.webClient), "iss": .string(issuer), "iat": .integer(Int64(now)),
            "nbf": .integer(Int64(now)), "exp": .integer(Int64(now + lab.tokenLifetimeSeconds)),
            "oid": .string(grant.person.object), "sub": .string("sub-" + grant.person.object),
            "tid": .string(lab.identity.tenant), "ver": "2.0", "rh": "1.", "uti": .string(UUID().uuidString),
        ]
        if grant.scopes.contains("profile") {
            claims["name"] = .string(grant.person.display)
            claims["preferred_username"] = .string(grant.person.name)
        }
        if let nonce = grant.nonce { claims["nonce"] = .string(nonce) }
        if !grant.person.roles.isEmpty { claims["roles"] = .array(grant.person.roles.map { .string($0) }) }
        return [
            "token_type": "Bearer", "scope": .string(grant.scopes.joined(separator: " ")),
            "expires_in": .integer(Int64(lab.tokenLifetimeSeconds)),
            "ext_expires_in": .integer(Int64(lab.tokenLifetimeSeconds)), "access_token": "opaque-graph-token",
            "id_token": .string(try await lab.keys.sign(.object(claims))),
        ]
    }

    /// A token by which an application calls the web application's API in its own name
    /// (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
    func applicationToken() async throws -> String {
        let now = Int64(lab.issuer.now)
        let isV2 = lab.web.registration.tokenVersion == 2
        let object = "6f1d6d6a-0000-4000-8000-1ab0000000b1"
        let granted = ["Vestige.Reader"].filter { !lab.withheldRoles.contains($0) }
        var claims: JSON.Members = [
            "aud": .string(isV2 ? lab.identity.webClient : lab.identity.webAudience),
            "iss": .string(isV2 ? issuer : "https://sts.windows.net/\(lab.identity.tenant)/"), "iat": .integer(now),
            "nbf": .integer(now), "exp": .integer(now + Int64(lab.tokenLifetimeSeconds)), "oid": .string(object),
            "sub": .string(object), "tid": .string(lab.identity.tenant), "ver": isV2 ? "2.0" : "1.0", "idtyp": "app",
        ]
        if !granted.isEmpty { claims["roles"] = .array(granted.map { .string($0) }) }
        claims[isV2 ? "azp" : "appid"] = .string(lab.identity.client)
        claims[isV2 ? "azpacr" : "appidacr"] = "1"
        return try await lab.keys.sign(.object(claims))
    }
}
