import Crypto
import Foundation
import Tables

/// Posts JSON to an address that somebody gave for it.
package struct WebhookClient: Sendable {
    private let client: ServiceClient
    private let address: String
    private let token: Secret?
    private let key: Secret?

    /// - Parameters:
    ///   - token: sent as a bearer token; nil for none.
    ///   - key: what bodies are signed with; nil for no signature.
    package init(client: ServiceClient, address: String, token: Secret?, key: Secret?) {
        self.client = client
        self.address = address
        self.token = token
        self.key = key
    }

    /// What the receiver makes of it.
    package enum Answer: Sendable {
        case taken
        /// It will never take this, with the reason.
        case refused(String)
    }

    /// Posts a document.
    ///
    /// - Parameter id: the same for the same document, so that a receiver can tell one that comes twice.
    package func post(_ body: [UInt8], id: String) async throws(ServiceError) -> Answer {
        var headers = [("Content-Type", "application/json"), ("Idempotency-Key", id)]
        if let token { headers.append(("Authorization", "Bearer \(token.text)")) }
        if let key {
            let code = HMAC<SHA256>.authenticationCode(
                for: Data(body), using: SymmetricKey(data: Data(key.text.utf8)))
            headers.append(("X-Vestige-Signature", "sha256=\(Hex.string(code))"))
        }
        let request = ServiceRequest("POST", address, headers: headers, body: body, timeoutSeconds: 30)
        let response: ServiceResponse
        do { response = try await client.send(request) } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(
                tried: "posting to a webhook", got: "\(error)", next: "check 'address'", isRetryable: true)
        }
        switch response.status {
        case 200..<300: return .taken
        case 400, 413, 422: return .refused(response.summary)
        default:
            let next =
                switch response.status {
                case 401, 403: "check the secret that 'token' or 'key' points to"
                case 404, 410: "check 'address': the receiver does not know it"
                default: "it is tried again with the next run"
                }
            throw ServiceError(
                tried: "posting to a webhook", got: response.summary, next: next,
                isRetryable: response.status >= 500 || response.status == 429)
        }
    }
}
