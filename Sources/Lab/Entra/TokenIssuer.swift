import Foundation
import JWTKit
import Tables

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

/// Signs and checks the lab's access tokens, which end by the lab's clock.
struct TokenIssuer: Sendable {
    private let keys: JWTKeyCollection
    private let clock: LabClock

    init(clock: LabClock) async {
        self.clock = clock
        keys = JWTKeyCollection()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        await keys.add(hmac: HMACKey(from: Data(secret)), digestAlgorithm: .sha256)
    }

    func issue(_ claims: TokenClaims) async throws -> String { try await keys.sign(claims) }

    /// The lab's time in Unix seconds, as tokens write it.
    var now: Int { Int(DateTime.unixSeconds(clock.now)) }

    /// What a token says; nil for one that was not signed here, or has ended.
    func read(_ token: String) async -> TokenClaims? {
        guard let claims = try? await keys.verify(token, as: TokenClaims.self), claims.exp >= now else { return nil }
        return claims
    }
}
