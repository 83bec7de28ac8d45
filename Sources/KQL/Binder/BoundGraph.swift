import Tables

/// A property graph made from tables.
package struct GraphPlan: Sendable {
    package let edges: Plan
    package let source: Int
    package let target: Int
    package let nodes: [(plan: Plan, key: Int)]
    /// The nodes' properties, the components' numbers last.
    package var nodeSchema: Schema
    package let edgeSchema: Schema
    package let nodeID: String?
    /// `graph-mark-components`, in order: the property that each adds and whether directions count.
    package var components: [(name: String, isStrong: Bool)] = []
    /// The column whose values part the graph, when it is done part by part.
    package var partitionColumn: String?
}

/// What stands behind the name of a variable in a pattern.
package enum GraphVariableKind: Sendable {
    case node, edge
    /// An edge of variable length.
    case path
}

/// An expression that is computed for each edge or inner node of a path, as `map`, `all` and `any` do.
package struct GraphLambda: Sendable {
    package let variable: String
    package let overInnerNodes: Bool
    /// Over the columns of `GraphColumns.element`.
    package let expr: BoundExpr
}

package struct GraphMatchPlan: Sendable {
    package enum Search: Sendable {
        /// Every way the pattern fits. `none`: no node twice; `unique_edges`: no edge twice.
        case match(cycles: String)
        /// Of the ways between two nodes the shortest, one or all.
        case shortest(all: Bool)
    }

    package let search: Search
    package let patterns: [GraphMatchSyntax.Pattern]
    /// Each gives its columns to the row that the condition and the projection see: see `GraphColumns`.
    package let variables: [(name: String, kind: GraphVariableKind)]
    /// Their values are arrays in the columns after the variables'.
    package let lambdas: [GraphLambda]
    package let condition: BoundExpr?
    package let project: [BoundColumn]
}

/// A column of `graph-to-table` with the hash of a node's identifier.
package struct GraphIdentifier: Sendable {
    package enum End: String, Sendable {
        case node = "with_node_id", source = "with_source_id", target = "with_target_id"
    }
    package let end: End
    package let name: String
}

/// The columns that a variable of a pattern has in a row of matches.
package enum GraphColumns {
    /// What the functions `node_id`, `node_degree_in` and `node_degree_out` tell of a node.
    package static let nodeFacts: [ColumnSpec] = Schema([
        ("node_id", .string), ("node_degree_in", .long), ("node_degree_out", .long),
    ]).columns

    /// The properties, then the facts of a node, then the whole as a bag (for a path: an array of bags).
    package static func of(_ kind: GraphVariableKind, _ graph: GraphPlan) -> [ColumnSpec] {
        let whole = ColumnSpec("", .dynamic)
        switch kind {
        case .node: return graph.nodeSchema.columns + nodeFacts + [whole]
        case .edge: return graph.edgeSchema.columns + [whole]
        case .path: return graph.edgeSchema.columns.map { ColumnSpec($0.name, .dynamic) } + [whole]
        }
    }

    /// What the expression of a `GraphLambda` sees.
    package static func element(_ graph: GraphPlan, innerNodes: Bool) -> Schema {
        Schema(innerNodes ? graph.nodeSchema.columns + nodeFacts : graph.edgeSchema.columns)
    }
}
