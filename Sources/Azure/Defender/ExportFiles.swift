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
    /// Seconds before empty files are looked at for the second time; longer before each further time.
    private let pendingDelay: Double

    /// - Parameter pendingDelay: seconds.
    package init(client: ServiceClient, pendingDelay: Double = 5) {
        self.client = client
        self.pendingDelay = pendingDelay
    }

    /// What a download came to.
    package enum Outcome: Sendable {
        case bytes([UInt8])
        /// A file without a byte: the storage is still copying it, or it has none.
        case empty
        /// The permission in the address has ended: ask for the list again.
        case expired
    }

    package func download(_ address: Secret) async throws -> Outcome {
        let shown = String(address.text.prefix { $0 != "?" })
        // No token goes to the storage: the address is the permission.
        let response = try await client.send(ServiceRequest("GET", address.text, timeoutSeconds: 900))
        if response.status == 403 { return .expired }
        guard response.status == 200 else {
            throw ServiceError(
                tried: "GET \(shown)", got: response.summary, next: "run the command again", isRetryable: true,
                status: response.status)
        }
        return response.body.isEmpty ? .empty : .bytes(response.body)
    }

    /// Waits for the storage to copy what is still empty.
    ///
    /// - Parameter round: from 1; each waits longer than the one before.
    package func waitForCopies(round: Int) async throws {
        try await Task.sleep(for: .seconds(pendingDelay * Double(round)))
    }
}
