import Foundation
import JWTKit
import Tables
import _CryptoExtras

/// The keys that the lab's directory signs id tokens and tokens for its own applications with. They are made when they are
/// first needed, and change when somebody asks for it, as Entra's do without a word
/// (https://learn.microsoft.com/entra/identity-platform/signing-key-rollover).
actor SigningKeys {
    private struct Key {
        let id: String
        let collection: JWTKeyCollection
        let publicKey: JWTKit.Insecure.RSA.PublicKey
    }

    private var keys: [Key] = []
    /// Keys that are published at the same time.
    private static let publishedMax = 3

    private func newest() async throws -> Key {
        if let key = keys.last { return key }
        try await rotate()
        return try await newest()
    }

    /// Signs with a new key from now on; the ones before stay published for a while.
    func rotate() async throws {
        let secret = try JWTKit.Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        let id = "lab-" + UUID().uuidString.lowercased().prefix(8)
        let collection = JWTKeyCollection()
        await collection.add(rsa: secret, digestAlgorithm: .sha256, kid: JWKIdentifier(string: id))
        keys.append(Key(id: id, collection: collection, publicKey: secret.publicKey))
        if keys.count > Self.publishedMax { keys.removeFirst() }
    }

    /// A token with these claims, signed by the key that counts now.
    ///
    /// - Parameter keyID: what the token's header says of the key, when it shall say something else.
    func sign(_ claims: JSON, keyID: String? = nil) async throws -> String {
        let key = try await newest()
        var header = JWTHeader()
        header.kid = keyID ?? key.id
        header.typ = "JWT"
        guard keyID != nil else {
            return try await key.collection.sign(
                JSONClaims(json: claims), kid: JWKIdentifier(string: key.id), header: header)
        }
        // A key that the directory does not publish, under the name that was asked for.
        let stranger = JWTKeyCollection()
        await stranger.add(
            rsa: try JWTKit.Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048)),
            digestAlgorithm: .sha256)
        return try await stranger.sign(JSONClaims(json: claims), header: header)
    }

    /// The name of the key that counts now.
    func currentID() async throws -> String { try await newest().id }

    /// The public part of the key that counts now, PEM.
    func publicPEM() async throws -> String { try await newest().publicKey.pemRepresentation }

    /// The set of public keys (RFC 7517), with the members that Entra gives.
    func published(issuer: String) async throws -> JSON {
        _ = try await newest()
        return [
            "keys": .array(
                try keys.map { key in
                    let (modulus, exponent) = try key.publicKey.getKeyPrimitives()
                    return [
                        "kty": "RSA", "use": "sig", "kid": .string(key.id), "x5t": .string(key.id),
                        "n": .string(Self.text(modulus)), "e": .string(Self.text(exponent)),
                        "cloud_instance_name": "microsoftonline.com", "issuer": .string(issuer),
                    ]
                })
        ]
    }

    private static func text(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// Claims of any form.
private struct JSONClaims: JWTPayload {
    let json: JSON

    init(json: JSON) { self.json = json }

    /// Only for signing: what the lab reads of its own tokens has types.
    init(from decoder: any Decoder) throws {
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not read"))
    }

    func verify(using algorithm: some JWTAlgorithm) throws {}

    func encode(to encoder: any Encoder) throws { try Encoded(json: json).encode(to: encoder) }

    private struct Encoded: Encodable {
        let json: JSON

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            switch json {
            case .object(let members):
                var container = encoder.container(keyedBy: Name.self)
                for (name, value) in zip(members.names, members.values) {
                    try container.encode(Encoded(json: value), forKey: Name(stringValue: name))
                }
            case .array(let items):
                var container = encoder.unkeyedContainer()
                for item in items { try container.encode(Encoded(json: item)) }
            case .null:
                var container = encoder.singleValueContainer()
                try container.encodeNil()
            case .bool(let flag):
                var container = encoder.singleValueContainer()
                try container.encode(flag)
            case .integer(let number):
                var container = encoder.singleValueContainer()
                try container.encode(number)
            case .number(let number):
                var container = encoder.singleValueContainer()
                try container.encode(number)
            case .string(let text):
                var container = encoder.singleValueContainer()
                try container.encode(text)
            }
        }
    }
}
