import Tables

extension Parser {
    /// An expression followed by any number of `| operator`.
    mutating func pipe() throws(Diagnostic) -> Expr {
        try nested { (p) throws(Diagnostic) in try p.pipeContent() }
    }

    private mutating func pipeContent() throws(Diagnostic) -> Expr {
        let start = token.range.lowerBound
        var source: Expr?
        var operators: [Operator] = []
        if let first = try leadingOperator() {
            operators.append(first)
        } else {
            source = try expression()
        }
        var count = 0
        while takeSign("|") {
            try link(&count)
            operators.append(try tabularOperator())
        }
        if let source, operators.isEmpty { return source }
        return Expr(.pipe(source, operators), span(from: start))
    }

    /// The operators after `(`, as in `mv-apply … on ( … )`: they may start without a `|`.
    mutating func subpipe() throws(Diagnostic) -> [Operator] {
        try expectSign("(")
        var out: [Operator] = []
        _ = takeSign("|")
        var count = 0
        repeat {
            try link(&count)
            out.append(try nested { (p) throws(Diagnostic) in try p.tabularOperator() })
        } while takeSign("|")
        try expectSign(")")
        return out
    }

    /// An operator that can start a query.
    private mutating func leadingOperator() throws(Diagnostic) -> Operator? {
        guard token.kind == .identifier else { return nil }
        let next = ahead(1)
        let startsOperand =
            next.kind != .end
            && !(next.kind == .sign && next.text != "(" && next.text != "*" && next.text != "[" && next.text != "-")
        switch token.text {
        case "union", "print", "search", "find", "evaluate":
            guard startsOperand else { return nil }
            if isSign("-", ahead: 1), token.text != "print" { return nil }
            return try tabularOperator()
        case "range":
            let isBracketed = isSign("[", ahead: 1) && isSign("]", ahead: 3) && isWord("from", ahead: 4)
            guard isBracketed || next.kind == .identifier && isWord("from", ahead: 2) else { return nil }
            return try tabularOperator()
        default: return nil
        }
    }

    mutating func tabularOperator() throws(Diagnostic) -> Operator {
        let start = token.range.lowerBound
        let saved = at
        guard let keyword = dashedName() else { throw fail("KS176", "Query operator expected.") }
        guard let kind = try operatorKind(keyword) else {
            at = saved
            throw Diagnostic(
                "KS176", "Query operator expected.", keyword.range,
                suggestion: NearMiss.find(keyword.text, in: Parser.operatorNames))
        }
        return Operator(kind: kind, range: span(from: start), keyword: keyword)
    }

    package static let operatorNames = [
        "where", "filter", "extend", "project", "project-away", "project-keep", "project-by-names", "project-rename",
        "project-reorder", "summarize",
        "distinct", "sort", "order", "top", "top-nested", "top-hitters", "take", "limit", "sample", "sample-distinct",
        "count",
        "join", "lookup", "union", "mv-expand", "mvexpand", "mv-apply", "mvapply", "parse", "parse-where", "parse-kv",
        "make-series", "render", "serialize", "evaluate", "invoke", "as", "getschema", "consume", "search", "find",
        "print",
        "range", "fork", "facet", "partition", "scan", "reduce", "make-graph", "graph-match", "graph-to-table",
        "graph-mark-components", "graph-shortest-paths",
        "assert-schema",
    ]

