import Crypto
import Foundation
import JWTKit
import NIOSSL
import Tables

/// A certificate with its key, as an application signs in with it instead of a secret.
package struct ClientCertificate: Sendable {
    private let keys: JWTKeyCollection
    /// SHA-256 over the certificate's DER form, base64url without padding: what Entra finds the uploaded certificate by.
    let thumbprint: String
    /// The thumbprint that the portal shows: SHA-1, in hexadecimal.
    package let portalThumbprint: String

    /// Why a certificate cannot be used.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    /// - Parameter pem: the text of a PEM file that holds the certificate and its unencrypted RSA key, in any order.
    package init(pem: String) async throws(Problem) {
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)) } catch {
            throw Problem(message: "there is no certificate in the file (BEGIN CERTIFICATE)")
        }
        guard let leaf = certificates.first, let der = try? leaf.toDERBytes() else {
            throw Problem(message: "there is no certificate in the file (BEGIN CERTIFICATE)")
        }
        guard let start = pem.range(of: "-----BEGIN [A-Z ]*PRIVATE KEY-----", options: .regularExpression),
            let end = pem.range(of: "-----END [A-Z ]*PRIVATE KEY-----", options: .regularExpression),
            start.lowerBound < end.lowerBound
        else { throw Problem(message: "there is no private key in the file (BEGIN PRIVATE KEY)") }
        let keyText = String(pem[start.lowerBound..<end.upperBound])
        guard !keyText.contains("ENCRYPTED") else {
            throw Problem(
                message:
                    "the private key is encrypted; write it without a passphrase: openssl pkey -in FILE -out KEY, and protect the file instead"
            )
        }
        let key: JWTKit.Insecure.RSA.PrivateKey
        do { key = try JWTKit.Insecure.RSA.PrivateKey(pem: keyText) } catch {
            throw Problem(message: "the private key is not an RSA key in PEM form")
        }
        keys = JWTKeyCollection()
        await keys.add(pss: key, digestAlgorithm: .sha256)
        thumbprint = Self.base64URL(Array(SHA256.hash(data: der)))
        portalThumbprint = Hex.string(Crypto.Insecure.SHA1.hash(data: der)).uppercased()
    }

    /// The claims of a client assertion
    /// (https://learn.microsoft.com/entra/identity-platform/certificate-credentials).
    private struct Claims: JWTPayload {
        let aud: String
        let iss: String
        let sub: String
        let jti: String
        let nbf: Int
        let iat: Int
        let exp: Int

        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    /// A signed statement that the bearer is `client`, for the token endpoint `audience`; good for ten minutes.
    func assertion(client: String, audience: String) async throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        // A minute back, since the clocks of two machines are never alike.
        let claims = Claims(
            aud: audience, iss: client, sub: client, jti: UUID().uuidString, nbf: now - 60, iat: now, exp: now + 600)
        return try await keys.sign(claims, header: ["typ": .string("JWT"), "x5t#S256": .string(thumbprint)])
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
