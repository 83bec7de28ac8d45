import Foundation
import Tables

/// Secrets kept in Azure Key Vault (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret).
package struct KeyVaultClient: Sendable {
    private let client: AuthorizedClient

    /// - Parameter client: with tokens for the vault's audience, `https://vault.azure.net` in the global cloud.
    package init(client: AuthorizedClient) { self.client = client }

    /// The value of the secret at `address`: `https://NAME.vault.azure.net/secrets/SECRET`, with or without a version.
    package func secret(_ address: String) async throws -> Secret {
        let request = ServiceRequest("GET", "\(address)?api-version=7.4", timeoutSeconds: 30)
        let response = try await client.send(request)
        guard response.status == 200,
            let value = (try? JSONReader.parse(response.body))?.bagValue?["value"]?.stringValue
        else {
            let next =
                switch response.status {
                case 401: "check that the vault is in the same tenant as the identity"
                case 403:
                    "give the identity the role Key Vault Secrets User on the vault, and let the vault's firewall pass this machine"
                case 404: "check the secret's name; it must be enabled and not deleted"
                default: "run the command again later"
                }
            throw ServiceError(tried: request.shown, got: response.summary, next: next, status: response.status)
        }
        return Secret(value)
    }
}
