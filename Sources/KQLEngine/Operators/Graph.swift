import KQL
import Tables

/// A property graph made from rows of edges and, optionally, of nodes.
struct Graph {
    let plan: GraphPlan
    let edgeRows: [[Value]]
    let sources: [Int]
    let targets: [Int]
    private(set) var nodeRows: [[Value]]
    let keys: [Value]
    private(set) var outgoing: [[Int]] = []
    private(set) var incoming: [[Int]] = []

    /// The graph of the whole tables, or of the rows whose column `part` names has its value.
    init(_ plan: GraphPlan, _ executor: Executor, part: (column: String, value: Value)? = nil) throws {
        self.plan = plan
        func rows(_ plan: Plan) throws -> [[Value]] {
            let all = try executor.table(plan).rows()
            guard let part, let i = plan.schema.index(of: part.column) else { return all }
            return all.filter { $0[i] == part.value }
        }
        let edges = try rows(plan.edges)
        var ids: [Value: Int] = [:]
        var found: [[Value]] = []
        var order: [Value] = []
        let properties = plan.nodeSchema.columns.dropLast(plan.components.count)
        let blank: [Value] = properties.map { $0.type == .string ? .string("") : .null }
        func node(_ key: Value) -> Int {
            if let known = ids[key] { return known }
            ids[key] = found.count
            order.append(key)
            var row = blank
            if let id = plan.nodeID, let i = plan.nodeSchema.index(of: id) { row[i] = key }
            found.append(row)
            return found.count - 1
        }
        for (nodePlan, key) in plan.nodes {
            for row in try rows(nodePlan) {
                try Interrupted.check()
                let n = node(row[key])
                for (i, c) in nodePlan.schema.columns.enumerated() {
                    // The first row that tells a property of a node counts.
                    if let target = plan.nodeSchema.index(of: c.name), found[n][target] == blank[target] {
                        found[n][target] = row[i]
                    }
                }
            }
        }
        var from: [Int] = []
        var to: [Int] = []
        let known = found.count
        for edge in edges {
            try Interrupted.check()
            from.append(node(edge[plan.source]))
            to.append(node(edge[plan.target]))
        }
        // A node that only edges name has its identifier and nothing else.
        let keyColumns = plan.nodes.compactMap { plan.nodeSchema.index(of: $0.plan.schema[$0.key].name) }
        for n in known..<max(known, found.count) { for c in keyColumns { found[n][c] = order[n] } }
        edgeRows = edges
        sources = from
        targets = to
        keys = order
        nodeRows = found
        outgoing = [[Int]](repeating: [], count: found.count)
        incoming = outgoing
        for e in edges.indices {
            outgoing[from[e]].append(e)
            incoming[to[e]].append(e)
        }
        for component in plan.components {
            let numbers = component.isStrong ? strongComponents() : weakComponents()
            for n in nodeRows.indices { nodeRows[n].append(.long(Int64(numbers[n]))) }
        }
    }

    /// The properties and facts of every node, as lambdas and node conditions see them.
    func nodeElements() -> Batch {
        Batch(
            schema: GraphColumns.element(plan, innerNodes: true),
            rows: nodeRows.indices.map { nodeRows[$0] + facts($0) })
    }

    func facts(_ n: Int) -> [Value] {
        [.string(keys[n].text), .long(Int64(incoming[n].count)), .long(Int64(outgoing[n].count))]
    }

    func edgeTable() -> Batch { Batch(schema: plan.edgeSchema, rows: edgeRows) }

    /// A number that stands for a node in tables.
    func hash(_ n: Int) -> Value { .long(XXHash64.hash(of: .string(keys[n].text))) }

    // MARK: Components

    private func weakComponents() -> [Int] {
        var numbers = [Int](repeating: -1, count: nodeRows.count)
        var next = 0
        for start in nodeRows.indices where numbers[start] < 0 {
            var stack = [start]
            numbers[start] = next
            while let n = stack.popLast() {
                for m in outgoing[n].map({ targets[$0] }) + incoming[n].map({ sources[$0] }) where numbers[m] < 0 {
                    numbers[m] = next
                    stack.append(m)
                }
            }
            next += 1
        }
        return numbers
    }

    /// Tarjan's algorithm with a stack of its own, numbered by the first node of each component.
    private func strongComponents() -> [Int] {
        let count = nodeRows.count
        var index = [Int](repeating: -1, count: count)
        var low = index
        var component = index
        var onStack = [Bool](repeating: false, count: count)
        var stack: [Int] = []
        var clock = 0
        var made = 0
        for root in 0..<count where index[root] < 0 {
            var work: [(node: Int, edge: Int)] = [(root, 0)]
            while let (n, e) = work.last {
                if e == 0 {
                    index[n] = clock
                    low[n] = clock
                    clock += 1
                    stack.append(n)
                    onStack[n] = true
                }
                if e < outgoing[n].count {
                    work[work.count - 1].edge += 1
                    let m = targets[outgoing[n][e]]
                    if index[m] < 0 { work.append((m, 0)) } else if onStack[m] { low[n] = min(low[n], index[m]) }
                    continue
                }
                work.removeLast()
                if let parent = work.last?.node { low[parent] = min(low[parent], low[n]) }
                if low[n] == index[n] {
                    while let m = stack.popLast() {
                        onStack[m] = false
                        component[m] = made
                        if m == n { break }
                    }
                    made += 1
                }
            }
        }
        var renumbered: [Int: Int] = [:]
        return component.map { c in
            if let known = renumbered[c] { return known }
            renumbered[c] = renumbered.count
            return renumbered.count - 1
        }
    }
}

extension Executor {
    func graphTable(_ plan: GraphPlan, nodes: Bool, _ identifiers: [GraphIdentifier], _ schema: Schema) throws
        -> BatchIterator
    {
        let graph = try graph(plan)
        if nodes {
            let rows = graph.nodeRows.indices.map { n in identifiers.map { _ in graph.hash(n) } + graph.nodeRows[n] }
            return once(Batch(schema: schema, rows: rows))
        }
        let rows = graph.edgeRows.indices.map { e in
            identifiers.map { graph.hash($0.end == .target ? graph.targets[e] : graph.sources[e]) } + graph.edgeRows[e]
        }
        return once(Batch(schema: schema, rows: rows))
    }

    /// The graph of a plan, or, inside a partition, the part that is being worked on.
    func graph(_ plan: GraphPlan) throws -> Graph {
        if let column = plan.partitionColumn, let value = context.graphPart {
            return try Graph(plan, self, part: (column, value))
        }
        return try Graph(plan, self)
    }

    func graphPartition(_ plan: GraphPlan, _ subquery: Plan) throws -> BatchIterator {
        guard let column = plan.partitionColumn, let i = plan.edges.schema.index(of: column) else {
            return once(.empty(subquery.schema))
        }
        var seen = Set<Value>()
        var order: [Value] = []
        func take(_ part: Plan, _ i: Int) throws {
            let labels = try table(part).column(i)
            for row in 0..<labels.count where seen.insert(labels[row]).inserted { order.append(labels[row]) }
        }
        try take(plan.edges, i)
        // A part may have nodes and no edge.
        for (nodes, _) in plan.nodes {
            guard let i = nodes.schema.index(of: column) else { continue }
            try take(nodes, i)
        }
        var out: [Batch] = []
        for value in order {
            context.graphPart = value
            out += try collect(subquery)
        }
        context.graphPart = nil
        return many(out)
    }
}
