import KQL
import Tables

/// Finds the places where a pattern fits a graph.
///
/// Conditions about one variable alone are checked while walking; the rest of the condition after it.
final class GraphMatcher {
    /// One fit: the node or the edges behind every variable. Paths keep the nodes they pass.
    struct Match {
        var nodes: [String: Int] = [:]
        var edges: [String: [Int]] = [:]
        var inner: [String: [Int]] = [:]
        var length = 0
        var first = 0
        var last = 0
    }

    private static let matchCountMax = 5_000_000

    private let graph: Graph
    private let plan: GraphMatchPlan
    private let context: QueryContext
    private let limits: GraphLimits
    private var current = Match()
    private var visited: [Int: Int] = [:]
    private(set) var found: [Match] = []

    init(_ graph: Graph, _ plan: GraphMatchPlan, _ limits: GraphLimits, _ context: QueryContext) {
        self.graph = graph
        self.plan = plan
        self.limits = limits
        self.context = context
    }

    private var cycles: String { if case .match(let c) = plan.search { c } else { "none" } }

    /// Every fit.
    func all() throws -> [Match] {
        try start(0)
        return found
    }

    private func steps(_ node: Int, _ direction: GraphMatchSyntax.Edge.Direction) -> [(edge: Int, to: Int)] {
        var out: [(edge: Int, to: Int)] = []
        if direction != .backward { out += graph.outgoing[node].map { ($0, graph.targets[$0]) } }
        if direction != .forward { out += graph.incoming[node].map { ($0, graph.sources[$0]) } }
        return out
    }

    private func bind(_ name: String?, _ node: Int, _ body: () throws -> Void) throws {
        let known = name.flatMap { current.nodes[$0] }
        if let name, let allowed = limits.nodes[name], !allowed[node] { return }
        if let known, known != node { return }
        // A name that stands twice in one pattern closes a cycle too.
        if cycles == "none", visited[node] != nil { return }
        if let name { current.nodes[name] = node }
        visited[node, default: 0] += 1
        try body()
        leave(node)
        if let name, known == nil { current.nodes[name] = nil }
    }

    /// - Throws: `QueryError.limit` when a path is longer than one may be.
    private func checkLength(_ count: Int) throws {
        try Interrupted.check()
        if count > 10_000 { throw QueryError.limit("a path has more than 10,000 edges; bound its length") }
    }

    private func leave(_ node: Int) { visited[node] = visited[node].flatMap { $0 > 1 ? $0 - 1 : nil } }

    private func start(_ pattern: Int) throws {
        let name = plan.patterns[pattern].nodes[0]?.text
        let candidates = name.flatMap { current.nodes[$0] }.map { [$0] } ?? Array(graph.nodeRows.indices)
        // Cycles are those of one pattern: another may come back to the nodes of this one.
        let before = visited
        visited = [:]
        defer { visited = before }
        for n in candidates {
            if pattern == 0 { current.first = n }
            try bind(name, n) { try walk(pattern, 0, n, []) }
        }
    }

    private func walk(_ pattern: Int, _ position: Int, _ node: Int, _ used: [Int]) throws {
        let p = plan.patterns[pattern]
        if position == p.edges.count {
            if pattern + 1 < plan.patterns.count { return try start(pattern + 1) }
            current.last = node
            current.length = used.count
            found.append(current)
            if found.count > GraphMatcher.matchCountMax {
                throw QueryError.limit(
                    "the pattern fits in more than \(GraphMatcher.matchCountMax) ways; add conditions")
            }
            return
        }
        try context.check()
        let edge = p.edges[position]
        let repeats = cycles == "all"
        let allowedEdges = edge.name.flatMap { limits.edges[$0.text] }
        let allowedInner = edge.name.flatMap { limits.inner[$0.text] }
        func arrive(_ at: Int, _ path: [Int], _ inner: [Int]) throws {
            try bind(p.nodes[position + 1]?.text, at) {
                if let name = edge.name?.text {
                    current.edges[name] = path
                    current.inner[name] = inner
                }
                try walk(pattern, position + 1, at, used + path)
                if let name = edge.name?.text {
                    current.edges[name] = nil
                    current.inner[name] = nil
                }
            }
        }
        guard let hops = edge.range else {
            for (e, to) in steps(node, edge.direction) where (repeats || !used.contains(e)) && allowedEdges?[e] ?? true
            { try arrive(to, [e], []) }
            return
        }
        func extend(_ at: Int, _ path: [Int], _ inner: [Int]) throws {
            if hops.contains(path.count) { try arrive(at, path, inner) }
            guard path.count < hops.upperBound else { return }
            try checkLength(path.count)
            // What has been arrived at becomes an inner node when the path goes on.
            if !path.isEmpty, let allowedInner, !allowedInner[at] { return }
            if !path.isEmpty, cycles == "none" {
                if visited[at] != nil { return }
                visited[at, default: 0] += 1
            }
            defer { if !path.isEmpty, cycles == "none" { leave(at) } }
            for (e, to) in steps(at, edge.direction)
            where (repeats || (!path.contains(e) && !used.contains(e))) && allowedEdges?[e] ?? true {
                try extend(to, path + [e], path.isEmpty ? [] : inner + [at])
            }
        }
        try extend(node, [], [])
    }

