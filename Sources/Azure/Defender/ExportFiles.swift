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
    /// Whether the service is on this machine, as in a test: then its files may be here too.
    private let isLocal: Bool
    /// Seconds before empty files are looked at for the second time; longer before each further time.
    private let pendingDelay: Double

    /// - Parameters:
    ///   - service: the address of the service that lists the files.
    ///   - pendingDelay: seconds.
    package init(client: ServiceClient, service: String, pendingDelay: Double = 5) {
        self.client = client
        isLocal = Origin(service)?.isLoopback == true
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
        guard let origin = Origin(address.text), isAllowed(origin) else {
            throw ServiceError(
                tried: "GET \(shown)", got: "a link that is not followed",
                means:
                    "a file's address is its permission: it is asked for over https, and never on this machine or "
                    + "its network",
                next: "report this to the service; until then set 'exports: pages'")
        }
        // No token goes to the storage: the address is the permission.
        let response = try await client.send(
            ServiceRequest("GET", address.text, timeoutSeconds: 900, secrets: SignedAddress.secrets(of: address)))
        if response.status == 403 { return .expired }
        guard response.status == 200 else {
            throw ServiceError(
                tried: "GET \(shown)", got: response.summary, next: "run the command again", isRetryable: true,
                status: response.status)
        }
        return response.body.isEmpty ? .empty : .bytes(response.body)
    }

    private func isAllowed(_ origin: Origin) -> Bool {
        if origin.isLoopback { return isLocal }
        return origin.scheme == "https" && (NetworkAddress(origin.host).map { $0.kind == .global } ?? true)
    }

    /// Waits for the storage to copy what is still empty.
    ///
    /// - Parameter round: from 1; each waits longer than the one before.
    package func waitForCopies(round: Int) async throws {
        try await Task.sleep(for: .seconds(pendingDelay * Double(round)))
    }
}

/// Addresses that carry their own permission
/// (https://learn.microsoft.com/azure/storage/common/storage-sas-overview).
enum SignedAddress {
    /// What must not be repeated of an address: its query as a whole, and the signature in it.
    static func secrets(of address: Secret) -> [Secret] {
        guard let mark = address.text.firstIndex(of: "?") else { return [] }
        let query = address.text[address.text.index(after: mark)...]
        let signature = query.split(separator: "&").first { $0.hasPrefix("sig=") }.map { String($0.dropFirst(4)) }
        let parts = [String(query), signature, signature?.removingPercentEncoding]
        return parts.compactMap { $0 }.map { Secret(unlisted: $0) }
    }
}
