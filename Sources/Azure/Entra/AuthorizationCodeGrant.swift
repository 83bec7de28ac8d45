import Foundation
import Tables

/// The second half of a person's sign-in: an authorization code for an id token
/// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token).
package struct AuthorizationCodeGrant: Sendable {
    private let client: ServiceClient
    private let credential: EntraCredential
    /// What is asked for: who somebody is, and nothing in their name.
    package static let scope = "openid profile"

    package init(client: ServiceClient, credential: EntraCredential) {
        self.client = client
        self.credential = credential
    }

    /// The application that people sign in to.
    package var clientID: String { credential.client }

    /// The id token that a code stands for. A code is good for one try: the call is made once, so that an answer which got
    /// lost is not taken for a theft by the service.
    ///
    /// - Parameters:
    ///   - redirect: the redirect URI that the code was asked for with.
    ///   - verifier: what its challenge was made of (RFC 7636).
    ///   - endpoint: the directory's token endpoint.
    /// - Throws: `ServiceError`.
    package func idToken(code: String, redirect: String, verifier: String, endpoint: String) async throws -> String {
        var form = [
            ("client_id", credential.client), ("grant_type", "authorization_code"), ("code", code),
            ("redirect_uri", redirect), ("code_verifier", verifier), ("scope", Self.scope),
        ]
        var secrets = [Secret(code), Secret(verifier)]
        switch credential.proof {
        case .secret(let secret):
            form.append(("client_secret", secret.text))
            secrets.append(secret)
        case .certificate(let certificate):
            form += TokenEndpoint.assertion(
                try await certificate.assertion(client: credential.client, audience: endpoint))
        case .federated(let file): form += TokenEndpoint.assertion(try TokenEndpoint.federatedToken(file))
        }
        let body = form.map { "\($0)=\(TokenEndpoint.escape($1))" }.joined(separator: "&")
        let response = try await client.send(
            ServiceRequest(
                "POST", endpoint, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(body.utf8), timeoutSeconds: 30, secrets: secrets))
        let answer = (try? JSONReader.parse(response.body))?.bagValue
        guard response.status == 200, let token = answer?["id_token"]?.stringValue else {
            throw TokenEndpoint(client: client, credential: credential).refusal(response, answer, endpoint)
        }
        return token
    }
}
