import Foundation
import Tables

/// Sends queries with a token, or without one on this machine.
package struct RemoteCaller: Sendable {
    private let client: ServiceClient
    private let tokens: TokenCache?

    /// - Parameter tokens: nil for a service that asks for no sign-in.
    package init(client: ServiceClient, tokens: TokenCache?) {
        self.client = client
        self.tokens = tokens
    }

    func send(_ request: ServiceRequest, audience: @Sendable () async throws -> String) async throws -> ServiceResponse
    {
        guard let tokens else { return try await client.send(request) }
        let caller = AuthorizedClient(
            client: client, tokens: tokens, audience: try await audience(), addresses: [request.url])
        return try await caller.send(request)
    }

    /// Sends without a token.
    func sendOpenly(_ request: ServiceRequest) async throws -> ServiceResponse { try await client.send(request) }

    static func post(_ url: String, _ body: Bag, headers: [(String, String)] = [], timeoutSeconds: Int)
        -> ServiceRequest
    {
        ServiceRequest(
            "POST", url, headers: [("Content-Type", "application/json; charset=utf-8")] + headers,
            body: Array(JSONWriter.string(.bag(body)).utf8),
            timeoutSeconds: timeoutSeconds)
    }

    static func refusal(_ request: ServiceRequest, _ response: ServiceResponse, message: String?) -> ServiceError {
        let next =
            switch response.status {
            case 401: "sign in with an application that this service knows: set 'tenant' in the configuration"
            case 403:
                "give the application the right to read there: a role such as Database Viewer (Kusto) or Log Analytics Reader"
            case 404: "check the address: a Kusto cluster, or …/v1/workspaces/ID of Log Analytics"
            case 429: "wait a moment, then ask again"
            default: "correct the query"
            }
        return ServiceError(
            tried: request.shown, got: message.map { "\(response.status), \($0)" } ?? response.summary, next: next,
            status: response.status)
    }
}
