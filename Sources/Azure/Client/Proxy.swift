import Foundation
import Tables

/// A server that passes connections on to others.
package struct Proxy: Sendable {
    package enum Kind: Sendable {
        /// `CONNECT host:port` (https://www.rfc-editor.org/rfc/rfc9110#name-connect).
        case http
        /// SOCKS version 5, without sign-in.
        case socks
    }

    package let kind: Kind
    package let host: String
    package let port: Int
    package var user: String?
    package var password: Secret?

    /// Why a text names no proxy; it does not repeat the text, which may hold a password.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    /// Reads `http://host:3128`, `host:3128`, `http://user:password@host:3128` or `socks5://host:1080`.
    package init(_ text: String) throws(Problem) {
        let whole = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: whole), let host = parts.host, !host.isEmpty else {
            throw Problem(message: "a proxy is written as http://host:port")
        }
        switch parts.scheme?.lowercased() {
        case "http": (kind, port) = (.http, parts.port ?? 80)
        case "socks5", "socks5h", "socks": (kind, port) = (.socks, parts.port ?? 1_080)
        case "https":
            throw Problem(message: "a proxy that is itself reached by https is not supported; write http://host:port")
        case let scheme:
            throw Problem(message: "a proxy of the kind \"\(scheme ?? "")\" is not supported; write http://host:port")
        }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        user = parts.user
        password = parts.password.map { Secret($0) }
    }

    /// Host and port.
    package var shown: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// Which calls go through which proxy.
package struct ProxyRules: Sendable {
    /// For addresses that begin with https, and with http.
    package var https: Proxy?
    package var http: Proxy?
    /// Hosts that are called directly.
    package var exceptions: [ProxyException] = []
    /// Whether calls to this machine go through the proxy too.
    package var includesLoopback = false

    /// No proxy.
    package init() {}

    /// One proxy for everything.
    package init(_ proxy: Proxy, exceptions: [ProxyException] = [], includesLoopback: Bool = false) {
        (https, http) = (proxy, proxy)
        self.exceptions = exceptions
        self.includesLoopback = includesLoopback
    }

    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say; of a name in small and in large letters, the small
    /// one counts, as for curl (https://curl.se/docs/manpage.html#ENVIRONMENT).
    package init(environment: [String: String]) throws(ServiceError) {
        func value(_ name: String) -> (name: String, text: String)? {
            for name in [name.lowercased(), name] {
                if let text = environment[name]?.trimmed, !text.isEmpty { return (name, text) }
            }
            return nil
        }
        func proxy(_ name: String) throws(ServiceError) -> Proxy? {
            guard let (name, text) = value(name) ?? value("ALL_PROXY") else { return nil }
            do { return try Proxy(text) } catch {
                throw ServiceError(
                    tried: "reading the variable \(name)", got: error.message,
                    next: "correct the variable, or set 'proxy' in the configuration: 'proxy: none' for no proxy")
            }
        }
        https = try proxy("HTTPS_PROXY")
        http = try proxy("HTTP_PROXY")
        if let text = value("NO_PROXY")?.text { exceptions = ProxyException.list(text) }
    }

    /// The proxy through which an address is called; nil for none.
    package func proxy(for address: String) -> Proxy? {
        guard https != nil || http != nil, let parts = URLComponents(string: address), let host = parts.host else {
            return nil
        }
        let isSecure = parts.scheme?.lowercased() == "https"
        guard let proxy = isSecure ? https : http else { return nil }
        let target = ProxyException.Target(host, port: parts.port ?? (isSecure ? 443 : 80))
        if target.isLinkLocal || target.isLoopback && !includesLoopback { return nil }
        return exceptions.contains { $0.matches(target) } ? nil : proxy
    }
}

/// Hosts that are called without a proxy: one item of `NO_PROXY`.
package struct ProxyException: Sendable, Equatable {
    private enum Hosts: Sendable, Equatable {
        case all
        /// A host and all below it.
        case domain(String)
        /// All hosts below a domain.
        case subdomains(String)
        /// Addresses whose first bits are these.
        case network([UInt8], bits: Int)
    }

    private let hosts: Hosts
    private let port: Int?

    /// A host that is to be called.
    struct Target {
        let name: String
        let port: Int
        /// Nil for a name.
        let bytes: [UInt8]?

        init(_ host: String, port: Int) {
            var name = host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
            if name.hasSuffix(".") { name.removeLast() }
            self.name = name
            self.port = port
            bytes = ProxyException.addressBytes(name)
        }

        /// Where a cloud tells a machine who it is: nobody else can be asked.
        var isLinkLocal: Bool { bytes?.prefix(2) == [169, 254] }

        var isLoopback: Bool {
            if let bytes { return bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1] }
            return name == "localhost" || name.hasSuffix(".localhost")
        }
    }

    /// Reads `*`, `host`, `.domain`, `*.domain`, `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`, each perhaps with `:port`; nil for a
    /// text that is empty.
    package init?(_ text: String) {
        var rest = text.trimmed.lowercased()
        guard !rest.isEmpty else { return nil }
        var port: Int?
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            let behind = rest[rest.index(after: end)...]
            if behind.hasPrefix(":") { port = Int(behind.dropFirst()) }
            rest = String(rest[rest.index(after: rest.startIndex)..<end]) + (behind.hasPrefix("/") ? behind : "")
        } else if rest.count(where: { $0 == ":" }) == 1, let colon = rest.firstIndex(of: ":") {
            port = Int(rest[rest.index(after: colon)...])
            rest = String(rest[..<colon])
        }
        self.port = port
        if rest == "*" {
            hosts = .all
        } else if let slash = rest.firstIndex(of: "/"), let bytes = Self.addressBytes(String(rest[..<slash])),
            let bits = Int(rest[rest.index(after: slash)...]), (0...bytes.count * 8).contains(bits)
        {
            hosts = .network(bytes, bits: bits)
        } else if let bytes = Self.addressBytes(rest) {
            hosts = .network(bytes, bits: bytes.count * 8)
        } else if rest.hasPrefix("*.") {
            hosts = .subdomains(String(rest.dropFirst(2)))
        } else {
            hosts = .domain(rest.trimmingCharacters(in: CharacterSet(charactersIn: ".")))
        }
    }

    /// Items that commas or spaces divide.
    package static func list(_ text: String) -> [ProxyException] {
        text.split { $0 == "," || $0.isWhitespace }.compactMap { ProxyException(String($0)) }
    }

    func matches(_ target: Target) -> Bool {
        if let port, port != target.port { return false }
        switch hosts {
        case .all: return true
        case .domain(let name): return target.name == name || target.name.hasSuffix(".\(name)")
        case .subdomains(let name): return target.name.hasSuffix(".\(name)")
        case .network(let network, let bits):
            guard let bytes = target.bytes, bytes.count == network.count else { return false }
            let whole = bits / 8
            guard bytes.prefix(whole) == network.prefix(whole) else { return false }
            return bits % 8 == 0 || (bytes[whole] ^ network[whole]) >> (8 - bits % 8) == 0
        }
    }

    /// The bytes of an address in figures, of version 4 where it can be one; nil for a name.
    fileprivate static func addressBytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        return bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] ? Array(bytes.suffix(4)) : bytes
    }
}
