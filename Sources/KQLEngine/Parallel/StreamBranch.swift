import KQL
import Tables

/// A part of a plan that reads one table and treats each batch by itself: filters, projections and expansions over a
/// scan.
struct StreamBranch {
    enum Stage {
        case filter(BoundExpr)
        case project([BoundColumn], Schema)
        case expand(ExpandPlan, Schema)
    }

    let table: String
    let schema: Schema
    /// Whether rows count whatever range of time is set around the query.
    let ignoresRange: Bool
    /// In the order in which they are applied.
    var stages: [Stage]

    /// The branches whose rows, one after another, are a plan's; nil when some operator needs more than one batch.
    static func of(_ plan: Plan) -> [StreamBranch]? {
        switch plan.kind {
        case .table(let name):
            return [StreamBranch(table: name, schema: plan.schema, ignoresRange: plan.ignoresRange, stages: [])]
        case .filter(let input, let condition):
            if condition.usesRowOrder { return nil }
            return appending(.filter(condition), to: of(input))
        case .project(let input, let columns):
            if columns.contains(where: { $0.expr.usesRowOrder }) { return nil }
            return appending(.project(columns, plan.schema), to: of(input))
        case .mvExpand(let expand): return appending(.expand(expand, plan.schema), to: of(expand.input))
        case .union(let inputs):
            var all: [StreamBranch] = []
            for input in inputs {
                guard let branches = of(input) else { return nil }
                all += branches
            }
            return all
        default: return nil
        }
    }

    private static func appending(_ stage: Stage, to branches: [StreamBranch]?) -> [StreamBranch]? {
        branches?.map { branch in
            var branch = branch
            branch.stages.append(stage)
            return branch
        }
    }

    /// The expressions that the stages compute.
    var expressions: [BoundExpr] {
        stages.flatMap { stage -> [BoundExpr] in
            switch stage {
            case .filter(let e): [e]
            case .project(let columns, _): columns.map(\.expr)
            case .expand(let plan, _): plan.columns.map(\.expr) + (plan.limit.map { [$0] } ?? [])
            }
        }
    }
}

extension BoundExpr {
    /// Calls `body` for every subquery in the expression.
    func forEachSubquery(_ body: (BoundExpr) throws -> Void) rethrows {
        switch self {
        case .column, .literal: break
        case .call(_, let arguments, _): for argument in arguments { try argument.forEachSubquery(body) }
        case .convert(let e, _): try e.forEachSubquery(body)
        case .toScalar: try body(self)
        case .inTable(_, let e, _, _):
            try e.forEachSubquery(body)
            try body(self)
        }
    }
}

extension Executor {
    /// Applies a branch's stages to one batch of its table.
    func apply(_ branch: StreamBranch, to batch: Batch) throws -> Batch? {
        var batch = batch
        for stage in branch.stages {
            switch stage {
            case .filter(let condition):
                let rows = try evaluator.selection(condition, batch)
                if rows.isEmpty { return nil }
                if rows.count < batch.count { batch = batch.gather(rows) }
            case .project(let columns, let schema): batch = try projected(batch, columns, schema)
            case .expand(let plan, let schema): batch = try expanded(plan, batch, schema)
            }
        }
        return batch.count == 0 ? nil : batch
    }

    /// What a scan may leave out: the conditions on columns that come from the table as they are.
    func predicates(of branch: StreamBranch) -> [ScanPredicate] {
        var out: [ScanPredicate] = []
        // The table's name for each column as the stages see it; a name that no table has for those that were computed.
        var names = branch.schema
        let computed = "\u{0}"
        for stage in branch.stages {
            switch stage {
            case .filter(let condition): out += predicates(condition, names).filter { $0.column != computed }
            case .project(let columns, _):
                names = Schema(
                    columns.map { column in
                        guard case .column(let i, let type) = column.expr, names[i].type == type else {
                            return ColumnSpec(computed, column.expr.type)
                        }
                        return names[i]
                    })
            case .expand: return out
            }
        }
        return out
    }

    /// Computes the subqueries of expressions now, so that workers find their values.
    func prepareSubqueries(_ expressions: [BoundExpr]) throws {
        for expression in expressions {
            try expression.forEachSubquery { e in
                switch e {
                case .toScalar(let id, let plan, _): _ = try scalar(id, plan)
                case .inTable(_, _, let id, let plan): _ = try set(id, plan)
                default: break
                }
            }
        }
    }
}
