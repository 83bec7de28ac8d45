import Crypto
import Foundation
import Synchronization
import Tables

/// An application of the lab's directory that people sign in to, and that exposes an API to programs: what its
/// registration says, and the authorization codes that were given out for it.
final class WebApplication: Sendable {
    /// Somebody of the directory.
    struct Person: Sendable {
        let name: String
        let display: String
        let object: String
        /// Values of the application roles that were assigned to them.
        let roles: [String]
    }

    static let people = [
        Person(
            name: "anna@plant.lab.example", display: "Anna Analyst", object: "6f1d6d6a-0000-4000-8000-1ab0000000a1",
            roles: ["Vestige.Analyst"]),
        Person(
            name: "rita@plant.lab.example", display: "Rita Reader", object: "6f1d6d6a-0000-4000-8000-1ab0000000a2",
            roles: ["Vestige.Reader"]),
        Person(
            name: "adam@plant.lab.example", display: "Adam Administrator",
            object: "6f1d6d6a-0000-4000-8000-1ab0000000a3", roles: ["Vestige.Reader", "Vestige.Administrator"]),
        Person(
            name: "olga@plant.lab.example", display: "Olga Outsider", object: "6f1d6d6a-0000-4000-8000-1ab0000000a4",
            roles: []),
    ]

    /// What the registration says.
    struct Registration: Sendable {
        /// Redirect URIs of the platform "Web": compared letter by letter
        /// (https://learn.microsoft.com/entra/identity-platform/reply-url).
        var redirects: Set<String> = []
        /// `requestedAccessTokenVersion` of the manifest; 1 unless it is set.
        var tokenVersion = 1
    }

    /// What a code stands for.
    struct Grant: Sendable {
        let redirect: String
        let challenge: String?
        let challengeMethod: String
        let nonce: String?
        let scopes: [String]
        let person: Person
        /// Unix seconds by the lab's clock.
        let expires: Int
        fileprivate(set) var isRedeemed = false
    }

    /// Codes are good for ten minutes
    /// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#successful-response).
    static let codeSeconds = 600

    private struct State {
        var registration = Registration()
        var codes: [String: Grant] = [:]
    }

    private let state = Mutex(State())

    var registration: Registration { state.withLock { $0.registration } }

    func change(_ change: (inout Registration) -> Void) { state.withLock { change(&$0.registration) } }

    func issue(_ grant: Grant) -> String {
        let code = "0.lab-" + (0..<4).map { _ in Hex.string(UInt64.random(in: 0 ... .max), width: 16) }.joined()
        state.withLock { $0.codes[code] = grant }
        return code
    }

    /// Takes a code, which can be taken once: nil when there is none, `isRedeemed` when it was taken before.
    func redeem(_ code: String) -> Grant? {
        state.withLock { state in
            guard let grant = state.codes[code] else { return nil }
            state.codes[code]?.isRedeemed = true
            return grant
        }
    }
}

extension WebApplication.Grant {
    /// Whether this is what the challenge was made of (RFC 7636, section 4.6).
    func accepts(verifier: String?) -> Bool {
        guard let challenge else { return verifier == nil }
        guard let verifier, (43...128).contains(verifier.utf8.count) else { return false }
        guard challengeMethod == "S256" else { return verifier == challenge }
        let digest = Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
        return digest.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") == challenge
    }
}
