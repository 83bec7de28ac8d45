/// What somebody may do on the server. Each role may do what those before it may.
package enum Role: String, Sendable, CaseIterable, Comparable {
    /// Looks at pages and asks queries.
    case reader
    /// Writes cases, notes and decisions too.
    case analyst
    /// May do everything.
    case administrator

    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .reader: 0
        case .analyst: 1
        case .administrator: 2
        }
    }
}

/// Who asks.
package struct Identity: Sendable, Equatable {
    /// How somebody signed in, as the audit names it.
    package enum Method: String, Sendable, CaseIterable {
        /// Nobody signs in on the machine itself.
        case machine = "Machine"
        case password = "Password"
        case entra = "Entra"
        /// An access token that Entra issued to a program.
        case entraToken = "EntraToken"
        case apiToken = "ApiToken"
        /// A command at the terminal.
        case terminal = "Terminal"
    }

    /// What people call them.
    package var name: String
    /// What stays the same when the name changes: Entra's object id, a token's id.
    package var id: String
    package var role: Role
    package var method: Method

    package init(name: String, id: String, role: Role, method: Method) {
        self.name = name
        self.id = id
        self.role = role
        self.method = method
    }

    /// Whoever asks on a machine that serves itself alone.
    package static let machine = Identity(name: "this machine", id: "", role: .administrator, method: .machine)

    /// Who asks now; nil where nobody signed in. Whoever counts or limits by client reads this.
    @TaskLocal package static var current: Identity?
}
