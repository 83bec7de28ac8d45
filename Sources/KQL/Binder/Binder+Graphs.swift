import Tables

/// The variables of the pattern that a condition or a projection is about, and the lambdas they ask for.
final class GraphScope {
    let graph: GraphPlan
    let kinds: [String: GraphVariableKind]
    /// The column of the first lambda's values.
    let firstLambda: Int
    var lambdas: [GraphLambda] = []
    /// Inside a lambda: whether its elements are inner nodes.
    let elementIsNode: Bool?

    init(_ graph: GraphPlan, _ kinds: [String: GraphVariableKind], firstLambda: Int, elementIsNode: Bool? = nil) {
        self.graph = graph
        self.kinds = kinds
        self.firstLambda = firstLambda
        self.elementIsNode = elementIsNode
    }
}

extension Binder {
    static func givesGraph(_ op: Operator) -> Bool {
        switch op.kind {
        case .makeGraph(let syntax): syntax.partition == nil
        case .graphMarkComponents: true
        default: false
        }
    }

    func isGraph(_ source: Expr, _ operators: [Operator], _ environment: Environment) -> Bool {
        if operators.contains(where: { if case .makeGraph = $0.kind { true } else { false } }) { return true }
        if case .name(let n) = source.kind, case .graph? = environment[n] { return true }
        return false
    }

    /// The graph at the end of a pipe.
    func bindGraph(_ source: Expr, _ operators: [Operator], _ environment: Environment) throws -> GraphPlan {
        let (graph, rest) = try leadingGraph(source, operators, environment)
        if let next = rest.first {
            throw Diagnostic(
                "KS005", "'\(next.keyword.text)' gives a table, where a graph is expected.", next.keyword.range)
        }
        return graph
    }

    /// The graph that a pipe starts with, marked as asked, and the operators after that.
    private func leadingGraph(
        _ source: Expr, _ operators: [Operator], _ environment: Environment
    ) throws -> (GraphPlan, ArraySlice<Operator>) {
        var graph: GraphPlan
        var rest: ArraySlice<Operator>
        if case .name(let n) = source.kind, case .graph(let known)? = environment[n] {
            graph = known
            rest = operators[...]
        } else {
            guard let index = operators.firstIndex(where: { if case .makeGraph = $0.kind { true } else { false } }),
                case .makeGraph(let syntax) = operators[index].kind
            else { throw Diagnostic("KS005", "make-graph is expected here.", source.range) }
            graph = try makeGraph(syntax, try bindPipe(source, Array(operators[..<index]), environment), environment)
            rest = operators[(index + 1)...]
        }
        while let next = rest.first, case .graphMarkComponents(let properties) = next.kind {
            rest.removeFirst()
            mark(&graph, properties)
        }
        return (graph, rest)
    }

    private func mark(_ graph: inout GraphPlan, _ properties: [Property]) {
        var label = "ComponentId"
        var isStrong = false
        for property in properties {
            guard case .name(let value) = property.value.kind else { continue }
            if property.name.text == "with_component_id" { label = value } else { isStrong = value == "strong" }
        }
        graph.components.append((label, isStrong))
        graph.nodeSchema.columns.append(ColumnSpec(label, .long))
    }

    private func makeGraph(_ syntax: MakeGraphSyntax, _ edges: Plan, _ environment: Environment) throws -> GraphPlan {
        func column(_ name: Name, _ plan: Plan) throws -> Int {
            guard let i = plan.schema.index(of: name.text) else {
                throw unknownName(name.text, name.range, RowScope(schema: plan.schema), environment)
            }
            return i
        }
        let nodes = try syntax.nodes.map { node -> (plan: Plan, key: Int) in
            let plan = try bindTabular(node.table, environment)
            return (plan, try column(node.key, plan))
        }
        var nodeColumns: [ColumnSpec] = []
        for node in nodes {
            for c in node.plan.schema.columns where !nodeColumns.contains(where: { $0.name == c.name }) {
                nodeColumns.append(c)
            }
        }
        let s = try column(syntax.source, edges)
        let t = try column(syntax.target, edges)
        if let id = syntax.nodeID { nodeColumns.insert(ColumnSpec(id.text, edges.schema[s].type), at: 0) }
        var graph = GraphPlan(
            edges: edges, source: s, target: t, nodes: nodes, nodeSchema: Schema(nodeColumns), edgeSchema: edges.schema,
            nodeID: syntax.nodeID?.text)
        if let partition = syntax.partition {
            for plan in [edges] + nodes.map(\.plan) { _ = try column(partition.column, plan) }
            graph.partitionColumn = partition.column.text
        }
        return graph
    }

