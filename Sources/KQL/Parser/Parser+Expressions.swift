import Tables

/// Operators between two operands that bind tighter than arithmetic.
private let stringOperators: Set<String> = [
    "has", "!has", "has_cs", "!has_cs", "hasprefix", "!hasprefix", "hasprefix_cs", "!hasprefix_cs", "hassuffix",
    "!hassuffix",
    "hassuffix_cs", "!hassuffix_cs", "contains", "!contains", "contains_cs", "!contains_cs", "notcontains",
    "containscs",
    "notcontainscs", "startswith", "!startswith", "startswith_cs", "!startswith_cs", "endswith", "!endswith",
    "endswith_cs",
    "!endswith_cs", "like", "notlike", "likecs", "notlikecs", "=~", "!~", ":",
]

/// Words that cannot stand where an operand is expected.
private let operatorWords: Set<String> = [
    "and", "or", "has", "has_any", "has_all", "has_cs", "in", "contains", "contains_cs", "between", "startswith",
    "endswith",
    "hasprefix", "hassuffix",
]

extension Parser {
    /// A scalar expression.
    mutating func expression() throws(Diagnostic) -> Expr {
        try nested { (p) throws(Diagnostic) in try p.disjunction() }
    }

    func joined(_ op: String, _ left: Expr, _ right: Expr, _ range: Range<Int>) -> Expr {
        Expr(.binary(op, left, right, operatorRange: range), left.range.lowerBound..<right.range.upperBound)
    }

    mutating func equality() throws(Diagnostic) -> Expr {
        let left = try relational()
        for op in ["==", "!=", "<>"] where isSign(op) {
            let range = token.range
            at += 1
            return joined(op == "<>" ? "!=" : op, left, try relational(), range)
        }
        if isWord("in") || isSign("!in"), case .string = ahead(1).kind {
            at += 1
            throw fail("KS005", "Expected: (" + habit())
        }
        if let op = listOperator() {
            try expectSign("(")
            var items: [Expr] = []
            if !isSign(")") {
                repeat {
                    items.append(try nested { (p) throws(Diagnostic) in try p.pipe() })
                } while takeSign(",")
            }
            try expectSign(")")
            return Expr(.list(op, left, items), span(from: left.range.lowerBound))
        }
        let negated = isSign("!between")
        if negated || isWord("between"), isSign("(", ahead: 1) {
            at += 2
            let low = try expression()
            try expectSign("..")
            let high = try expression()
            try expectSign(")")
            return Expr(.between(negated: negated, left, low, high), span(from: left.range.lowerBound))
        }
        return left
    }

    /// Takes `in`, `!in~`, `has_any` and the like.
    private mutating func listOperator() -> String? {
        guard token.kind == .identifier || token.kind == .sign else { return nil }
        var text = token.text
        guard ["in", "!in", "!in~", "has_any", "has_all", "!has_any", "!has_all"].contains(text) else { return nil }
        var count = 1
        if text == "in", isSign("~", ahead: 1), touches(1) {
            text = "in~"
            count = 2
        }
        guard isSign("(", ahead: count) else { return nil }
        at += count
        return text
    }

    private mutating func relational() throws(Diagnostic) -> Expr {
        let left = try additive()
        for op in ["<", ">", "<=", ">="] where isSign(op) {
            let range = token.range
            at += 1
            return joined(op, left, try additive(), range)
        }
        return left
    }

    private mutating func additive() throws(Diagnostic) -> Expr {
        var left = try multiplicative()
        var count = 0
        while isSign("+") || isSign("-") {
            try link(&count)
            let op = token
            at += 1
            left = joined(op.text, left, try multiplicative(), op.range)
        }
        return left
    }

    private mutating func multiplicative() throws(Diagnostic) -> Expr {
        var left = try stringOperation()
        var count = 0
        while isSign("*") || isSign("/") || isSign("%") {
            try link(&count)
            let op = token
            at += 1
            left = joined(op.text, left, try stringOperation(), op.range)
        }
        return left
    }

    private mutating func stringOperation() throws(Diagnostic) -> Expr {
        var left = try signed()
        var count = 0
        while true {
            let op = token
            if op.kind == .identifier, op.text == "matches", isWord("regex", ahead: 1) {
                try link(&count)
                at += 2
                left = joined(
                    "matches regex", left, try signed(), op.range.lowerBound..<tokens[at - 1].range.upperBound)
            } else if (op.kind == .identifier || op.kind == .sign), stringOperators.contains(op.text) {
                if op.text == ":" && !allowsColon { return left }
                try link(&count)
                at += 1
                left = joined(op.text, left, try signed(), op.range)
            } else {
                return left
            }
        }
    }

