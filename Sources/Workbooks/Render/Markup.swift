/// Text made safe for HTML.
package enum Markup {
    /// Escapes what would begin markup, in text and in quoted attributes.
    package static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 38 || $0 == 60 || $0 == 62 || $0 == 34 || $0 == 39 || $0 < 32 }) else {
            return text
        }
        var out = ""
        for c in text.unicodeScalars {
            switch c {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\t": out.unicodeScalars.append(c)
            default: if c.value >= 32 { out.unicodeScalars.append(c) }
            }
        }
        return out
    }

    /// A web address that may stand in a link: within the site, or over HTTPS.
    static func isSafe(address: String) -> Bool {
        (address.hasPrefix("/") && !address.hasPrefix("//")) || address.hasPrefix("#") || address.hasPrefix("?")
            || address.hasPrefix("https://")
    }
}

/// Numbers as SVG attributes: at most one decimal.
func coordinate(_ d: Double) -> String {
    let tenths = (d * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(tenths)
}
