import Tables

extension Binder {
    func bindJoin(
        _ syntax: JoinSyntax, _ left: Plan, _ op: Operator, _ environment: Environment, isLookup: Bool
    ) throws -> Plan {
        var kind: JoinKind = isLookup ? .leftouter : .innerunique
        for property in syntax.properties where property.name.text == "kind" {
            let text: String
            switch property.value.kind {
            case .name(let n): text = n
            case .literal(let v, _): text = v.text
            default: text = ""
            }
            let name =
                ["anti": "leftanti", "leftantisemi": "leftanti", "rightantisemi": "rightanti", "semi": "leftsemi"][text]
                ?? text
            guard let known = JoinKind(rawValue: name) else {
                throw Diagnostic("KS005", "'\(text)' is not a kind of join.", property.value.range)
            }
            kind = known
            if isLookup, kind != .leftouter, kind != .inner {
                throw Diagnostic("KS005", "lookup knows the kinds leftouter and inner only.", property.value.range)
            }
        }
        let right = try bindTabular(syntax.right, environment)
        let (keys, rightKeyColumns) = try joinKeys(syntax.on, left, right, environment)
        var names = NameSet()
        var columns: [ColumnSpec] = []
        var leftColumns: [Int] = []
        var rightColumns: [Int] = []
        if kind != .rightsemi, kind != .rightanti {
            for (i, c) in left.schema.columns.enumerated() {
                leftColumns.append(i)
                columns.append(ColumnSpec(names.unique(c.name), c.type))
            }
        }
        if kind != .leftsemi, kind != .leftanti {
            for (i, c) in right.schema.columns.enumerated() where !(isLookup && rightKeyColumns.contains(i)) {
                rightColumns.append(i)
                columns.append(ColumnSpec(names.unique(c.name), c.type))
            }
        }
        let plan = JoinPlan(
            kind: kind, left: left, right: right, keys: keys, leftColumns: leftColumns, rightColumns: rightColumns)
        return Plan(.join(plan), Schema(columns), isOpen: left.isOpen || right.isOpen)
    }

    private func joinKeys(
        _ conditions: [Expr], _ left: Plan, _ right: Plan, _ environment: Environment
    ) throws -> ([(BoundExpr, BoundExpr)], Set<Int>) {
        let split = left.schema.count
        let isOpen = left.isOpen || right.isOpen
        let both = RowScope(
            schema: Schema(left.schema.columns + right.schema.columns), leftCount: split, isOpen: isOpen)
        var keys: [(BoundExpr, BoundExpr)] = []
        var rightColumns: Set<Int> = []
        func add(_ e: Expr) throws {
            switch e.kind {
            case .tuple(let items):
                for item in items { try add(item) }
            case .binary("and", let a, let b, _):
                try add(a)
                try add(b)
            case .name(let name):
                let l = left.schema.index(of: name)
                let r = right.schema.index(of: name)
                guard let l, let r else {
                    if isOpen { return }
                    let scope = l == nil ? left.schema : right.schema
                    throw unknownName(name, e.range, RowScope(schema: scope), environment)
                }
                let (leftType, rightType) = (left.schema[l].type, right.schema[r].type)
                guard areAlike(leftType, rightType) || isOpen else {
                    throw Diagnostic(
                        "KS227",
                        "The column '\(name)' must have the same type on both sides of the join, not "
                            + "\(leftType.name) and \(rightType.name).", e.range)
                }
                if leftType == .dynamic { warnOfDynamicKey(e.range) }
                keys.append((.column(l, leftType), .column(r, rightType)))
                rightColumns.insert(r)
            case .binary("==", let a, let b, let range):
                let x = try bindScalar(a, both, environment)
                let y = try bindScalar(b, both, environment)
                let (l, r) = usesRight(x, split) ? (y, shift(x, split)) : (x, shift(y, split))
                guard areAlike(l.type, r.type) || isOpen else { throw undefined("==", l.type, r.type, range) }
                if l.type == .dynamic { warnOfDynamicKey(e.range) }
                if case .column(let i, _) = r { rightColumns.insert(i) }
                keys.append((l, r))
            default:
                throw Diagnostic("KS005", "A join condition is a column name or $left.a == $right.b.", e.range)
            }
        }
        for condition in conditions { try add(condition) }
        return (
            keys.map { l, r in
                if l.type == r.type { return (l, r) }
                let type = TypeFacts.common([l.type, r.type])
                return type == .dynamic ? (asText(l), asText(r)) : (convert(l, to: type), convert(r, to: type))
            }, rightColumns
        )
    }

