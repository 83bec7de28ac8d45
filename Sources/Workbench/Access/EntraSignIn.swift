import Azure
import Crypto
import Foundation
import Pipeline
import Tables

/// Sign-in of people with Microsoft Entra ID: OpenID Connect's authorization code with PKCE
/// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow).
actor EntraSignIn {
    private let directory: EntraDirectory
    private let grant: AuthorizationCodeGrant
    let check: EntraTokenCheck
    private let clock: Stopwatch
    /// Those who are away signing in, by the digest of what comes back with them.
    private var away: [String: Away] = [:]
    private static let awayMax = 5_000
    /// An authorization code lives for ten minutes, and so does the way to it.
    private static let awaySeconds = 600.0

    private struct Away {
        let nonce: String
        let verifier: String
        /// The digest of the cookie of the browser that went.
        let browser: String
        let redirect: String
        let back: String
        let at: Double
    }

    /// Where somebody comes back to, and as whom.
    struct Arrival: Sendable {
        let identity: Identity
        let back: String
    }

    init(directory: EntraDirectory, grant: AuthorizationCodeGrant, check: EntraTokenCheck, clock: Stopwatch) {
        self.directory = directory
        self.grant = grant
        self.check = check
        self.clock = clock
    }

    /// The address at Entra to send a browser to.
    ///
    /// - Parameters:
    ///   - browser: the cookie that it was given.
    ///   - redirect: the registered redirect URI.
    ///   - back: where within the site it wants to go then.
    func departure(browser: String, redirect: String, back: String) async throws -> String {
        let endpoint = try await directory.known().authorization
        let now = clock.now()
        away = away.filter { now - $0.value.at < Self.awaySeconds }
        guard away.count < Self.awayMax else {
            throw OperatorError(
                "too many people are signing in", means: "or somebody sends many requests",
                next: "try again in some minutes")
        }
        let (state, nonce, verifier) = (SecretText.random(), SecretText.random(), SecretText.random())
        away[SecretText.digest(state)] = Away(
            nonce: nonce, verifier: verifier, browser: SecretText.digest(browser), redirect: redirect, back: back,
            at: now)
        let challenge = Base64URL.encode(SHA256.hash(data: Data(verifier.utf8)))
        let form = [
            ("client_id", grant.clientID), ("response_type", "code"), ("redirect_uri", redirect),
            ("response_mode", "query"), ("scope", AuthorizationCodeGrant.scope), ("state", state), ("nonce", nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ]
        return endpoint + "?" + FormText.write(form)
    }

    /// Takes somebody back in.
    ///
    /// - Throws: `EntraTokenCheck.Refusal` when they may not come in, `OperatorError` when Entra cannot be asked.
    func arrival(_ asked: [String: String], browser: String?) async throws -> Arrival {
        // What is not known says nothing: not even that Entra refused somebody.
        guard let state = asked["state"], let gone = away.removeValue(forKey: SecretText.digest(state)),
            clock.now() - gone.at < Self.awaySeconds
        else {
            throw EntraTokenCheck.Refusal(reason: "nobody was sent away with this state, or it was used before")
        }
        guard let browser, SecretText.areEqual(SecretText.digest(browser), gone.browser) else {
            throw EntraTokenCheck.Refusal(reason: "another browser was sent away")
        }
        if let error = asked["error"] {
            let text = asked["error_description"].map { String($0.prefix(300)) }
            throw EntraTokenCheck.Refusal(reason: "Entra says: \(error.prefix(60)) \(text ?? "without a reason")")
        }
        guard let code = asked["code"], !code.isEmpty else {
            throw EntraTokenCheck.Refusal(reason: "there is no code in the answer")
        }
        let endpoint = try await directory.known().token
        let token: String
        do {
            token = try await grant.idToken(
                code: code, redirect: gone.redirect, verifier: gone.verifier, endpoint: endpoint)
        } catch let error as ServiceError {
            if error.isRetryable { throw OperatorError(error, title: "Microsoft Entra ID cannot be asked") }
            throw EntraTokenCheck.Refusal(reason: "Entra does not take the code: \(error.got)")
        }
        return Arrival(identity: try await check.identity(idToken: token, nonce: gone.nonce), back: gone.back)
    }
}

/// Forms as browsers send them (https://url.spec.whatwg.org/#application/x-www-form-urlencoded).
enum FormText {
    private static let plain = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    static func escape(_ text: String) -> String {
        guard let escaped = text.addingPercentEncoding(withAllowedCharacters: plain) else {
            preconditionFailure("every text can be written in percent signs")
        }
        return escaped
    }

    static func write(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(escape($0))=\(escape($1))" }.joined(separator: "&")
    }

    /// A field that stands twice is left out: nobody can say which of them was meant.
    static func read(_ text: some StringProtocol) -> [String: String] {
        var found: [String: String] = [:]
        var twice: Set<String> = []
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let texts = parts.map { String($0).replacing("+", with: " ").removingPercentEncoding }
            guard let name = texts[0], let value = texts.count > 1 ? texts[1] : "" else { continue }
            if found.updateValue(value, forKey: name) != nil { twice.insert(name) }
        }
        for name in twice { found[name] = nil }
        return found
    }
}
