import Foundation

/// Scheme, host and port of an address: what a token is bound to (https://www.rfc-editor.org/rfc/rfc6454#section-4).
package struct Origin: Sendable, Hashable, CustomStringConvertible {
    package let scheme: String
    package let host: String
    package let port: Int

    /// Reads an address strictly: what two readers could take for two hosts is none.
    ///
    /// - Returns: nil for anything but `http` and `https`, for an address with a user, and for one with blanks,
    ///   backslashes, control
    ///   characters or other than ASCII.
    package init?(_ address: String) {
        let isPlain = address.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 92 }
        guard isPlain, let parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = parts.host?.lowercased(), !host.isEmpty,
            parts.user == nil, parts.password == nil
        else { return nil }
        let authority = address.drop { $0 != ":" }.dropFirst()
        guard authority.hasPrefix("//") else { return nil }
        let place = authority.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !place.contains("@"), !place.contains("%"), !place.hasSuffix(":") else { return nil }
        let port = parts.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { return nil }
        (self.scheme, self.host, self.port) = (scheme, host.trimmingCharacters(in: ["[", "]"]), port)
    }

    /// Whether the host is this machine, by its name or an address of it.
    package var isLoopback: Bool { host == "localhost" || NetworkAddress(host)?.kind == .loopback }

    /// Whether what proves who calls may go there: over TLS, or without leaving this machine.
    package var isSafeForTokens: Bool { scheme == "https" || isLoopback }

    package var description: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(shown)" + (port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)")
    }
}
