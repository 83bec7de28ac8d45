/// Texts as literals of a query: the one way in which a text of data gets into KQL
/// (https://learn.microsoft.com/kusto/query/scalar-data-types/string#string-literals).
package enum KQLLiteral {
    /// A text with its quotes.
    package static func string(_ text: String) -> String { "\"" + escaped(text) + "\"" }

    /// A text that stays inside the quotes, of either kind, that stand around it.
    package static func escaped(_ text: String) -> String {
        var out = ""
        for c in text.unicodeScalars {
            switch c {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "'": out += "\\'"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            default: out.unicodeScalars.append(c)
            }
        }
        return out
    }
}
