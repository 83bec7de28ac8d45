/// The Markdown that workbooks use: headings, lists, tables, rules, emphasis, code and links. HTML in it is shown as
/// text, but for line breaks.
enum Markdown {
    static func markup(_ text: String) -> Markup {
        var writer = Blocks()
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            writer.add(String(line.trimmingPrefix { $0 == " " }))
        }
        return writer.finish()
    }

    /// Lines collected to blocks.
    private struct Blocks {
        private var out = Markup()
        private var paragraph: [String] = []
        private var list: [Markup] = []
        private var table: [String] = []

        mutating func add(_ line: String) {
            let level = line.prefix { $0 == "#" }.count
            if line.hasPrefix("|") {
                if table.isEmpty { end() }
                table.append(line)
            } else if (1...6).contains(level), line.dropFirst(level).first == " " {
                end()
                out += Self.heading(level, Inline.markup(String(line.dropFirst(level + 1))))
            } else if line.hasPrefix("- ") || line.hasPrefix("* ") {
                if list.isEmpty { end() }
                list.append(Markup(.li) { Inline.markup(String(line.dropFirst(2))) })
            } else if line.count >= 3, Set(line.filter { $0 != " " }).isSubset(of: ["-"]) {
                end()
                out += Markup(empty: .hr)
            } else if line.allSatisfy({ $0 == " " }) {
                end()
            } else {
                if paragraph.isEmpty { end() }
                paragraph.append(line)
            }
        }

        mutating func finish() -> Markup {
            end()
            return out
        }

        /// Ends the block that is open.
        private mutating func end() {
            if !paragraph.isEmpty {
                out += Markup(.p) {
                    for (i, line) in paragraph.enumerated() {
                        if i > 0 { Markup(empty: .br) }
                        Inline.markup(line)
                    }
                }
            }
            if !list.isEmpty { out += Markup(.ul) { list } }
            if !table.isEmpty { out += Self.table(table) }
            (paragraph, list, table) = ([], [], [])
        }

        /// The page has a title of its own, so a text begins with headings of the second level.
        private static func heading(_ level: Int, _ content: Markup) -> Markup {
            switch level {
            case 1: Markup(.h2) { content }
            case 2: Markup(.h3) { content }
            case 3: Markup(.h4) { content }
            case 4: Markup(.h5) { content }
            default: Markup(.h6) { content }
            }
        }

        private static func table(_ lines: [String]) -> Markup {
            func cells(_ line: String) -> [String] {
                var parts = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
                if parts.first?.allSatisfy({ $0 == " " }) == true { parts.removeFirst() }
                if parts.last?.allSatisfy({ $0 == " " }) == true { parts.removeLast() }
                return parts
            }
            let isRule = lines.count > 1 && lines[1].allSatisfy { "|-: ".contains($0) }
            return Markup(.table) {
                for (i, line) in lines.enumerated() where !(isRule && i == 1) {
                    Markup(.tr) {
                        for cell in cells(line) {
                            if isRule && i == 0 {
                                Markup(.th) { Inline.markup(cell) }
                            } else {
                                Markup(.td) { Inline.markup(cell) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Emphasis, code, links and line breaks inside a line.
    private enum Inline {
        static func markup(_ text: String) -> Markup {
            var out = Markup()
            var plain = ""
            var rest = text[...]
            func endText() {
                if !plain.isEmpty { out += Markup(text: plain) }
                plain = ""
            }
            while let c = rest.first {
                guard let (piece, end) = element(rest) else {
                    plain.append(c)
                    rest = rest.dropFirst()
                    continue
                }
                endText()
                out += piece
                rest = rest[end...]
            }
            endText()
            return out
        }

        /// The element at the beginning of a text, and where it ends.
        private static func element(_ text: Substring) -> (Markup, end: Substring.Index)? {
            switch text.first {
            case "`":
                guard let end = text.dropFirst().firstIndex(of: "`") else { return nil }
                return (Markup(.code) { String(text.dropFirst()[..<end]) }, text.index(after: end))
            case "*" where text.hasPrefix("**"):
                guard let end = text.dropFirst(2).firstRange(of: "**") else { return nil }
                return (
                    Markup(.strong) { markup(String(text.dropFirst(2)[..<end.lowerBound])) }, end.upperBound
                )
            case "*":
                // A star before a space is a star.
                guard text.dropFirst().first != " ", let end = text.dropFirst().firstIndex(of: "*"),
                    end > text.index(after: text.startIndex)
                else { return nil }
                return (Markup(.em) { markup(String(text.dropFirst()[..<end])) }, text.index(after: end))
            case "[": return link(text)
            case "<":
                guard let tag = ["<br>", "<br/>", "<br />"].first(where: { text.lowercased().hasPrefix($0) }) else {
                    return nil
                }
                return (Markup(empty: .br), text.index(text.startIndex, offsetBy: tag.count))
            default: return nil
            }
        }

        private static func link(_ text: Substring) -> (Markup, end: Substring.Index)? {
            guard let close = text.firstRange(of: "]("), let end = text[close.upperBound...].firstIndex(of: ")") else {
                return nil
            }
            let label = markup(String(text.dropFirst()[..<close.lowerBound]))
            let address = String(text[close.upperBound..<end])
            let piece = Link(untrusted: address).map { link in Markup(link: link) { label } } ?? label
            return (piece, text.index(after: end))
        }
    }
}
