import Crypto
import Foundation
import Hummingbird
import Pipeline
import Workbooks

/// Signing in and out.
struct SignInRoutes: Sendable {
    let access: ServerAccess

    func add(to router: Router<some RequestContext>) {
        guard access.isShared else { return }
        router.get(RouterPath(SignInPath.page)) { request, _ in page(request, asked(request)["return"]) }
        router.post(RouterPath(SignInPath.page)) { request, _ in await enter(request) }
        router.get(RouterPath(SignInPath.entra)) { request, _ in await leaveForEntra(request) }
        router.get(RouterPath(SignInPath.callback)) { request, _ in await arrive(request) }
        router.post(RouterPath(SignInPath.signOut)) { request, _ in signOut(request) }
    }

    private func asked(_ request: Request) -> [String: String] { FormText.read(request.uri.query ?? "") }

    // MARK: The page

    /// Pages that another site leads to: Entra sends people back by a link.
    static let pages = [SignInPath.page, SignInPath.entra, SignInPath.callback].map { RouterPath($0) }

    /// The page to sign in on.
    ///
    /// - Parameter trouble: what went wrong at the last try.
    private func page(_ request: Request, _ back: String?, trouble: String? = nil, status: HTTPResponse.Status = .ok)
        -> Response
    {
        let browser = AccessCookie.arrival.value(in: request) ?? SecretText.random()
        let back = SignInPath.safeReturn(back)
        let form = SignInForm(
            takesPasswords: access.accounts?.current.users.isEmpty == false,
            entra: access.entra == nil
                ? nil : Self.link(SignInPath.entra + "?" + FormText.write([("return", back)])),
            action: Self.link(SignInPath.page), back: back, formToken: formToken(of: browser), trouble: trouble)
        var answer = Answer.html(PageShell(documents: []).signIn(form), status: status)
        answer.add(cookie: AccessCookie.arrival.set(browser))
        return answer
    }

    private static func link(_ address: String) -> Link {
        guard let link = Link(untrusted: address) else { preconditionFailure("a page of this site") }
        return link
    }