    /// `a : "b"` is a term search, but in a list of columns the colon belongs to the schema.
    private var allowsColon: Bool {
        switch ahead(1).kind {
        case .string, .identifier, .long: true
        default: false
        }
    }

    private mutating func signed() throws(Diagnostic) -> Expr {
        let start = token.range.lowerBound
        if isSign("-") || isSign("+") {
            let op = token.text
            at += 1
            let operand = try nested { (p) throws(Diagnostic) in try p.signed() }
            if op == "+" { return operand }
            if case .literal(let value, let type) = operand.kind {
                switch value {
                case .long(let n): return Expr(.literal(.long(0 &- n), type), start..<operand.range.upperBound)
                case .real(let d): return Expr(.literal(.real(-d), type), start..<operand.range.upperBound)
                case .timespan(let t): return Expr(.literal(.timespan(0 &- t), type), start..<operand.range.upperBound)
                default: break
                }
            }
            return Expr(.unary("-", operand), start..<operand.range.upperBound)
        }
        return try path()
    }

    private mutating func path() throws(Diagnostic) -> Expr {
        var left = try primary()
        var count = 0
        while true {
            if isSign("."), !isSign("..") {
                try link(&count)
                at += 1
                if isSign("["), case .string(let s) = ahead(1).kind, isSign("]", ahead: 2) {
                    let start = token.range.lowerBound
                    at += 3
                    let n = Name(s, span(from: start))
                    left = Expr(.member(left, n), left.range.lowerBound..<n.range.upperBound)
                    continue
                }
                if isSign("[") {
                    at += 1
                    let i = try expression()
                    try expectSign("]")
                    left = Expr(.index(left, i), span(from: left.range.lowerBound))
                    continue
                }
                let n = try memberName(isPlace: QualifiedName.places(left) != nil)
                if isSign("("), touches(0) {
                    let arguments = try arguments()
                    left = Expr(.memberCall(left, n, arguments), span(from: left.range.lowerBound))
                } else {
                    left = Expr(.member(left, n), span(from: left.range.lowerBound))
                }
            } else if isSign("["), canIndex(left) {
                try link(&count)
                at += 1
                let i = try expression()
                try expectSign("]")
                left = Expr(.index(left, i), span(from: left.range.lowerBound))
            } else {
                return left
            }
        }
    }

    private func canIndex(_ e: Expr) -> Bool {
        switch e.kind {
        case .name, .call, .member, .index, .memberCall, .toScalar, .tuple, .binary, .literal(_, .dynamic): true
        default: false
        }
    }

    /// `T*` after a place, as in `database('x').T*`; nil when it is no pattern.
    private mutating func wildcardMember() throws(Diagnostic) -> Name? {
        let saved = at
        let pattern = try namePattern()
        if pattern.isWildcard { return Name(pattern.text, pattern.range) }
        at = saved
        return nil
    }

    private mutating func memberName(isPlace: Bool) throws(Diagnostic) -> Name {
        if isPlace, token.kind == .identifier || isSign("*"), let pattern = try wildcardMember() { return pattern }
        return try usedName()
    }

    /// `(a, name = b, *)`.
    mutating func arguments() throws(Diagnostic) -> [CallArgument] {
        try expectSign("(")
        var out: [CallArgument] = []
        if takeSign(")") { return out }
        repeat {
            out.append(try argument())
        } while takeSign(",")
        try expectSign(")")
        return out
    }

    private mutating func argument() throws(Diagnostic) -> CallArgument {
        if isSign("*"), isSign(",", ahead: 1) || isSign(")", ahead: 1) {
            let range = token.range
            at += 1
            return CallArgument(name: nil, value: Expr(.star, range))
        }
        if token.kind == .identifier, isSign("=", ahead: 1) {
            let n = try name()
            at += 1
            return CallArgument(name: n, value: try nested { (p) throws(Diagnostic) in try p.pipe() })
        }
        return CallArgument(name: nil, value: try nested { (p) throws(Diagnostic) in try p.pipe() })
    }

