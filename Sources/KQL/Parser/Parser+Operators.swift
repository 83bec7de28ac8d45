import Tables

extension Parser {
    mutating func joinSyntax() throws(Diagnostic) -> JoinSyntax {
        let properties = try parameters(of: ["kind", "withsource"])
        let right = try joinSource()
        var conditions: [Expr] = []
        if takeWord("on") {
            repeat { conditions.append(try expression()) } while takeSign(",")
        } else if takeWord("where") {
            conditions.append(try expression())
        } else {
            throw fail("KS005", "Expected: on")
        }
        return JoinSyntax(properties: properties, right: right, on: conditions)
    }

    private mutating func joinSource() throws(Diagnostic) -> Expr {
        try nested { (p) throws(Diagnostic) in try p.unionOperand().expr }
    }

    /// A table, a function call, a wildcard name or a query in parentheses.
    mutating func unionOperand() throws(Diagnostic) -> UnionSource {
        let start = token.range.lowerBound
        if token.kind == .identifier || isSign("*") {
            let saved = at
            let pattern = try namePattern()
            if pattern.isWildcard {
                return UnionSource(expr: Expr(.name(pattern.text), pattern.range), pattern: pattern.text)
            }
            at = saved
        }
        let e = try expression()
        if case .member(_, let n) = e.kind, n.text.utf8.contains(42) { return UnionSource(expr: e, pattern: n.text) }
        switch e.kind {
        case .name, .call, .memberCall, .member, .tuple, .datatable, .externaldata: break
        default: throw Diagnostic("KS005", "Expected: a table or a query in parentheses", start..<e.range.upperBound)
        }
        return UnionSource(expr: e, pattern: nil)
    }

    mutating func union() throws(Diagnostic) -> Operator.Kind {
        let properties = try parameters(of: ["kind", "withsource", "isfuzzy"])
        var sources: [UnionSource] = []
        repeat { sources.append(try unionOperand()) } while takeSign(",")
        return .union(properties, sources)
    }

    private mutating func expansions() throws(Diagnostic) -> [MvExpandColumn] {
        var out: [MvExpandColumn] = []
        repeat {
            let named = try namedExpr()
            var type: ScalarType?
            if isWord("to"), isWord("typeof", ahead: 1) {
                at += 2
                try expectSign("(")
                type = try scalarType()
                try expectSign(")")
            }
            out.append(MvExpandColumn(name: named.names.first, expr: named.expr, type: type))
        } while takeSign(",")
        return out
    }

    /// Rows that the legacy spelling `mvexpand` makes of one at most
    /// (https://learn.microsoft.com/kusto/query/mv-expand-operator#parameters).
    private static let legacyLimit: Int64 = 128

    mutating func mvExpand(isLegacy: Bool) throws(Diagnostic) -> Operator.Kind {
        let properties = try parameters(of: ["kind", "bagexpansion", "with_itemindex"])
        let columns = try expansions()
        var limit: Expr? = takeWord("limit") ? try expression() : nil
        if limit == nil, isLegacy { limit = Expr(.literal(.long(Parser.legacyLimit), .long), token.range) }
        return .mvExpand(columns, properties: properties, limit: limit)
    }

    mutating func mvApply() throws(Diagnostic) -> Operator.Kind {
        let properties = try parameters(of: ["kind", "bagexpansion", "with_itemindex"])
        let columns = try expansions()
        let limit: Expr? = takeWord("limit") ? try expression() : nil
        if isWord("id") {
            at += 1
            _ = try expression()
        }
        try expectWord("on")
        return .mvApply(columns, properties: properties, limit: limit, subquery: try subpipe())
    }

