import Azure
import Foundation
import JWTKit
import Pipeline
import Tables

/// What a directory says of itself, and the keys that it signs with: asked for when they are needed, kept for a day,
/// and asked for again when a token names a key that is not among them
/// (https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature).
actor EntraDirectory {
    /// Addresses that its OpenID configuration names.
    struct Endpoints: Sendable {
        let issuer: String
        let authorization: String
        let token: String
        fileprivate let keys: String
    }

    private let client: ServiceClient
    private let login: String
    private let tenant: String
    private let clock: Stopwatch
    private var endpoints: (value: Endpoints, at: Double)?
    private var keys: (byID: [String: JWTKeyCollection], at: Double)?
    private var asked: Double?

    private static let freshSeconds = 86_400.0
    /// Tokens with names of keys that nobody has do not make the server ask more often than this.
    private static let pauseSeconds = 60.0

    init(client: ServiceClient, login: String, tenant: String, clock: Stopwatch) {
        self.client = client
        self.login = login
        self.tenant = tenant.lowercased()
        self.clock = clock
    }

    /// - Throws: `OperatorError` when the directory cannot be asked, or says something that it must not.
    func known() async throws -> Endpoints {
        if let endpoints, clock.now() - endpoints.at < Self.freshSeconds { return endpoints.value }
        let address = "\(login)/\(tenant)/v2.0/.well-known/openid-configuration"
        let answer = try await document(address)
        guard let issuer = answer["issuer"]?.string, let authorization = answer["authorization_endpoint"]?.string,
            let token = answer["token_endpoint"]?.string, let keys = answer["jwks_uri"]?.string
        else { throw Self.trouble("\(address) is no OpenID configuration") }
        // The tenant's own configuration names the tenant's own issuer; what a proxy or a typing error brings does not.
        guard issuer == "\(login)/\(tenant)/v2.0" else {
            throw Self.trouble("\(address) names the issuer \(issuer.prefix(200)), which is not this directory's")
        }
        for place in [authorization, token, keys] where !place.hasPrefix(login + "/") {
            throw Self.trouble("\(address) sends to another host: \(place.prefix(200))")
        }
        let value = Endpoints(issuer: issuer, authorization: authorization, token: token, keys: keys)
        endpoints = (value, clock.now())
        return value
    }

    /// The key of an id; nil when the directory has none of that name.
    func key(_ id: String) async throws -> JWTKeyCollection? {
        if let keys, clock.now() - keys.at < Self.freshSeconds, let known = keys.byID[id] { return known }
        if let asked, clock.now() - asked < Self.pauseSeconds, let keys { return keys.byID[id] }
        let address = try await known().keys
        asked = clock.now()
        guard let items = try await document(address)["keys"]?.array else {
            throw Self.trouble("\(address) is no set of keys")
        }
        var found: [String: JWTKeyCollection] = [:]
        for item in items {
            guard item["kty"]?.string == "RSA", item["use"]?.string ?? "sig" == "sig", let id = item["kid"]?.string,
                let modulus = item["n"]?.string, let exponent = item["e"]?.string,
                let size = Base64URL.decode(modulus)?.count, size >= 256,
                let key = try? JWTKit.Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
            else { continue }
            let collection = JWTKeyCollection()
            await collection.add(rsa: key, digestAlgorithm: .sha256)
            found[id] = collection
        }
        guard !found.isEmpty else { throw Self.trouble("\(address) holds no key that can be used") }
        keys = (found, clock.now())
        return found[id]
    }

    private func document(_ address: String) async throws -> JSON {
        do {
            let response = try await client.send(ServiceRequest("GET", address, timeoutSeconds: 10))
            guard response.status == 200 else { throw Self.trouble("\(address) answered \(response.status)") }
            return try JSON(parsing: response.body)
        } catch let error as OperatorError { throw error } catch let error as JSONError {
            throw Self.trouble("\(address) is not JSON: \(error)")
        } catch { throw OperatorError(error, title: "Microsoft Entra ID cannot be asked") }
    }

    private static func trouble(_ got: String) -> OperatorError {
        OperatorError(
            "Microsoft Entra ID cannot be asked", got: got, safe: "nobody is signed in by it",
            next: "check 'server.entra' in the configuration, and the way to the sign-in service")
    }
}
