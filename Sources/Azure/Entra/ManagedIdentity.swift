import Foundation
import Tables

/// The identity that Azure gives a machine, an app or an Arc server: tokens without a secret
/// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token,
/// https://learn.microsoft.com/azure/app-service/overview-managed-identity).
package struct ManagedIdentity: Sendable {
    /// Who gives tokens out here.
    package enum Host: Sendable, Equatable {
        /// The instance metadata service of a virtual machine.
        case machine(base: String)
        /// App Service, Functions and Container Apps.
        case app(endpoint: String, header: String)
        /// The Arc agent; it wants a proof that the caller may read a file of its folder.
        case arc(endpoint: String, tokenFolder: String)
    }

    private let host: Host
    /// A user-assigned identity's client id; nil for the system-assigned one.
    private let clientID: String?
    private let client: ServiceClient
    private static let keyBytesMax = 4_096

    package init(client: ServiceClient, host: Host, clientID: String?) {
        self.client = client
        self.host = host
        self.clientID = clientID
    }

    /// The host, told from the variables that each kind sets.
    package static func host(_ environment: [String: String]) -> Host {
        let endpoint = environment["IDENTITY_ENDPOINT"] ?? ""
        if !endpoint.isEmpty, let header = environment["IDENTITY_HEADER"], !header.isEmpty {
            return .app(endpoint: endpoint, header: header)
        }
        if !endpoint.isEmpty, environment["IMDS_ENDPOINT"] != nil {
            return .arc(endpoint: endpoint, tokenFolder: "/var/opt/azcmagent/tokens")
        }
        return .machine(base: environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] ?? "http://169.254.169.254")
    }

    func token(for audience: String) async throws -> IssuedToken {
        switch host {
        case .machine(let base):
            // While the service is being updated it answers 404 or 410, for 70 seconds at most.
            var waited = 0
            while true {
                let url = address("\(base)/metadata/identity/oauth2/token", version: "2018-02-01", audience)
                let response = try await client.send(
                    ServiceRequest("GET", url, headers: [("Metadata", "true")], timeoutSeconds: 30))
                guard response.status == 404 || response.status == 410, waited < 75 else {
                    return try issued(response, url)
                }
                try await Task.sleep(for: .seconds(5))
                waited += 5
            }
        case .app(let endpoint, let header):
            let url = address(endpoint, version: "2019-08-01", audience)
            return try issued(
                try await client.send(
                    ServiceRequest(
                        "GET", url, headers: [("X-IDENTITY-HEADER", header)], timeoutSeconds: 30,
                        secrets: [Secret(header)])), url)
        case .arc(let endpoint, let folder):
            let url = address(endpoint, version: "2020-06-01", audience)
            let challenge = try await client.send(
                ServiceRequest("GET", url, headers: [("Metadata", "true")], timeoutSeconds: 30))
            guard challenge.status == 401,
                let realm = challenge.headers["www-authenticate"]?.split(separator: "realm=").last.map(String.init)
            else {
                return try issued(challenge, url)
            }
            let key = try Self.key(realm.replacing("\"", with: ""), folder)
            let headers = [("Metadata", "true"), ("Authorization", "Basic \(key)")]
            return try issued(
                try await client.send(
                    ServiceRequest("GET", url, headers: headers, timeoutSeconds: 30, secrets: [Secret(key)])), url)
        }
    }

    private func address(_ endpoint: String, version: String, _ audience: String) -> String {
        var url = "\(endpoint)?api-version=\(version)&resource=\(TokenEndpoint.escape(audience))"
        if let clientID { url += "&client_id=\(TokenEndpoint.escape(clientID))" }
        return url
    }

    /// The key file that the Arc agent names: only one of its own folder, so that nobody who answers in its place can
    /// have another file read.
    private static func key(_ path: String, _ folder: String) throws -> String {
        let resolved = URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath()
        let isOwn =
            resolved.deletingLastPathComponent().path
            == URL(fileURLWithPath: folder).standardizedFileURL.resolvingSymlinksInPath().path
        guard isOwn, resolved.pathExtension == "key", let data = FileManager.default.contents(atPath: resolved.path),
            data.count <= keyBytesMax
        else {
            throw ServiceError(
                tried: "proving to the Arc agent that this program may have a token",
                got: "the agent names the file \(path.prefix(120))",
                means: "only a .key file of \(folder) that this user can read is a proof",
                next: "add the user that runs this program to the group himds")
        }
        return String(decoding: data, as: UTF8.self).trimmed
    }

    private func issued(_ response: ServiceResponse, _ url: String) throws -> IssuedToken {
        let answer = (try? JSONReader.parse(response.body))?.bagValue
        guard response.status == 200, let token = answer?["access_token"]?.stringValue else {
            let reason = answer?["error_description"]?.text ?? answer?["message"]?.text ?? "no explanation"
            let shown = url.prefix { $0 != "?" }
            throw ServiceError(
                tried: "GET \(shown)", got: "\(response.status), \(reason.prefix(200))",
                means: "no managed identity gives a token here",
                next: response.status == 400
                    ? "assign a managed identity to this machine or app, or correct 'managedIdentity' (system, or the client id of a user-assigned one)"
                    : "run the command again later", status: response.status)
        }
        var lifetime = TokenEndpoint.seconds(answer?["expires_in"])
        if lifetime == nil, let end = TokenEndpoint.seconds(answer?["expires_on"]) {
            lifetime = end - Date().timeIntervalSince1970
        }
        return IssuedToken(
            text: Secret(token), lifetimeSeconds: max(lifetime ?? 3_599, 1),
            refreshSeconds: TokenEndpoint.seconds(answer?["refresh_in"]))
    }
}
