import Foundation
import Hummingbird
import Tables

/// The services that give tokens to machines, apps and Arc servers, and a Key Vault that takes them.
///
/// Sources: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token,
/// https://learn.microsoft.com/azure/app-service/overview-managed-identity,
/// https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication.
struct ManagedIdentityRoutes: Sendable {
    let lab: LabState

    func add(to router: Router<BasicRequestContext>) {
        router.get("/metadata/identity/oauth2/token") { request, _ in
            guard request.headers[.init("Metadata") ?? .accept] == "true" else {
                return error(400, "bad_request_102", "Required metadata header not specified")
            }
            return try await token(request, texts: true)
        }
        router.get("/msi/token") { request, _ in
            guard request.headers[.init("X-IDENTITY-HEADER") ?? .accept] == lab.identity.appHeader else {
                return Reply.json(.null, status: 401)
            }
            return try await token(request, texts: false)
        }
        router.get("/arc/token") { request, _ in
            guard let file = lab.arcKeyFile else { return Reply.json(.null, status: 404) }
            let key = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard request.headers[.authorization] == "Basic \(key)" else {
                return Reply.json(.null, status: 401, headers: [("WWW-Authenticate", "Basic realm=\(file)")])
            }
            return try await token(request, texts: true)
        }
        router.get("/secrets/:name") { request, context in
            guard let claims = await bearer(request), claims.aud == "https://vault.azure.net" else {
                return Reply.json(
                    ["error": ["code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer token."]],
                    status: 401)
            }
            let name = context.parameters.get("name") ?? ""
            guard let value = lab.identity.vault[name] else {
                let message = "A secret with (name/id) \(name) was not found in this key vault."
                return Reply.json(
                    ["error": ["code": "SecretNotFound", "message": .string(message)]], status: 404)
            }
            return Reply.json(
                ["value": .string(value), "id": "https://lab.vault.azure.net/secrets/\(name)/1"])
        }
    }

    private func bearer(_ request: Request) async -> TokenClaims? {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else { return nil }
        return await lab.issuer.read(String(header.dropFirst(7)))
    }

    private func error(_ status: Int, _ code: String, _ text: String) -> Response {
        Reply.json(["error": .string(code), "error_description": .string(text)], status: status)
    }

    private func token(_ request: Request, texts: Bool) async throws -> Response {
        let audience = request.uri.queryParameters["resource"].map(String.init) ?? ""
        guard let roles = LabRoles.of(audience) else {
            return error(
                400, "invalid_resource", "AADSTS50001: The resource principal named \(audience) was not found.")
        }
        let (now, issued) = (Int(Date().timeIntervalSince1970), lab.issuer.now)
        let granted = roles.filter { !lab.withheldRoles.contains($0) }
        let claims = TokenClaims(
            aud: audience, iss: "https://sts.windows.net/\(lab.identity.tenant)/", tid: lab.identity.tenant,
            appid: lab.identity.client,
            roles: granted.isEmpty ? nil : granted, iat: issued, nbf: issued, exp: issued + lab.tokenLifetimeSeconds)
        let text = try await lab.issuer.issue(claims)
        var bag: JSON.Members = [
            "access_token": .string(text), "expires_on": .string(String(now + lab.tokenLifetimeSeconds)),
            "resource": .string(audience),
        ]
        if texts {
            // The machine's service writes every number as a text.
            bag["expires_in"] = .string(String(lab.tokenLifetimeSeconds))
            bag["token_type"] = "Bearer"
            bag["refresh_token"] = ""
        }
        return Reply.json(.object(bag))
    }
}

/// The application roles that the lab's identity was granted, by audience.
enum LabRoles {
    private static let all: [String: [String]] = [
        "https://graph.microsoft.com": ["ThreatHunting.Read.All", "SecurityAlert.Read.All"],
        "https://api.securitycenter.microsoft.com": [
            "Machine.Read.All", "Vulnerability.Read.All", "Software.Read.All", "SecurityConfiguration.Read.All",
            "SecurityRecommendation.Read.All",
            "Score.Read.All", "Alert.Read.All", "User.Read.All", "SecurityBaselinesAssessment.Read.All",
            "RemediationTask.Read.All", "AdvancedQuery.Read.All",
        ],
        "https://api.security.microsoft.com": ["AdvancedHunting.Read.All"],
        "https://monitor.azure.com": [], "https://vault.azure.net": [], "https://management.azure.com": [],
        "https://kusto.kusto.windows.net": [],
    ]

    /// Nil for a service that is not in the tenant.
    static func of(_ audience: String) -> [String]? { all[audience] }
}
