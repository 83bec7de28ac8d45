import Foundation

/// A host, and its port, that `externaldata` may fetch from: `example.org`, `example.org:8443`, `*.example.org`, `*`,
/// `10.1.2.3`,
/// `[fd00::1]:8443`, `localhost`.
package struct AllowedHost: Sendable, Equatable {
    private enum Pattern: Equatable {
        /// Any name of the public internet.
        case any
        /// Names below a domain.
        case below(String)
        case name(String)
        case address(NetworkAddress)
    }

    private let pattern: Pattern
    /// Nil for the scheme's own port.
    private let port: Int?

    /// Nil for a text that is none of these.
    package init?(_ text: String) {
        var rest = text.lowercased()
        var port: Int?
        if let colon = rest.lastIndex(of: ":"),
            rest.hasPrefix("[") ? rest.contains("]:") : rest.count(where: { $0 == ":" }) == 1
        {
            let digits = rest[rest.index(after: colon)...]
            guard let number = Int(digits), (1...65_535).contains(number), digits.allSatisfy(\.isNumber) else {
                return nil
            }
            port = number
            rest = String(rest[..<colon])
        }
        self.port = port
        if rest == "*" {
            pattern = .any
        } else if let address = NetworkAddress(rest) {
            pattern = .address(address)
        } else if rest.hasPrefix("*.") {
            guard Self.isName(rest.dropFirst(2)) else { return nil }
            pattern = .below(String(rest.dropFirst(1)))
        } else {
            guard Self.isName(rest[...]) else { return nil }
            pattern = .name(rest)
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && !text.hasPrefix(".") && !text.hasSuffix(".")
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
    }

    /// Whether an address of the web may be asked for, before its name is resolved.
    func allows(_ origin: Origin) -> Bool {
        guard origin.port == port ?? (origin.scheme == "https" ? 443 : 80) else { return false }
        return names(origin.host)
    }

    /// Whether the pattern means a host, whatever the port.
    func names(_ host: String) -> Bool {
        let literal = NetworkAddress(host)
        switch pattern {
        // A pattern stands for public names only: addresses in figures and this machine must be named.
        case .any: return literal == nil && host.contains(".")
        case .below(let suffix): return literal == nil && host.hasSuffix(suffix)
        case .name(let name): return literal == nil && host == name
        case .address(let address): return literal == address
        }
    }

    /// Whether a connection may be made to what the host's name stands for.
    ///
    /// An address that is named may be of any kind. A name that is named may stand for one of this machine or of a
    /// private network, and a
    /// pattern only for public ones. Nobody means to reach what only a network's own machinery uses by a name.
    func allows(_ address: NetworkAddress) -> Bool {
        switch (pattern, address.kind) {
        case (.address(let named), _): named == address
        case (_, .global): true
        case (.name, .loopback), (.name, .privateUse), (.name, .shared), (.name, .translated): true
        default: false
        }
    }
}
