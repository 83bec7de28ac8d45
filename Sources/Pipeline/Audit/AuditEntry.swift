import Crypto
import KQLEngine
import Tables

/// Something that somebody asked of the server or told it to do: a row of `VestigeAudit_CL`.
package struct AuditEntry: Sendable, Equatable {
    /// What kind of thing was done.
    package enum Action: String, Sendable, CaseIterable {
        case signIn = "SignIn"
        case signOut = "SignOut"
        /// A query in KQL, or a command that begins with a dot.
        case query = "Query"
        /// A page for a browser.
        case page = "Page"
        /// Any other request.
        case request = "Request"
        /// A command at the terminal that changes who may do what.
        case command = "Command"
        /// About the audit itself, such as a torn last line.
        case audit = "Audit"
    }

    /// How it ended.
    package enum Outcome: String, Sendable, CaseIterable {
        case success = "Success"
        case failure = "Failure"
        /// Whoever asked may not, or asked too often.
        case refused = "Refused"
    }

    /// Ticks.
    package var time: Int64
    /// Who it was; empty where nobody signed in.
    package var actor = ""
    /// What stays the same when the name changes; empty where nobody signed in.
    package var actorID = ""
    /// How they had signed in, as `Identity.Method` names it.
    package var method = ""
    /// Their role; empty where nobody signed in.
    package var role = ""
    /// From where.
    package var address = ""
    package var action: Action
    /// Method and path of the request, without what follows the question mark; or the command.
    package var resource = ""
    /// The query as it was asked; it is cut, and what it hides is hidden, when it is written.
    package var query: String?
    package var rows: Int?
    package var milliseconds: Int?
    /// Of the HTTP answer.
    package var status: Int?
    package var outcome: Outcome
    /// Why it was refused or failed.
    package var reason = ""

    /// Bytes of a query's text that are kept; its hash is of the whole.
    static let queryBytesMax = 4_096

    package init(_ action: Action, _ outcome: Outcome, time: Int64 = SystemClock.now()) {
        self.time = time
        self.action = action
        self.outcome = outcome
    }

    /// The entry's members as they stand in the file, in their order; a fault of the text's length is none here.
    func members(sequence: Int64, previous: String) -> JSON.Members {
        var members: JSON.Members = [
            "TimeGenerated": .string(DateTime.format(time)), "Sequence": .integer(sequence), "Actor": .string(actor),
            "ActorId": .string(actorID), "SignInMethod": .string(method), "Role": .string(role),
            "ClientAddress": .string(address),
            "Action": .string(action.rawValue), "Resource": .string(String(resource.prefix(1_024))),
        ]
        if let query {
            members["QueryHash"] = .string(AuditHash.of(Array(query.utf8)))
            members["QueryText"] = .string(Self.cut(QueryPrivacy.hidden(query)))
        }
        if let rows { members["RowCount"] = .integer(Int64(rows)) }
        if let milliseconds { members["DurationMs"] = .integer(Int64(milliseconds)) }
        if let status { members["StatusCode"] = .integer(Int64(status)) }
        members["Outcome"] = .string(outcome.rawValue)
        members["Reason"] = .string(String(reason.prefix(1_024)))
        members["PreviousHash"] = .string(previous)
        return members
    }

    /// The beginning of a text, up to the last whole character that fits.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > queryBytesMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: queryBytesMax)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "…"
    }
}

/// SHA-256 in lower-case hexadecimal.
enum AuditHash {
    /// What stands before the first entry.
    static let origin = String(repeating: "0", count: 64)

    static func of(_ bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        return hash.finalize().map { Hex.string(UInt64($0), width: 2) }.joined()
    }
}

/// Kusto's way to keep a text out of logs: literals that begin with `h`
/// (https://learn.microsoft.com/kusto/query/scalar-data-types/string#obfuscated-string-literals).
enum QueryPrivacy {
    /// The query with every obfuscated literal's content replaced.
    static func hidden(_ query: String) -> String {
        guard query.utf8.contains(where: { $0 == UInt8(ascii: "h") || $0 == UInt8(ascii: "H") }) else { return query }
        var out: [UInt8] = []
        let bytes = Array(query.utf8)
        var i = 0
        while i < bytes.count {
            guard let literal = Literal(in: bytes, at: i) else {
                // A whole word, so that the end of a name is not taken for a mark.
                var end = i + 1
                if isWord(bytes[i]) { while end < bytes.count, isWord(bytes[end]) { end += 1 } }
                out += bytes[i..<end]
                i = end
                continue
            }
            if literal.isHidden {
                out += bytes[i..<literal.content.lowerBound]
                out += Array("****".utf8)
                out += bytes[literal.content.upperBound..<literal.end]
            } else {
                out += bytes[i..<literal.end]
            }
            i = literal.end
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
            true
        default: false
        }
    }

    /// A literal of a text, with the marks before it.
    private struct Literal {
        let isHidden: Bool
        let content: Range<Int>
        let end: Int

        init?(in bytes: [UInt8], at start: Int) {
            var i = start
            var isHidden = false
            if bytes[i] == UInt8(ascii: "h") || bytes[i] == UInt8(ascii: "H") {
                isHidden = true
                i += 1
            }
            var isVerbatim = false
            if i < bytes.count, bytes[i] == UInt8(ascii: "@") {
                isVerbatim = true
                i += 1
            }
            guard i < bytes.count else { return nil }
            self.isHidden = isHidden
            for fence in [Array("```".utf8), Array("~~~".utf8)] where !isVerbatim && bytes[i...].starts(with: fence) {
                var j = i + 3
                while j < bytes.count, !bytes[j...].starts(with: fence) { j += 1 }
                content = (i + 3)..<min(j, bytes.count)
                end = min(j + 3, bytes.count)
                return
            }
            let quote = bytes[i]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
            var j = i + 1
            while j < bytes.count, bytes[j] != UInt8(ascii: "\n") {
                if bytes[j] == quote {
                    // A doubled quote stands for itself in a verbatim text.
                    guard isVerbatim, j + 1 < bytes.count, bytes[j + 1] == quote else { break }
                    j += 1
                } else if bytes[j] == UInt8(ascii: "\\"), !isVerbatim {
                    j += 1
                }
                j += 1
            }
            content = (i + 1)..<min(j, bytes.count)
            end = min(j + 1, bytes.count)
        }
    }
}
