import Foundation
import Hummingbird
import Tables

/// The token endpoint of Microsoft Entra ID, client credentials only, in its v1 and v2 forms.
struct EntraRoutes: Sendable {
    let lab: LabState
    let scheme: String

    func add(to router: Router<BasicRequestContext>) {
        router.post("/:tenant/oauth2/v2.0/token") { request, context in
            try await token(request, tenant: context.parameters.get("tenant") ?? "", isV2: true)
        }
        router.post("/:tenant/oauth2/token") { request, context in
            try await token(request, tenant: context.parameters.get("tenant") ?? "", isV2: false)
        }
        for prefix in ["", "/adfs"] {
            for suffix in ["/v2.0/.well-known/openid-configuration", "/.well-known/openid-configuration"] {
                router.get("\(prefix)/:tenant\(suffix)") { request, context in
                    let base = "\(scheme)://\(request.head.authority ?? "localhost")"
                    return Reply.json(configuration(base, tenant: context.parameters.get("tenant") ?? ""))
                }
            }
        }
    }

    /// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#fetch-the-openid-configuration-document
    private func configuration(_ base: String, tenant: String) -> JSON {
        [
            "token_endpoint": "\(base)/\(tenant)/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth",
            ],
            "jwks_uri": "\(base)/\(tenant)/discovery/v2.0/keys", "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"], "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": "\(base)/\(tenant)/v2.0",
            "authorization_endpoint": "\(base)/\(tenant)/oauth2/v2.0/authorize",
            "cloud_instance_name": "microsoftonline.com",
        ]
    }

    /// An authorization code for an id token.
    private func redeem(_ form: [String: String], issuer: String) async throws -> Response {
        guard form["client_id"] == lab.identity.webClient else {
            return fail(
                400, "unauthorized_client", 700_016,
                "Application with identifier '\(form["client_id"] ?? "")' was not found in the directory.")
        }
        guard let secret = form["client_secret"] else {
            return fail(
                401, "invalid_client", 7_000_218,
                "The request body must contain 'client_assertion' or 'client_secret'.")
        }
        guard secret == lab.identity.webSecret else {
            return fail(401, "invalid_client", 7_000_215, "Invalid client secret provided.")
        }
        do { return Reply.json(try await CodeRedemption(lab: lab, issuer: issuer).tokens(form)) } catch let refusal
            as CodeRedemption.Refusal
        { return fail(refusal.error == "invalid_client" ? 401 : 400, refusal.error, refusal.code, refusal.text) }
    }

    private func token(_ request: Request, tenant: String, isV2: Bool) async throws -> Response {
        let body = try await request.body.collect(upTo: 65_536)
        var form: [String: String] = [:]
        for pair in String(buffer: body).split(separator: "&") {
            let kv = pair.split(separator: "=", maxSplits: 1).map(String.init)
            form[kv[0]] = kv.count > 1 ? kv[1].replacing("+", with: " ").removingPercentEncoding ?? "" : ""
        }
        if tenant.lowercased() == "common" || tenant.lowercased() == "consumers" {
            return fail(
                400, "invalid_request", 9_001_023, "client credentials need a tenant of their own, not /\(tenant)")
        }
        guard tenant == lab.identity.tenant else {
            return fail(400, "invalid_request", 90002, "Tenant '\(tenant)' not found.")
        }
        let issuer = "\(scheme)://\(request.head.authority ?? "localhost")/\(tenant)/v2.0"
        if isV2, form["grant_type"] == "authorization_code" { return try await redeem(form, issuer: issuer) }
        guard form["grant_type"] == "client_credentials" else {
            return fail(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
        }
        guard form["client_id"] == lab.identity.client else {
            return fail(
                400, "unauthorized_client", 700_016,
                "Application with identifier '\(form["client_id"] ?? "")' was not found in the directory.")
        }
        if let assertion = form["client_assertion"] {
            let endpoint =
                "\(scheme)://\(request.head.authority ?? "localhost")/\(tenant)/oauth2/\(isV2 ? "v2.0/" : "")token"
            do throws(AssertionCheck.Refusal) {
                try await lab.assertions.check(
                    assertion, client: lab.identity.client, endpoint: endpoint, federation: lab.issuer)
            } catch { return fail(401, "invalid_client", error.code, error.message) }
        } else {
            guard let secret = form["client_secret"] else {
                return fail(
                    401, "invalid_client", 7_000_218,
                    "The request body must contain 'client_assertion' or 'client_secret'.")
            }
            guard secret == lab.identity.secret else {
                return fail(
                    401, "invalid_client", 7_000_215,
                    "Invalid client secret provided. Ensure the secret being sent is the client secret value, not its ID."
                )
            }
        }
        var audience = isV2 ? form["scope"] ?? "" : form["resource"] ?? ""
        if isV2 {
            guard audience.hasSuffix("/.default") else {
                return fail(400, "invalid_scope", 70011, "The scope must end in /.default.")
            }
            audience = String(audience.dropLast("/.default".count))
        }
        while audience.hasSuffix("/") { audience.removeLast() }
        if audience == lab.identity.webAudience {
            let token = try await CodeRedemption(lab: lab, issuer: issuer).applicationToken()
            return Reply.json([
                "token_type": "Bearer", "access_token": .string(token),
                "expires_in": .integer(Int64(lab.tokenLifetimeSeconds)),
                "ext_expires_in": .integer(Int64(lab.tokenLifetimeSeconds)),
            ])
        }
        guard let roles = LabRoles.of(audience) else {
            return fail(
                400, "invalid_resource", 500_011,
                "The resource principal named \(audience) was not found in the tenant.")
        }
        let issued = lab.issuer.now
        let lifetime = lab.tokenLifetimeSeconds
        let granted = roles.filter { !lab.withheldRoles.contains($0) }
        let claims = TokenClaims(
            aud: audience, iss: "https://sts.windows.net/\(tenant)/", tid: tenant, appid: lab.identity.client,
            roles: granted.isEmpty ? nil : granted, iat: issued, nbf: issued, exp: issued + lifetime)
        let token = try await lab.issuer.issue(claims)
        var bag: JSON.Members = ["token_type": "Bearer", "access_token": .string(token)]
        if isV2 {
            bag["expires_in"] = .integer(Int64(lifetime))
            bag["ext_expires_in"] = .integer(Int64(lifetime))
        } else {
            // Whoever asked reads these by a clock of their own.
            let now = Int(Date().timeIntervalSince1970)
            bag["expires_in"] = .string(String(lifetime))
            bag["expires_on"] = .string(String(now + lifetime))
            bag["not_before"] = .string(String(now))
            bag["resource"] = .string(audience)
        }
        return Reply.json(.object(bag))
    }

    private func fail(_ status: Int, _ error: String, _ code: Int, _ text: String) -> Response {
        let trace = UUID().uuidString.lowercased()
        let correlation = UUID().uuidString.lowercased()
        let time = String(DateTime.format(lab.world.clock.now).replacing("T", with: " ").prefix(19)) + "Z"
        return Reply.json(
            [
                "error": .string(error),
                "error_description":
                    "AADSTS\(code): \(text) Trace ID: \(trace) Correlation ID: \(correlation) Timestamp: \(time)",
                "error_codes": [.integer(Int64(code))], "timestamp": .string(time), "trace_id": .string(trace),
                "correlation_id": .string(correlation),
            ], status: status)
    }
}
