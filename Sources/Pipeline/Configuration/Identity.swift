import Azure
import Foundation
import Tables

extension TenantConfiguration {
    /// The tokens of the tenant's identity.
    ///
    /// - Throws: `OperatorError` when a secret or certificate cannot be had.
    package func tokens(client: ServiceClient, environment: [String: String]) async throws -> TokenCache {
        if case .managed(let id) = identity {
            let identity = ManagedIdentity(client: client, host: ManagedIdentity.host(environment), clientID: id)
            return TokenCache(client: client, source: .managedIdentity(identity))
        }
        return TokenCache(
            client: client, credential: try await credential(client: client, environment: environment, setting: setting)
        )
    }

    /// The application, with what it proves itself by.
    ///
    /// - Parameter setting: where it stands in the configuration, for messages.
    /// - Throws: `OperatorError` when a secret or certificate cannot be had, or the identity is the machine's own.
    package func credential(client: ServiceClient, environment: [String: String], setting: String) async throws
        -> EntraCredential
    {
        let secrets = SecretResolver(environment: environment, client: client, cloud: cloud)
        func credential(_ proof: EntraProof) -> EntraCredential {
            EntraCredential(loginHost: loginHost, tenant: tenantID, client: clientID, proof: proof)
        }
        switch identity {
        case .secret(let reference):
            return credential(.secret(try await secrets.resolve(reference, "\(setting).clientSecret")))
        case .certificate(let reference):
            let pem = try await secrets.resolve(reference, "\(setting).certificate")
            do throws(ClientCertificate.Problem) {
                return credential(.certificate(try await ClientCertificate(pem: pem.text)))
            } catch {
                throw OperatorError(
                    "the certificate of '\(setting)' cannot be used", got: error.message,
                    next:
                        "put certificate and key into one PEM file: cat certificate.pem key.pem > both.pem, chmod 600 both.pem",
                    isConfiguration: true)
            }
        case .federated(let file): return credential(.federated(tokenFile: file))
        case .managed:
            throw OperatorError(
                "'\(setting)' cannot be a managed identity",
                means: "an app registration proves itself to sign people in",
                next: "use 'clientSecret', 'certificate' or 'federatedTokenFile'", isConfiguration: true)
        }
    }

    private var setting: String { name.isEmpty ? "tenant" : "tenants \(name)" }
}
