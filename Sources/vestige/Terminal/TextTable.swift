import Tables

/// A table for a terminal: columns aligned, numbers to the right.
struct TextTable {
    private let header: [String]
    private let isNumber: [Bool]
    private var rows: [[String]] = []

    init(_ header: [String], numbers: [Bool]) {
        self.header = header.map { SteeringCharacters.replaced(in: $0) }
        isNumber = numbers
    }

    mutating func append(_ row: [String]) { rows.append(row.map(Self.clean)) }

    /// Control characters never reach the terminal: line ends and tabs are shown by their signs.
    private static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { [9, 10, 13].contains($0.value) }) else {
            return SteeringCharacters.replaced(in: text)
        }
        let signs: [Unicode.Scalar: Unicode.Scalar] = ["\t": "\u{2409}", "\n": "\u{240A}", "\r": "\u{240D}"]
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { signs[$0] ?? $0 }))
        return SteeringCharacters.replaced(in: shown)
    }

    /// Whether the lines are longer than the terminal's.
    func isCut(at width: Int?) -> Bool {
        guard let width else { return false }
        var widths = header.map(\.count)
        for row in rows {
            for (c, cell) in row.enumerated() where c < widths.count { widths[c] = max(widths[c], cell.count) }
        }
        return widths.reduce(0, +) + 2 * (widths.count - 1) > width
    }

    /// Each row as a block, one column a line: nothing is cut.
    func records(isBold: Bool) -> TerminalText {
        let width = header.map(\.count).max() ?? 0
        return rows.enumerated().map { number, row in
            let title: TerminalText = rows.count > 1 ? "— row \(number + 1) —\n" : ""
            return zip(header, row).reduce(title) { text, cell in
                let pad = String(repeating: " ", count: width - cell.0.count)
                return text + TerminalText(line: cell.0).styled(isBold ? 1 : nil) + "\(pad)  \(cell.1)\n"
            }
        }.joined()
    }

    /// The table as text.
    ///
    /// - Parameter width: the terminal's columns; long cells are cut so that lines fit as far as they can.
    func rendered(width: Int?) -> String { drawn(width: width, isBold: false).text }

    /// The table with its header in bold.
    func drawn(width: Int?, isBold: Bool) -> TerminalText {
        var widths = header.map(\.count)
        for row in rows {
            for (c, cell) in row.enumerated() where c < widths.count { widths[c] = max(widths[c], cell.count) }
        }
        if let width {
            // The widest column gives way first.
            while widths.reduce(0, +) + 2 * (widths.count - 1) > width,
                let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 12
            {
                widths[widest] -= 1
            }
        }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (c, cell) in cells.enumerated() where c < widths.count {
                let cut = cell.count > widths[c] ? cell.prefix(widths[c] - 1) + "…" : cell[...]
                let pad = String(repeating: " ", count: widths[c] - cut.count)
                if c > 0 { text += "  " }
                text += isNumber[c] ? pad + cut : c == cells.count - 1 ? String(cut) : cut + pad
            }
            return text
        }
        let lines =
            [TerminalText(line: line(header)).styled(isBold ? 1 : nil)] + rows.map { TerminalText(line: line($0)) }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Numbers for people.
enum Human {
    static func bytes(_ n: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = Double(n)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(n) B" : "\(oneDecimal(value)) \(units[unit])"
    }

    static func seconds(_ s: Double) -> String {
        if s < 1 { return "\(Int((s * 1000).rounded())) ms" }
        if s < 60 { return "\(oneDecimal(s)) s" }
        return "\(Int(s) / 60)m \(Int(s) % 60)s"
    }

    static func rows(_ n: Int) -> String { "\(count(n)) row\(n == 1 ? "" : "s")" }

    static func count(_ n: Int) -> String {
        var digits = Array(String(abs(n)))
        var i = digits.count - 3
        while i > 0 {
            digits.insert(",", at: i)
            i -= 3
        }
        return (n < 0 ? "-" : "") + String(digits)
    }

    private static func oneDecimal(_ d: Double) -> String {
        let tenths = Int((d * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
