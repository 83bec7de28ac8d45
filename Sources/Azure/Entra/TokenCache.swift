import Foundation
import Tables

/// Who asks for tokens, and where.
package struct EntraCredential: Sendable {
    package let loginHost: String
    package let tenant: String
    package let client: String
    package let secret: Secret

    package init(loginHost: String = "https://login.microsoftonline.com", tenant: String, client: String, secret: Secret) {
        self.loginHost = loginHost
        self.tenant = tenant
        self.client = client
        self.secret = secret
    }
}

/// Access tokens of one application, one per audience, fetched once and renewed five minutes before they end.
package actor TokenCache {
    private let client: ServiceClient
    private let credential: EntraCredential
    private var tokens: [String: (token: Secret, renewAt: ContinuousClock.Instant)] = [:]
    private var pending: [String: Task<Secret, any Error>] = [:]

    package init(client: ServiceClient, credential: EntraCredential) {
        self.client = client
        self.credential = credential
    }

    /// A token for `audience`, such as `https://graph.microsoft.com`.
    package func token(for audience: String) async throws -> Secret {
        if let known = tokens[audience], known.renewAt > .now { return known.token }
        if let running = pending[audience] { return try await running.value }
        let task = Task { try await fetch(audience) }
        pending[audience] = task
        defer { pending[audience] = nil }
        return try await task.value
    }

    /// Forgets a token that a service refused.
    package func forget(_ audience: String) { tokens[audience] = nil }

    private func fetch(_ audience: String) async throws -> Secret {
        let url = "\(credential.loginHost)/\(credential.tenant)/oauth2/v2.0/token"
        let form = [
            ("client_id", credential.client), ("scope", audience + "/.default"), ("grant_type", "client_credentials"),
            ("client_secret", credential.secret.text),
        ]
        let body = form.map { "\($0)=\(Self.escape($1))" }.joined(separator: "&")
        let response = try await client.send(
            ServiceRequest("POST", url, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(body.utf8), timeoutSeconds: 30))
        let answer = (try? JSONReader.parse(response.body))?.bagValue
        guard response.status == 200, let token = answer?["access_token"]?.stringValue else { throw refusal(response, answer, url) }
        let seconds = answer?["expires_in"].flatMap { $0.converted(to: .long).longValue } ?? 3_599
        // Ahead of the end by five minutes, or by half of a short life.
        tokens[audience] = (Secret(token), .now + .seconds(max(Double(seconds) - 300, Double(seconds) / 2)))
        return Secret(token)
    }

    private func refusal(_ response: ServiceResponse, _ answer: Bag?, _ url: String) -> ServiceError {
        let code = answer?["error_codes"]?.arrayValue?.first?.longValue.map { Int($0) } ?? 0
        let text = answer?["error_description"]?.text ?? ""
        let cut = text.range(of: " Trace ID") ?? text.range(of: "\r\n")
        let message = cut.map { String(text[..<$0.lowerBound]) } ?? text
        let trace = answer?["trace_id"]?.text ?? "unknown"
        return ServiceError(
            tried: "POST \(url)", got: "\(response.status), \(message.isEmpty ? "no explanation" : String(message.prefix(240))) (trace \(trace))",
            means: "Microsoft Entra ID gives this application no token", next: EntraAdvice.next(code, tenant: credential.tenant, client: credential.client),
            status: response.status)
    }

    private static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .init(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }
}

/// Calls that carry a bearer token.
package struct AuthorizedClient: Sendable {
    package let client: ServiceClient
    package let tokens: TokenCache
    package let audience: String

    package init(client: ServiceClient, tokens: TokenCache, audience: String) {
        self.client = client
        self.tokens = tokens
        self.audience = audience
    }

    /// Sends with a token; a token that the service refuses is renewed once.
    func send(_ request: ServiceRequest) async throws -> ServiceResponse {
        var authorized = request
        for isSecond in [false, true] {
            let token = try await tokens.token(for: audience)
            authorized.headers = request.headers + [("Authorization", "Bearer \(token.text)")]
            let response = try await client.send(authorized)
            guard response.status == 401, !isSecond else { return response }
            await tokens.forget(audience)
        }
        throw CancellationError()
    }
}
