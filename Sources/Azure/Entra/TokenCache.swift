import Foundation
import Tables

/// Access tokens of one identity, one per audience: fetched once, renewed ahead of their end, by one call at a time.
package actor TokenCache {
    private let source: TokenSource
    private let endpoint: TokenEndpoint?
    private var tokens: [String: Held] = [:]
    private var pending: [String: Task<Secret, any Error>] = [:]

    private struct Held {
        let token: Secret
        let renewsAt: ContinuousClock.Instant
        let endsAt: ContinuousClock.Instant
    }

    package init(client: ServiceClient, source: TokenSource) {
        self.source = source
        if case .application(let credential) = source {
            endpoint = TokenEndpoint(client: client, credential: credential)
        } else {
            endpoint = nil
        }
    }

    package init(client: ServiceClient, credential: EntraCredential) {
        self.init(client: client, source: .application(credential))
    }

    /// A token for `audience`, such as `https://graph.microsoft.com`.
    ///
    /// A token that should be renewed but is still good serves when the renewal fails.
    package func token(for audience: String) async throws -> Secret {
        if let known = tokens[audience], known.renewsAt > .now { return known.token }
        if let running = pending[audience] { return try await running.value }
        let task = Task { try await fetch(audience) }
        pending[audience] = task
        defer { pending[audience] = nil }
        do { return try await task.value } catch {
            if let known = tokens[audience], known.endsAt > .now + .seconds(30) { return known.token }
            throw error
        }
    }

    /// Forgets a token that a service refused.
    package func forget(_ audience: String) { tokens[audience] = nil }

    /// The application roles that a token carries (`roles`), for saying what is not granted; nil for a token that is no
    /// JWT.
    package func roles(for audience: String) async throws -> Set<String>? {
        let parts = try await token(for: audience).text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        guard let data = Data(base64Encoded: String(text)),
            let claims = (try? JSONReader.parse([UInt8](data)))?.bagValue
        else { return nil }
        return Set((claims["roles"]?.arrayValue ?? []).map(\.text))
    }

    private func fetch(_ audience: String) async throws -> Secret {
        let issued: IssuedToken
        switch source {
        case .application:
            guard let endpoint else { throw CancellationError() }
            issued = try await endpoint.token(for: audience)
        case .managedIdentity(let identity): issued = try await identity.token(for: audience)
        }
        tokens[audience] = Held(
            token: issued.text, renewsAt: .now + .seconds(issued.renewsAfterSeconds),
            endsAt: .now + .seconds(issued.lifetimeSeconds))
        return issued.text
    }
}

/// Calls that carry a bearer token, to the addresses that it is meant for and no other.
package struct AuthorizedClient: Sendable {
    package let client: ServiceClient
    package let tokens: TokenCache
    package let audience: String
    private let origins: Set<Origin>

    /// - Parameter addresses: of the services that may see the token; scheme, host and port count.
    package init(client: ServiceClient, tokens: TokenCache, audience: String, addresses: [String]) {
        self.client = client
        self.tokens = tokens
        self.audience = audience
        origins = Set(addresses.compactMap { Origin($0) }.filter(\.isSafeForTokens))
    }

    /// Whether the token may go to an address: also one that an answer named.
    func mayCall(_ address: String) -> Bool { Origin(address).map { origins.contains($0) } ?? false }

    /// Sends with a token; a token that the service refuses is renewed once.
    func send(_ request: ServiceRequest, budget: CallBudget? = nil) async throws -> ServiceResponse {
        guard mayCall(request.url) else {
            let places = origins.map(\.description).sorted().joined(separator: ", ")
            throw ServiceError(
                tried: request.shown, got: "an address that the token is not meant for",
                means: "the token goes to \(places.isEmpty ? "no address" : places) and nowhere else",
                next: "correct the address in the configuration if the service is there now")
        }
        var authorized = request
        for isSecond in [false, true] {
            let token = try await tokens.token(for: audience)
            authorized.secrets = request.secrets + [token]
            authorized.headers = request.headers + [("Authorization", "Bearer \(token.text)")]
            let response = try await client.send(authorized, budget: budget)
            guard response.status == 401, !isSecond else { return response }
            await tokens.forget(audience)
        }
        throw CancellationError()
    }
}
