import Tables

/// A scalar expression whose names and types are known. Columns are numbers into the input's schema.
package indirect enum BoundExpr: Sendable {
    case column(Int, ScalarType)
    case literal(Value, ScalarType)
    /// A scalar function or operator by its canonical name (`==`, `strcat`, …).
    case call(String, [BoundExpr], ScalarType)
    case convert(BoundExpr, ScalarType)
    /// The first cell of a query, computed once per run; `id` is its place in the cache.
    case toScalar(id: Int, Plan, ScalarType)
    /// `value in (table)`.
    case inTable(operator: String, BoundExpr, id: Int, Plan)

    package var type: ScalarType {
        switch self {
        case .column(_, let t), .literal(_, let t), .call(_, _, let t), .convert(_, let t), .toScalar(_, _, let t): t
        case .inTable: .bool
        }
    }

    /// Whether the value is the same for every row.
    package var isConstant: Bool {
        switch self {
        case .column: false
        case .literal, .toScalar: true
        case .call(let name, let arguments, _):
            !BoundExpr.varying.contains(name) && arguments.allSatisfy(\.isConstant)
        case .convert(let e, _), .inTable(_, let e, _, _): e.isConstant
        }
    }

    private static let varying: Set<String> = Builtins.rowFunctions.union(["rand", "new_guid", "ingestion_time"])

    /// Whether some part depends on the order of rows.
    package var usesRowOrder: Bool {
        switch self {
        case .column, .literal, .toScalar: false
        case .call(let name, let arguments, _):
            Builtins.rowFunctions.contains(name) || arguments.contains(where: \.usesRowOrder)
        case .convert(let e, _), .inTable(_, let e, _, _): e.usesRowOrder
        }
    }

    /// Whether it is a call that looks at other rows, with arguments that do not.
    var isWindow: Bool {
        guard case .call(let name, let arguments, _) = self else { return false }
        return Builtins.rowFunctions.contains(name) && !arguments.contains(where: \.usesRowOrder)
    }

    /// The only column that the value depends on; nil when there are several or none, or when other things decide too.
    package var onlyColumn: Int? {
        var found: Int?
        return depends(onlyOn: &found) ? found : nil
    }

    private func depends(onlyOn column: inout Int?) -> Bool {
        switch self {
        case .column(let i, _):
            column = column ?? i
            return column == i
        case .literal, .toScalar: return true
        case .call(let name, let arguments, _):
            if BoundExpr.varying.contains(name) { return false }
            for argument in arguments where !argument.depends(onlyOn: &column) { return false }
            return true
        case .convert(let e, _), .inTable(_, let e, _, _): return e.depends(onlyOn: &column)
        }
    }

    /// Whether it is a call of calls whose value hangs on nothing but constants.
    var isFoldable: Bool {
        guard case .call(_, let arguments, _) = self,
            arguments.contains(where: { if case .call = $0 { true } else { false } })
        else { return false }
        return isConstant && !readsTables
    }

    private var readsTables: Bool {
        switch self {
        case .column, .literal: false
        case .toScalar, .inTable: true
        case .call(_, let arguments, _): arguments.contains(where: \.readsTables)
        case .convert(let e, _): e.readsTables
        }
    }

    package var literalValue: Value? { if case .literal(let v, _) = self { v } else { nil } }
}

/// A result column: its name and how it is computed.
package struct BoundColumn: Sendable {
    package let name: String
    package let expr: BoundExpr

    package var spec: ColumnSpec { ColumnSpec(name, expr.type) }

    package init(_ name: String, _ expr: BoundExpr) {
        self.name = name
        self.expr = expr
    }
}

/// One aggregation function; it may give several columns (`arg_max(a, b, c)`).
package struct BoundAggregate: Sendable {
    package let name: String
    package let arguments: [BoundExpr]
    package let outputs: [ColumnSpec]

    package init(name: String, arguments: [BoundExpr], outputs: [ColumnSpec]) {
        self.name = name
        self.arguments = arguments
        self.outputs = outputs
    }
}

package struct SortKey: Sendable {
    package let expr: BoundExpr
    package let isAscending: Bool
    package let nullsFirst: Bool

    package init(expr: BoundExpr, isAscending: Bool, nullsFirst: Bool) {
        self.expr = expr
        self.isAscending = isAscending
        self.nullsFirst = nullsFirst
    }
}

package enum JoinKind: String, Sendable {
    case innerunique, inner, leftouter, rightouter, fullouter, leftsemi, rightsemi, leftanti, rightanti
}

