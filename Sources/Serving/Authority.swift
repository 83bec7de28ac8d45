import NIOCore

/// A host and its port as a `Host` header has them, read exactly
/// (https://www.rfc-editor.org/rfc/rfc9110#section-7.2, https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2).
///
/// Software that disagrees about where a host ends can be led past each other's checks, so nothing is trimmed,
/// decoded or guessed: what is not a plain name, an IPv4 address or an IPv6 address in brackets is no authority.
package struct Authority: Sendable, Hashable {
    /// In lower case; an IPv6 address with its brackets.
    package let host: String
    /// nil when the text names none, which stands for the scheme's own.
    package let port: Int?

    package init(host: String, port: Int?) {
        self.host = host.lowercased()
        self.port = port
    }

    /// Reads `name`, `name:port`, `[address]` or `[address]:port`; nil for anything else, also with user names, blanks,
    /// escapes, a port that is empty or has leading zeros, or characters beyond ASCII.
    package init?(_ text: String) {
        let name: Substring
        let rest: Substring
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            name = text[...close]
            rest = text[text.index(after: close)...]
            guard Self.isAddress(name.dropFirst().dropLast()) else { return nil }
        } else {
            name = text.prefix { $0 != ":" }
            rest = text[name.endIndex...]
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isOfName) else { return nil }
        }
        guard !rest.isEmpty else {
            self.init(host: String(name), port: nil)
            return
        }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port), String(port) == digits
        else { return nil }
        self.init(host: String(name), port: port)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Whether a text is an IPv6 address without a zone.
    private static func isAddress(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ $0 == 58 || $0 == 46 || Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let address = try? SocketAddress(ipAddress: String(text), port: 0)
        else { return false }
        return address.protocol == .inet6
    }
}

/// The names under which a server answers.
package struct ServedNames: Sendable {
    private enum Own: Sendable {
        case hosts(Set<String>)
        case any
    }

    private let own: Own
    /// Names of a proxy or tunnel before the server, each with the port that clients see.
    private let others: Set<Authority>

    private init(_ own: Own, _ others: Set<Authority>) {
        self.own = own
        self.others = others
    }

    /// The machine's own names, with the port that the server listens on.
    ///
    /// - Parameter others: names that reach the server by a proxy or a tunnel, each with the port that clients see.
    package static func loopback(and others: Set<Authority> = []) -> ServedNames {
        ServedNames(.hosts(["localhost", "127.0.0.1", "[::1]"]), others)
    }

    /// These names only, with the port that the server listens on.
    ///
    /// - Parameter others: as for `loopback`.
    package static func named(_ hosts: Set<String>, and others: Set<Authority> = []) -> ServedNames {
        ServedNames(.hosts(Set(hosts.map { $0.lowercased() })), others)
    }

    /// Every well-formed name: for servers that stand in for services of many names, and hold nothing of worth.
    package static let any = ServedNames(.any, [])

    /// Whether a request for `authority` is this server's to answer.
    ///
    /// - Parameters:
    ///   - port: the one that the connection came in by.
    ///   - standard: the scheme's own port, which an authority may leave out.
    package func contains(_ authority: Authority, port: Int, standard: Int) -> Bool {
        let asked = authority.port ?? standard
        if others.contains(where: { $0.host == authority.host && ($0.port ?? standard) == asked }) { return true }
        switch own {
        case .any: return true
        case .hosts(let hosts): return hosts.contains(authority.host) && asked == port
        }
    }
}