    // MARK: Shortest paths

    /// The shortest fits between each pair of ends: breadth first for a single edge of variable length, else out of all
    /// fits.
    func shortest(all wantsAll: Bool) throws -> [Match] {
        let p = plan.patterns[0]
        if plan.patterns.count == 1, p.edges.count == 1, let hops = p.edges[0].range, hops.lowerBound <= 1 {
            for n in graph.nodeRows.indices { try breadthFirst(from: n, p, hops, wantsAll) }
            return found
        }
        var best: [[Int]: [Match]] = [:]
        var order: [[Int]] = []
        for m in try self.all() {
            let ends = [m.first, m.last]
            if best[ends] == nil { order.append(ends) }
            let known = best[ends]?.first?.length ?? Int.max
            if m.length < known { best[ends] = [m] } else if m.length == known, wantsAll { best[ends]?.append(m) }
        }
        return order.flatMap { best[$0] ?? [] }
    }

    private func breadthFirst(
        from start: Int, _ p: GraphMatchSyntax.Pattern, _ hops: ClosedRange<Int>, _ wantsAll: Bool
    ) throws {
        let (from, to, edge) = (p.nodes[0]?.text, p.nodes[1]?.text, p.edges[0])
        if let from, let allowed = limits.nodes[from], !allowed[start] { return }
        let allowedEdges = edge.name.flatMap { limits.edges[$0.text] }
        let allowedInner = edge.name.flatMap { limits.inner[$0.text] }
        var distance: [Int: Int] = [start: 0]
        var before: [Int: [(edge: Int, node: Int)]] = [:]
        var reached: [Int] = []
        var frontier = [start]
        var depth = 0
        while !frontier.isEmpty, depth < hops.upperBound {
            try context.check()
            depth += 1
            var next: [Int] = []
            for n in frontier {
                if n != start, let allowedInner, !allowedInner[n] { continue }
                for (e, m) in steps(n, edge.direction) where allowedEdges?[e] ?? true {
                    if let d = distance[m] {
                        if d == depth { before[m]?.append((e, n)) }
                        continue
                    }
                    distance[m] = depth
                    before[m] = [(e, n)]
                    next.append(m)
                    reached.append(m)
                }
            }
            frontier = next
        }
        for end in reached {
            if let to, let allowed = limits.nodes[to], !allowed[end] { continue }
            func unwind(_ at: Int, _ path: [Int], _ inner: [Int]) throws -> Bool {
                try checkLength(path.count)
                if at == start {
                    var m = Match()
                    if let from { m.nodes[from] = start }
                    if let to { m.nodes[to] = end }
                    if let name = edge.name?.text {
                        m.edges[name] = path
                        m.inner[name] = inner
                    }
                    (m.first, m.last, m.length) = (start, end, path.count)
                    found.append(m)
                    return !wantsAll
                }
                for (e, n) in before[at] ?? [] {
                    if try unwind(n, [e] + path, at == end ? inner : [at] + inner) { return true }
                }
                return false
            }
            _ = try unwind(end, [], [])
            if found.count > GraphMatcher.matchCountMax {
                throw QueryError.limit("there are too many shortest paths; add conditions")
            }
        }
    }
}

/// Which nodes and edges may stand behind a variable, from conditions about that variable alone.
struct GraphLimits {
    var nodes: [String: [Bool]] = [:]
    var edges: [String: [Bool]] = [:]
    /// The inner nodes of a path.
    var inner: [String: [Bool]] = [:]
}

