import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An address of the internet protocol, version 4 or 6, and what it is for.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    /// What a range of addresses is set aside for
    /// (https://www.iana.org/assignments/iana-ipv4-special-registry,
    /// https://www.iana.org/assignments/iana-ipv6-special-registry).
    package enum Kind: String, Sendable {
        /// One that the internet reaches.
        case global = "public"
        case loopback
        case linkLocal = "link-local"
        case privateUse = "private"
        /// Between a provider and its customers (RFC 6598).
        case shared
        case multicast
        case unspecified
        case documentation
        case reserved
        /// One that holds an address of version 4: mapped, 6to4, NAT64, Teredo.
        case translated
    }

    package init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
        self.bytes = bytes
    }

    /// Reads an address in figures, in every form that a system's resolver takes for one: `127.1`, `0x7f.1` and
    /// `017700000001` too.
    /// Nil for a name.
    package init?(_ text: String) {
        var text = text.lowercased()
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if text.hasSuffix("."), !text.contains(":") { text.removeLast() }
        if text.contains(":") {
            var six = in6_addr()
            guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &six) == 1 else { return nil }
            bytes = withUnsafeBytes(of: six) { Array($0) }
            return
        }
        guard let first = text.first, first.isASCII, first.isNumber else { return nil }
        var four = in_addr()
        guard inet_aton(text, &four) == 1 else { return nil }
        bytes = withUnsafeBytes(of: four) { Array($0) }
    }

    package var kind: Kind { bytes.count == 4 ? Self.kind4(bytes) : Self.kind6(bytes) }

    private static func kind4(_ b: [UInt8]) -> Kind {
        switch (b[0], b[1], b[2]) {
        case (0, _, _): .unspecified
        case (127, _, _): .loopback
        case (10, _, _), (192, 168, _), (172, 16...31, _): .privateUse
        case (100, 64...127, _): .shared
        case (169, 254, _): .linkLocal
        case (192, 0, 2), (198, 51, 100), (203, 0, 113): .documentation
        case (192, 0, 0), (192, 88, 99), (198, 18...19, _): .reserved
        case (224...239, _, _): .multicast
        case (240..., _, _): .reserved
        default: .global
        }
    }

    private static func kind6(_ b: [UInt8]) -> Kind {
        func starts(_ prefix: UInt8...) -> Bool { b.starts(with: prefix) }
        let zeros = b.prefix(12).allSatisfy { $0 == 0 }
        if b.allSatisfy({ $0 == 0 }) { return .unspecified }
        if zeros, b.suffix(4) == [0, 0, 0, 1] { return .loopback }
        if let inner = embedded(b) {
            let kind = kind4(inner)
            return kind == .global ? .translated : kind
        }
        if zeros { return .reserved }
        if starts(0xFF) { return .multicast }
        if b[0] == 0xFE, b[1] & 0xC0 == 0x80 { return .linkLocal }
        // Site-local, which RFC 3879 took back, and unique local addresses.
        if b[0] == 0xFE && b[1] & 0xC0 == 0xC0 || b[0] & 0xFE == 0xFC { return .privateUse }
        if starts(0x20, 0x01, 0x0D, 0xB8) || starts(0x3F, 0xFF) && b[2] & 0xF0 == 0 { return .documentation }
        // Teredo holds the address of version 4 disguised.
        if starts(0x20, 0x01, 0, 0) { return .translated }
        if starts(0x20, 0x01), b[2] & 0xFE == 0 { return .reserved }
        // All that is given out so far begins with the bits 001.
        return b[0] & 0xE0 == 0x20 ? .global : .reserved
    }

    /// The address of version 4 in one of version 6.
    private static func embedded(_ b: [UInt8]) -> [UInt8]? {
        if b.prefix(10).allSatisfy({ $0 == 0 }), b[10] == 0xFF, b[11] == 0xFF { return Array(b.suffix(4)) }
        // Translated by a stateless translator (RFC 2765), and by NAT64, with the well-known prefix and the local one.
        if b.prefix(8).allSatisfy({ $0 == 0 }), b[8] == 0xFF, b[9] == 0xFF, b[10] == 0, b[11] == 0 {
            return Array(b.suffix(4))
        }
        if b.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return Array(b.suffix(4)) }
        if b.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 1]) { return Array(b.suffix(4)) }
        if b.starts(with: [0x20, 0x02]) { return Array(b[2..<6]) }
        return nil
    }

    /// As the system writes it, without brackets.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let shown = bytes.withUnsafeBytes { inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) }
        precondition(shown != nil, "4 or 16 bytes are an address")
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The addresses of a name, as the system's resolver gives them. It waits.
    package static func resolved(_ name: String) throws(ResolverProblem) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else { throw ResolverProblem(message: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let socket = entry.ai_addr else { continue }
            let address: NetworkAddress?
            switch entry.ai_family {
            case AF_INET:
                address = socket.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    NetworkAddress(bytes: withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) })
                }
            case AF_INET6:
                address = socket.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    NetworkAddress(bytes: withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) })
                }
            default: address = nil
            }
            if let address, !found.contains(address) { found.append(address) }
        }
        return found
    }
}

/// Why a name has no address.
package struct ResolverProblem: Error, Sendable {
    package let message: String

    package init(message: String) { self.message = message }
}
