import Crypto
import KQL
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
        return Hex.string(hash.finalize())
    }
}