package struct JoinPlan: Sendable {
    package let kind: JoinKind
    package let left: Plan
    package let right: Plan
    /// Pairs of equal expressions, the first over the left's columns, the second over the right's.
    package let keys: [(BoundExpr, BoundExpr)]
    /// Columns of the left (by number) and of the right that the result has, in order.
    package let leftColumns: [Int]
    package let rightColumns: [Int]
}

package struct ExpandColumn: Sendable {
    package let expr: BoundExpr
    package let name: String
    package let type: ScalarType
    /// Whether the values are converted to `type`.
    package let converts: Bool
}

package struct ExpandPlan: Sendable {
    package let input: Plan
    package let columns: [ExpandColumn]
    /// For each output column: a column of the input, or (negative) `-1 - i` for expansion `i`.
    package let layout: [Int]
    package let indexColumn: Bool
    package let limit: BoundExpr?
    package let bagAsArray: Bool
}

package struct ParsePlan: Sendable {
    package let input: Plan
    package let source: BoundExpr
    package let kind: String
    package let flags: String
    package let parts: [ParseSyntax.Part]
    package let filters: Bool
    /// Where each parsed column goes in the output.
    package let targets: [Int]
}

package struct ReducePlan: Sendable {
    package let input: Plan
    package let source: BoundExpr
    /// The share of rows above which a term or a pattern is frequent.
    package let threshold: Double
    package let characters: String
    /// `kind=source`: the rows stay and get their pattern.
    package let keepsRows: Bool
}

/// How `parse-kv` tells keys from values.
package struct KeyValueSyntax: Sendable {
    /// Between pairs, and between a key and its value; nil when not told.
    package var pair: String?
    package var key: String?
    /// Each an opening and a closing character.
    package var quotes: [String] = []
    package var escapes: [Character] = []
    /// Whether a value goes on until the next wanted key.
    package var greedy = false
    /// A pattern with two groups, key and value, instead of delimiters.
    package var regex: String?
}

/// One series: an expression over the columns that the aggregates give, and what stands where there are no rows.
package struct SeriesValue: Sendable {
    package let value: BoundExpr
    package let defaultValue: BoundExpr?
}

package struct MakeSeriesPlan: Sendable {
    package let input: Plan
    package let keys: [BoundColumn]
    package let aggregates: [BoundAggregate]
    package let series: [SeriesValue]
    package let axis: BoundExpr
    /// `in range(…)`: the bin of the stop is there too, and bins are multiples of the step.
    package let isStopIncluded: Bool
    package let from: BoundExpr?
    package let to: BoundExpr?
    package let step: BoundExpr
    /// `kind=nonempty`: a series of defaults when there are no rows.
    package let isNeverEmpty: Bool
}

package struct TopNestedLevel: Sendable {
    package let count: BoundExpr?
    package let key: BoundColumn
    package let aggregate: BoundAggregate
    package let others: BoundExpr?
    package let isAscending: Bool
    package let nullsFirst: Bool
}

package struct ScanPlan: Sendable {
    package struct Step: Sendable {
        package let name: String
        package let isOptional: Bool
        package let output: String
        package let condition: BoundExpr
        /// State columns (numbers among the declared ones) and the expressions assigned to them.
        package let assignments: [(Int, BoundExpr)]
    }
    package let input: Plan
    package let declared: [ColumnSpec]
    package let defaults: [BoundExpr?]
    package let steps: [Step]
    package let partitionBy: [BoundExpr]
    package let hasMatchID: Bool
}

