import Foundation
import Tables
import _CryptoExtras

/// A password as it is kept: scrypt, with the parameters that it was made with (RFC 7914).
package struct PasswordHash: Sendable, Equatable {
    /// What a derivation costs: 128 · rounds · blockSize bytes, `parallelism` times over.
    package struct Cost: Sendable, Equatable {
        package var rounds: Int
        package var blockSize: Int
        package var parallelism: Int

        package init(rounds: Int, blockSize: Int, parallelism: Int) {
            self.rounds = rounds
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MiB, thrice: one of the recommended settings of
        /// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt.
        package static let standard = Cost(rounds: 1 << 15, blockSize: 8, parallelism: 3)

        /// Whether a file may ask for it: neither nothing nor all of the machine.
        var isSane: Bool {
            rounds >= 2 && rounds & (rounds - 1) == 0 && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && rounds * blockSize <= 1 << 21
        }
    }

    package let cost: Cost
    let salt: [UInt8]
    let key: [UInt8]
    private static let keyBytes = 32

    /// The hash of a new password, with a salt of its own.
    package init(_ password: String, cost: Cost = .standard) throws {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        self.init(cost: cost, salt: salt, key: try Self.derive(password, salt: salt, cost: cost))
    }

    private init(cost: Cost, salt: [UInt8], key: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.key = key
    }

    /// Whether this is the password. It takes as long as making the hash did.
    package func matches(_ password: String) -> Bool {
        guard let derived = try? Self.derive(password, salt: salt, cost: cost) else { return false }
        return SecretText.areEqual(Base64URL.encode(derived), Base64URL.encode(key))
    }

    private static func derive(_ password: String, salt: [UInt8], cost: Cost) throws -> [UInt8] {
        // The same letters are the same password, however a keyboard composes them. The byte before it keeps an empty
        // one from being no bytes at all, which the library does not take.
        let bytes = [UInt8(0)] + Array(password.precomposedStringWithCanonicalMapping.utf8)
        let key = try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: keyBytes, rounds: cost.rounds, blockSize: cost.blockSize,
            parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    /// As it stands in the file of accounts.
    var json: JSON {
        [
            "kdf": "scrypt", "rounds": .integer(Int64(cost.rounds)), "blockSize": .integer(Int64(cost.blockSize)),
            "parallelism": .integer(Int64(cost.parallelism)), "salt": .string(Base64URL.encode(salt)),
            "key": .string(Base64URL.encode(key)),
        ]
    }

    init?(_ json: JSON) {
        guard json["kdf"]?.string == "scrypt", let rounds = json["rounds"]?.integer,
            let blockSize = json["blockSize"]?.integer, let parallelism = json["parallelism"]?.integer,
            let salt = json["salt"]?.string.flatMap({ Base64URL.decode($0) }), salt.count >= 16,
            let key = json["key"]?.string.flatMap({ Base64URL.decode($0) }), key.count == Self.keyBytes
        else { return nil }
        let cost = Cost(
            rounds: Int(clamping: rounds), blockSize: Int(clamping: blockSize), parallelism: Int(clamping: parallelism))
        guard (1...(1 << 24)).contains(cost.rounds), cost.isSane else { return nil }
        self.init(cost: cost, salt: salt, key: key)
    }
}