    /// Whether keys of these types may be joined.
    private func areAlike(_ a: ScalarType, _ b: ScalarType) -> Bool { a == b || a.isNumeric && b.isNumeric }

    private func warnOfDynamicKey(_ range: Range<Int>) {
        warn(
            "VK031", "the service refuses keys of type dynamic in a join; convert both sides, as with tostring()", range
        )
    }

    private func usesRight(_ e: BoundExpr, _ split: Int) -> Bool {
        switch e {
        case .column(let i, _): i >= split
        case .call(_, let arguments, _): arguments.contains { usesRight($0, split) }
        case .convert(let inner, _): usesRight(inner, split)
        default: false
        }
    }

    /// Column numbers counted from the right side's first column.
    private func shift(_ e: BoundExpr, _ split: Int) -> BoundExpr {
        switch e {
        case .column(let i, let t): .column(i >= split ? i - split : i, t)
        case .call(let name, let arguments, let t): .call(name, arguments.map { shift($0, split) }, t)
        case .convert(let inner, let t): .convert(shift(inner, split), t)
        default: e
        }
    }

    // MARK: Union, search, find

    private func sources(_ list: [UnionSource], _ environment: Environment, isFuzzy: Bool) throws -> [(String, Plan)] {
        var out: [(String, Plan)] = []
        for source in list {
            if let pattern = source.pattern {
                if let qualified = QualifiedName(source.expr) { try expectLocal(qualified, environment) }
                out += try wildcardTables(environment).filter { Wildcard.matches(pattern, $0.0) }
                continue
            }
            do {
                let plan = try bindTabular(source.expr, environment)
                out.append((tableName(source.expr) ?? "union_arg\(out.count)", plan))
            } catch let problem as Diagnostic
                where isFuzzy && (problem.code == "KS204" || problem.code == Binder.foreignCode)
            {
                if problem.code == Binder.foreignCode { warn("VK033", "left out: \(problem.message)", problem.range) }
                continue
            }
        }
        return out
    }

    /// What a wildcard chooses from: the database's tables and the views that the query declares.
    private func wildcardTables(_ environment: Environment) throws -> [(String, Plan)] {
        var out = catalog.wildcardTableNames.sorted().compactMap { name in
            catalog.schema(ofTable: name).map { (name, Plan(.table(name), $0)) }
        }
        for name in Set(environment.allNames).sorted() {
            guard case .function(let declaration, let home)? = environment[name], declaration.isView,
                declaration.parameters.isEmpty
            else { continue }
            out.append((name, try callTabular(declaration, home, [], name, declaration.range, environment)))
        }
        return out
    }

    /// The name that `as` gave to a table just before.
    private func alias(of plan: Plan, _ environment: Environment) -> String? {
        guard case .materialize(let id, _) = plan.kind else { return nil }
        return environment.allNames.first { name in
            if case .plan(let known)? = environment[name], case .materialize(id, _) = known.kind { true } else { false }
        }
    }

    private func tableName(_ e: Expr) -> String? {
        switch e.kind {
        case .name(let n): n
        case .member(_, let n): n.text
        case .tuple(let items): items.count == 1 ? tableName(items[0]) : nil
        case .pipe(let source, let operators):
            if case .alias(let name)? = operators.last?.kind { name.text } else { source.flatMap(tableName) }
        default: nil
        }
    }