    func bindGraphPipe(_ source: Expr, _ operators: [Operator], _ environment: Environment) throws -> Plan {
        if let index = operators.firstIndex(where: { if case .makeGraph = $0.kind { true } else { false } }),
            case .makeGraph(let syntax) = operators[index].kind, let partition = syntax.partition
        {
            let graph = try makeGraph(
                syntax, try bindPipe(source, Array(operators[..<index]), environment), environment)
            let plan = try continueGraph(graph, partition.subquery[...], partition.column.range, environment)
            return try continuing(
                Plan(.graphPartition(graph, subquery: plan), plan.schema), Array(operators[(index + 1)...]), environment
            )
        }
        let (graph, rest) = try leadingGraph(source, operators, environment)
        return try continueGraph(graph, rest, source.range, environment)
    }

    private func continueGraph(
        _ start: GraphPlan, _ operators: ArraySlice<Operator>, _ range: Range<Int>, _ environment: Environment
    ) throws -> Plan {
        var graph = start
        var rest = operators
        while let next = rest.first, case .graphMarkComponents(let properties) = next.kind {
            rest.removeFirst()
            mark(&graph, properties)
        }
        guard let next = rest.popFirst() else {
            throw Diagnostic(
                "KS005", "A graph needs graph-match, graph-shortest-paths or graph-to-table after it.", range)
        }
        let plan: Plan
        switch next.kind {
        case .graphMatch(let syntax):
            var cycles = "unique_edges"
            for property in syntax.properties { if case .name(let n) = property.value.kind { cycles = n } }
            plan = try bindGraphMatch(graph, syntax, .match(cycles: cycles), environment)
        case .graphShortestPaths(let syntax):
            let all = syntax.properties.contains { if case .name("all") = $0.value.kind { true } else { false } }
            plan = try bindGraphMatch(graph, syntax, .shortest(all: all), environment)
        case .graphToTable(let tables): plan = graphTable(graph, tables[0])
        default:
            throw Diagnostic("KS005", "'\(next.keyword.text)' works on a table, not on a graph.", next.keyword.range)
        }
        return try continuing(plan, Array(rest), environment)
    }

    private func graphTable(_ graph: GraphPlan, _ syntax: GraphTableSyntax) -> Plan {
        let identifiers = syntax.identifiers.compactMap { property -> GraphIdentifier? in
            guard let end = GraphIdentifier.End(rawValue: property.name.text), case .name(let n) = property.value.kind
            else { return nil }
            return GraphIdentifier(end: end, name: n)
        }
        let properties = syntax.isNodes ? graph.nodeSchema : graph.edgeSchema
        return Plan(
            .graphToTable(graph, nodes: syntax.isNodes, identifiers: identifiers),
            Schema(identifiers.map { ColumnSpec($0.name, .long) } + properties.columns))
    }

    /// `graph-to-table nodes as N, edges as E` as a statement: declares the names and gives no result itself.
    func exportGraph(_ expr: Expr, _ environment: Environment) throws -> Bool {
        guard case .pipe(let source?, let operators) = expr.kind,
            case .graphToTable(let tables)? = operators.last?.kind,
            tables.contains(where: { $0.name != nil })
        else { return false }
        let (graph, _) = try leadingGraph(source, operators, environment)
        for table in tables {
            guard let name = table.name else { continue }
            environment[name.text] = .plan(graphTable(graph, table))
        }
        return true
    }

