import Tables

/// One tabular operator of a pipe.
package struct Operator: Sendable {
    package let kind: Kind
    package let range: Range<Int>
    /// The operator's keyword as written.
    package let keyword: Name

    package indirect enum Kind: Sendable {
        /// A condition, to which a name may be given although nothing is called by it.
        case filter(NamedExpr)
        case extend([NamedExpr])
        case project([NamedExpr])
        case projectAway([NamePattern])
        case projectKeep([NamePattern])
        case projectRename([NamedExpr])
        case projectByNames([Expr])
        case projectReorder([Reordering])
        case summarize([NamedExpr], by: [NamedExpr])
        case distinct([NamedExpr])
        case sort([OrderBy])
        case top(Expr, OrderBy)
        case topNested([TopNestedClause])
        case topHitters(Expr, of: NamedExpr, by: NamedExpr?)
        case take(Expr)
        case sample(Expr)
        case sampleDistinct(Expr, of: NamedExpr)
        /// `count`, whose column may be named with `as`.
        case count(Name?)
        case join(JoinSyntax)
        case lookup(JoinSyntax)
        case union([Property], [UnionSource])
        case mvExpand([MvExpandColumn], properties: [Property], limit: Expr?)
        case mvApply([MvExpandColumn], properties: [Property], limit: Expr?, subquery: [Operator])
        case parse(ParseSyntax)
        case parseKV(Expr, [ColumnDeclaration], [Property])
        case makeSeries(MakeSeriesSyntax)
        case render(Name, [Property])
        case serialize([NamedExpr])
        case evaluate(Expr, [ColumnDeclaration]?)
        case invoke(Expr)
        case alias(Name)
        case getschema
        case consume
        case search([Property], sources: [UnionSource], Expr)
        case find([Property], sources: [UnionSource], Expr, project: [FindColumn]?)
        case print([NamedExpr])
        case range(Name, Expr, Expr, Expr)
        case fork([(Name?, [Operator])])
        case facet(by: [Expr], with: [Operator]?)
        case partition([Property], by: Expr, subquery: [Operator])
        case scan(ScanSyntax)
        case reduce(by: Expr, [Property])
        case makeGraph(MakeGraphSyntax)
        case graphMatch(GraphMatchSyntax)
        case graphMarkComponents([Property])
        case graphShortestPaths(GraphMatchSyntax)
        case graphToTable([GraphTableSyntax])
        case assertSchema([ColumnDeclaration])
    }
}

package struct NamePattern: Sendable {
    /// May hold `*` wildcards.
    package let text: String
    package let range: Range<Int>
    package var isWildcard: Bool { text.utf8.contains(42) }
}

/// One item of `project-reorder`.
package struct Reordering: Sendable {
    package let pattern: NamePattern
    /// Nil for the order of the table.
    package let isAscending: Bool?
    /// `granny-asc`, `granny-desc`: numbers inside the names count as numbers.
    package let byNumbers: Bool
}

package struct OrderBy: Sendable {
    package let expr: NamedExpr
    /// Nil when not written: then descending.
    package let isAscending: Bool?
    /// Nil when not written: then first when ascending.
    package let nullsFirst: Bool?
}

package struct TopNestedClause: Sendable {
    package let count: Expr?
    package let of: NamedExpr
    package let others: Expr?
    package let by: NamedExpr
    package let isAscending: Bool?
    /// Nil when not written: then first when ascending.
    package let nullsFirst: Bool?
}

package struct JoinSyntax: Sendable {
    package let properties: [Property]
    package let right: Expr
    /// Names or `$left.a == $right.b` conditions; empty only when the `on` clause is missing.
    package let on: [Expr]
}

package struct UnionSource: Sendable {
    package let expr: Expr
    /// The text when it is a name with wildcards.
    package let pattern: String?
}

package struct MvExpandColumn: Sendable {
    package let name: Name?
    package let expr: Expr
    package let type: ScalarType?
}

package struct ParseSyntax: Sendable {
    package enum Part: Sendable {
        case text(String)
        case star
        case column(Name, ScalarType)
    }
    package let kind: String
    package let flags: String
    package let expr: Expr
    package let parts: [Part]
    /// `parse-where`: drop the rows that do not match.
    package let filters: Bool
}

package struct MakeSeriesSyntax: Sendable {
    package struct Aggregate: Sendable {
        package let expr: NamedExpr
        package let defaultValue: Expr?
    }
    package let properties: [Property]
    package let aggregates: [Aggregate]
    package let on: NamedExpr
    package let from: Expr?
    package let to: Expr?
    package let step: Expr
    /// `in range(start, stop, step)`, which counts differently.
    package let isStopIncluded: Bool
    package let by: [NamedExpr]
}

package struct FindColumn: Sendable {
    package let name: Name
    package let type: ScalarType?
}

package struct ScanSyntax: Sendable {
    package struct Step: Sendable {
        package let name: Name
        package let isOptional: Bool
        /// `all`, `last`, `none`; nil when not written.
        package let output: String?
        package let condition: Expr
        package let assignments: [NamedExpr]
    }
    package let matchID: Name?
    package let declarations: [(ColumnDeclaration, Expr?)]
    package let orderBy: [OrderBy]
    package let partitionBy: [Expr]
    package let steps: [Step]
}

package struct MakeGraphSyntax: Sendable {
    package let source: Name
    package let target: Name
    package let nodes: [(table: Expr, key: Name)]
    package let nodeID: Name?
    /// `partitioned-by`: a graph for each value of this column, and what is done with each.
    package let partition: (column: Name, subquery: [Operator])?
}

/// One output of `graph-to-table`.
package struct GraphTableSyntax: Sendable {
    package let isNodes: Bool
    package let name: Name?
    /// `with_node_id`, `with_source_id`, `with_target_id` and the columns they name.
    package let identifiers: [Property]
}

package struct GraphMatchSyntax: Sendable {
    package struct Edge: Sendable {
        package enum Direction: Sendable { case forward, backward, any }
        package let name: Name?
        package let direction: Direction
        package let range: ClosedRange<Int>?
    }
    package struct Pattern: Sendable {
        package let nodes: [Name?]
        package let edges: [Edge]
    }
    package let properties: [Property]
    package let patterns: [Pattern]
    package let condition: Expr?
    package let project: [NamedExpr]
}
