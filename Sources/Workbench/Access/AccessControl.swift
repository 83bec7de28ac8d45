import Hummingbird
import NIOCore
import Pipeline
import Tables
import Workbooks

/// Lets a request through to its route when whoever sends it may.
struct AccessControl<Context: RequestContext>: RouterMiddleware {
    let access: ServerAccess

    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws
        -> Response
    {
        let trail = RequestTrail.current
        let endpoint = context.endpointPath
        trail?.note { $0.endpoint = endpoint }
        if access.audit?.isFull == true {
            trail?.note { $0.refusal = "the audit cannot be written" }
            return Answer.text(
                "the server cannot write down who asks, so it answers nothing\n", status: .serviceUnavailable)
        }
        guard access.isShared else { return try await pass(request, context, as: .machine, next: next) }
        let isOpen = AccessTable.access(request.method, endpoint: endpoint) == .open
        let visitor: Visitor
        do throws(AccessRefusal) { visitor = try await access.visitor(of: request) } catch {
            // Whoever shows what does not hold is told so, on an open route too: but not where they come to sign in.
            if isOpen, case .notSignedIn = error { return try await next(request, context) }
            return refuse(request, error, trail)
        }
        trail?.note { $0.identity = visitor.identity }
        if case .needs(let role) = AccessTable.access(request.method, endpoint: endpoint), visitor.identity.role < role
        {
            return refuse(request, .forbidden(role), trail)
        }
        var request = request
        // The form to sign in has a token of its own.
        if let session = visitor.session, ![.get, .head].contains(request.method), endpoint != SignInPath.page {
            do throws(AccessRefusal) { try await FormGuard.check(&request, token: session.formToken) } catch {
                return refuse(request, error, trail)
            }
        }
        guard let token = visitor.token else {
            return try await pass(request, context, as: visitor.identity, in: visitor.session, next: next)
        }
        if let wait = access.limits.begin(token) { return refuse(request, .tooMany(seconds: wait), trail) }
        defer { access.limits.end(token) }
        return try await pass(request, context, as: visitor.identity, next: next)
    }

    private func pass(
        _ request: Request, _ context: Context, as identity: Identity, in session: SessionStore.Session? = nil,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let account = session.map {
            PageAccount(name: identity.name, role: identity.role.rawValue, formToken: $0.formToken)
        }
        RequestTrail.current?.note { $0.identity = identity }
        return try await Identity.$current.withValue(identity) {
            try await PageAccount.$current.withValue(account) { try await next(request, context) }
        }
    }

    private func refuse(_ request: Request, _ refusal: AccessRefusal, _ trail: RequestTrail?) -> Response {
        trail?.note { $0.refusal = refusal.reason }
        return access.answer(refusal, to: request)
    }
}

/// Why a request goes no further.
enum AccessRefusal: Error, Sendable {
    case notSignedIn
    /// What was shown does not hold. The reason is for the audit.
    case notBelieved(String)
    case tooMany(seconds: Double)
    case forbidden(Role)
    /// A form of another site, or one that is too old.
    case form
    /// Those who say who somebody is cannot be asked.
    case cannotAsk(String)

    var reason: String {
        switch self {
        case .notSignedIn: "nobody signed in"
        case .notBelieved(let reason): reason
        case .tooMany(let seconds): "too many calls or attempts; the next in \(Int(seconds.rounded(.up))) s"
        case .forbidden(let role): "it needs the role \(role.rawValue)"
        case .form: "the form's token is missing, or is not this session's"
        case .cannotAsk(let reason): reason
        }
    }
}

/// Whoever sends a request, and what they show.
struct Visitor: Sendable {
    let identity: Identity
    var session: SessionStore.Session?
    var token: Accounts.Token?
}

extension ServerAccess {
    /// Who sends a request: by its bearer token, or else by its session.
    func visitor(of request: Request) async throws(AccessRefusal) -> Visitor {
        if request.headers.contains(.authorization) {
            let fields = request.headers[values: .authorization]
            guard fields.count == 1, let secret = Self.bearer(fields[0]) else {
                throw .notBelieved("the header Authorization is not one bearer token")
            }
            return try await bearer(secret)
        }
        guard let cookie = AccessCookie.session.value(in: request), let session = sessions.find(cookie) else {
            throw .notSignedIn
        }
        if session.identity.method == .password {
            guard let user = accounts?.current.user(session.identity.name), Self.proof(of: user) == session.proof else {
                sessions.end(cookie)
                throw .notSignedIn
            }
        }
        return Visitor(identity: session.identity, session: session)
    }

