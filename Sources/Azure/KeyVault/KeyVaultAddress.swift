import Foundation

/// The address of a secret in a vault, exactly as a cloud gives it: the vault's token goes nowhere else
/// (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers).
package struct KeyVaultAddress: Sendable, Equatable {
    /// Without the slash at its end.
    package let text: String
    /// The part of the host's name that tells the cloud; nil on this machine, as in a test.
    package let suffix: String?

    /// Why an address is not one of a vault's secret.
    package struct Problem: Error, Sendable, Equatable {
        package let message: String
    }

    /// Reads `https://NAME.vault.azure.net/secrets/SECRET`, with or without a version.
    package init(_ address: String) throws(Problem) {
        guard let origin = Origin(address), let parts = URLComponents(string: address) else {
            throw Problem(message: "it is not a web address")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw Problem(message: "it must end with the secret's name or version")
        }
        if origin.isLoopback {
            suffix = nil
        } else {
            let suffixes = Set(NationalCloud.allCases.map(\.hosts.vaultSuffix))
            let labels = origin.host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            guard origin.scheme == "https" else { throw Problem(message: "it must begin with https://") }
            guard origin.port == 443 else { throw Problem(message: "a vault has no port but 443") }
            guard labels.count == 2, suffixes.contains(String(labels[1])), Self.isVaultName(labels[0]) else {
                throw Problem(
                    message: "its host must be a vault's, NAME.\(suffixes.sorted().joined(separator: ", NAME."))")
            }
            suffix = String(labels[1])
        }
        let path = parts.percentEncodedPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var names = Array(path)
        if names.last?.isEmpty == true { names.removeLast() }
        guard (2...3).contains(names.count), names[0] == "secrets", names.dropFirst().allSatisfy(Self.isObjectName)
        else {
            throw Problem(message: "its path must be /secrets/NAME, or /secrets/NAME/VERSION")
        }
        text = "\(origin)/" + names.joined(separator: "/")
    }

    /// 3 to 24 letters, digits and hyphens, beginning with a letter
    /// (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault).
    private static func isVaultName(_ text: Substring) -> Bool {
        (3...24).contains(text.count) && text.first?.isLetter == true && !text.hasSuffix("-")
            && text.allSatisfy(isNameCharacter)
    }

    private static func isObjectName(_ text: Substring) -> Bool {
        (1...127).contains(text.count) && text.allSatisfy(isNameCharacter)
    }

    private static func isNameCharacter(_ c: Character) -> Bool { c.isASCII && (c.isLetter || c.isNumber || c == "-") }
}