    func bindUnion(
        _ properties: [Property], _ list: [UnionSource], _ current: Plan?, _ environment: Environment
    ) throws -> Plan {
        var isInner = false
        var isFuzzy = false
        var sourceColumn: String?
        for property in properties {
            let text: String
            switch property.value.kind {
            case .name(let n): text = n
            case .literal(let v, _): text = v.text
            default: text = ""
            }
            switch property.name.text {
            case "kind": isInner = text == "inner"
            case "isfuzzy": isFuzzy = text == "true"
            case "withsource": sourceColumn = text
            default: break
            }
        }
        var inputs = try sources(list, environment, isFuzzy: isFuzzy)
        if let current { inputs.insert((alias(of: current, environment) ?? "union_arg0", current), at: 0) }
        if inputs.isEmpty {
            throw Diagnostic("KS204", "No table fits the names given to 'union'.", list.first?.expr.range ?? 0..<0)
        }
        if let sourceColumn, inputs.contains(where: { $0.1.schema.index(of: sourceColumn) != nil }) {
            let range = properties.first { $0.name.text == "withsource" }?.value.range ?? 0..<0
            warn("VK032", "the service refuses withsource= with the name of a column that is there already", range)
        }
        return combine(inputs, isInner: isInner, sourceColumn: sourceColumn)
    }

    /// Tables one after another; columns of the same name but different types get the type as a suffix.
    func combine(_ inputs: [(String, Plan)], isInner: Bool, sourceColumn: String?) -> Plan {
        var types: [String: [ScalarType]] = [:]
        var order: [String] = []
        for (_, plan) in inputs {
            for c in plan.schema.columns {
                if types[c.name] == nil { order.append(c.name) }
                if !types[c.name, default: []].contains(c.type) { types[c.name, default: []].append(c.type) }
            }
        }
        if isInner {
            order = order.filter { name in
                inputs.allSatisfy { $0.1.schema.index(of: name) != nil } && types[name]?.count == 1
            }
        }
        var columns: [(name: String, source: String, type: ScalarType)] = []
        // Names with a type behind them give way to columns that have such a name of their own.
        var names = NameSet()
        for name in order where types[name]?.count == 1 { names.insert(name) }
        for name in order {
            let list = types[name] ?? []
            for type in list {
                columns.append((list.count == 1 ? name : names.unique("\(name)_\(type.name)"), name, type))
            }
        }
        var schema = Schema(columns.map { ColumnSpec($0.name, $0.type) })
        if let sourceColumn { schema.columns.insert(ColumnSpec(sourceColumn, .string), at: 0) }
        let isOpen = inputs.contains { $0.1.isOpen }
        let aligned = inputs.map { label, plan -> Plan in
            var out = columns.map { column -> BoundColumn in
                if let i = plan.schema.index(of: column.source), plan.schema[i].type == column.type {
                    return BoundColumn(column.name, .column(i, column.type))
                }
                return BoundColumn(column.name, .literal(column.type == .string ? .string("") : .null, column.type))
            }
            if let sourceColumn { out.insert(BoundColumn(sourceColumn, .literal(.string(label), .string)), at: 0) }
            return Plan(.project(plan, out), schema, isOpen: isOpen)
        }
        return Plan(.union(aligned), schema, isOpen: isOpen)
    }

    func bindSearch(_ list: [UnionSource], _ condition: Expr, _ current: Plan?, _ environment: Environment) throws
        -> Plan
    {
        var inputs: [(String, Plan)]
        if let current {
            inputs = [("search_arg0", current)]
        } else if list.isEmpty {
            inputs = try wildcardTables(environment)
        } else {
            inputs = try sources(list, environment, isFuzzy: false)
        }
        inputs = try inputs.map { label, plan in
            let e = try bindSearchCondition(condition, RowScope(schema: plan.schema, isOpen: plan.isOpen), environment)
            return (label, Plan(.filter(plan, convert(e, to: .bool)), plan.schema))
        }
        return combine(inputs, isInner: false, sourceColumn: current == nil ? "$table" : nil)
    }

