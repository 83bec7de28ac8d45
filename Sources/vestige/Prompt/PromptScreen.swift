import KQL
import Tables

/// Draws what is being typed, with the cursor in its place, over what it drew before.
struct PromptScreen {
    private var rowOfCursor = 0
    private let hasColor: Bool
    private static let first = "kql> "
    private static let more = "   | "

    init(hasColor: Bool) { self.hasColor = hasColor }

    /// The drawing, as text for the terminal.
    ///
    /// - Parameters:
    ///   - below: lines under the text, such as completions.
    ///   - prompt: what stands before the first line, when it is not the usual.
    mutating func draw(_ buffer: LineBuffer, width: Int, below: [TerminalText] = [], prompt: String? = nil)
        -> TerminalText
    {
        let styles = hasColor ? QueryColors.styles(buffer.text) : []
        let room = max(width - Self.first.count - 1, 10)
        var out: TerminalText = "\r"
        if rowOfCursor > 0 { out += "\u{1B}[\(rowOfCursor)A" }
        out += "\u{1B}[J"
        var row = 0
        var column = 0
        var cursorRow = 0
        var cursorColumn = 0
        var offset = 0
        func paint(_ text: String, _ code: Int) -> TerminalText {
            TerminalText(line: text).styled(hasColor ? code : nil)
        }
        out += paint(prompt ?? Self.first, 36)
        let lead = (prompt ?? Self.first).count
        func breakLine(_ mark: String) {
            out += "\r\n\(paint(mark, 90))"
            row += 1
            column = 0
        }
        for (i, c) in buffer.characters.enumerated() {
            if i == buffer.cursor { (cursorRow, cursorColumn) = (row, column) }
            if c.isNewline {
                breakLine(Self.more)
            } else {
                let cells = CellWidth.of(c)
                if column + cells > room { breakLine("     ") }
                let style = offset < styles.count ? styles[offset] : 0
                out += TerminalText(line: String(c)).styled(style == 0 ? nil : style)
                column += cells
            }
            offset += String(c).utf8.count
        }
        if buffer.cursor == buffer.characters.count { (cursorRow, cursorColumn) = (row, column) }
        for line in below {
            out += "\r\n\(line)"
            row += 1
        }
        if row > cursorRow { out += "\u{1B}[\(row - cursorRow)A" }
        let left = (cursorRow == 0 ? lead : Self.first.count) + cursorColumn
        out += "\r"
        if left > 0 { out += "\u{1B}[\(left)C" }
        rowOfCursor = cursorRow
        return out
    }

    /// Leaves the drawing as it is and starts below it.
    mutating func leave() { rowOfCursor = 0 }
}

/// Colours of a query's words.
enum QueryColors {
    /// An ANSI colour for every UTF-8 byte; 0 for none.
    static func styles(_ text: String) -> [Int] {
        var styles = Array(repeating: 0, count: text.utf8.count)
        guard let tokens = try? Lexer.tokens(of: text) else { return styles }
        var previous = ""
        for (i, token) in tokens.enumerated() {
            let style: Int
            switch token.kind {
            case .string: style = 32
            case .long, .real, .timespan, .typed: style = 35
            case .identifier:
                let isCalled = i + 1 < tokens.count && tokens[i + 1].text == "("
                if previous == "|"
                    || [
                        "let", "set", "by", "on", "and", "or", "not", "in", "has", "contains", "between", "asc", "desc",
                        "with", "kind",
                    ].contains(token.text)
                {
                    style = 34
                } else if isCalled {
                    style = 33
                } else {
                    style = 0
                }
            default: style = token.text == "|" ? 90 : 0
            }
            previous = token.text
            for b in token.range.clamped(to: 0..<styles.count) { styles[b] = style }
        }
        return styles
    }
}

/// Cells of a terminal that a character takes.
enum CellWidth {
    static func of(_ c: Character) -> Int {
        guard let scalar = c.unicodeScalars.first else { return 0 }
        if c.unicodeScalars.contains(where: { $0.properties.isEmojiPresentation }) { return 2 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
        }
    }
}