    private mutating func operatorKind(_ keyword: Name) throws(Diagnostic) -> Operator.Kind? {
        switch keyword.text {
        case "where", "filter":
            _ = try hints()
            return .filter(try namedExpr())
        case "extend": return .extend(try namedList())
        case "project":
            return .project(startsNamedExpr ? try namedList() : [])
        case "project-away": return .projectAway(try patterns())
        case "project-keep": return .projectKeep(try patterns())
        case "project-by-names":
            var items: [Expr] = []
            repeat { items.append(try expression()) } while takeSign(",")
            return .projectByNames(items)
        case "project-rename": return .projectRename(try namedList())
        case "project-reorder": return .projectReorder(try reorderings())
        case "summarize": return try summarize()
        case "distinct":
            _ = try hints()
            return .distinct(try namedList())
        case "sort", "order":
            _ = try hints()
            try expectWord("by")
            return .sort(try orderings())
        case "top":
            _ = try hints()
            let count = try expression()
            try expectWord("by")
            _ = try hints()
            let key = try ordering()
            if isSign(",") {
                throw fail("KS198", "'top' takes one key; with several: sort by A, B | take N")
            }
            return .top(count, key)
        case "top-nested": return try topNested()
        case "top-hitters":
            let count = try expression()
            try expectWord("of")
            let of = try namedExpr()
            return .topHitters(count, of: of, by: takeWord("by") ? try namedExpr() : nil)
        case "take", "limit": return .take(try expression())
        case "sample": return .sample(try expression())
        case "sample-distinct":
            let count = try expression()
            try expectWord("of")
            return .sampleDistinct(count, of: try namedExpr())
        case "count": return .count(takeWord("as") ? try name() : nil)
        case "join": return .join(try joinSyntax())
        case "lookup": return .lookup(try joinSyntax())
        case "union": return try union()
        case "mv-expand", "mvexpand": return try mvExpand(isLegacy: keyword.text == "mvexpand")
        case "mv-apply", "mvapply": return try mvApply()
        case "parse": return .parse(try parseSyntax(filters: false))
        case "parse-where": return .parse(try parseSyntax(filters: true))
        case "parse-kv":
            let e = try expression()
            try expectWord("as")
            let columns = try schema()
            return .parseKV(e, columns, try withProperties())
        case "make-series": return .makeSeries(try makeSeries())
        case "render":
            let kind = try word("a chart kind")
            var properties = try withProperties()
            if takeWord("by") {
                var columns: [Expr] = []
                repeat { columns.append(try expression()) } while takeSign(",")
                properties.append(
                    Property(name: Name("by", token.range), value: Expr(.tuple(columns), token.range)))
                properties += try withProperties()
            }
            while token.kind == .identifier, isSign("=", ahead: 1) {
                let n = try word("a property")
                at += 1
                properties.append(Property(name: n, value: try expression()))
            }
            return .render(kind, properties)
        case "serialize": return .serialize(startsNamedExpr ? try namedList() : [])
        case "evaluate":
            _ = try hints()
            let call = try expression()
            return .evaluate(call, takeSign(":") ? try schema() : nil)
        case "invoke": return .invoke(try expression())
        case "as":
            _ = try hints()
            return .alias(try usedName())
        case "getschema": return .getschema
        case "consume":
            _ = try hints()
            return .consume
        case "search": return try search()
        case "find": return try find()
        case "print": return .print(startsNamedExpr ? try namedList() : [])
        case "range":
            let n = try name()
            try expectWord("from")
            let from = try expression()
            try expectWord("to")
            let to = try expression()
            try expectWord("step")
            return .range(n, from, to, try expression())
        case "fork": return try fork()
        case "facet": return try facet()
        case "partition": return try partition()
        case "scan": return try scan()
        case "reduce":
            let kind = try parameters(of: ["kind"])
            try expectWord("by")
            let e = try expression()
            return .reduce(
                by: e,
                kind + (isSign("(", ahead: 1) ? try withProperties() : takeWord("with") ? try bareProperties() : []))
        case "make-graph": return try makeGraph()
        case "graph-match": return try graphMatch()
        case "graph-to-table": return try graphToTable()
        case "graph-mark-components": return .graphMarkComponents(try parameters(of: ["kind", "with_component_id"]))
        case "graph-shortest-paths": return try graphShortestPaths()
        case "assert-schema": return .assertSchema(try schema())
        default: return nil
        }
    }

    // MARK: Shared pieces

    /// Whether what comes could start an expression.
    private var startsNamedExpr: Bool {
        switch token.kind {
        case .end: false
        case .sign: ["(", "[", "*", "-", "+"].contains(token.text)
        default: true
        }
    }

    /// `name = value` pairs before the operands, of the given names or `hint.…`.
    mutating func parameters(of names: Set<String>) throws(Diagnostic) -> [Property] {
        var out: [Property] = []
        while token.kind == .identifier {
            if token.text == "hint", isSign(".", ahead: 1), ahead(2).kind == .identifier, isSign("=", ahead: 3) {
                let start = token.range.lowerBound
                let n = Name("hint." + ahead(2).text, start..<ahead(2).range.upperBound)
                at += 4
                out.append(Property(name: n, value: try parameterValue()))
            } else if names.contains(token.text), isSign("=", ahead: 1) {
                let n = try word("a property")
                at += 1
                out.append(Property(name: n, value: try parameterValue()))
            } else {
                break
            }
        }
        return out
    }

    private mutating func parameterValue() throws(Diagnostic) -> Expr {
        if isSign("(") { return try expression() }
        if token.kind == .identifier, let n = dashedName() { return Expr(.name(n.text), n.range) }
        if case .long = token.kind { return try literalOnly() }
        if case .string = token.kind { return try literalOnly() }
        if case .typed = token.kind { return try literalOnly() }
        throw fail("KS006", "Missing a value")
    }