    mutating func parseSyntax(filters: Bool) throws(Diagnostic) -> ParseSyntax {
        var kind = "simple"
        var flags = ""
        for property in try parameters(of: ["kind", "flags"]) {
            let text: String
            switch property.value.kind {
            case .name(let n): text = n
            case .literal(let v, _): text = v.text
            default: text = ""
            }
            if property.name.text == "kind" { kind = text } else if property.name.text == "flags" { flags = text }
        }
        let source = try expression()
        try expectWord("with")
        var parts: [ParseSyntax.Part] = []
        while true {
            if takeSign("*") {
                parts.append(.star)
            } else if case .string(let s) = token.kind {
                at += 1
                parts.append(.text(s))
            } else if token.kind == .identifier || isSign("[") {
                let n = try name()
                let type: ScalarType = takeSign(":") ? try scalarType() : .string
                parts.append(.column(n, type))
            } else {
                break
            }
        }
        if parts.isEmpty { throw fail("KS006", "Missing a pattern") }
        return ParseSyntax(kind: kind, flags: flags, expr: source, parts: parts, filters: filters)
    }

    mutating func makeSeries() throws(Diagnostic) -> MakeSeriesSyntax {
        let properties = try parameters(of: ["kind"])
        var aggregates: [MakeSeriesSyntax.Aggregate] = []
        repeat {
            let e = try namedExpr()
            var value: Expr?
            if takeWord("default") {
                try expectSign("=")
                value = try expression()
            }
            aggregates.append(.init(expr: e, defaultValue: value))
        } while takeSign(",")
        try expectWord("on")
        let on = try namedExpr()
        var from: Expr?
        var to: Expr?
        var step: Expr?
        let isStopIncluded = isWord("in")
        if takeWord("in") {
            try expectWord("range")
            try expectSign("(")
            from = try expression()
            try expectSign(",")
            to = try expression()
            try expectSign(",")
            step = try expression()
            try expectSign(")")
        } else {
            if takeWord("from") { from = try expression() }
            if takeWord("to") { to = try expression() }
            try expectWord("step")
            step = try expression()
        }
        var by: [NamedExpr] = []
        if takeWord("by") { by = try namedList() }
        guard let step else { throw fail("KS005", "Expected: step") }
        return MakeSeriesSyntax(
            properties: properties, aggregates: aggregates, on: on, from: from, to: to, step: step,
            isStopIncluded: isStopIncluded, by: by)
    }

    mutating func topNested() throws(Diagnostic) -> Operator.Kind {
        var clauses: [TopNestedClause] = []
        repeat {
            if !clauses.isEmpty { try expectWordPair("top", "nested") }
            let count: Expr? = isWord("of") ? nil : try expression()
            try expectWord("of")
            let of = try namedExpr()
            var others: Expr?
            if takeWord("with") {
                try expectWord("others")
                try expectSign("=")
                others = try expression()
            }
            try expectWord("by")
            let by = try namedExpr()
            var ascending: Bool?
            if takeWord("asc") { ascending = true } else if takeWord("desc") { ascending = false }
            clauses.append(
                TopNestedClause(
                    count: count, of: of, others: others, by: by, isAscending: ascending,
                    nullsFirst: try nullsFirst()))
        } while takeSign(",")
        return .topNested(clauses)
    }

    private mutating func expectWordPair(_ a: String, _ b: String) throws(Diagnostic) {
        try expectWord(a)
        try expectSign("-")
        try expectWord(b)
    }

    mutating func search() throws(Diagnostic) -> Operator.Kind {
        let properties = try parameters(of: ["kind"])
        let sources = try inSources()
        return .search(properties, sources: sources, try expression())
    }

    private mutating func inSources() throws(Diagnostic) -> [UnionSource] {
        var sources: [UnionSource] = []
        if isWord("in"), isSign("(", ahead: 1) {
            at += 2
            repeat { sources.append(try unionOperand()) } while takeSign(",")
            try expectSign(")")
        }
        return sources
    }

