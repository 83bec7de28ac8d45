import Foundation
import Tables

/// Exports of the Defender for Endpoint API as files behind addresses that carry their own, short-lived permission
/// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities).
package struct ExportListing: Sendable {
    /// The addresses; each is a secret while it lasts.
    package let files: [Secret]
    /// When the snapshot was made, as the service says it.
    package let generated: String

    package init(files: [Secret], generated: String) {
        self.files = files
        self.generated = generated
    }
}

/// Downloads one file after the other.
package struct ExportDownloader: Sendable {
    private let client: ServiceClient
    /// Tries while the storage has not copied a file yet.
    private static let pendingAttempts = 6

    package init(client: ServiceClient) { self.client = client }

    /// What a download came to.
    package enum Outcome: Sendable {
        case bytes([UInt8])
        /// The permission in the address has ended: ask for the list again.
        case expired
    }

    package func download(_ address: Secret, pendingDelaySeconds: Double = 5) async throws -> Outcome {
        let shown = String(address.text.prefix { $0 != "?" })
        for attempt in 1...Self.pendingAttempts {
            // No token goes to the storage: the address is the permission.
            let response = try await client.send(ServiceRequest("GET", address.text, timeoutSeconds: 900))
            if response.status == 403 { return .expired }
            guard response.status == 200 else {
                throw ServiceError(
                    tried: "GET \(shown)", got: response.summary, next: "run the command again", isRetryable: true,
                    status: response.status)
            }
            // An empty file is one that is still being copied.
            if !response.body.isEmpty { return .bytes(response.body) }
            if attempt < Self.pendingAttempts {
                try await Task.sleep(for: .seconds(pendingDelaySeconds * Double(attempt)))
            }
        }
        throw ServiceError(
            tried: "GET \(shown), \(Self.pendingAttempts) attempts", got: "an empty file",
            means: "the storage has not finished copying the export",
            next: "run the command again in a few minutes", isRetryable: true)
    }
}