    /// What the form must bring back from a browser, so that nobody is signed in by another site as somebody else.
    private func formToken(of browser: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(browser.utf8), using: SymmetricKey(data: Data(access.formKey.utf8)))
        return Base64URL.encode(code)
    }

    // MARK: Passwords

    private func enter(_ request: Request) async -> Response {
        var request = request
        let trail = RequestTrail.current
        trail?.note { $0.signIn = .entered }
        guard let fields = await FormGuard.fields(&request), let browser = AccessCookie.arrival.value(in: request),
            let token = fields[FormGuard.field], SecretText.areEqual(token, formToken(of: browser))
        else {
            trail?.note { $0.refusal = AccessRefusal.form.reason }
            return page(request, nil, trouble: "The form was too old. Please try again.", status: .forbidden)
        }
        let name = fields["user"]?.trimmingCharacters(in: .whitespaces).prefix(64).description ?? ""
        guard Accounts.isName(name), let password = fields["password"], !password.isEmpty else {
            trail?.note { $0.refusal = "a name or a password is missing" }
            return page(request, fields["return"], trouble: Self.wrong, status: .unauthorized)
        }
        trail?.note { $0.claimed = name }
        let keys = [SignInThrottle.Key.account(name.lowercased()), .address(trail?.address ?? "")]
        if let wait = access.throttle.begin(keys) {
            let seconds = Int(wait.rounded(.up))
            trail?.note { $0.refusal = "too many attempts" }
            var answer = page(
                request, fields["return"], trouble: "Too many attempts. Please wait \(seconds) s.",
                status: .tooManyRequests)
            answer.headers[.retryAfter] = String(seconds)
            return answer
        }
        guard let user = await access.user(name, password: password) else {
            trail?.note { $0.refusal = "the name or the password is wrong" }
            return page(request, fields["return"], trouble: Self.wrong, status: .unauthorized)
        }
        access.throttle.succeeded(keys)
        let identity = Identity(name: user.name, id: user.name, role: user.role, method: .password)
        return begin(identity, request, back: fields["return"], proof: ServerAccess.proof(of: user))
    }

    /// The same for a name that nobody has.
    private static let wrong = "The name or the password is wrong."

    /// Begins a session under a new name and ends the one that the browser had.
    private func begin(_ identity: Identity, _ request: Request, back: String?, proof: String) -> Response {
        RequestTrail.current?.note { $0.identity = identity }
        if let old = AccessCookie.session.value(in: request) { access.sessions.end(old) }
        var answer = Response(
            status: .seeOther, headers: [.location: SignInPath.safeReturn(back), .cacheControl: "no-store"])
        answer.add(cookie: AccessCookie.session.set(access.sessions.begin(identity, proof: proof)))
        answer.add(cookie: AccessCookie.arrival.removal)
        return answer
    }

    // MARK: Entra

    /// Where Entra sends people back to; it must stand in the app registration as it is here.
    private func redirect(_ request: Request) -> String {
        let scheme = access.isSecure ? "https" : "http"
        return (access.address ?? "\(scheme)://\(request.head.authority ?? "localhost")") + SignInPath.callback
    }

    private func leaveForEntra(_ request: Request) async -> Response {
        guard let entra = access.entra else { return Answer.text("there is no such page\n", status: .notFound) }
        let back = SignInPath.safeReturn(asked(request)["return"])
        // A name of its own for each departure: nobody comes back by a link that somebody else began.
        let browser = SecretText.random()
        do {
            let address = try await entra.departure(browser: browser, redirect: redirect(request), back: back)
            var answer = Response(status: .found, headers: [.location: address, .cacheControl: "no-store"])
            answer.add(cookie: AccessCookie.arrival.set(browser))
            return answer
        } catch {
            return unreachable(request, error)
        }
    }

    private func arrive(_ request: Request) async -> Response {
        guard let entra = access.entra else { return Answer.text("there is no such page\n", status: .notFound) }
        let trail = RequestTrail.current
        trail?.note { $0.signIn = .entered }
        do {
            let arrival = try await entra.arrival(asked(request), browser: AccessCookie.arrival.value(in: request))
            return begin(arrival.identity, request, back: arrival.back, proof: arrival.identity.id)
        } catch let refusal as EntraTokenCheck.Refusal {
            trail?.note { $0.refusal = refusal.reason }
            return page(
                request, nil,
                trouble:
                    "Signing in did not succeed. Try again, or ask whoever runs this server whether you have a role.",
                status: .forbidden)
        } catch {
            return unreachable(request, error)
        }
    }

    private func unreachable(_ request: Request, _ error: any Error) -> Response {
        let known = OperatorError(error, title: "Microsoft Entra ID cannot be asked")
        RequestTrail.current?.note { $0.refusal = [known.title, known.got].compactMap { $0 }.joined(separator: ": ") }
        return page(
            request, nil, trouble: "Microsoft Entra ID cannot be reached now. Please try again later.",
            status: .serviceUnavailable)
    }

    // MARK: The end

    private func signOut(_ request: Request) -> Response {
        RequestTrail.current?.note { $0.signIn = .left }
        if let cookie = AccessCookie.session.value(in: request) { access.sessions.end(cookie) }
        var answer = Response(
            status: .seeOther, headers: [.location: SignInPath.page, .cacheControl: "no-store"])
        answer.add(cookie: AccessCookie.session.removal)
        // What the browser keeps of pages goes with the session.
        answer.headers[Self.clearSiteData] = "\"cache\""
        return answer
    }

    private static var clearSiteData: HTTPField.Name {
        guard let name = HTTPField.Name("Clear-Site-Data") else { preconditionFailure("a lawful name") }
        return name
    }
}
