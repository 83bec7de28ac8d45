import Tables

extension Binder {
    /// Binds a scalar expression over the columns of `scope`.
    func bindScalar(_ expr: Expr, _ scope: RowScope, _ environment: Environment) throws -> BoundExpr {
        try countBound(expr.range)
        switch expr.kind {
        case .literal(let value, let type): return .literal(value, type)
        case .name(let name): return try bindName(name, expr.range, scope, environment)
        case .tuple(let items):
            guard items.count == 1 else {
                throw Diagnostic("KS005", "A single expression is expected here.", expr.range)
            }
            if isTabular(items[0], environment), !isColumn(items[0], scope) {
                return try scalarSubquery(items[0], environment)
            }
            return try bindScalar(items[0], scope, environment)
        case .unary(_, let operand):
            let value = try bindScalar(operand, scope, environment)
            let type = value.type
            guard type.isNumeric || type == .timespan || type == .dynamic else {
                throw Diagnostic(
                    "KS106", "The operator '-' is not defined for the operand type \(type.name).", expr.range)
            }
            return .call("negate", [value], type == .int && value.literalValue == nil ? .long : type)
        case .binary(let op, let a, let b, let range):
            return try bindBinary(op, a, b, range, scope, environment)
        case .list(let op, let value, let items):
            return try bindList(op, value, items, expr.range, scope, environment)
        case .between(let negated, let value, let low, let high):
            return try bindBetween(negated, value, low, high, expr.range, scope, environment)
        case .member(let base, let name): return try bindMember(base, name, expr.range, scope, environment)
        case .index(let base, let index):
            if let (whole, _) = try bindTuple(base, scope, environment) {
                return .call("index", [whole, try bindScalar(index, scope, environment)], .dynamic)
            }
            let b = try bindScalar(base, scope, environment)
            let i = try bindScalar(index, scope, environment)
            guard b.type == .dynamic else {
                let hint = b.type == .string ? "; read it with parse_json() first" : ""
                throw Diagnostic("KS147", "A value of type \(b.type.name) cannot be indexed\(hint).", base.range)
            }
            return .call("index", [b, i], .dynamic)
        case .call(let name, let arguments): return try bindCall(name, arguments, expr.range, scope, environment)
        case .toScalar(let inner): return try scalarSubquery(inner, environment)
        case .pipe: return try scalarSubquery(expr, environment)
        case .typeLiteral(let columns):
            return .literal(.string(columns.first?.type.name ?? "dynamic"), .string)
        case .star: throw Diagnostic("KS006", "'*' cannot stand here.", expr.range)
        case .memberCall(_, let name, _):
            if let qualified = QualifiedName(expr) {
                try expectLocal(qualified, environment)
                throw Diagnostic("KS107", "A scalar is expected here.", expr.range)
            }
            throw Diagnostic("KS211", "The name '\(name.text)' does not refer to any known function.", name.range)
        case .unreadable(let type, let text):
            throw Diagnostic("KS002", "\"\(text.prefix(60))\" is not a \(type.name)", expr.range)
        case .lambda, .datatable, .externaldata:
            throw Diagnostic("KS107", "A scalar is expected here.", expr.range)
        }
    }

    private func isColumn(_ e: Expr, _ scope: RowScope) -> Bool {
        if case .name(let n) = e.kind { return scope.schema.index(of: n) != nil }
        return false
    }

    func scalarSubquery(_ expr: Expr, _ environment: Environment) throws -> BoundExpr {
        if case .tuple(let items) = expr.kind, items.count == 1 { return try scalarSubquery(items[0], environment) }
        if !isTabular(expr, environment) {
            let value = try bindScalar(expr, .none, environment)
            if case .literal = value { return value }
            return .toScalar(
                id: freshID(), Plan(.print([value]), Schema([ColumnSpec("print_0", value.type)])), value.type)
        }
        let plan = try bindTabular(expr, environment)
        return .toScalar(id: freshID(), plan, plan.schema.columns.first?.type ?? .dynamic)
    }

