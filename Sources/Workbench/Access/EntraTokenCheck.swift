import Foundation
import JWTKit
import Pipeline
import Tables

/// Judges tokens of a directory
/// (https://learn.microsoft.com/entra/identity-platform/claims-validation,
/// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference,
/// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
struct EntraTokenCheck: Sendable {
    let directory: EntraDirectory
    let tenant: String
    let client: String
    let audience: String
    let scope: String
    /// Seconds since 1970.
    let time: @Sendable () -> Double
    /// Seconds by which two clocks may differ.
    private static let skew = 60.0
    private static let bytesMax = 16_384

    /// Why a token is not believed. The text is for the audit; whoever shows the token learns no more than that.
    struct Refusal: Error {
        let reason: String
    }

    /// What a token says of whom.
    struct Claims: JWTPayload {
        var iss: String
        var aud: Audience
        var exp: Double
        var nbf: Double?
        var tid: String?
        var ver: String?
        var nonce: String?
        var oid: String?
        var sub: String?
        var name: String?
        var preferredName: String?
        var upn: String?
        var programName: String?
        var azp: String?
        var appid: String?
        var scp: String?
        var idtyp: String?
        var roles: [String]?

        private enum CodingKeys: String, CodingKey {
            case iss, aud, exp, nbf, tid, ver, nonce, oid, sub, name, upn, azp, appid, scp, idtyp, roles
            case preferredName = "preferred_username"
            case programName = "app_displayname"
        }

        func verify(using algorithm: some JWTAlgorithm) throws {}

        /// The role with the most rights among the application roles; their values are `reader`, `analyst` and
        /// `administrator`, with or without `Vestige.` before them.
        var role: Role? {
            (roles ?? []).compactMap { value in
                Role.allCases.first { $0.rawValue == value || "Vestige." + $0.rawValue.capitalized == value }
            }.max()
        }
    }

    /// One text, or a list of one.
    enum Audience: Codable {
        case one(String)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .one(text)
            } else if let texts = try? container.decode([String].self), texts.count == 1 {
                self = .one(texts[0])
            } else {
                self = .other
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if case .one(let text) = self { try container.encode(text) } else { try container.encodeNil() }
        }
    }

    /// Who signed in at the address that they were sent to.
    ///
    /// - Parameter nonce: what was sent along with them.
    func identity(idToken: String, nonce: String) async throws -> Identity {
        let claims = try await read(idToken)
        guard claims.iss == (try await directory.known().issuer) else { throw Refusal(reason: "another issuer") }
        try require(claims, audiences: [client])
        guard let given = claims.nonce, SecretText.areEqual(given, nonce) else {
            throw Refusal(reason: "it was not made for this sign-in: its nonce is another")
        }
        return try identity(claims, method: .entra)
    }

    /// Whom a program acts for, or itself.
    func identity(accessToken: String) async throws -> Identity {
        let claims = try await read(accessToken)
        switch claims.ver {
        case "2.0":
            guard claims.iss == (try await directory.known().issuer) else { throw Refusal(reason: "another issuer") }
            try require(claims, audiences: [client])
        case "1.0", nil:
            guard
                claims.iss == "https://sts.windows.net/\(tenant)/"
                    || claims.iss == "https://sts.chinacloudapi.cn/\(tenant)/"
            else { throw Refusal(reason: "another issuer") }
            try require(claims, audiences: [audience, audience + "/", client])
        default: throw Refusal(reason: "a version that is not known")
        }
        // An id token is for whoever signed somebody in, not for an API; both may be for the same application.
        guard claims.nonce == nil, let program = claims.azp ?? claims.appid, !program.isEmpty else {
            throw Refusal(reason: "it is no access token")
        }
        if let scopes = claims.scp, !scopes.split(separator: " ").contains(Substring(scope)) {
            throw Refusal(reason: "the permission \(scope) is not among \"\(scopes.prefix(100))\"")
        }
        return try identity(claims, method: .entraToken)
    }

    private func identity(_ claims: Claims, method: Identity.Method) throws -> Identity {
        guard let id = claims.oid ?? claims.sub, !id.isEmpty else { throw Refusal(reason: "it names nobody") }
        let name =
            claims.preferredName ?? claims.upn ?? claims.name ?? claims.programName ?? claims.azp
            ?? claims.appid ?? id
        guard let role = claims.role else {
            throw Refusal(reason: "\(name.prefix(100)) has none of the roles reader, analyst and administrator")
        }
        return Identity(name: String(name.prefix(200)), id: id, role: role, method: method)
    }

    private func require(_ claims: Claims, audiences: [String]) throws {
        guard case .one(let audience) = claims.aud, audiences.contains(audience) else {
            throw Refusal(reason: "it is for another audience")
        }
        guard claims.tid?.lowercased() == tenant else { throw Refusal(reason: "it is of another tenant") }
        let now = time()
        guard now < claims.exp + Self.skew else { throw Refusal(reason: "it has ended") }
        guard now > (claims.nbf ?? now) - Self.skew else { throw Refusal(reason: "it is not valid yet") }
    }

    /// What a token says once its signature holds. Only the algorithm that Entra signs with is taken: what the token
    /// itself says of how it wants to be checked never decides.
    private func read(_ token: String) async throws -> Claims {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= Self.bytesMax, parts.count == 3, let bytes = Base64URL.decode(parts[0]),
            let header = try? JSON(parsing: bytes), parts.allSatisfy({ !$0.isEmpty && Base64URL.decode($0) != nil })
        else { throw Refusal(reason: "it is no signed token") }
        guard header["alg"]?.string == "RS256" else {
            throw Refusal(reason: "it is signed with \(header["alg"]?.string?.prefix(20) ?? "nothing"), not RS256")
        }
        guard header["crit"] == nil else { throw Refusal(reason: "its header asks for what is not understood here") }
        guard let id = header["kid"]?.string, let key = try await directory.key(id) else {
            throw Refusal(reason: "the directory has no such key")
        }
        do { return try await key.verify(token, as: Claims.self) } catch {
            throw Refusal(reason: "its signature does not hold, or its claims cannot be read")
        }
    }
}
