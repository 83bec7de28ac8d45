import Tables

/// IPv4 addresses with an optional `/prefix`.
struct IPv4: Equatable {
    var address: UInt32
    var prefix: Int

    init?(_ text: some StringProtocol) {
        let pieces = text.trimmed.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let octets = pieces[0].split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        address = 0
        for o in octets {
            guard (1...3).contains(o.utf8.count), let n = UInt8(o) else { return nil }
            address = address << 8 | UInt32(n)
        }
        prefix = 32
        if pieces.count > 1 {
            guard let p = Int(pieces[1]), (0...32).contains(p) else { return nil }
            prefix = p
        }
    }

    static func mask(_ prefix: Int) -> UInt32 {
        prefix <= 0 ? 0 : prefix >= 32 ? .max : ~(UInt32.max >> UInt32(prefix))
    }

    var network: UInt32 { address & IPv4.mask(prefix) }

    func contains(_ other: IPv4) -> Bool { other.prefix >= prefix && other.address & IPv4.mask(prefix) == network }

    static func text(_ a: UInt32) -> String { "\(a >> 24).\(a >> 16 & 255).\(a >> 8 & 255).\(a & 255)" }
}

/// IPv6 addresses with an optional prefix; IPv4 ones count as their mapped form.
struct IPv6 {
    var address: UInt128
    var prefix: Int

    init?(_ text: some StringProtocol) {
        if let v4 = IPv4(text) {
            address = 0xFFFF_0000_0000 | UInt128(v4.network)
            prefix = v4.prefix + 96
            return
        }
        let pieces = text.trimmed.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let body = String(pieces[0].prefix { $0 != "%" })
        guard body.contains(":") else { return nil }
        func groups(_ s: String) -> [UInt16]? {
            if s.isEmpty { return [] }
            var out: [UInt16] = []
            for g in s.split(separator: ":", omittingEmptySubsequences: false) {
                if g.contains(".") {
                    guard let v4 = IPv4(g) else { return nil }
                    out += [UInt16(v4.address >> 16), UInt16(v4.address & 0xFFFF)]
                } else {
                    guard (1...4).contains(g.utf8.count), let n = UInt16(g, radix: 16) else { return nil }
                    out.append(n)
                }
            }
            return out
        }
        // Longer than any address, it is none.
        guard body.utf8.count < 100, let halves = try? ScalarFunctions.split(body, "::"), halves.count <= 2,
            let head = groups(halves[0]), let tail = halves.count == 2 ? groups(halves[1]) : []
        else { return nil }
        guard halves.count == 2 ? head.count + tail.count <= 7 : head.count == 8 else { return nil }
        let all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        address = all.reduce(0) { $0 << 16 | UInt128($1) }
        prefix = 128
        if pieces.count > 1 {
            guard let p = Int(pieces[1]), (0...128).contains(p) else { return nil }
            prefix = p
        }
    }

    static func mask(_ prefix: Int) -> UInt128 {
        prefix <= 0 ? 0 : prefix >= 128 ? .max : ~(UInt128.max >> UInt128(prefix))
    }

    var network: UInt128 { address & IPv6.mask(prefix) }

    /// Eight groups of four digits.
    var fullText: String {
        (0..<8).map { Hex.string(UInt64(truncatingIfNeeded: network >> UInt128(112 - 16 * $0)) & 0xFFFF, width: 4) }
            .joined(separator: ":")
    }
}

extension ScalarFunctions {
    private static func items(_ a: ArraySlice<Value>) -> [String] {
        a.flatMap { v -> [Value] in if case .array(let list) = v { list } else { [v] } }.map(\.text)
    }

    private static func compare4(_ a: [Value]) -> Int? {
        guard let x = IPv4(a[0].text), let y = IPv4(a[1].text) else { return nil }
        let p = min(x.prefix, y.prefix, a.count > 2 ? Int(a[2].longValue ?? 32) : 32)
        let (m, n) = (x.address & IPv4.mask(p), y.address & IPv4.mask(p))
        return m < n ? -1 : m == n ? 0 : 1
    }

