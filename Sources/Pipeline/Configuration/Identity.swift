import Azure
import Foundation
import Tables

extension TenantConfiguration {
    /// The tokens of the tenant's identity.
    ///
    /// - Throws: `OperatorError` when a secret or certificate cannot be had.
    package func tokens(client: ServiceClient, environment: [String: String]) async throws -> TokenCache {
        let secrets = SecretResolver(environment: environment, client: client, cloud: cloud)
        func cache(_ proof: EntraProof) -> TokenCache {
            TokenCache(
                client: client,
                credential: EntraCredential(loginHost: loginHost, tenant: tenantID, client: clientID, proof: proof))
        }
        switch identity {
        case .secret(let reference):
            return cache(.secret(try await secrets.resolve(reference, "\(setting).clientSecret")))
        case .certificate(let reference):
            let pem = try await secrets.resolve(reference, "\(setting).certificate")
            do throws(ClientCertificate.Problem) {
                return cache(.certificate(try await ClientCertificate(pem: pem.text)))
            } catch {
                throw OperatorError(
                    "the certificate of '\(setting)' cannot be used", got: error.message,
                    next:
                        "put certificate and key into one PEM file: cat certificate.pem key.pem > both.pem, chmod 600 both.pem",
                    isConfiguration: true)
            }
        case .federated(let file): return cache(.federated(tokenFile: file))
        case .managed(let id):
            let identity = ManagedIdentity(client: client, host: ManagedIdentity.host(environment), clientID: id)
            return TokenCache(client: client, source: .managedIdentity(identity))
        }
    }

    private var setting: String { name.isEmpty ? "tenant" : "tenants \(name)" }
}
