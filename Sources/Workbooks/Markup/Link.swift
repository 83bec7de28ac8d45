/// An address that may stand in a link: of this site, or of another over HTTPS.
///
/// Browsers read an address with less care than it is written: they drop blanks and control characters at its ends,
/// tabs and line ends anywhere, take `\` for `/` and the name of a scheme in any case
/// (https://url.spec.whatwg.org/#concept-basic-url-parser). An address that they would read otherwise than it stands
/// is none.
package struct Link: Sendable, Hashable {
    /// The address.
    package let text: String
    /// Whether it leads elsewhere.
    package let leavesSite: Bool

    /// Judges an address that came with data.
    ///
    /// - Returns: nil for what is neither `/…`, `?…` or `#…` within the site nor `https://host…`: other schemes,
    ///   `//host` and
    ///   `/\host`, user names before the host, blanks, control characters and those that turn or hide text.
    package init?(untrusted address: String) {
        guard !address.isEmpty, address.unicodeScalars.allSatisfy(Self.isPlain) else { return nil }
        if address.hasPrefix("/") {
            guard !address.hasPrefix("//") else { return nil }
            self.init(text: address, leavesSite: false)
        } else if address.hasPrefix("?") || address.hasPrefix("#") {
            self.init(text: address, leavesSite: false)
        } else {
            guard address.prefix(8).lowercased() == "https://" else { return nil }
            let place = address.dropFirst(8).prefix { !"/?#".contains($0) }
            guard Self.isHost(place) else { return nil }
            self.init(text: address, leavesSite: true)
        }
    }

    private init(text: String, leavesSite: Bool) {
        self.text = text
        self.leavesSite = leavesSite
    }

    /// The site's first page.
    package static let home = Link(text: "/", leavesSite: false)

    /// A page of the site.
    ///
    /// - Parameters:
    ///   - path: the parts of its path; each is encoded, so that it stays one part.
    ///   - query: names and values; all are encoded.
    package init(path: [String], query: [(name: String, value: String)] = []) {
        precondition(
            !path.isEmpty && path.allSatisfy { !$0.isEmpty }, "a part of a path that is empty makes it another path")
        let pairs = query.map { "\(WorkbookAddress.escape($0.name))=\(WorkbookAddress.escape($0.value))" }
        text =
            path.map { "/" + WorkbookAddress.escape($0) }.joined()
            + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
        leavesSite = false
    }

    /// A place on the same page.
    ///
    /// - Parameter place: the id of an element.
    package init(place: String) {
        text = "#" + WorkbookAddress.escape(place)
        leavesSite = false
    }

    private static func isPlain(_ c: Unicode.Scalar) -> Bool {
        switch c.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: c != "\\"
        }
    }

    /// Whether what stands between `//` and the path is a host with or without a port, and no more.
    private static func isHost(_ place: Substring) -> Bool {
        let name: Substring
        let rest: Substring
        if place.first == "[" {
            guard let close = place.firstIndex(of: "]") else { return false }
            name = place[...close].dropFirst().dropLast()
            rest = place[place.index(after: close)...]
            guard !name.isEmpty, name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return false }
        } else {
            name = place.prefix { $0 != ":" }
            rest = place[name.endIndex...]
            guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) }) else {
                return false
            }
        }
        let port = rest.dropFirst()
        return rest.isEmpty
            || rest.first == ":" && (1...5).contains(port.count) && port.utf8.allSatisfy { (48...57).contains($0) }
    }
}