    private static func compare6(_ a: [Value]) -> Int? {
        guard let x = IPv6(a[0].text), let y = IPv6(a[1].text) else { return nil }
        let p = min(x.prefix, y.prefix, a.count > 2 ? Int(a[2].longValue ?? 128) : 128)
        let (m, n) = (x.address & IPv6.mask(p), y.address & IPv6.mask(p))
        return m < n ? -1 : m == n ? 0 : 1
    }

    /// The addresses that stand in a text as whole terms.
    private static func addresses(in text: String) -> [String] {
        var out: [String] = []
        var current: [UInt8] = []
        var previous: UInt8 = 0
        var before: UInt8 = 0
        func flush(_ after: UInt8) {
            while current.last == 46 { current.removeLast() }
            if current.filter({ $0 == 46 }).count == 3, !TextSearch.isTermByte(before), !TextSearch.isTermByte(after) {
                out.append(String(decoding: current, as: UTF8.self))
            }
            current = []
        }
        for b in text.utf8 {
            if (48...57).contains(b) || b == 46 {
                if current.isEmpty { before = previous }
                current.append(b)
            } else if !current.isEmpty {
                flush(b)
            }
            previous = b
        }
        if !current.isEmpty { flush(0) }
        return out
    }

    private static let privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].compactMap { IPv4($0) }

    private static func rangeToCIDR(_ a: [Value]) -> Value {
        guard let x = IPv4(a[0].text), let y = IPv4(a[1].text), x.address <= y.address else { return .null }
        var out: [Value] = []
        var at = UInt64(x.address)
        let end = UInt64(y.address)
        while at <= end {
            var bits = at == 0 ? 32 : min(32, at.trailingZeroBitCount)
            while bits > 0, at + (1 << UInt64(bits)) - 1 > end { bits -= 1 }
            out.append(.string("\(IPv4.text(UInt32(at)))/\(32 - bits)"))
            at += 1 << UInt64(bits)
        }
        return .array(out)
    }

    static var networks: [String: ScalarKernel] {
        [
            "parse_ipv4": .lenient { a, _ in IPv4(a[0].text).map { .long(Int64($0.network)) } ?? .null },
            "parse_ipv4_mask": .lenient { a, _ in
                guard let ip = IPv4(a[0].text), let p = a[1].longValue, p >= 0 else { return .null }
                return .long(Int64(ip.address & IPv4.mask(Int(min(p, 32)))))
            },
            "ipv4_netmask_suffix": .lenient { a, _ in IPv4(a[0].text).map { .long(Int64($0.prefix)) } ?? .null },
            "ipv4_compare": .lenient { a, _ in compare4(a).map { .long(Int64($0)) } ?? .null },
            "ipv4_is_match": .lenient { a, _ in compare4(a).map { .bool($0 == 0) } ?? .null },
            "ipv4_is_in_range": .lenient { a, _ in
                guard let ip = IPv4(a[0].text), let range = IPv4(a[1].text) else { return .null }
                return .bool(ip.address & IPv4.mask(range.prefix) == range.network)
            },
            "ipv4_is_in_any_range": .lenient { a, _ in
                guard let ip = IPv4(a[0].text) else { return .null }
                return .bool(
                    items(a.dropFirst()).compactMap { IPv4($0) }.contains {
                        ip.address & IPv4.mask($0.prefix) == $0.network
                    })
            },
            "ipv4_is_private": .lenient { a, _ in
                IPv4(a[0].text).map { ip in .bool(privateRanges.contains { $0.contains(ip) }) } ?? .null
            },
            "ipv4_range_to_cidr_list": .lenient { a, _ in rangeToCIDR(a) },
            "format_ipv4": .lenient { a, _ in formatted(a, withMask: false) },
            "format_ipv4_mask": .lenient { a, _ in formatted(a, withMask: true) },
            "has_ipv4": .lenient { a, _ in
                IPv4(a[1].text) == nil ? .bool(false) : .bool(addresses(in: a[0].text).contains(a[1].text))
            },
            "has_any_ipv4": .lenient { a, _ in
                let found = Set(addresses(in: a[0].text))
                return .bool(items(a.dropFirst()).contains { IPv4($0) != nil && found.contains($0) })
            },
            "has_ipv4_prefix": .lenient { a, _ in .bool(hasPrefix(a)) },
            "has_any_ipv4_prefix": .lenient { a, _ in .bool(hasPrefix(a)) },
            "geo_info_from_ip_address": .lenient { a, context in
                guard let locations = context.provider.outside.locations else {
                    throw QueryError.runtime(
                        "geo_info_from_ip_address() needs a database of locations: name one in MaxMind's "
                            + "format, such as GeoLite2-City.mmdb, with 'locations' in the configuration"
                    )
                }
                return locations.location(of: a[0].text).map { .bag($0) } ?? .null
            },
        ]
    }

    private static func hasPrefix(_ a: [Value]) -> Bool {
        let found = addresses(in: a[0].text)
        return items(a.dropFirst()).contains { prefix in
            if IPv4(prefix) != nil, !prefix.contains("/") { return found.contains(prefix) }
            guard prefix.hasSuffix(".") else { return false }
            return found.contains { IPv4($0) != nil && $0.hasPrefix(prefix) }
        }
    }

    private static func formatted(_ a: [Value], withMask: Bool) -> Value {
        var ip: IPv4
        if let n = a[0].longValue {
            guard let u = UInt32(exactly: n), let base = IPv4("0.0.0.0") else { return .string("") }
            ip = base
            ip.address = u
        } else {
            guard let parsed = IPv4(a[0].text) else { return .string("") }
            ip = parsed
        }
        if a.count > 1, let p = a[1].longValue {
            guard (0...32).contains(p) else { return .string("") }
            ip.prefix = min(ip.prefix, Int(p))
        }
        return .string(IPv4.text(ip.network) + (withMask ? "/\(ip.prefix)" : ""))
    }

    /// An address as `parse_ipv6` reads it: the prefix of one in IPv4 notation counts the last 32 bits.
    private static func parsed6(_ text: String) -> IPv6? {
        guard var ip = IPv6(text) else { return nil }
        if IPv4(text) == nil, text.contains("."), text.contains("/") { ip.prefix = min(128, ip.prefix + 96) }
        return ip
    }

    static var networks6: [String: ScalarKernel] {
        [
            "parse_ipv6": .lenient { a, _ in parsed6(a[0].text).map { .string($0.fullText) } ?? .string("") },
            "parse_ipv6_mask": .lenient { a, _ in
                guard var ip = parsed6(a[0].text), let p = a[1].longValue, p >= 0 else { return .string("") }
                ip.prefix = min(ip.prefix, Int(min(p, 128)))
                return .string(ip.fullText)
            },
            "ipv6_compare": .lenient { a, _ in compare6(a).map { .long(Int64($0)) } ?? .null },
            "ipv6_is_match": .lenient { a, _ in compare6(a).map { .bool($0 == 0) } ?? .null },
            "ipv6_is_in_range": .lenient { a, _ in
                guard let ip = IPv6(a[0].text), let range = IPv6(a[1].text) else { return .null }
                return .bool(ip.address & IPv6.mask(range.prefix) == range.network)
            },
            "ipv6_is_in_any_range": .lenient { a, _ in
                guard let ip = IPv6(a[0].text) else { return .null }
                return .bool(
                    items(a.dropFirst()).compactMap { IPv6($0) }.contains {
                        ip.address & IPv6.mask($0.prefix) == $0.network
                    })
            },
        ]
    }
}