    private func bindGraphMatch(
        _ graph: GraphPlan, _ syntax: GraphMatchSyntax, _ search: GraphMatchPlan.Search, _ environment: Environment
    ) throws -> Plan {
        var scope = RowScope(schema: Schema([ColumnSpec]()))
        var count = 0
        var variables: [(name: String, kind: GraphVariableKind)] = []
        func declare(_ name: String, _ kind: GraphVariableKind) {
            if variables.contains(where: { $0.name == name }) { return }
            variables.append((name, kind))
            var members: [String: BoundExpr] = [:]
            for c in GraphColumns.of(kind, graph) {
                let key = kind == .node && GraphColumns.nodeFacts.contains(c) ? "\u{1}\(c.name)" : c.name
                members[key] = .column(count, c.type)
                count += 1
            }
            scope.members[name] = members
        }
        for pattern in syntax.patterns {
            for (i, node) in pattern.nodes.enumerated() {
                if let node { declare(node.text, .node) }
                if i < pattern.edges.count, let edge = pattern.edges[i].name {
                    declare(edge.text, pattern.edges[i].range == nil ? .edge : .path)
                }
            }
        }
        let kinds = Dictionary(variables.map { ($0.name, $0.kind) }) { a, _ in a }
        let graphScope = GraphScope(graph, kinds, firstLambda: count)
        scope.graph = graphScope
        let condition = try syntax.condition.map { convert(try bindScalar($0, scope, environment), to: .bool) }
        let project = try bindColumns(syntax.project, scope, environment)
        let match = GraphMatchPlan(
            search: search, patterns: syntax.patterns, variables: variables, lambdas: graphScope.lambdas,
            condition: condition, project: project)
        return Plan(.graphMatch(graph, match), Schema(project.map(\.spec)))
    }

    // MARK: Functions of graphs

    func bindGraphCall(
        _ name: Name, _ arguments: [CallArgument], _ range: Range<Int>, _ scope: RowScope, _ graph: GraphScope,
        _ environment: Environment
    ) throws -> BoundExpr? {
        switch name.text {
        case "all", "any", "map":
            guard graph.elementIsNode == nil, arguments.count == 2 else { return nil }
            var path = arguments[0].value
            var overNodes = false
            if case .call(let f, let inner) = path.kind, f.text == "inner_nodes", inner.count == 1 {
                overNodes = true
                path = inner[0].value
            }
            guard case .name(let variable) = path.kind, graph.kinds[variable] == .path else {
                throw Diagnostic("KS107", "The function '\(name.text)' expects an edge of variable length.", path.range)
            }
            var element = RowScope(schema: GraphColumns.element(graph.graph, innerNodes: overNodes))
            element.graph = GraphScope(graph.graph, [:], firstLambda: 0, elementIsNode: overNodes)
            var e = try bindScalar(arguments[1].value, element, environment)
            if name.text != "map" { e = convert(e, to: .bool) }
            let column: BoundExpr = .column(graph.firstLambda + graph.lambdas.count, .dynamic)
            graph.lambdas.append(GraphLambda(variable: variable, overInnerNodes: overNodes, expr: e))
            return name.text == "map" ? column : .call("graph_\(name.text)", [column], .bool)
        case "node_id", "node_degree_in", "node_degree_out":
            let type: ScalarType = name.text == "node_id" ? .string : .long
            if arguments.isEmpty, graph.elementIsNode == true {
                let schema = GraphColumns.element(graph.graph, innerNodes: true)
                let place =
                    schema.count - GraphColumns.nodeFacts.count
                    + (GraphColumns.nodeFacts.firstIndex { $0.name == name.text } ?? 0)
                return .column(place, type)
            }
            guard arguments.count == 1, case .name(let variable) = arguments[0].value.kind,
                let e = scope.members[variable]?["\u{1}\(name.text)"]
            else {
                throw Diagnostic("KS107", "The function '\(name.text)' expects a node of the pattern.", range)
            }
            return e
        case "labels": return .literal(.array([]), .dynamic)
        default: return nil
        }
    }
}
