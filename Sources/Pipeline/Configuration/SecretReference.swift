import Azure
import Foundation
import Tables

/// A place where a secret is kept: `env:NAME`, `file:PATH` or `keyvault:https://VAULT/secrets/NAME`.
package enum SecretReference: Sendable {
    case environment(String)
    case file(String)
    /// The address of a secret in Azure Key Vault, read with the machine's managed identity.
    case keyVault(String)
    /// Given by the program itself, as the demo does.
    case value(Secret)

    /// Nil for a text that names none of these places; it may be the secret itself and must not be repeated.
    package init?(_ text: String) {
        if text.hasPrefix("env:") {
            self = .environment(String(text.dropFirst(4)))
        } else if text.hasPrefix("file:") {
            self = .file(String(text.dropFirst(5)))
        } else if text.hasPrefix("keyvault:https://") || text.hasPrefix("keyvault:http://127.0.0.1") {
            self = .keyVault(String(text.dropFirst(9)))
        } else {
            return nil
        }
    }
}

/// Fetches secrets from where they are kept.
package struct SecretResolver: Sendable {
    private let environment: [String: String]
    private let client: ServiceClient
    private let cloud: NationalCloud

    /// - Parameter cloud: whose Key Vault is asked.
    package init(environment: [String: String], client: ServiceClient, cloud: NationalCloud) {
        self.environment = environment
        self.client = client
        self.cloud = cloud
    }

    /// The secret itself.
    ///
    /// - Parameter setting: the setting that points there, for the message.
    package func resolve(_ reference: SecretReference, _ setting: String) async throws -> Secret {
        let title = "the secret for '\(setting)' is missing"
        switch reference {
        case .value(let secret): return secret
        case .environment(let name):
            guard let text = environment[name], !text.isEmpty else {
                throw OperatorError(
                    title, got: "the environment has no variable \(name)", next: "export \(name)=…",
                    isConfiguration: true)
            }
            return Secret(text)
        case .file(let path): return try Self.read(path, title)
        case .keyVault(let address):
            let identity = ManagedIdentity(
                client: client, host: ManagedIdentity.host(environment), clientID: environment["AZURE_CLIENT_ID"])
            let tokens = TokenCache(client: client, source: .managedIdentity(identity))
            let vault = KeyVaultClient(
                client: AuthorizedClient(client: client, tokens: tokens, audience: "https://\(cloud.hosts.vaultSuffix)")
            )
            do { return try await vault.secret(address) } catch let error as ServiceError {
                throw OperatorError(error, title: title)
            }
        }
    }

    private static func read(_ path: String, _ title: String) throws -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw OperatorError(
                title, got: "the file \(path) cannot be read",
                next: "write the secret into \(path), readable by this user only", isConfiguration: true)
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0o600
        guard mode & 0o077 == 0 else {
            throw OperatorError(
                title.replacing("is missing", with: "is not used"),
                got: "others on this machine may read the file \(path) (mode \(String(mode & 0o777, radix: 8)))",
                next: "chmod 600 \(path), and renew the secret if somebody may have seen it", isConfiguration: true)
        }
        let text = String(decoding: data, as: UTF8.self).trimmed
        guard !text.isEmpty else { throw OperatorError(title, got: "the file \(path) is empty", isConfiguration: true) }
        return Secret(text)
    }
}
