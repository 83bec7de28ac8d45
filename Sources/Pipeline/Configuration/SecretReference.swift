import Azure
import Foundation
import Tables

/// A place where a secret is kept: `env:NAME`, `file:PATH`, `credential:NAME` or `keyvault:https://VAULT/secrets/NAME`;
/// also as a mapping
/// with one of these as its key.
package enum SecretReference: Sendable {
    case environment(String)
    case file(String)
    /// A credential that the service manager hands to the service (https://systemd.io/CREDENTIALS/).
    case credential(String)
    /// The address of a secret in Azure Key Vault, read with the machine's managed identity.
    case keyVault(KeyVaultAddress)
    /// Given by the program itself, as the demo does.
    case value(Secret)

    /// The kinds of places, by which a text begins.
    package enum Place: String, CaseIterable, Sendable { case env, file, credential, keyvault }

    /// Why a text names no such place; it does not repeat the text, which may be the secret itself.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    package init(_ text: String) throws(Problem) {
        guard let colon = text.firstIndex(of: ":"), let place = Place(rawValue: String(text[..<colon])) else {
            throw Problem(
                message: "must say where the secret is kept, env:NAME, file:PATH, credential:NAME or "
                    + "keyvault:https://VAULT.vault.azure.net/secrets/NAME, not the secret itself")
        }
        try self.init(place, String(text[text.index(after: colon)...]))
    }

    package init(_ place: Place, _ name: String) throws(Problem) {
        guard !name.isEmpty else { throw Problem(message: "does not say which \(place.rawValue) the secret is in") }
        switch place {
        case .env: self = .environment(name)
        case .file: self = .file(name)
        case .credential:
            guard !name.contains("/"), name != ".", name != ".." else {
                throw Problem(message: "must name a credential as the unit does, without a path")
            }
            self = .credential(name)
        case .keyvault:
            do throws(KeyVaultAddress.Problem) { self = .keyVault(try KeyVaultAddress(name)) } catch {
                throw Problem(message: "names no secret of a vault: \(error.message)")
            }
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
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                throw OperatorError(
                    title, got: "the environment has no variable CREDENTIALS_DIRECTORY",
                    means: "credentials are handed out by the service manager, and to services only",
                    next:
                        "set 'LoadCredential=\(name):/etc/vestige/\(name)' in the unit, or keep the secret in env:NAME "
                        + "or file:PATH",
                    isConfiguration: true)
            }
            // The service manager sees to who may read it.
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
                throw OperatorError(
                    title, got: "the service has no credential \(name)",
                    next: "set 'LoadCredential=\(name):/etc/vestige/\(name)' in the unit", isConfiguration: true)
            }
            return try Self.secret(in: data, "the credential \(name)", title)
        case .keyVault(let address):
            guard address.suffix.map({ $0 == cloud.hosts.vaultSuffix }) ?? true else {
                throw OperatorError(
                    title, got: "the vault \(address.text) is not one of the cloud \(cloud.rawValue)",
                    means: "a vault's token is for vaults of its own cloud, NAME.\(cloud.hosts.vaultSuffix)",
                    next: "correct the address, or 'cloud' of the tenant", isConfiguration: true)
            }
            let identity = ManagedIdentity(
                client: client, host: ManagedIdentity.host(environment), clientID: environment["AZURE_CLIENT_ID"])
            let tokens = TokenCache(client: client, source: .managedIdentity(identity))
            let vault = KeyVaultClient(
                client: AuthorizedClient(
                    client: client, tokens: tokens, audience: "https://\(cloud.hosts.vaultSuffix)",
                    addresses: [address.text]))
            do { return try await vault.secret(address.text) } catch let error as ServiceError {
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
        return try secret(in: data, "the file \(path)", title)
    }

    private static func secret(in data: Data, _ place: String, _ title: String) throws -> Secret {
        let text = String(decoding: data, as: UTF8.self).trimmed
        guard !text.isEmpty else {
            throw OperatorError(
                title, got: "\(place) is empty", next: "write the secret into it", isConfiguration: true)
        }
        return Secret(text)
    }
}

extension SecretReference {
    /// The secret, where it can be had without asking anybody; nil where it cannot, which is told when it is used.
    func known(_ environment: [String: String]) -> Secret? {
        let text: String?
        switch self {
        case .value(let secret): return secret
        case .environment(let name): text = environment[name]
        case .file(let path): text = Self.text(of: path)
        case .credential(let name):
            text = environment["CREDENTIALS_DIRECTORY"].flatMap { Self.text(of: "\($0)/\(name)") }
        case .keyVault: text = nil
        }
        return text.flatMap { $0.isEmpty ? nil : Secret($0) }
    }

    private static let bytesMax = 65_536

    private static func text(of path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        return (try? file.read(upToCount: bytesMax)).map { String(decoding: $0, as: UTF8.self).trimmed }
    }
}

extension Configuration {
    /// Where all of its secrets are kept.
    var secretReferences: [SecretReference] {
        let registrations = tenants + [server.entra?.registration].compactMap { $0 }
        let consoles = sensors + managers
        let proxies = [proxy] + (registrations.map(\.proxy) + consoles.map(\.proxy)).compactMap { $0 }
        return registrations.compactMap(\.identity.secret) + consoles.map(\.token) + sinks.flatMap(\.kind.secrets)
            + proxies.compactMap(\.password)
    }
}

extension IdentityConfiguration {
    /// Nil for the machine's own identity.
    fileprivate var secret: SecretReference? {
        switch self {
        case .secret(let reference), .certificate(let reference): reference
        case .federated(let file): .file(file)
        case .managed: nil
        }
    }
}

extension ProxySetting {
    fileprivate var password: SecretReference? {
        guard case .server(let server) = self else { return nil }
        return server.password
    }
}