    private mutating func literalOnly() throws(Diagnostic) -> Expr {
        let t = token
        at += 1
        switch t.kind {
        case .long(let n): return Expr(.literal(.long(n), .long), t.range)
        case .string(let s): return Expr(.literal(.string(s), .string), t.range)
        case .typed(let type, let raw): return Expr(.literal(try literalValue(type, raw, t.range), type), t.range)
        default: throw Diagnostic("KS006", "Missing a value", t.range)
        }
    }

    /// `name = value` pairs without parentheses around them.
    private mutating func bareProperties() throws(Diagnostic) -> [Property] {
        var out: [Property] = []
        while token.kind == .identifier, isSign("=", ahead: 1) {
            let n = try word("a property")
            at += 1
            out.append(Property(name: n, value: try expression()))
            _ = takeSign(",")
        }
        return out
    }

    mutating func hints() throws(Diagnostic) -> [Property] { try parameters(of: []) }

    mutating func namedExpr() throws(Diagnostic) -> NamedExpr {
        if isSign("("), let names = try tupleNames() { return NamedExpr(names: names, expr: try expression()) }
        if token.kind == .identifier, isSign("=", ahead: 1) {
            let n = try name()
            at += 1
            return NamedExpr(names: [n], expr: try expression())
        }
        if isSign("["), case .string = ahead(1).kind, isSign("]", ahead: 2), isSign("=", ahead: 3) {
            let n = try name()
            at += 1
            return NamedExpr(names: [n], expr: try expression())
        }
        if case .string(let s) = token.kind, isSign("=", ahead: 1) {
            let n = Name(s, token.range)
            at += 2
            return NamedExpr(names: [n], expr: try expression())
        }
        return NamedExpr(names: [], expr: try expression())
    }

    /// `(a, b) =` when it stands here; otherwise takes nothing.
    private mutating func tupleNames() throws(Diagnostic) -> [Name]? {
        let saved = at
        at += 1
        var names: [Name] = []
        while let n = optionalName() {
            names.append(n)
            if !takeSign(",") { break }
        }
        if !names.isEmpty, takeSign(")"), takeSign("=") { return names }
        at = saved
        return nil
    }

    mutating func namedList() throws(Diagnostic) -> [NamedExpr] {
        var out: [NamedExpr] = []
        repeat { out.append(try namedExpr()) } while takeSign(",")
        return out
    }

    private mutating func patterns() throws(Diagnostic) -> [NamePattern] {
        var out: [NamePattern] = []
        repeat { out.append(try namePattern()) } while takeSign(",")
        return out
    }

    private mutating func reorderings() throws(Diagnostic) -> [Reordering] {
        var out: [Reordering] = []
        repeat {
            let p = try namePattern()
            var order: Bool?
            let isGranny = isWord("granny") && isSign("-", ahead: 1)
            if isGranny { at += 2 }
            if takeWord("asc") { order = true } else if takeWord("desc") { order = false }
            out.append(Reordering(pattern: p, isAscending: order, byNumbers: isGranny))
        } while takeSign(",")
        return out
    }

    mutating func orderings() throws(Diagnostic) -> [OrderBy] {
        var out: [OrderBy] = []
        repeat { out.append(try ordering()) } while takeSign(",")
        return out
    }

    private mutating func ordering() throws(Diagnostic) -> OrderBy {
        let e = try namedExpr()
        var ascending: Bool?
        if takeWord("asc") { ascending = true } else if takeWord("desc") { ascending = false }
        return OrderBy(expr: e, isAscending: ascending, nullsFirst: try nullsFirst())
    }

    /// `nulls first` or `nulls last`, when it is there.
    mutating func nullsFirst() throws(Diagnostic) -> Bool? {
        guard takeWord("nulls") else { return nil }
        if takeWord("first") { return true }
        try expectWord("last")
        return false
    }

    private mutating func summarize() throws(Diagnostic) -> Operator.Kind {
        _ = try hints()
        var aggregates: [NamedExpr] = []
        if !isWord("by"), startsNamedExpr { aggregates = try namedList() }
        var keys: [NamedExpr] = []
        if takeWord("by") {
            _ = try hints()
            keys = try namedList()
        }
        if aggregates.isEmpty, keys.isEmpty { throw fail("KS006", "Missing expression") }
        return .summarize(aggregates, by: keys)
    }
}