    /// A search predicate: strings alone are looked for in every column.
    private func bindSearchCondition(_ e: Expr, _ scope: RowScope, _ environment: Environment) throws -> BoundExpr {
        switch e.kind {
        case .star: return .literal(.bool(true), .bool)
        case .literal(.string(let text), _):
            if text == "*" || text.isEmpty { return .literal(.bool(true), .bool) }
            let op =
                text.hasPrefix("*") && text.hasSuffix("*")
                ? "contains" : text.hasSuffix("*") ? "hasprefix" : text.hasPrefix("*") ? "hassuffix" : "has"
            let term = Expr(.literal(.string(text.replacing("*", with: "")), .string), e.range)
            return try bindScalar(
                Expr(.binary(op, Expr(.star, e.range), term, operatorRange: e.range), e.range), scope, environment)
        case .tuple(let items) where items.count == 1: return try bindSearchCondition(items[0], scope, environment)
        case .binary(let op, let a, let b, let range) where op == "and" || op == "or":
            return try binary(
                op, try bindSearchCondition(a, scope, environment), try bindSearchCondition(b, scope, environment),
                range)
        case .call(let name, let arguments) where name.text == "not" && arguments.count == 1:
            return .call(
                "not", [convert(try bindSearchCondition(arguments[0].value, scope, environment), to: .bool)], .bool)
        default:
            do { return try bindScalar(e, scope, environment) } catch let problem as Diagnostic
                where problem.code == "KS142"
            {
                return .literal(.bool(false), .bool)
            }
        }
    }

    func bindFind(
        _ properties: [Property], _ list: [UnionSource], _ condition: Expr, _ columns: [FindColumn]?,
        _ environment: Environment
    ) throws -> Plan {
        var sourceColumn = "source_"
        for property in properties where property.name.text == "withsource" {
            if case .name(let n) = property.value.kind { sourceColumn = n }
        }
        let inputs =
            try list.isEmpty
            ? wildcardTables(environment)
            : sources(list, environment, isFuzzy: false)
        var wanted: [(String, ScalarType?)]? = columns?.map { ($0.name.text, $0.type) }
        if wanted == nil {
            var common: [(String, ScalarType?)] = []
            for c in inputs.first?.1.schema.columns ?? []
            where inputs.allSatisfy({ $0.1.schema.columns.contains(c) }) || mentions(condition, c.name) {
                common.append((c.name, c.type))
            }
            wanted = common
        }
        let found = try inputs.map { label, plan -> (String, Plan) in
            let scope = RowScope(schema: plan.schema, isOpen: plan.isOpen)
            let e = try bindSearchCondition(condition, scope, environment)
            let filtered = Plan(.filter(plan, convert(e, to: .bool)), plan.schema)
            var out: [BoundColumn] = []
            for (name, type) in wanted ?? [] where name != "pack_" {
                if let i = plan.schema.index(of: name) {
                    out.append(
                        BoundColumn(name, convert(.column(i, plan.schema[i].type), to: type ?? plan.schema[i].type)))
                } else {
                    out.append(BoundColumn(name, .literal(.null, type ?? .string)))
                }
            }
            if columns == nil || wanted?.contains(where: { $0.0 == "pack_" }) == true {
                var packed: [BoundExpr] = []
                for (i, c) in plan.schema.columns.enumerated() where !out.contains(where: { $0.name == c.name }) {
                    packed.append(.literal(.string(c.name), .string))
                    packed.append(.column(i, c.type))
                }
                out.append(BoundColumn("pack_", .call("bag_pack", packed, .dynamic)))
            }
            return (label, project(filtered, out))
        }
        return combine(found, isInner: false, sourceColumn: sourceColumn)
    }

    private func mentions(_ e: Expr, _ name: String) -> Bool {
        var found = false
        _ = try? rewrite(e) { inner in
            if case .name(let n) = inner.kind, n == name { found = true }
            return nil
        }
        return found
    }
}
