import Tables

/// Reads a query into statements. Stops at the first problem, which it reports with its place.
package struct Parser {
    let source: [UInt8]
    let tokens: [Token]
    var at = 0
    var depth = 0
    /// Links of chains that count towards `QuerySize.linksMax`.
    private var links = 0

    /// Reads a whole query: statements separated by semicolons.
    package static func parse(_ text: String) throws(Diagnostic) -> [Statement] {
        guard text.utf8.count <= 4_000_000 else {
            throw Diagnostic("VK001", "the query is longer than 4,000,000 bytes", 0..<0)
        }
        return try DeepStack.run { () throws(Diagnostic) in
            var parser = Parser(source: Array(text.utf8), tokens: try Lexer.tokens(of: text))
            return try parser.statements(until: nil)
        } withoutThread: { () throws(Diagnostic) in
            throw Diagnostic("VK005", DeepStack.noThread, 0..<0)
        }
    }

    // MARK: Tokens

    var token: Token { tokens[at] }

    func ahead(_ n: Int) -> Token { tokens[min(at + n, tokens.count - 1)] }

    func isSign(_ text: String, ahead n: Int = 0) -> Bool {
        let t = ahead(n)
        return t.kind == .sign && t.text == text
    }

    func isWord(_ text: String, ahead n: Int = 0) -> Bool {
        let t = ahead(n)
        return t.kind == .identifier && t.text == text
    }

    mutating func takeSign(_ text: String) -> Bool {
        guard isSign(text) else { return false }
        at += 1
        return true
    }

    mutating func takeWord(_ text: String) -> Bool {
        guard isWord(text) else { return false }
        at += 1
        return true
    }

    func fail(_ code: String, _ message: String) -> Diagnostic { Diagnostic(code, message, token.range) }

    mutating func expectSign(_ text: String) throws(Diagnostic) {
        if !takeSign(text) { throw fail("KS005", "Expected: \(text)" + (text == ")" || text == "(" ? habit() : "")) }
    }

    mutating func expectWord(_ text: String) throws(Diagnostic) {
        if !takeWord(text) { throw fail("KS005", "Expected: \(text)") }
    }

    /// Whether token `n` ahead starts right where the one before it ends.
    func touches(_ n: Int) -> Bool {
        at + n > 0 && ahead(n).range.lowerBound == tokens[min(at + n, tokens.count - 1) - 1].range.upperBound
    }

    func span(from start: Int) -> Range<Int> {
        let end = at > 0 ? tokens[at - 1].range.upperBound : start
        return start..<max(end, start)
    }

    mutating func nested<T>(_ body: (inout Parser) throws(Diagnostic) -> T) throws(Diagnostic) -> T {
        depth += 1
        if depth > QuerySize.nestingMax {
            throw fail(
                "VK002",
                "the query is nested more than \(QuerySize.nestingMax) levels deep; name inner parts with 'let' or 'extend'"
            )
        }
        let result = try body(&self)
        depth -= 1
        return result
    }

    /// Counts a link of a chain whose operands are kept inside each other.
    ///
    /// - Parameter count: how many the chain has by now.
    mutating func link(_ count: inout Int) throws(Diagnostic) {
        count += 1
        guard count > QuerySize.freeLinks else { return }
        links += 1
        if links > QuerySize.linksMax {
            throw fail(
                "VK002",
                "the query's chains of operators have more than \(QuerySize.linksMax) links; write 'in (…)' for a list "
                    + "of values, strcat() or array_sum() for long sums, or part the query with 'let'")
        }
    }

    // MARK: Names

    /// A plain or bracketed name, or nil.
    mutating func optionalName() -> Name? {
        let t = token
        if t.kind == .identifier, !Keywords.isKept(t.text) {
            at += 1
            return Name(t.text, t.range)
        }
        if isSign("["), case .string(let s) = ahead(1).kind, isSign("]", ahead: 2) {
            let start = t.range.lowerBound
            at += 3
            return Name(s, span(from: start))
        }
        return nil
    }

    mutating func name(_ what: String = "a name") throws(Diagnostic) -> Name {
        guard let name = optionalName() else {
            throw token.kind == .identifier ? keywordAsName() : fail("KS006", "Missing \(what)")
        }
        return name
    }

    func keywordAsName() -> Diagnostic {
        let isFirst = at == 0 || tokens[at - 1].kind == .sign && tokens[at - 1].text == ";"
        if isFirst, ["print", "union", "search", "find"].contains(token.text) {
            return fail("KS006", "Missing expression after '\(token.text)'")
        }
        if isFirst, Parser.operatorNames.contains(token.text) {
            return fail("KS174", "a table is missing before '\(token.text)', which cannot be first in a query")
        }
        return keywordAsName(token.text)
    }

    private func keywordAsName(_ word: String) -> Diagnostic {
        fail("KS198", "'\(word)' is a keyword: as a name it is written ['\(word)']")
    }

    /// A name that is used as one: some words may only name something new.
    mutating func usedName(_ what: String = "a name") throws(Diagnostic) -> Name {
        if token.kind == .identifier, Keywords.contains(token.text) { throw keywordAsName() }
        return try name(what)
    }

    /// A word of the grammar: a property, an option, a kind of chart.
    mutating func word(_ what: String) throws(Diagnostic) -> Name {
        guard token.kind == .identifier else { throw fail("KS006", "Missing \(what)") }
        at += 1
        return Name(tokens[at - 1].text, tokens[at - 1].range)
    }

    /// A name made of words joined by dashes, such as `mv-expand`.
    mutating func dashedName() -> Name? {
        guard token.kind == .identifier else { return nil }
        let start = token.range.lowerBound
        var text = token.text
        at += 1
        while isSign("-"), touches(0), ahead(1).kind == .identifier, touches(1) {
            text += "-" + ahead(1).text
            at += 2
        }
        return Name(text, span(from: start))
    }

    /// A name that may hold `*`.
    mutating func namePattern() throws(Diagnostic) -> NamePattern {
        let start = token.range.lowerBound
        if isSign("[") {
            let n = try name()
            return NamePattern(text: n.text, range: n.range)
        }
        var text = ""
        var first = true
        while first || touches(0) {
            if isSign("*") {
                text += "*"
            } else if token.kind == .identifier {
                if first, Keywords.contains(token.text), !isSign("*", ahead: 1) { throw keywordAsName() }
                text += token.text
            } else if case .long(let n) = token.kind, !first {
                text += String(n)
            } else {
                break
            }
            at += 1
            first = false
        }
        if text.isEmpty { throw fail("KS006", "Missing a column name") }
        return NamePattern(text: text, range: span(from: start))
    }

    mutating func scalarType() throws(Diagnostic) -> ScalarType {
        guard token.kind == .identifier, let type = ScalarType(name: token.text) else {
            throw fail("KS005", "Expected: a type")
        }
        at += 1
        return type
    }

    /// `(a: long, b: string)`, the opening parenthesis not yet taken.
    mutating func schema() throws(Diagnostic) -> [ColumnDeclaration] {
        try expectSign("(")
        var columns: [ColumnDeclaration] = []
        if takeSign(")") { return columns }
        repeat {
            if isSign(")") { break }
            if isSign("*") {
                // Any other columns.
                columns.append(ColumnDeclaration(name: Name("*", token.range), type: .dynamic))
                at += 1
                continue
            }
            columns.append(try columnDeclaration())
        } while takeSign(",")
        try expectSign(")")
        return columns
    }

    mutating func columnDeclaration() throws(Diagnostic) -> ColumnDeclaration {
        let n: Name
        if case .string(let s) = token.kind {
            n = Name(s, token.range)
            at += 1
        } else {
            n = try name()
        }
        try expectSign(":")
        return ColumnDeclaration(name: n, type: try scalarType())
    }

    // MARK: Statements

    mutating func statements(until close: String?) throws(Diagnostic) -> [Statement] {
        var out: [Statement] = []
        while true {
            while takeSign(";") {}
            if let close, isSign(close) { break }
            if token.kind == .end { break }
            out.append(try statement())
            if takeSign(";") { continue }
            if let close, isSign(close) { break }
            if token.kind == .end { break }
            if close == nil, endsTopLevel() { throw fail("KS198", "The incomplete fragment is unexpected.") }
            throw fail("KS005", "Expected: \(close ?? ";")" + habit())
        }
        if let close, token.kind == .end { throw fail("KS005", "Expected: \(close)") }
        return out
    }

    private func endsTopLevel() -> Bool { [")", "]", "}", ",", ":"].contains { isSign($0) } }

    mutating func statement() throws(Diagnostic) -> Statement {
        if isWord("let"), ahead(1).kind == .identifier || isSign("[", ahead: 1) {
            at += 1
            let n = try usedName()
            try expectSign("=")
            return .letValue(n, try letValue())
        }
        if isWord("set"), ahead(1).kind == .identifier {
            at += 1
            let n = try word("an option")
            let value: Expr? = takeSign("=") ? try optionValue() : nil
            return .set(n, value)
        }
        if isWord("declare"), ahead(1).kind == .identifier {
            at += 1
            if isWord("query_parameters") {
                at += 1
                return .queryParameters(try parameters())
            }
            at += 1
            return try other("declare \(tokens[at - 1].text)")
        }
        if isWord("alias"), isWord("database", ahead: 1) { return try other("alias database") }
        if isWord("restrict"), isWord("access", ahead: 1) { return try other("restrict access to") }
        return .expression(try pipe())
    }

    /// What an option is set to: a value, or a word, which may be a keyword elsewhere.
    private mutating func optionValue() throws(Diagnostic) -> Expr {
        guard token.kind == .identifier, isSign(";", ahead: 1) || ahead(1).kind == .end else { return try expression() }
        let isBool = ["true", "false"].contains(token.text)
        if isBool { return try expression() }
        let n = try word("a value")
        return Expr(.name(n.text), n.range)
    }

    /// A statement that the local engine does not do, by its keywords.
    private mutating func other(_ keywords: String) throws(Diagnostic) -> Statement {
        let start = token.range.lowerBound
        try skipStatement()
        return .other(Name(keywords, span(from: start)))
    }

    private mutating func skipStatement() throws(Diagnostic) {
        var level = 0
        while token.kind != .end {
            if level == 0, isSign(";") { return }
            if isSign("(") || isSign("{") || isSign("[") { level += 1 }
            if isSign(")") || isSign("}") || isSign("]") { level -= 1 }
            at += 1
        }
    }

    private mutating func letValue() throws(Diagnostic) -> Expr {
        let start = token.range.lowerBound
        if isWord("view"), isSign("(", ahead: 1), looksLikeLambda(from: 1) {
            at += 1
            return try lambda(from: start, isView: true)
        }
        if isSign("("), looksLikeLambda(from: 0) { return try lambda(from: start) }
        return try pipe()
    }

    /// Whether the parenthesis `n` tokens ahead closes right before a `{`.
    private func looksLikeLambda(from n: Int) -> Bool {
        var i = at + n
        var level = 0
        while i < tokens.count {
            if tokens[i].kind == .sign {
                switch tokens[i].text {
                case "(": level += 1
                case ")":
                    level -= 1
                    if level == 0 {
                        return i + 1 < tokens.count && tokens[i + 1].kind == .sign && tokens[i + 1].text == "{"
                    }
                case ";": return false
                default: break
                }
            }
            i += 1
        }
        return false
    }

    private mutating func lambda(from start: Int, isView: Bool = false) throws(Diagnostic) -> Expr {
        let parameters = try parameters()
        try expectSign("{")
        let body = try nested { (p) throws(Diagnostic) in try p.statements(until: "}") }
        try expectSign("}")
        let range = span(from: start)
        return Expr(
            .lambda(FunctionDeclaration(parameters: parameters, body: body, range: range, isView: isView)), range)
    }

    private mutating func parameters() throws(Diagnostic) -> [Parameter] {
        try expectSign("(")
        var out: [Parameter] = []
        if takeSign(")") { return out }
        repeat {
            let n = try name("a parameter")
            try expectSign(":")
            let kind: Parameter.Kind = isSign("(") ? .table(try schema()) : .scalar(try scalarType())
            let value: Expr? = takeSign("=") ? try expression() : nil
            out.append(Parameter(name: n, kind: kind, defaultValue: value))
        } while takeSign(",")
        try expectSign(")")
        return out
    }
}