    private func bindName(
        _ name: String, _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        if let i = scope.schema.index(of: name) { return .column(i, scope.schema[i].type) }
        if let whole = scope.members[name]?[""] { return whole }
        if let binding = environment[name] {
            switch binding {
            case .scalar(let value): return value
            case .plan(let plan):
                return .toScalar(id: freshID(), plan, plan.schema.columns.first?.type ?? .dynamic)
            case .function(let declaration, let home):
                return try callScalar(declaration, home, [], name, range, scope, environment)
            case .graph: throw Diagnostic("KS107", "A scalar is expected here.", range)
            }
        }
        if scope.isOpen { return .literal(.null, .dynamic) }
        throw unknownName(name, range, scope, environment)
    }

    func unknownName(_ name: String, _ range: Range<Int>, _ scope: RowScope, _ environment: Environment) -> Diagnostic {
        if name.hasPrefix("{") {
            return Diagnostic(
                "KS213", "\(name) is the parameter of a workbook: put its value there, or open the workbook.", range)
        }
        return Diagnostic(
            "KS142", "The name '\(name)' does not refer to any known column, table, variable or function.", range,
            suggestion: NearMiss.find(name, in: scope.schema.names + environment.allNames.sorted()))
    }

    private func bindMember(
        _ base: Expr, _ name: Name, _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        if let qualified = QualifiedName(Expr(.member(base, name), range)) {
            try expectLocal(qualified, environment)
            throw Diagnostic("KS107", "A scalar is expected here.", range)
        }
        if case .name(let b) = base.kind {
            if b == "$left" || b == "$right", let split = scope.leftCount {
                let columns = b == "$left" ? 0..<split : split..<scope.schema.count
                for i in columns where scope.schema[i].name == name.text { return .column(i, scope.schema[i].type) }
                if scope.isOpen { return .literal(.null, .dynamic) }
                throw unknownName(
                    name.text, name.range, RowScope(schema: Schema(columns.map { scope.schema[$0] })), environment)
            }
            if let members = scope.members[b] {
                if let e = members[name.text] { return e }
                throw Diagnostic(
                    "KS142", "The name '\(name.text)' does not refer to any known property of '\(b)'.", name.range,
                    suggestion: NearMiss.find(name.text, in: members.keys.sorted()))
            }
        }
        let b = try bindScalar(base, scope, environment)
        guard b.type == .dynamic else {
            let hint = b.type == .string ? "; read it with parse_json() first" : ""
            throw Diagnostic(
                "KS142", "A value of type \(b.type.name) has no property '\(name.text)'\(hint).", name.range)
        }
        return .call("index", [b, .literal(.string(name.text), .string)], .dynamic)
    }

    // MARK: Operators

    private static let canonical: [String: String] = [
        "notcontains": "!contains", "containscs": "contains_cs", "notcontainscs": "!contains_cs", ":": "has",
    ]

    private func bindBinary(
        _ op: String, _ a: Expr, _ b: Expr, _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        if case .star = a.kind { return try bindStar(op, b, range, scope, environment) }
        let left = try bindScalar(a, scope, environment)
        let right = try bindScalar(b, scope, environment)
        if op == "matches regex" { try checkPattern(right, b.range) }
        return try binary(op, left, right, range)
    }

    /// `* op value`: any column for which the operator holds.
    private func bindStar(
        _ op: String, _ b: Expr, _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        let right = try bindScalar(b, scope, environment)
        var result: BoundExpr = .literal(.bool(false), .bool)
        for (i, column) in scope.schema.columns.enumerated() {
            var left: BoundExpr = .column(i, column.type)
            if column.type != .string, right.type == .string { left = .call("tostring", [left], .string) }
            guard let part = try? binary(op, left, right, range) else { continue }
            result = .call("or", [result, part], .bool)
        }
        return result
    }

    func undefined(_ op: String, _ a: ScalarType, _ b: ScalarType, _ range: Range<Int>) -> Diagnostic {
        Diagnostic("KS106", "The operator '\(op)' is not defined for the operand types \(a.name) and \(b.name).", range)
    }

