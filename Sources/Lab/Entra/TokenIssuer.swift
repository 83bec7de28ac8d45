import Foundation
import JWTKit

/// What a token says about its bearer.
struct TokenClaims: JWTPayload {
    var aud: String
    var iss: String
    var tid: String
    var appid: String
    var roles: [String]?
    var iat: Int
    var nbf: Int
    var exp: Int

    func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// Signs and checks the lab's access tokens.
struct TokenIssuer: Sendable {
    private let keys: JWTKeyCollection

    init() async {
        keys = JWTKeyCollection()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        await keys.add(hmac: HMACKey(from: Data(secret)), digestAlgorithm: .sha256)
    }

    func issue(_ claims: TokenClaims) async throws -> String { try await keys.sign(claims) }

    func read(_ token: String) async -> TokenClaims? { try? await keys.verify(token, as: TokenClaims.self) }
}
