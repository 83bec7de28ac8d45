/// Kusto's way to keep a text out of logs: literals that begin with `h`
/// (https://learn.microsoft.com/kusto/query/scalar-data-types/string#obfuscated-string-literals).
package enum QueryPrivacy {
    /// The query with every obfuscated literal's content replaced.
    package static func hidden(_ query: String) -> String {
        guard query.utf8.contains(where: { $0 == UInt8(ascii: "h") || $0 == UInt8(ascii: "H") }) else { return query }
        var out: [UInt8] = []
        let bytes = Array(query.utf8)
        var i = 0
        while i < bytes.count {
            guard let literal = Literal(in: bytes, at: i) else {
                // A whole word, so that the end of a name is not taken for a mark.
                var end = i + 1
                if isWord(bytes[i]) { while end < bytes.count, isWord(bytes[end]) { end += 1 } }
                out += bytes[i..<end]
                i = end
                continue
            }
            if literal.isHidden {
                out += bytes[i..<literal.content.lowerBound]
                out += Array("****".utf8)
                out += bytes[literal.content.upperBound..<literal.end]
            } else {
                out += bytes[i..<literal.end]
            }
            i = literal.end
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
            true
        default: false
        }
    }

    /// A literal of a text, with the marks before it.
    private struct Literal {
        let isHidden: Bool
        let content: Range<Int>
        let end: Int

        init?(in bytes: [UInt8], at start: Int) {
            var i = start
            var isHidden = false
            if bytes[i] == UInt8(ascii: "h") || bytes[i] == UInt8(ascii: "H") {
                isHidden = true
                i += 1
            }
            var isVerbatim = false
            if i < bytes.count, bytes[i] == UInt8(ascii: "@") {
                isVerbatim = true
                i += 1
            }
            guard i < bytes.count else { return nil }
            self.isHidden = isHidden
            for fence in [Array("```".utf8), Array("~~~".utf8)] where !isVerbatim && bytes[i...].starts(with: fence) {
                var j = i + 3
                while j < bytes.count, !bytes[j...].starts(with: fence) { j += 1 }
                content = (i + 3)..<min(j, bytes.count)
                end = min(j + 3, bytes.count)
                return
            }
            let quote = bytes[i]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
            var j = i + 1
            while j < bytes.count, bytes[j] != UInt8(ascii: "\n") {
                if bytes[j] == quote {
                    // A doubled quote stands for itself in a verbatim text.
                    guard isVerbatim, j + 1 < bytes.count, bytes[j + 1] == quote else { break }
                    j += 1
                } else if bytes[j] == UInt8(ascii: "\\"), !isVerbatim {
                    j += 1
                }
                j += 1
            }
            content = (i + 1)..<min(j, bytes.count)
            end = min(j + 1, bytes.count)
        }
    }
}