    mutating func find() throws(Diagnostic) -> Operator.Kind {
        let properties = try parameters(of: ["withsource", "datascope"])
        let sources = try inSources()
        let more = try parameters(of: ["withsource", "datascope"])
        let condition: Expr
        if takeWord("where") {
            condition = try expression()
        } else {
            condition = try expression()
        }
        var columns: [FindColumn]?
        if takeWord("project") {
            var list: [FindColumn] = []
            repeat {
                if isWord("pack"), isSign("(", ahead: 1) {
                    at += 1
                    _ = try arguments()
                    list.append(FindColumn(name: Name("pack_", token.range), type: .dynamic))
                    continue
                }
                let n = try name()
                list.append(FindColumn(name: n, type: takeSign(":") ? try scalarType() : nil))
            } while takeSign(",")
            columns = list
        } else if isWord("project-smart") || (isWord("project") && isSign("-", ahead: 1)) {
            _ = dashedName()
        }
        return .find(properties + more, sources: sources, condition, project: columns)
    }

    mutating func fork() throws(Diagnostic) -> Operator.Kind {
        var branches: [(Name?, [Operator])] = []
        while isSign("(") || (token.kind == .identifier && isSign("=", ahead: 1)) {
            var label: Name?
            if token.kind == .identifier {
                label = try name()
                at += 1
            }
            branches.append((label, try subpipe()))
        }
        if branches.isEmpty { throw fail("KS005", "Expected: (") }
        return .fork(branches)
    }

    mutating func facet() throws(Diagnostic) -> Operator.Kind {
        try expectWord("by")
        var columns: [Expr] = []
        repeat { columns.append(try expression()) } while takeSign(",")
        var sub: [Operator]?
        if takeWord("with") {
            if isSign("(") {
                sub = try subpipe()
            } else {
                sub = [try tabularOperator()]
            }
        }
        return .facet(by: columns, with: sub)
    }

    mutating func partition() throws(Diagnostic) -> Operator.Kind {
        let properties = try hints()
        try expectWord("by")
        // A column's name: `x (` must not be taken for a call.
        let column = try name()
        let by = Expr(.name(column.text), column.range)
        if isSign("{") {
            at += 1
            var source: [Operator] = []
            repeat { source.append(try tabularOperator()) } while takeSign("|")
            try expectSign("}")
            return .partition(properties, by: by, subquery: source)
        }
        return .partition(properties, by: by, subquery: try subpipe())
    }

    mutating func scan() throws(Diagnostic) -> Operator.Kind {
        var matchID: Name?
        for property in try parameters(of: ["with_match_id"]) where property.name.text == "with_match_id" {
            if case .name(let n) = property.value.kind { matchID = Name(n, property.value.range) }
        }
        var order: [OrderBy] = []
        var partitions: [Expr] = []
        if takeWord("partition") {
            try expectWord("by")
            repeat { partitions.append(try expression()) } while takeSign(",")
        }
        if takeWord("order") || takeWord("sort") {
            try expectWord("by")
            order = try orderings()
        }
        var declarations: [(ColumnDeclaration, Expr?)] = []
        if takeWord("declare") {
            try expectSign("(")
            repeat {
                let column = try columnDeclaration()
                declarations.append((column, takeSign("=") ? try expression() : nil))
            } while takeSign(",")
            try expectSign(")")
        }
        try expectWord("with")
        try expectSign("(")
        var steps: [ScanSyntax.Step] = []
        while takeWord("step") {
            let n = try name()
            let isOptional = takeWord("optional")
            var output: String?
            if takeWord("output") {
                try expectSign("=")
                output = try word("all, last or none").text
            }
            try expectSign(":")
            let condition = try expression()
            var assignments: [NamedExpr] = []
            if takeSign("=>") { assignments = try namedList() }
            steps.append(
                .init(name: n, isOptional: isOptional, output: output, condition: condition, assignments: assignments))
            if !takeSign(";") { break }
        }
        try expectSign(")")
        if steps.isEmpty { throw fail("KS005", "Expected: step") }
        return .scan(
            ScanSyntax(
                matchID: matchID, declarations: declarations, orderBy: order, partitionBy: partitions, steps: steps))
    }
}
