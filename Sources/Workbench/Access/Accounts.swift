import Foundation
import KQLEngine
import Pipeline
import Tables

/// Who may sign in without Entra: people with passwords, and programs with tokens.
package struct Accounts: Sendable, Equatable {
    /// A person.
    package struct User: Sendable, Equatable {
        package var name: String
        package var role: Role
        package var password: PasswordHash
        /// Ticks.
        package var created: Int64

        package init(name: String, role: Role, password: PasswordHash, created: Int64 = SystemClock.now()) {
            self.name = name
            self.role = role
            self.password = password
            self.created = created
        }
    }

    /// A program. The token itself is shown once and kept nowhere.
    package struct Token: Sendable, Equatable {
        /// The part of the token by which it is recognised; no secret.
        package var id: String
        package var name: String
        package var role: Role
        /// SHA-256 of the whole token, hexadecimal. A token is 256 random bits: nobody finds it by trying, so it needs
        /// no slow hash.
        package var digest: String
        /// Ticks.
        package var created: Int64
        /// Ticks.
        package var expires: Int64
        package var callsPerMinute: Int
        /// Requests at the same time.
        package var concurrent: Int

        static let prefix = "vst_"

        /// A new token.
        ///
        /// - Returns: what is kept, and the token, which is shown once.
        package static func make(
            name: String, role: Role, expires: Int64, callsPerMinute: Int, concurrent: Int,
            now: Int64 = SystemClock.now()
        ) -> (Token, secret: String) {
            let id = prefix + String(SecretText.random(bytes: 6).map { $0 == "_" || $0 == "-" ? "x" : $0 })
            let secret = id + "_" + SecretText.random()
            let token = Token(
                id: id, name: name, role: role, digest: SecretText.digest(secret), created: now, expires: expires,
                callsPerMinute: callsPerMinute, concurrent: concurrent)
            return (token, secret)
        }
    }

    package var users: [User] = []
    package var tokens: [Token] = []

    package init() {}

    /// Whether nobody may sign in.
    package var isEmpty: Bool { users.isEmpty && tokens.isEmpty }

    /// The user of a name, whatever the case of its letters.
    package func user(_ name: String) -> User? { users.first { Self.isSame($0.name, name) } }

    /// The token that a program shows; nil for one that is unknown.
    func token(_ secret: String) -> Token? {
        let digest = SecretText.digest(secret)
        return tokens.first { SecretText.areEqual($0.digest, digest) }
    }

    package static func isSame(_ a: String, _ b: String) -> Bool { a.lowercased() == b.lowercased() }

    /// Whether a text can be a user's name: letters, digits and `.-_@`, as in mail addresses.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.count <= 64
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType == .decimal
                    || ".-_@".unicodeScalars.contains($0)
            }
    }

    /// What keeps a password from being taken; nil for nothing. Length is what counts
    /// (https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver).
    package static func weakness(of password: String, user: String) -> String? {
        if password.unicodeScalars.count < 12 { return "it has fewer than 12 characters" }
        if password.utf8.count > 1_024 { return "it is longer than 1024 bytes" }
        if Set(password).count < 5 { return "it has fewer than 5 different characters" }
        if password.lowercased().contains(user.lowercased()), user.count > 3 { return "it holds the user's name" }
        return nil
    }
}

extension Accounts {
    private static let version: Int64 = 1

    /// As it stands in the file.
    var json: JSON {
        [
            "version": .integer(Self.version),
            "users": .array(
                users.map { user in
                    [
                        "name": .string(user.name), "role": .string(user.role.rawValue), "password": user.password.json,
                        "created": .string(DateTime.format(user.created)),
                    ]
                }),
            "tokens": .array(
                tokens.map { token in
                    [
                        "id": .string(token.id), "name": .string(token.name), "role": .string(token.role.rawValue),
                        "sha256": .string(token.digest), "created": .string(DateTime.format(token.created)),
                        "expires": .string(DateTime.format(token.expires)),
                        "callsPerMinute": .integer(Int64(token.callsPerMinute)),
                        "concurrent": .integer(Int64(token.concurrent)),
                    ]
                }),
        ]
    }

    /// Nil for what is no file of accounts: one that is read in part could let in whom it should not.
    init?(_ json: JSON) {
        guard json["version"]?.integer == Self.version, let users = json["users"]?.array,
            let tokens = json["tokens"]?.array
        else { return nil }
        for item in users {
            guard let name = item["name"]?.string, let role = item["role"]?.string.flatMap({ Role(rawValue: $0) }),
                let password = item["password"].flatMap({ PasswordHash($0) }),
                let created = item["created"]?.string.flatMap({ DateTime.parse($0) }), user(name) == nil
            else { return nil }
            self.users.append(User(name: name, role: role, password: password, created: created))
        }
        for item in tokens {
            guard let id = item["id"]?.string, let name = item["name"]?.string, let digest = item["sha256"]?.string,
                digest.utf8.count == 64, let role = item["role"]?.string.flatMap({ Role(rawValue: $0) }),
                let created = item["created"]?.string.flatMap({ DateTime.parse($0) }),
                let expires = item["expires"]?.string.flatMap({ DateTime.parse($0) }),
                let calls = item["callsPerMinute"]?.integer, let concurrent = item["concurrent"]?.integer,
                calls > 0, concurrent > 0
            else { return nil }
            self.tokens.append(
                Token(
                    id: id, name: name, role: role, digest: digest, created: created, expires: expires,
                    callsPerMinute: Int(clamping: calls), concurrent: Int(clamping: concurrent)))
        }
    }
}