/// A tabular expression whose names and types are known.
package struct Plan: Sendable {
    package indirect enum Kind: Sendable {
        case table(String)
        case rows(Batch)
        case range(BoundExpr, BoundExpr, BoundExpr, ScalarType)
        case print([BoundExpr])
        case filter(Plan, BoundExpr)
        case project(Plan, [BoundColumn])
        case summarize(Plan, keys: [BoundColumn], aggregates: [BoundAggregate])
        case join(JoinPlan)
        case union([Plan])
        case sort(Plan, [SortKey])
        case top(Plan, BoundExpr, [SortKey])
        case take(Plan, BoundExpr)
        case sample(Plan, BoundExpr)
        case mvExpand(ExpandPlan)
        /// `subquery` reads `.input(id)`, one row of the input expanded at a time.
        case mvApply(ExpandPlan, subquery: Plan, id: Int, layout: [Int])
        case parse(ParsePlan)
        case parseKV(Plan, BoundExpr, [ColumnSpec], KeyValueSyntax)
        case makeSeries(MakeSeriesPlan)
        case topNested(Plan, [TopNestedLevel])
        case scan(ScanPlan)
        case materialize(id: Int, Plan)
        case input(Int)
        case partition(Plan, by: BoundExpr, subquery: Plan, id: Int)
        case plugin(String, Plan, [PluginArgument])
        case schema(Plan)
        case reduce(ReducePlan)
        case graphMatch(GraphPlan, GraphMatchPlan)
        case graphToTable(GraphPlan, nodes: Bool, identifiers: [GraphIdentifier])
        /// `subquery` is done with the graph of each value of the partition's column.
        case graphPartition(GraphPlan, subquery: Plan)
        case external(urls: [BoundExpr], ExternalOptions)
    }

    package let kind: Kind
    package let schema: Schema
    /// The columns are not all known before running: names that are not found are let through as `dynamic`.
    package var isOpen = false
    /// For a table: whether all its rows count, whatever range of time is set around the query.
    package var ignoresRange = false
    /// Operators in it, and how many are below each other; an input used twice counts twice.
    let operatorCount: Int
    let height: Int
    /// Whether the rows have an order that functions of other rows may rely on.
    package var isSerialized = false

    package init(_ kind: Kind, _ schema: Schema, isOpen: Bool = false, ignoresRange: Bool = false) {
        (operatorCount, height) = kind.size
        self.kind = kind
        self.schema = schema
        self.isOpen = isOpen
        self.ignoresRange = ignoresRange
    }
}

extension Plan.Kind {
    /// The tables that the operator reads.
    private var inputs: [Plan] {
        switch self {
        case .table, .rows, .range, .print, .input, .external: []
        case .filter(let p, _), .project(let p, _), .summarize(let p, _, _), .sort(let p, _), .top(let p, _, _),
            .take(let p, _), .sample(let p, _), .parseKV(let p, _, _, _), .topNested(let p, _), .materialize(_, let p),
            .schema(let p):
            [p]
        case .join(let join): [join.left, join.right]
        case .union(let all): all
        case .mvExpand(let expand): [expand.input]
        case .mvApply(let expand, let sub, _, _): [expand.input, sub]
        case .parse(let parse): [parse.input]
        case .makeSeries(let series): [series.input]
        case .scan(let scan): [scan.input]
        case .partition(let p, _, let sub, _): [p, sub]
        case .plugin(_, let p, let arguments):
            [p] + arguments.compactMap { if case .plan(let other) = $0 { other } else { nil } }
        case .reduce(let reduce): [reduce.input]
        case .graphMatch(let graph, _), .graphToTable(let graph, _, _): graph.inputs
        case .graphPartition(let graph, let sub): graph.inputs + [sub]
        }
    }

    fileprivate var size: (count: Int, height: Int) {
        // What is kept is worked out once: as an input of others it counts as one table.
        if case .rows = self { return (1, 1) }
        return inputs.reduce((1, 1)) { size, input in
            (
                size.0.addingReportingOverflow(input.operatorCount).overflow ? .max : size.0 + input.operatorCount,
                max(size.1, input.height + 1)
            )
        }
    }
}

extension GraphPlan {
    fileprivate var inputs: [Plan] { [edges] + nodes.map(\.plan) }
}

/// How `externaldata` reads what it names
/// (https://learn.microsoft.com/kusto/query/externaldata-operator#supported-properties).
package struct ExternalOptions: Sendable {
    /// A format's name in small letters; nil to tell it from the name of each file.
    package var format: String?
    /// Whether the first record of each file is passed over.
    package var ignoresFirst = false
    /// JSON that says where each column is in a record.
    package var mapping: String?
}

package enum PluginArgument: Sendable {
    indirect case named(String, PluginArgument)
    case expr(BoundExpr)
    case plan(Plan)
    case aggregate(BoundAggregate)
    /// A star.
    case all
}

/// What `render` asks for.
package struct RenderSpec: Sendable {
    package let kind: String
    package let properties: [(String, String)]

    package init(kind: String, properties: [(String, String)]) {
        self.kind = kind
        self.properties = properties
    }

    /// A property's text by its name, whatever the case of its letters.
    package subscript(name: String) -> String? { properties.first { $0.0.lowercased() == name.lowercased() }?.1 }
}

/// A whole query, ready to run. `fork` and several statements give several results.
package struct BoundQuery: Sendable {
    package let results: [(name: String, plan: Plan)]
    package let render: RenderSpec?
    /// What the service would refuse although its parser does not.
    package let warnings: [Diagnostic]
}
