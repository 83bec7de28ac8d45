import Crypto
import Foundation
import JWTKit
import SwiftASN1
import Tables
import X509
import _CryptoExtras

/// The certificates that the lab's application may sign in with, and the issuer that it federates with.
///
/// Entra's rules: https://learn.microsoft.com/entra/identity-platform/certificate-credentials,
/// https://learn.microsoft.com/entra/workload-id/workload-identity-federation.
actor AssertionCheck {
    private var uploaded: [(thumbprint: String, keys: JWTKeyCollection)] = []

    struct Refusal: Error {
        let code: Int
        let message: String
    }

    private struct Claims: JWTPayload {
        var aud: String
        var iss: String
        var sub: String
        var jti: String?
        var nbf: Int?
        var exp: Int

        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    /// Uploads a certificate to the app registration.
    func upload(_ certificate: Certificate) async throws {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        let keys = JWTKeyCollection()
        await keys.add(
            pss: try JWTKit.Insecure.RSA.PublicKey(pem: try certificate.publicKey.serializeAsPEM().pemString),
            digestAlgorithm: .sha256)
        uploaded.append((Self.base64URL(Array(SHA256.hash(data: serializer.serializedBytes))), keys))
    }

    /// Accepts an assertion or says why not.
    func check(_ assertion: String, client: String, endpoint: String, federation: TokenIssuer) async throws(Refusal) {
        guard let header = Self.header(assertion) else {
            throw Refusal(code: 50_027, message: "JWT token is invalid or malformed.")
        }
        guard let thumbprint = header["x5t#S256"]?.stringValue else {
            return try await checkFederated(assertion, federation)
        }
        guard header["alg"]?.stringValue == "PS256", let known = uploaded.first(where: { $0.thumbprint == thumbprint })
        else {
            throw Refusal(
                code: 700_027,
                message:
                    "The certificate with identifier used to sign the client assertion is not registered on application."
            )
        }
        guard let claims = try? await known.keys.verify(assertion, as: Claims.self) else {
            throw Refusal(code: 700_027, message: "Client assertion failed signature validation.")
        }
        let now = Int(Date().timeIntervalSince1970)
        guard claims.exp > now, claims.nbf ?? now <= now, claims.exp - now <= 900 else {
            throw Refusal(code: 700_024, message: "Client assertion is not within its valid time range.")
        }
        guard claims.iss == client, claims.sub == client else {
            throw Refusal(code: 700_021, message: "Client assertion application identifier doesn't match.")
        }
        guard claims.aud == endpoint else {
            throw Refusal(code: 700_023, message: "Client assertion audience claim does not match \(endpoint).")
        }
        guard let id = claims.jti, !id.isEmpty else {
            throw Refusal(code: 50_027, message: "The assertion has no identifier.")
        }
    }

    private func checkFederated(_ assertion: String, _ federation: TokenIssuer) async throws(Refusal) {
        guard let claims = await federation.read(assertion) else {
            throw Refusal(
                code: 700_211, message: "No matching federated identity record found for presented assertion issuer.")
        }
        guard claims.iss == Self.federatedIssuer, claims.aud == "api://AzureADTokenExchange" else {
            throw Refusal(
                code: 700_212, message: "No matching federated identity record found for presented assertion audience.")
        }
    }

    static let federatedIssuer = "https://cluster.lab.example"

    private static func header(_ assertion: String) -> Bag? {
        var text = assertion.prefix { $0 != "." }.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: String(text)).flatMap { try? JSONReader.parse([UInt8]($0)) }?.bagValue
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// A new self-signed certificate with its RSA key, PEM.
    static func make() throws -> (certificate: Certificate, pem: String) {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let signer = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("vestige.lab.example") }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: signer.publicKey,
            notValidBefore: now.addingTimeInterval(-3_600),
            notValidAfter: now.addingTimeInterval(30 * 86_400), issuer: name, subject: name,
            signatureAlgorithm: .sha256WithRSAEncryption,
            extensions: Certificate.Extensions(), issuerPrivateKey: signer)
        return (certificate, try certificate.serializeAsPEM().pemString + "\n" + key.pkcs8PEMRepresentation + "\n")
    }
}
