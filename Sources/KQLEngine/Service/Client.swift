/// Who asks: what a signed-in user or a token is called, and the address that the request came from.
///
/// Queries are shared out fairly among clients, so two that are equal here share what one may have.
package struct Client: Sendable, Hashable {
    /// A user's or token's name; empty on loopback without sign-in.
    package var name: String
    /// The other end's address without its port, or what part of the program asks: `pages`, `command line`.
    package var address: String

    package init(name: String = "", address: String) {
        self.name = name
        self.address = address
    }

    /// Whoever uses the program on its own command line.
    package static let commandLine = Client(address: "command line")

    /// As it is told in lists of queries and in notes.
    package var description: String { name.isEmpty ? address : "\(name) (\(address))" }
}
