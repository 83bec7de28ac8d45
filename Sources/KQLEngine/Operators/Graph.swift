import KQL
import Tables

/// A property graph made from rows of edges and, optionally, of nodes.
struct Graph {
    let plan: GraphPlan
    let edgeRows: [[Value]]
    let sources: [Int]
    let targets: [Int]
    let nodeRows: [[Value]]

    init(_ plan: GraphPlan, _ executor: Executor) throws {
        self.plan = plan
        let edges = try executor.table(plan.edges).rows()
        var ids: [Value: Int] = [:]
        var rows: [[Value]] = []
        let blank: [Value] = plan.nodeSchema.columns.map { $0.type == .string ? .string("") : .null }
        func node(_ key: Value) -> Int {
            if let known = ids[key] { return known }
            ids[key] = rows.count
            var row = blank
            if let id = plan.nodeID, let i = plan.nodeSchema.index(of: id) { row[i] = key }
            rows.append(row)
            return rows.count - 1
        }
        for (nodePlan, key) in plan.nodes {
            for row in try executor.table(nodePlan).rows() {
                let n = node(row[key])
                for (i, c) in nodePlan.schema.columns.enumerated() {
                    if let target = plan.nodeSchema.index(of: c.name) { rows[n][target] = row[i] }
                }
            }
        }
        var from: [Int] = []
        var to: [Int] = []
        for edge in edges {
            from.append(node(edge[plan.source]))
            to.append(node(edge[plan.target]))
        }
        edgeRows = edges
        sources = from
        targets = to
        nodeRows = rows
    }

    func nodeTable() -> Batch { Batch(schema: plan.nodeSchema, rows: nodeRows) }
}

extension Executor {
    func graphMatch(_ graphPlan: GraphPlan, _ match: GraphMatchPlan, _ schema: Schema) throws -> BatchIterator {
        let graph = try Graph(graphPlan, self)
        var outgoing = [[Int]](repeating: [], count: graph.nodeRows.count)
        var incoming = outgoing
        for e in graph.edgeRows.indices {
            outgoing[graph.sources[e]].append(e)
            incoming[graph.targets[e]].append(e)
        }
        var nodeBinding: [String: Int] = [:]
        var edgeBinding: [String: [Int]] = [:]
        var found: [[Value]] = []

        func row() -> [Value] {
            var out: [Value] = []
            for v in match.variables {
                if v.isPath {
                    let path = edgeBinding[v.name] ?? []
                    for c in graphPlan.edgeSchema.columns.indices { out.append(.array(path.map { graph.edgeRows[$0][c] })) }
                } else if v.isEdge {
                    out += edgeBinding[v.name].map { graph.edgeRows[$0[0]] } ?? []
                } else {
                    out += nodeBinding[v.name].map { graph.nodeRows[$0] } ?? []
                }
            }
            return out
        }
        /// Edges out of `node` in a direction, with the node at the other end.
        func steps(_ node: Int, _ direction: GraphMatchSyntax.Edge.Direction) -> [(edge: Int, to: Int)] {
            var out: [(edge: Int, to: Int)] = []
            if direction != .backward { out += outgoing[node].map { ($0, graph.targets[$0]) } }
            if direction != .forward { out += incoming[node].map { ($0, graph.sources[$0]) } }
            return out
        }
        func bind(_ name: String?, _ node: Int, _ body: () throws -> Void) throws {
            guard let name else { return try body() }
            if let old = nodeBinding[name] {
                if old == node { try body() }
                return
            }
            nodeBinding[name] = node
            try body()
            nodeBinding[name] = nil
        }
        func walk(_ pattern: Int, _ position: Int, _ node: Int, _ used: [Int]) throws {
            let p = match.patterns[pattern]
            if position == p.edges.count {
                if pattern + 1 < match.patterns.count { return try start(pattern + 1) }
                found.append(row())
                if found.count > 5_000_000 { throw QueryError.limit("graph-match found more than 5,000,000 paths; add conditions") }
                return
            }
            try context.check()
            let edge = p.edges[position]
            func arrive(_ at: Int, _ path: [Int]) throws {
                try bind(p.nodes[position + 1]?.text, at) {
                    if let name = edge.name?.text { edgeBinding[name] = path }
                    try walk(pattern, position + 1, at, used + path)
                    if let name = edge.name?.text { edgeBinding[name] = nil }
                }
            }
            guard let hops = edge.range else {
                for (e, to) in steps(node, edge.direction) where !used.contains(e) { try arrive(to, [e]) }
                return
            }
            func extend(_ at: Int, _ path: [Int]) throws {
                if hops.contains(path.count) { try arrive(at, path) }
                guard path.count < hops.upperBound else { return }
                for (e, to) in steps(at, edge.direction) where !path.contains(e) && !used.contains(e) { try extend(to, path + [e]) }
            }
            try extend(node, [])
        }
        func start(_ pattern: Int) throws {
            for n in graph.nodeRows.indices { try bind(match.patterns[pattern].nodes[0]?.text, n) { try walk(pattern, 0, n, []) } }
        }
        try start(0)
        let columns = match.variables.flatMap { v in
            (v.isEdge ? graphPlan.edgeSchema : graphPlan.nodeSchema).columns.map {
                ColumnSpec("\(v.name).\($0.name)", v.isPath ? .dynamic : $0.type)
            }
        }
        var batch = Batch(schema: Schema(columns), rows: found)
        if let condition = match.condition { batch = batch.gather(try evaluator.selection(condition, batch)) }
        let out = try match.project.map { try evaluator.column($0.expr, batch) }
        return once(Batch(schema: schema, columns: out, count: batch.count))
    }
}