    func binary(_ written: String, _ left: BoundExpr, _ right: BoundExpr, _ range: Range<Int>) throws -> BoundExpr {
        let op = Binder.canonical[written] ?? written
        let (a, b) = (left.type, right.type)
        switch op {
        case "and", "or":
            for t in [a, b] where t != .bool && t != .dynamic { throw undefined(op, a, b, range) }
            return .call(op, [convert(left, to: .bool), convert(right, to: .bool)], .bool)
        case "+", "-", "*", "/", "%":
            guard let type = TypeFacts.arithmetic(op, a, b) else { throw undefined(op, a, b, range) }
            return .call(op, [left, right], type)
        case "<", "<=", ">", ">=":
            guard TypeFacts.canOrder(a, b) else { throw undefined(op, a, b, range) }
            return .call(op, [left, right], .bool)
        case "==", "!=":
            guard TypeFacts.canCompare(op, a, b) else {
                if let coerced = coerceComparison(op, left, right) { return coerced }
                throw undefined(op, a, b, range)
            }
            return .call(op, [left, right], .bool)
        default:
            // String operators.
            guard a == .string || a == .dynamic else { throw undefined(op, a, b, range) }
            guard b == .string || b == .dynamic else { throw undefined(op, a, b, range) }
            return .call(op, [asText(left), asText(right)], .bool)
        }
    }

    /// A constant string beside a date, duration, guid or number is read as one.
    private func coerceComparison(_ op: String, _ left: BoundExpr, _ right: BoundExpr) -> BoundExpr? {
        if case .literal(.string, _) = right, [.guid].contains(left.type) {
            return .call(op, [left, convert(right, to: left.type)], .bool)
        }
        if case .literal(.string, _) = left, [.guid].contains(right.type) {
            return .call(op, [convert(left, to: right.type), right], .bool)
        }
        if left.type == .guid, right.type == .string { return .call(op, [convert(left, to: .string), right], .bool) }
        if right.type == .guid, left.type == .string { return .call(op, [left, convert(right, to: .string)], .bool) }
        return nil
    }

    func asText(_ e: BoundExpr) -> BoundExpr { e.type == .string ? e : .call("tostring", [e], .string) }

    func convert(_ e: BoundExpr, to type: ScalarType) -> BoundExpr {
        if e.type == type { return e }
        if case .literal(let v, _) = e { return .literal(v.converted(to: type), type) }
        return .convert(e, type)
    }

    private func bindBetween(
        _ negated: Bool, _ value: Expr, _ low: Expr, _ high: Expr, _ range: Range<Int>, _ scope: RowScope,
        _ environment: Environment
    ) throws -> BoundExpr {
        let v = try bindScalar(value, scope, environment)
        let l = try bindScalar(low, scope, environment)
        var h = try bindScalar(high, scope, environment)
        guard TypeFacts.canLie(v.type, l.type, h.type) || scope.isOpen else {
            throw Diagnostic(
                "KS106",
                "The operator '\(negated ? "!between" : "between")' is not defined for the operand types "
                    + "\(v.type.name), \(l.type.name) and \(h.type.name).", range)
        }
        if l.type == .datetime || v.type == .datetime, h.type == .timespan { h = .call("+", [l, h], .datetime) }
        let inside: BoundExpr = .call(
            "and", [.call(">=", [v, l], .bool), .call("<=", [v, h], .bool)], .bool)
        return negated ? .call("not", [inside], .bool) : inside
    }

    private func bindList(
        _ op: String, _ value: Expr, _ items: [Expr], _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        if case .star = value.kind {
            var result: BoundExpr = .literal(.bool(false), .bool)
            for (i, column) in scope.schema.columns.enumerated() where column.type == .string || column.type == .dynamic
            {
                let list = try items.map { try bindScalar($0, scope, environment) }
                result = .call("or", [result, .call(op, [asText(.column(i, column.type))] + list, .bool)], .bool)
            }
            return result
        }
        let left = try bindScalar(value, scope, environment)
        if items.count == 1, isTabular(items[0], environment), !isColumn(items[0], scope) {
            let plan = try bindTabular(items[0], environment)
            return .inTable(operator: op, left, id: freshID(), plan)
        }
        let list = try items.map { item -> BoundExpr in
            if isTabular(item, environment), !isColumn(item, scope) { return try scalarSubquery(item, environment) }
            return try bindScalar(item, scope, environment)
        }
        let isText = op == "in~" || op == "!in~" || op.hasSuffix("has_any") || op.hasSuffix("has_all")
        if isText, left.type != .string, left.type != .dynamic {
            throw undefined(op, left.type, list.first?.type ?? .dynamic, range)
        }
        if !isText {
            for (item, bound) in zip(items, list)
            where !TypeFacts.canCompare("==", left.type, bound.type) && coerceComparison("==", left, bound) == nil {
                throw undefined(op, left.type, bound.type, item.range)
            }
        }
        return .call(op, [isText ? asText(left) : left] + list, .bool)
    }
}
