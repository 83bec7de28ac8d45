import Synchronization

/// A secret text that never shows itself in descriptions, logs or errors.
///
/// Every secret is known to the program for as long as somebody holds it, and some time longer: whatever a service
/// repeats of it
/// is replaced before anybody else sees it (`Secret.hidden(in:)`).
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let held: HeldSecret

    /// The text, for the one place that sends it.
    package var text: String { held.text }

    package init(_ text: String) { held = SecretRegister.hold(text) }

    /// A secret of which there are many at once, such as the address of an export's file: it is replaced in answers to
    /// the calls that
    /// carry it, and not everywhere.
    package init(unlisted text: String) { held = HeldSecret(text) }

    /// What stands in a secret's place.
    package static let mark = "••••"

    package var description: String { Self.mark }
    package var debugDescription: String { Self.mark }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// A text with every known secret in it replaced, in whatever spelling (`SecretSpellings`), and beginnings and long
    /// parts of one.
    package static func hidden(in text: String) -> String {
        let known = SecretRegister.all
        guard known.contains(where: \.isTellable), text.utf8.count >= SecretSpellings.bytesMin else { return text }
        let bytes = Array(text.utf8)
        return hidden(in: bytes, known).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// As `hidden(in:)`, for an answer's bytes; nil when there is nothing to replace.
    ///
    /// - Parameter carried: secrets that the call carried: of these short ones are replaced too, where they stand as
    ///   words.
    static func hidden(in bytes: [UInt8], carried: [Secret]) -> [UInt8]? {
        let own = carried.map(\.held)
        return hidden(in: bytes, own + SecretRegister.all, words: own)
    }

    /// As `hidden(in:carried:)`, for the secrets that a call carried only.
    static func hidden(in bytes: [UInt8], onlyCarried carried: [Secret]) -> [UInt8]? {
        let own = carried.map(\.held)
        // Answers of success are long, and hardly ever repeat what proved who asked.
        guard own.contains(where: { $0.mayOccur(in: bytes) }) else { return nil }
        return hidden(in: bytes, own, words: own, wholeOnly: true)
    }

    private static func hidden(
        in bytes: [UInt8], _ secrets: [HeldSecret], words: [HeldSecret] = [], wholeOnly: Bool = false
    ) -> [UInt8]? {
        var marks: [Range<Int>] = []
        for secret in secrets { marks += secret.spellings.occurrences(in: bytes, wholeOnly: wholeOnly) }
        for secret in words where !secret.isTellable {
            marks += SecretSpellings.words(Array(secret.text.utf8), in: bytes)
        }
        guard !marks.isEmpty else { return nil }
        return SecretSpellings.replaced(marks, in: bytes, by: Array(mark.utf8))
    }
}

/// A secret's text, shared by all that hold it.
final class HeldSecret: Sendable {
    let text: String
    private let made = Mutex<SecretSpellings?>(nil)

    init(_ text: String) { self.text = text }

    /// Whether the text can be told from ordinary words.
    var isTellable: Bool { text.utf8.count >= SecretSpellings.bytesMin }

    /// Made when it is first needed: most secrets are never repeated by anybody.
    var spellings: SecretSpellings {
        made.withLock { made in
            if let made { return made }
            let new = SecretSpellings(text)
            made = new
            return new
        }
    }

    /// Whether a long text may hold it; a quick look.
    func mayOccur(in bytes: [UInt8]) -> Bool {
        isTellable ? spellings.mayOccur(in: bytes) : !SecretSpellings.words(Array(text.utf8), in: bytes).isEmpty
    }
}

/// Every secret of this process.
enum SecretRegister {
    private struct Weak {
        weak var held: HeldSecret?
    }

    private struct Known {
        var byText: [String: Weak] = [:]
        /// Those that came last stay known when nobody holds them any more: an answer may come late.
        var recent: [HeldSecret] = []
    }

    private static let known = Mutex(Known())
    private static let recentMax = 32
    private static let sweptFrom = 128

    static func hold(_ text: String) -> HeldSecret {
        // What is dropped from the list goes after the lock: nothing of others runs within it.
        let (held, _) = known.withLock { known -> (HeldSecret, HeldSecret?) in
            if let held = known.byText[text]?.held { return (held, nil) }
            let held = HeldSecret(text)
            if known.byText.count >= sweptFrom { known.byText = known.byText.filter { $0.value.held != nil } }
            known.byText[text] = Weak(held: held)
            known.recent.append(held)
            return (held, known.recent.count > recentMax ? known.recent.removeFirst() : nil)
        }
        return held
    }

    static var all: [HeldSecret] { known.withLock { $0.byText.values.compactMap(\.held) } }
}
