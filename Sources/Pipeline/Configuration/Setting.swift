import Content
import Foundation
import Tables

/// A key of the configuration: its name, what it means and how its value is read stand here and nowhere else. The
/// reader, its refusal of unknown keys and `docs/configuration.md` follow from it.
package struct Setting<Value>: SettingDeclaration {
    package let name: String
    package let meaning: String
    package let standard: String
    fileprivate let read: @Sendable (Fields, String) throws -> Value

    /// - Parameters:
    ///   - standard: what counts when the key is not there, as the documentation shows it.
    ///   - read: the value of the key that is there.
    package init(
        _ name: String, standard: String = SettingText.none, meaning: String,
        read: @escaping @Sendable (Fields, String) throws -> Value
    ) {
        self.name = name
        self.standard = standard
        self.meaning = meaning
        self.read = read
    }
}

/// What the documentation of a setting needs, whatever its type.
package protocol SettingDeclaration: Sendable {
    var name: String { get }
    var meaning: String { get }
    /// What counts when the key is not there, for people.
    var standard: String { get }
}

package enum SettingText {
    /// Shown for a setting without a default.
    package static let none = "–"
    /// Shown for a setting that must be there.
    package static let required = "required"
}

extension Fields {
    /// The value of a setting; nil when its key is not there.
    package func optional<V>(_ setting: Setting<V>) throws -> V? {
        has(setting.name) ? try setting.read(self, setting.name) : nil
    }

    /// The value of a setting that must be there.
    package func required<V>(_ setting: Setting<V>) throws -> V {
        guard let value = try optional(setting) else { throw fail("'\(shown(setting.name))' is missing") }
        return value
    }

    /// Fails on keys that none of the settings has.
    package func only(_ settings: [any SettingDeclaration]) throws { try only(Set(settings.map(\.name))) }
}

extension Setting where Value == String {
    package static func text(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { try $0.string($1) }
    }

    /// A web address, without the slash at its end.
    package static func address(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { try WebAddress.read($0, $1) }
    }
}

extension Setting where Value == SecretReference {
    /// Where a secret is kept; the secret itself is refused, and not repeated.
    package static func secret(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { yaml, name in
            do { return try read(yaml, name) } catch let problem as SecretReference.Problem {
                throw yaml.fail("'\(name)' \(problem.message)", at: name)
            }
        }
    }

    /// `env:NAME`, or the same as a mapping, `{env: NAME}`.
    private static func read(_ yaml: Fields, _ name: String) throws -> SecretReference {
        if !yaml.isText(name), let fields = try yaml.optionalFields(name) {
            try fields.only(Set(SecretReference.Place.allCases.map(\.rawValue)))
            let places = SecretReference.Place.allCases.filter { fields.has($0.rawValue) }
            guard let place = places.first, places.count == 1 else {
                throw yaml.fail("'\(name)' names one place where the secret is kept", at: name)
            }
            return try SecretReference(place, try fields.string(place.rawValue))
        }
        return try SecretReference(try yaml.string(name))
    }
}

extension Setting where Value == Bool {
    package static func flag(_ name: String, standard: String, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { yaml, name in
            guard let flag = try yaml.optionalBool(name) else { throw yaml.fail("'\(name)' is missing") }
            return flag
        }
    }
}

extension Setting where Value == Int {
    package static func number(
        _ name: String, in range: PartialRangeFrom<Int>, standard: String = SettingText.none, _ meaning: String
    ) -> Setting {
        number(name, in: range.lowerBound...Int.max, standard: standard, meaning)
    }

    package static func number(
        _ name: String, in range: ClosedRange<Int>, standard: String = SettingText.none, _ meaning: String
    ) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { yaml, name in
            guard let number = try yaml.optionalInt(name) else { throw yaml.fail("'\(name)' is missing") }
            guard range.contains(number) else {
                let bounds =
                    range.upperBound == .max
                    ? "\(range.lowerBound) or more" : "between \(range.lowerBound) and \(range.upperBound)"
                throw yaml.fail("'\(name)' must be \(bounds), not \(number)", at: name)
            }
            return number
        }
    }
}

extension Setting where Value == [String] {
    package static func texts(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { try $0.strings($1) }
    }

    /// A list of names, or one name by itself.
    package static func names(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { yaml, name in
            yaml.isText(name) ? [try yaml.string(name)] : try yaml.strings(name)
        }
    }
}

extension Setting where Value == [Fields.PlacedText] {
    /// Texts by names that are not known beforehand, such as ids of sources.
    package static func map(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { try $0.placedTexts($1) }
    }

    /// A list of names of things that are defined elsewhere, with the place of each.
    package static func ids(_ name: String, standard: String = SettingText.none, _ meaning: String) -> Setting {
        Setting(name, standard: standard, meaning: meaning) { try $0.placedStrings($1) }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of several words.
    package static func word(_ name: String, standard: Value, _ meaning: String) -> Setting {
        let values = Array(Value.allCases)
        return Setting(name, standard: "`\(standard.rawValue)`", meaning: meaning) { yaml, name in
            let text = try yaml.string(name)
            if let value = values.first(where: { $0.rawValue == text }) { return value }
            let words = values.map(\.rawValue)
            throw yaml.fail(
                "'\(name)' must be \(words.dropLast().joined(separator: ", ")) or \(words.last ?? text), "
                    + "not \"\(text.prefix(40))\"", at: name)
        }
    }
}

extension Setting where Value == Fields {
    /// A mapping with settings of its own.
    package static func part(_ name: String, _ meaning: String) -> Setting {
        Setting(name, meaning: meaning) { yaml, name in
            guard let part = try yaml.optionalFields(name) else { throw yaml.fail("'\(name)' is missing") }
            return part
        }
    }
}

extension Setting where Value == [Fields] {
    /// A list of mappings with settings of their own.
    package static func list(_ name: String, _ meaning: String) -> Setting {
        Setting(name, meaning: meaning) { try $0.list($1) }
    }
}

/// Web addresses of the configuration: secrets go there, so only this machine may be asked in the clear.
enum WebAddress {
    static func read(_ yaml: Fields, _ name: String) throws -> String {
        var text = try yaml.string(name)
        while text.hasSuffix("/") { text.removeLast() }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), let host = URLComponents(string: text)?.host,
            !host.isEmpty
        else {
            throw yaml.fail(
                "'\(name)' must be a web address such as https://example.org, not \"\(text.prefix(80))\"", at: name)
        }
        guard text.hasPrefix("https://") || isLocal(text) else {
            throw yaml.fail("'\(name)' must begin with https://: secrets are not sent in the clear", at: name)
        }
        return text
    }

    /// Whether an address is this machine's, where nobody signs in and nobody limits calls.
    static func isLocal(_ address: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(URLComponents(string: address)?.host ?? "")
    }
}