    private mutating func primary() throws(Diagnostic) -> Expr {
        let t = token
        let start = t.range.lowerBound
        switch t.kind {
        case .long(let n):
            at += 1
            return Expr(.literal(.long(n), .long), t.range)
        case .real(let d):
            at += 1
            return Expr(.literal(.real(d), .real), t.range)
        case .timespan(let n):
            at += 1
            return Expr(.literal(.timespan(n), .timespan), t.range)
        case .string:
            return stringLiteral()
        case .typed(let type, let raw):
            at += 1
            guard let value = Parser.readable(type, raw) else { return Expr(.unreadable(type, raw), t.range) }
            return Expr(.literal(value, type), t.range)
        case .identifier:
            return try word()
        case .sign:
            if t.text == "(" {
                at += 1
                let inner = try nested { (p) throws(Diagnostic) in try p.pipe() }
                try expectSign(")")
                return Expr(.tuple([inner]), span(from: start))
            }
            if t.text == "*" {
                at += 1
                return Expr(.star, t.range)
            }
            if t.text == "[", let n = optionalName() { return Expr(.name(n.text), n.range) }
            if t.text == "{", let n = try workbookParameter() { return Expr(.name(n.text), n.range) }
            throw fail("KS006", "Missing expression")
        case .end:
            throw fail("KS006", "Missing expression")
        }
    }

    /// `{Name}` or `{Name:format}`, which a workbook fills in; nil when it is none.
    private mutating func workbookParameter() throws(Diagnostic) -> Name? {
        let start = token.range.lowerBound
        let hasFormat = isSign(":", ahead: 2) && ahead(3).kind == .identifier
        guard ahead(1).kind == .identifier, isSign("}", ahead: hasFormat ? 4 : 2) else { return nil }
        let text = "{" + ahead(1).text + (hasFormat ? ":" + ahead(3).text : "") + "}"
        at += hasFormat ? 5 : 3
        return Name(text, span(from: start))
    }

    /// One string, or several written one after another, which are joined.
    private mutating func stringLiteral() -> Expr {
        let start = token.range.lowerBound
        var text = ""
        while case .string(let s) = token.kind {
            text += s
            at += 1
        }
        return Expr(.literal(.string(text), .string), span(from: start))
    }

    private mutating func word() throws(Diagnostic) -> Expr {
        let t = token
        let start = t.range.lowerBound
        switch t.text {
        case "true", "false", "True", "False", "TRUE", "FALSE":
            if !isSign("(", ahead: 1) {
                at += 1
                return Expr(.literal(.bool(t.text.lowercased() == "true"), .bool), t.range)
            }
        case "null" where !isSign("(", ahead: 1):
            break
        case "dynamic" where isSign("(", ahead: 1):
            at += 2
            let value = try dynamicValue()
            try expectSign(")")
            return Expr(.literal(value, .dynamic), span(from: start))
        case "typeof" where isSign("(", ahead: 1):
            at += 1
            if ahead(1).kind == .identifier, ScalarType(name: ahead(1).text) != nil, isSign(")", ahead: 2) {
                at += 1
                let type = try scalarType()
                try expectSign(")")
                let column = ColumnDeclaration(name: Name("", t.range), type: type)
                return Expr(.typeLiteral([column]), span(from: start))
            }
            return Expr(.typeLiteral(try schema()), span(from: start))
        case "datatable" where isSign("(", ahead: 1):
            at += 1
            return try datatable(from: start)
        case "externaldata" where isSign("(", ahead: 1), "external_data" where isSign("(", ahead: 1):
            at += 1
            return try externaldata(from: start)
        case "toscalar" where isSign("(", ahead: 1), "totable" where isSign("(", ahead: 1):
            at += 1
            if isWord("kind"), isSign("=", ahead: 1) {
                at += 2
                _ = try name()
            }
            try expectSign("(")
            let inner = try nested { (p) throws(Diagnostic) in try p.pipe() }
            try expectSign(")")
            if t.text == "totable" { return Expr(.tuple([inner]), span(from: start)) }
            return Expr(.toScalar(inner), span(from: start))
        case "string" where isSign("(", ahead: 1):
            break
        default: break
        }
        if Keywords.contains(t.text), !operatorWords.contains(t.text), !isSign("(", ahead: 1) { throw keywordAsName() }
        if operatorWords.contains(t.text) {
            throw fail("KS006", "Missing expression: the keyword '\(t.text)' as a name is written ['\(t.text)']")
        }
        at += 1
        let n = Name(t.text, t.range)
        if isSign("(") {
            if n.text == "materialize" || n.text == "view" {
                try expectSign("(")
                let inner = try nested { (p) throws(Diagnostic) in try p.pipe() }
                try expectSign(")")
                return Expr(.call(n, [CallArgument(name: nil, value: inner)]), span(from: start))
            }
            let arguments = try arguments()
            return Expr(.call(n, arguments), span(from: start))
        }
        return Expr(.name(n.text), n.range)
    }
}
