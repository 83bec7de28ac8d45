import Tables

/// Searching in UTF-8 text as Kusto's string operators do.
struct TextSearch {
    enum Kind { case equals, contains, startsWith, endsWith, has, hasPrefix, hasSuffix }

    let kind: Kind
    let caseSensitive: Bool
    private let needle: [UInt8]
    private let needleIsASCII: Bool
    private let startsWithTerm: Bool
    private let endsWithTerm: Bool

    init(_ kind: Kind, _ needle: String, caseSensitive: Bool) {
        self.kind = kind
        self.caseSensitive = caseSensitive
        let folded = caseSensitive ? needle : needle.lowercased()
        self.needle = Array(folded.utf8)
        needleIsASCII = self.needle.allSatisfy { $0 < 0x80 }
        startsWithTerm = self.needle.first.map(TextSearch.isTermByte) ?? false
        endsWithTerm = self.needle.last.map(TextSearch.isTermByte) ?? false
    }

    /// The operator's name without `!`; nil when it is not a text operator.
    init?(operator name: String, _ needle: String) {
        switch name {
        case "=~": self.init(.equals, needle, caseSensitive: false)
        case "contains": self.init(.contains, needle, caseSensitive: false)
        case "contains_cs": self.init(.contains, needle, caseSensitive: true)
        case "startswith": self.init(.startsWith, needle, caseSensitive: false)
        case "startswith_cs": self.init(.startsWith, needle, caseSensitive: true)
        case "endswith": self.init(.endsWith, needle, caseSensitive: false)
        case "endswith_cs": self.init(.endsWith, needle, caseSensitive: true)
        case "has": self.init(.has, needle, caseSensitive: false)
        case "has_cs": self.init(.has, needle, caseSensitive: true)
        case "hasprefix": self.init(.hasPrefix, needle, caseSensitive: false)
        case "hasprefix_cs": self.init(.hasPrefix, needle, caseSensitive: true)
        case "hassuffix": self.init(.hasSuffix, needle, caseSensitive: false)
        case "hassuffix_cs": self.init(.hasSuffix, needle, caseSensitive: true)
        default: return nil
        }
    }

    /// Letters and digits make up terms; every byte of a non-ASCII character counts as a letter.
    static func isTermByte(_ b: UInt8) -> Bool {
        (48...57).contains(b) || (65...90).contains(b & 0xDF) || b >= 0x80
    }

    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if !caseSensitive, !needleIsASCII || text.contains(where: { $0 >= 0x80 }) {
            var folded = String(decoding: text, as: UTF8.self).lowercased()
            return folded.withUTF8 { search($0, fold: false) }
        }
        return search(text, fold: !caseSensitive)
    }

    private func search(_ text: UnsafeBufferPointer<UInt8>, fold: Bool) -> Bool {
        let n = needle.count
        switch kind {
        case .equals: return text.count == n && equal(text, at: 0, fold)
        case .startsWith: return text.count >= n && equal(text, at: 0, fold)
        case .endsWith: return text.count >= n && equal(text, at: text.count - n, fold)
        case .contains, .has, .hasPrefix, .hasSuffix:
            if n == 0 { return true }
            guard text.count >= n else { return false }
            let first = needle[0]
            let other = fold && (97...122).contains(first) ? first & 0xDF : first
            var i = 0
            let last = text.count - n
            while i <= last {
                let b = text[i]
                if b == first || b == other, equal(text, at: i, fold), isBounded(text, i) { return true }
                i += 1
            }
            return false
        }
    }

    private func isBounded(_ text: UnsafeBufferPointer<UInt8>, _ i: Int) -> Bool {
        if kind == .has || kind == .hasPrefix, startsWithTerm, i > 0, TextSearch.isTermByte(text[i - 1]) {
            return false
        }
        let end = i + needle.count
        if kind == .has || kind == .hasSuffix, endsWithTerm, end < text.count, TextSearch.isTermByte(text[end]) {
            return false
        }
        return true
    }

    private func equal(_ text: UnsafeBufferPointer<UInt8>, at offset: Int, _ fold: Bool) -> Bool {
        for i in 0..<needle.count {
            var b = text[offset + i]
            if fold, (65...90).contains(b) { b |= 32 }
            if b != needle[i] { return false }
        }
        return true
    }
}
