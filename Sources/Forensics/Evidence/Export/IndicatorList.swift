import Tables

/// Something by which others may find the same intruder.
package struct Indicator: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable { case ipv4, ipv6, domain, url, sha256, sha1, md5 }

    package let kind: Kind
    package let value: String

    /// Whether a text is a name of the internet and nothing else.
    static func isDomain(_ text: String) -> Bool {
        guard text.count <= 253,
            let match = text.wholeMatch(of: /(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+([a-z]{2,63})/)
        else { return false }
        return !localEndings.contains(String(match.1)) && !fileEndings.contains(String(match.1))
    }

    /// Names that the internet does not know (RFC 6761, RFC 6762, RFC 8375).
    private static let localEndings: Set<String> = [
        "local", "localhost", "localdomain", "lan", "internal", "intranet", "corp", "home", "test", "invalid", "arpa",
    ]
    /// What looks like a name, and is one of a file.
    private static let fileEndings: Set<String> = ["exe", "dll", "sys", "bat", "cmd", "ps", "vbs", "js", "txt", "docm"]
}

/// The indicators of a case: public addresses, names and digests of files in the rows of its claims, with where and
/// when they were seen.
struct IndicatorList {
    struct Seen {
        let indicator: Indicator
        /// Ticks.
        var first: Int64
        var last: Int64
        var devices: [String] = []
        /// Ids.
        var claims: [String] = []
        var techniques: [String] = []
    }

    let story: CaseStory
    let indicators: [Seen]
    let leftOut: [CaseExport.Reason: Int]

    init(_ story: CaseStory) {
        self.story = story
        var reader = IndicatorReader(story)
        for item in story.standing where item.claim.kind != .cause { reader.read(item) }
        indicators = reader.seen.values.sorted {
            ($0.first, $0.indicator.kind.rawValue, $0.indicator.value)
                < ($1.first, $1.indicator.kind.rawValue, $1.indicator.value)
        }
        leftOut = [
            .noIndicator: reader.silent, .ownAddress: reader.own.count, .systemFile: reader.system.count,
        ]
    }
}

/// Reads indicators out of rows.
private struct IndicatorReader {
    private(set) var seen: [Indicator: IndicatorList.Seen] = [:]
    /// What belongs to the estate itself.
    private(set) var own: Set<String> = []
    private(set) var system: Set<String> = []
    /// Claims without an indicator.
    private(set) var silent = 0
    /// The names under which the estate's devices stand.
    private let ownDomains: Set<String>

    init(_ story: CaseStory) {
        ownDomains = Set(
            story.summary.devices.compactMap { device in
                let parts = device.name.lowercased().split(separator: ".", maxSplits: 1)
                return parts.count == 2 && parts[1].contains(".") ? String(parts[1]) : nil
            })
    }

    mutating func read(_ item: CaseStory.Item) {
        var found = false
        for row in item.rows {
            for indicator in indicators(row) {
                found = true
                note(indicator, item.claim, at: row.reference.time)
            }
        }
        if !found { silent += 1 }
    }

    private mutating func note(_ indicator: Indicator, _ claim: Claim, at time: Int64) {
        var known = seen[indicator] ?? IndicatorList.Seen(indicator: indicator, first: time, last: time)
        known.first = min(known.first, time)
        known.last = max(known.last, time)
        if !known.devices.contains(claim.subject) { known.devices.append(claim.subject) }
        if !known.claims.contains(claim.id) { known.claims.append(claim.id) }
        known.techniques += claim.techniques.filter { !known.techniques.contains($0) }
        seen[indicator] = known
    }

    private mutating func indicators(_ row: CaseRow) -> [Indicator] {
        address(row) + ["RemoteUrl", "FileOriginUrl"].flatMap { self.name(row.text($0)) } + file(row)
    }

    private mutating func address(_ row: CaseRow) -> [Indicator] {
        let address = TraceRow.plain(row.text("RemoteIP"))
        guard !address.isEmpty else { return [] }
        let kind = row.text("RemoteIPType")
        guard Address.isPublic(address, kind: kind) else {
            own.insert(address)
            return []
        }
        if Address.parts(address) != nil { return [Indicator(kind: .ipv4, value: address)] }
        let isSix = address.contains(":") && address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        return isSix ? [Indicator(kind: .ipv6, value: address.lowercased())] : []
    }

    /// What a service wrote as an address of the web: with a scheme, or only host and port.
    private mutating func name(_ text: String) -> [Indicator] {
        guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value != 127 }) else { return [] }
        let parts = text.split(separator: "://", maxSplits: 1).map(String.init)
        let rest = parts.count == 2 ? parts[1] : text
        let place = rest.prefix { !"/?#".contains($0) }
        let host = String(place.split(separator: "@").last ?? place).prefix { $0 != ":" }.lowercased()
        var found: [Indicator] = []
        if Indicator.isDomain(host) {
            let isOwn = ownDomains.contains { host == $0 || host.hasSuffix("." + $0) }
            if isOwn {
                own.insert(host)
                return []
            }
            found.append(Indicator(kind: .domain, value: host))
        } else if Address.parts(host) != nil {
            guard Address.isPublic(host) else {
                own.insert(host)
                return []
            }
            found.append(Indicator(kind: .ipv4, value: host))
        } else if !host.isEmpty {
            own.insert(host)
            return []
        }
        if parts.count == 2, ["http", "https", "ftp"].contains(parts[0].lowercased()), rest.count > place.count {
            found.append(Indicator(kind: .url, value: text))
        }
        return found
    }

    private mutating func file(_ row: CaseRow) -> [Indicator] {
        let digests = [(Indicator.Kind.sha256, "SHA256", 64), (.sha1, "SHA1", 40), (.md5, "MD5", 32)].compactMap {
            kind, column, length -> Indicator? in
            let text = row.text(column).lowercased()
            return text.count == length && text.allSatisfy(\.isHexDigit) ? Indicator(kind: kind, value: text) : nil
        }
        guard !digests.isEmpty else { return [] }
        let path = row.text("FolderPath").lowercased()
        if Self.isSystem(path) {
            system.insert(digests[0].value)
            return []
        }
        return digests
    }

    /// Whether a file lies where the system and installed programs lie. Their digests are those of everybody.
    private static func isSystem(_ path: String) -> Bool {
        let places = [
            #"c:\windows\system32\"#, #"c:\windows\syswow64\"#, #"c:\windows\winsxs\"#, #"c:\windows\microsoft.net\"#,
            #"c:\program files\"#, #"c:\program files (x86)\"#, #"c:\windows\explorer.exe"#, "/usr/", "/bin/", "/sbin/",
            "/lib/", "/system/", "/applications/", "/opt/",
        ]
        return places.contains { path.hasPrefix($0) }
    }
}
