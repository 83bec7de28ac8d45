import Content
import Foundation

/// How evidence is kept: `evidence:` of the configuration.
package struct EvidenceConfiguration: Sendable, Equatable {
    /// Where an authority stamps what it is given with the time (RFC 3161); nil for no stamps.
    package var stampAddress: String?
    /// A PEM file of the authorities that stamps are believed of; nil where nobody says.
    package var stampAuthority: String?

    package init() {}

    enum Settings {
        static let timestamp = Setting.part("timestamp", "an authority that says when it saw a case or an export")
        static let all: [any SettingDeclaration] = [timestamp]
    }

    enum TimestampSettings {
        /// Plain HTTP is right here: nothing secret is sent, and the answer is signed.
        static let url = Setting(
            "url", standard: SettingText.required,
            meaning: "its address (RFC 3161), http or https: only digests are sent there"
        ) { yaml, name in
            let text = try yaml.string(name)
            guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme?.lowercased()),
                parts.host?.isEmpty == false, parts.user == nil, parts.password == nil
            else { throw yaml.fail("'\(name)' must be a web address, not \"\(text.prefix(80))\"", at: name) }
            return text
        }
        static let authority = Setting.text(
            "authority", standard: "none: a stamp's signature is verified, not who gave it",
            "a PEM file of the certificates that its certificate must lead to")
        static let all: [any SettingDeclaration] = [url, authority]
    }

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields) throws {
        try yaml.only(Settings.all)
        guard let part = try yaml.optional(Settings.timestamp) else { return }
        try part.only(TimestampSettings.all)
        stampAddress = try part.required(TimestampSettings.url)
        stampAuthority = try part.optional(TimestampSettings.authority)
    }
}
