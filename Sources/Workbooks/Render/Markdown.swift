/// The Markdown that workbooks use, as HTML: headings, lists, tables, emphasis, code and links. Any HTML in it is shown as text.
enum Markdown {
    static func html(_ text: String) -> String {
        var out = ""
        var paragraph: [String] = []
        var isList = false
        var table: [String] = []
        func endParagraph() {
            if !paragraph.isEmpty { out += "<p>\(paragraph.map(inline).joined(separator: "<br>"))</p>" }
            paragraph = []
        }
        func endList() {
            if isList { out += "</ul>" }
            isList = false
        }
        func endTable() {
            if !table.isEmpty { out += Self.table(table) }
            table = []
        }
        for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = raw.trimmingPrefix { $0 == " " }
            let level = line.prefix { $0 == "#" }.count
            if line.hasPrefix("|") {
                endParagraph()
                endList()
                table.append(String(line))
                continue
            }
            endTable()
            if (1...6).contains(level), line.dropFirst(level).first == " " {
                endParagraph()
                endList()
                out += "<h\(level + 1)>\(inline(String(line.dropFirst(level + 1))))</h\(level + 1)>"
            } else if line.hasPrefix("- ") || line.hasPrefix("* ") {
                endParagraph()
                if !isList { out += "<ul>" }
                isList = true
                out += "<li>\(inline(String(line.dropFirst(2))))</li>"
            } else if line.allSatisfy({ $0 == " " || $0 == "\r" }) {
                endParagraph()
                endList()
            } else {
                endList()
                paragraph.append(String(line))
            }
        }
        endParagraph()
        endList()
        endTable()
        return out
    }

    private static func table(_ lines: [String]) -> String {
        func cells(_ line: String) -> [String] {
            var parts = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
            if parts.first?.allSatisfy({ $0 == " " }) == true { parts.removeFirst() }
            if parts.last?.allSatisfy({ $0 == " " || $0 == "\r" }) == true { parts.removeLast() }
            return parts
        }
        let isRule = lines.count > 1 && lines[1].allSatisfy { "|-: \r".contains($0) }
        var out = "<table>"
        for (i, line) in lines.enumerated() where !(isRule && i == 1) {
            let tag = isRule && i == 0 ? "th" : "td"
            out += "<tr>" + cells(line).map { "<\(tag)>\(inline($0))</\(tag)>" }.joined() + "</tr>"
        }
        return out + "</table>"
    }

    /// Emphasis, code and links inside a line.
    static func inline(_ text: String) -> String {
        var out = ""
        var rest = text[...]
        while let c = rest.first {
            if c == "`", let end = rest.dropFirst().firstIndex(of: "`") {
                out += "<code>\(Markup.escape(String(rest[rest.index(after: rest.startIndex)..<end])))</code>"
                rest = rest[rest.index(after: end)...]
            } else if rest.hasPrefix("**"), let end = rest.dropFirst(2).firstRange(of: "**") {
                out += "<strong>\(inline(String(rest.dropFirst(2)[..<end.lowerBound])))</strong>"
                rest = rest[end.upperBound...]
            } else if c == "*", let end = rest.dropFirst().firstIndex(of: "*"), end > rest.index(after: rest.startIndex)
            {
                out += "<em>\(inline(String(rest.dropFirst()[..<end])))</em>"
                rest = rest[rest.index(after: end)...]
            } else if c == "[", let close = rest.firstRange(of: "]("),
                let end = rest[close.upperBound...].firstIndex(of: ")")
            {
                let label = String(rest.dropFirst()[..<close.lowerBound])
                let address = String(rest[close.upperBound..<end])
                out +=
                    Markup.isSafe(address: address)
                    ? "<a href=\"\(Markup.escape(address))\" rel=\"noreferrer\">\(inline(label))</a>" : inline(label)
                rest = rest[rest.index(after: end)...]
            } else {
                out += Markup.escape(String(c))
                rest = rest.dropFirst()
            }
        }
        return out
    }
}
