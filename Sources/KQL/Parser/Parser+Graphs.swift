import Tables

/// The operators over graphs.
extension Parser {
    mutating func makeGraph() throws(Diagnostic) -> Operator.Kind {
        _ = try hints()
        let source = try name()
        guard takeSign("-"), takeSign("-"), takeSign(">") || takeSign("->") else {
            throw fail("KS005", "Expected: -->")
        }
        let target = try name()
        var nodes: [(table: Expr, key: Name)] = []
        var nodeID: Name?
        if takeWord("with") {
            repeat {
                if isWord("with_node_id") || isWord("node_id") {
                    break
                }
                let table = try unionOperand().expr
                try expectWord("on")
                nodes.append((table, try name()))
            } while takeSign(",")
        }
        if takeWord("with_node_id") {
            try expectSign("=")
            nodeID = try name()
        }
        var partition: (column: Name, subquery: [Operator])?
        if isWord("partitioned"), isSign("-", ahead: 1) {
            at += 2
            try expectWord("by")
            partition = (try name(), try subpipe())
        }
        return .makeGraph(
            MakeGraphSyntax(source: source, target: target, nodes: nodes, nodeID: nodeID, partition: partition))
    }

    mutating func graphMatch() throws(Diagnostic) -> Operator.Kind {
        .graphMatch(try graphSearch(["cycles"]))
    }

    mutating func graphShortestPaths() throws(Diagnostic) -> Operator.Kind {
        .graphShortestPaths(try graphSearch(["output"]))
    }

    mutating func graphToTable() throws(Diagnostic) -> Operator.Kind {
        var tables: [GraphTableSyntax] = []
        repeat {
            let isNodes = isWord("nodes")
            guard takeWord("nodes") || takeWord("edges") else { throw fail("KS005", "Expected: nodes or edges") }
            let ids: Set<String> = ["with_node_id", "with_source_id", "with_target_id"]
            var identifiers = try parameters(of: ids)
            var label: Name?
            if takeWord("as") { label = try name() }
            identifiers += try parameters(of: ids)
            tables.append(GraphTableSyntax(isNodes: isNodes, name: label, identifiers: identifiers))
        } while takeSign(",")
        return .graphToTable(tables)
    }

    private mutating func graphSearch(_ names: Set<String>) throws(Diagnostic) -> GraphMatchSyntax {
        let properties = try parameters(of: names)
        var patterns: [GraphMatchSyntax.Pattern] = []
        repeat { patterns.append(try graphPattern()) } while takeSign(",")
        let condition: Expr? = takeWord("where") ? try expression() : nil
        var columns: [NamedExpr] = []
        if takeWord("project") { columns = try namedList() } else { throw fail("KS005", "Expected: project") }
        return GraphMatchSyntax(properties: properties, patterns: patterns, condition: condition, project: columns)
    }

    private mutating func graphPattern() throws(Diagnostic) -> GraphMatchSyntax.Pattern {
        var nodes: [Name?] = [try graphNode()]
        var edges: [GraphMatchSyntax.Edge] = []
        while isSign("-") || isSign("<") {
            let backward = takeSign("<")
            try expectSign("-")
            var label: Name?
            var hops: ClosedRange<Int>?
            if takeSign("[") {
                label = optionalName()
                if takeSign("*") {
                    let low = try smallNumber()
                    try expectSign("..")
                    let high = try smallNumber()
                    guard low <= high else { throw fail("KS005", "Expected: a rising range of hops") }
                    hops = low...high
                }
                try expectSign("]")
            }
            try expectSign("-")
            let forward = takeSign(">")
            edges.append(.init(name: label, direction: backward ? .backward : forward ? .forward : .any, range: hops))
            nodes.append(try graphNode())
        }
        return .init(nodes: nodes, edges: edges)
    }

    private mutating func smallNumber() throws(Diagnostic) -> Int {
        guard case .long(let n) = token.kind, (0...1000).contains(n) else { throw fail("KS005", "Expected: a number") }
        at += 1
        return Int(n)
    }

    private mutating func graphNode() throws(Diagnostic) -> Name? {
        try expectSign("(")
        let n = optionalName()
        try expectSign(")")
        return n
    }
}