    private static func bearer(_ field: String) -> String? {
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    /// Whom a token stands for. Nobody finds one by trying, so that wrong ones slow down nobody: a program with a token
    /// that has ended would shut out the others at its address.
    private func bearer(_ secret: String) async throws(AccessRefusal) -> Visitor {
        if secret.hasPrefix(Accounts.Token.prefix) {
            guard let token = accounts?.current.token(secret) else {
                throw .notBelieved("an API token that is not known, or was revoked")
            }
            guard now < token.expires else { throw .notBelieved("the API token \(token.id) (\(token.name)) has ended") }
            let identity = Identity(name: token.name, id: token.id, role: token.role, method: .apiToken)
            return Visitor(identity: identity, token: token)
        }
        guard let entra else { throw .notBelieved("a bearer token, and nothing here that issues them") }
        let identity: Identity
        do { identity = try await entra.check.identity(accessToken: secret) } catch let error
            as EntraTokenCheck.Refusal
        {
            throw .notBelieved("the access token: \(error.reason)")
        } catch {
            throw .cannotAsk(OperatorError(error, title: "Microsoft Entra ID cannot be asked").got ?? "no answer")
        }
        return Visitor(identity: identity)
    }

    /// Ticks.
    private var now: Int64 { DateTime.unixEpoch + Int64(time() * Double(DateTime.ticksPerSecond)) }

    /// The answer to a request that goes no further: a browser that nobody signed in with is sent to do so.
    func answer(_ refusal: AccessRefusal, to request: Request) -> Response {
        switch refusal {
        case .notSignedIn:
            let wantsPage = request.headers[.accept]?.contains("text/html") == true
            if wantsPage, request.method == .get || request.method == .head {
                let back = SignInPath.safeReturn(request.uri.string)
                let query = back == "/" ? "" : "?" + FormText.write([("return", back)])
                return Response(
                    status: .seeOther, headers: [.location: SignInPath.page + query, .cacheControl: "no-store"])
            }
            return error(.unauthorized, "Unauthorized", "sign in, or send a bearer token", challenge: challenge())
        case .notBelieved:
            return error(
                .unauthorized, "Unauthorized", "the token is not valid here",
                challenge: challenge() + ", error=\"invalid_token\"")
        case .tooMany(let seconds):
            var answer = error(.tooManyRequests, "TooManyRequests", refusal.reason)
            answer.headers[.retryAfter] = String(Int(seconds.rounded(.up)))
            return answer
        case .forbidden, .form: return error(.forbidden, "Forbidden", refusal.reason)
        case .cannotAsk:
            return error(.serviceUnavailable, "ServiceUnavailable", "Microsoft Entra ID cannot be asked now")
        }
    }

    /// How to sign in, as Azure's services tell it
    /// (https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses).
    private func challenge() -> String {
        guard let registration = entraSettings?.registration else { return "Bearer realm=\"Vestige\"" }
        return "Bearer authorization_uri=\"\(registration.loginHost)/\(registration.tenantID)\""
    }

    private func error(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, challenge: String? = nil
    ) -> Response {
        var answer = Answer.json(["error": ["code": .string(code), "message": .string(message)]], status: status)
        if let challenge { answer.headers[.wwwAuthenticate] = challenge }
        return answer
    }
}

/// A form that changes something must hold the token of the session that it was made for, so that no other site can
/// have it sent: in the header `X-Vestige-Form`, or in the field `form`.
enum FormGuard {
    static let field = "form"
    static let bodyBytesMax = 65_536

    static var header: HTTPField.Name {
        guard let name = HTTPField.Name("X-Vestige-Form") else { preconditionFailure("a lawful name") }
        return name
    }

    /// Checks a request, whose body can be read again afterwards.
    static func check(_ request: inout Request, token: String) async throws(AccessRefusal) {
        var given = request.headers[header]
        if given == nil, let fields = await fields(&request) { given = fields[field] }
        guard let given, SecretText.areEqual(given, token) else { throw .form }
    }

    /// The fields of a form; nil for what is none, or is too large.
    static func fields(_ request: inout Request) async -> [String: String]? {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        guard type?.trimmed == "application/x-www-form-urlencoded" else { return nil }
        guard let body = try? await request.body.collect(upTo: bodyBytesMax) else { return nil }
        request.body = RequestBody(buffer: body)
        return FormText.read(String(buffer: body))
    }
}