extension Executor {
    func graphMatch(_ graphPlan: GraphPlan, _ match: GraphMatchPlan, _ schema: Schema) throws -> BatchIterator {
        let graph = try graph(graphPlan)
        let nodes = graph.nodeElements()
        let edges = graph.edgeTable()
        let lambdaValues = try match.lambdas.map { try evaluator.column($0.expr, $0.overInnerNodes ? nodes : edges) }
        let matcher = GraphMatcher(graph, match, try limits(graph, match, nodes, edges, lambdaValues), context)
        let found: [GraphMatcher.Match] =
            switch match.search {
            case .match: try matcher.all()
            case .shortest(let all): try matcher.shortest(all: all)
            }
        func bag(_ schema: Schema, _ row: [Value]) -> Value { .bag(Bag(zip(schema.names, row).map { ($0, $1) })) }
        let rows = found.map { m -> [Value] in
            var out: [Value] = []
            for v in match.variables {
                switch v.kind {
                case .node:
                    let n = m.nodes[v.name] ?? 0
                    out += graph.nodeRows[n] + graph.facts(n) + [bag(graphPlan.nodeSchema, graph.nodeRows[n])]
                case .edge:
                    let row = graph.edgeRows[m.edges[v.name]?.first ?? 0]
                    out += row + [bag(graphPlan.edgeSchema, row)]
                case .path:
                    let path = (m.edges[v.name] ?? []).map { graph.edgeRows[$0] }
                    for c in graphPlan.edgeSchema.columns.indices { out.append(.array(path.map { $0[c] })) }
                    out.append(.array(path.map { bag(graphPlan.edgeSchema, $0) }))
                }
            }
            for (lambda, values) in zip(match.lambdas, lambdaValues) {
                let elements = (lambda.overInnerNodes ? m.inner[lambda.variable] : m.edges[lambda.variable]) ?? []
                out.append(.array(elements.map { values[$0] }))
            }
            return out
        }
        let columns =
            match.variables.flatMap { GraphColumns.of($0.kind, graphPlan) }
            + match.lambdas.map { _ in ColumnSpec("", .dynamic) }
        var batch = Batch(schema: Schema(columns), rows: rows)
        if let condition = match.condition { batch = batch.gather(try evaluator.selection(condition, batch)) }
        let out = try match.project.map { try evaluator.column($0.expr, batch) }
        return once(Batch(schema: schema, columns: out, count: batch.count))
    }

    /// The parts of the condition that are about one variable, computed once for every node and edge.
    private func limits(
        _ graph: Graph, _ match: GraphMatchPlan, _ nodes: Batch, _ edges: Batch, _ lambdaValues: [Column]
    ) throws -> GraphLimits {
        var limits = GraphLimits()
        guard let condition = match.condition else { return limits }
        var first = 0
        let ranges = match.variables.map { v -> Range<Int> in
            defer { first += GraphColumns.of(v.kind, graph.plan).count }
            return first..<first + GraphColumns.of(v.kind, graph.plan).count
        }
        func narrow(_ table: inout [String: [Bool]], _ name: String, _ flags: [Bool]) {
            table[name] = table[name].map { zip($0, flags).map { $0 && $1 } } ?? flags
        }
        func flags(_ e: BoundExpr, _ batch: Batch) throws -> [Bool] {
            var out = [Bool](repeating: false, count: batch.count)
            for i in try evaluator.selection(e, batch) { out[Int(i)] = true }
            return out
        }
        for part in GraphConditions.parts(condition) {
            if case .call("graph_all", let arguments, _) = part, case .column(let c, _) = arguments[0] {
                let k = c - first
                let lambda = match.lambdas[k]
                let values = (0..<lambdaValues[k].count).map { lambdaValues[k][$0].boolValue == true }
                if lambda.overInnerNodes {
                    narrow(&limits.inner, lambda.variable, values)
                } else {
                    narrow(&limits.edges, lambda.variable, values)
                }
                continue
            }
            let used = GraphConditions.columns(part)
            guard !used.isEmpty, let v = ranges.firstIndex(where: { range in used.allSatisfy { range.contains($0) } })
            else { continue }
            let last = ranges[v].upperBound - 1
            if used.contains(last) { continue }
            let local = GraphConditions.shifted(part, by: ranges[v].lowerBound)
            switch match.variables[v].kind {
            case .node: narrow(&limits.nodes, match.variables[v].name, try flags(local, nodes))
            case .edge: narrow(&limits.edges, match.variables[v].name, try flags(local, edges))
            case .path: break
            }
        }
        return limits
    }
}

/// Takes conditions apart.
private enum GraphConditions {
    static func parts(_ e: BoundExpr) -> [BoundExpr] {
        if case .call("and", let both, _) = e { return both.flatMap(parts) }
        return [e]
    }

    /// The columns that an expression reads; none when it cannot be told, so that it is not moved.
    static func columns(_ e: BoundExpr) -> Set<Int> {
        switch e {
        case .column(let i, _): [i]
        case .call(_, let arguments, _): arguments.reduce(into: []) { $0.formUnion(columns($1)) }
        case .convert(let inner, _): columns(inner)
        case .literal: []
        case .toScalar, .inTable: [-1]
        }
    }

    static func shifted(_ e: BoundExpr, by n: Int) -> BoundExpr {
        switch e {
        case .column(let i, let t): .column(i - n, t)
        case .call(let name, let arguments, let t): .call(name, arguments.map { shifted($0, by: n) }, t)
        case .convert(let inner, let t): .convert(shifted(inner, by: n), t)
        default: e
        }
    }
}
