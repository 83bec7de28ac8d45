/// CSV for spreadsheets: programs that take a text for a formula when it begins like one, and then run it
/// (https://owasp.org/www-community/attacks/CSV_Injection).
///
/// Texts that would be taken so stand behind an apostrophe, which spreadsheets show as the mark of a text. It begins
/// with a byte order mark, by which they know UTF-8. Numbers, times and truth values are as they are. Use `CSV` for
/// what programs read: it changes nothing.
package enum SpreadsheetCSV {
    /// What the file begins with.
    package static let start: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// One record with its line end.
    package static func line(_ cells: [Value]) -> String { CSV.line(cells.map(text)) }

    /// The record of the columns' names.
    package static func header(_ names: [String]) -> String { CSV.line(names.map(neutral)) }

    private static func text(_ cell: Value) -> String {
        switch cell {
        case .string, .array, .bag: neutral(cell.text)
        default: cell.text
        }
    }

    /// A text that no spreadsheet takes for a formula. Blanks and what is not seen before the sign do not help it;
    /// the signs are also those of full width, which some take for the narrow ones.
    static func neutral(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        let sign = text.unicodeScalars.first { !isSkipped($0) }
        let isFormula = sign.map { signs.contains($0) } ?? false
        return isFormula || first == "\t" || first == "\r" || first == "\n" ? "'" + text : text
    }

    private static let signs: Set<Unicode.Scalar> = [
        "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}", "\u{2212}", "\u{FE62}", "\u{FE63}",
        "\u{FE66}",
        "\u{FE6B}",
    ]

    private static func isSkipped(_ c: Unicode.Scalar) -> Bool {
        switch c.properties.generalCategory {
        case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator: true
        default: c == "'" || c == "\""
        }
    }
}
