import Tables

/// Gives every name of a query its meaning and every expression its type, or says what is wrong and where.
package final class Binder {
    let catalog: any SchemaCatalog
    /// Finds the columns of a plugin whose output depends on its input's rows; nil when nothing may run.
    /// It gives nil when there are no rows to tell.
    let resolvePlugin: ((Plan) throws -> Schema?)?
    /// Values of `declare query_parameters`.
    let parameters: [String: Value]
    private var nextID = 0
    /// Computes an expression of constants; nil when nothing may run.
    let evaluate: ((BoundExpr) -> Value?)?
    /// What the local engine runs; nil when the query is only read.
    let engine: EngineFeatures?
    var render: RenderSpec?
    var callDepth = 0
    /// Whether functions give a table, for those that were looked into; nil while one is.
    var givesTable: [FunctionKey: Bool?] = [:]
    /// The content's functions whose bodies are bound now.
    var active: Set<String> = []
    /// Expressions bound so far.
    var boundCount = 0
    /// Whether the text that is bound now stands in a function that says itself of which time it reads.
    var ignoresRange = false
    /// Values of `set` statements.
    var settings: [String: Expr] = [:]
    /// What runs here but would be refused by the service.
    private(set) var warnings: [Diagnostic] = []
    /// How many stored functions the text that is bound now stands in: its places are not the query's.
    var storedDepth = 0
    /// The calls of functions that look at other rows, in the operator that is bound now.
    var windowCalls: [Name] = []

    package init(
        catalog: any SchemaCatalog, parameters: [String: Value] = [:], engine: EngineFeatures? = nil,
        evaluate: ((BoundExpr) -> Value?)? = nil, resolvePlugin: ((Plan) throws -> Schema?)? = nil
    ) {
        self.engine = engine
        self.catalog = catalog
        self.parameters = parameters
        self.evaluate = evaluate
        self.resolvePlugin = resolvePlugin
    }

    /// Binds a parsed query. Every expression statement gives a result.
    package func bind(_ statements: [Statement]) throws -> BoundQuery {
        try DeepStack.run { () throws in
            try bindAll(statements)
        } withoutThread: {
            throw Diagnostic("VK005", DeepStack.noThread, 0..<0)
        }
    }

    private func bindAll(_ statements: [Statement]) throws -> BoundQuery {
        let environment = Environment(parent: nil)
        var results: [(name: String, plan: Plan)] = []
        for statement in statements {
            if let expr = try declare(statement, in: environment) {
                if try exportGraph(expr, environment) { continue }
                let forked = try bindFork(expr, environment)
                if forked.isEmpty {
                    results.append(("PrimaryResult", try bindStatement(expr, environment)))
                } else {
                    results += forked
                }
            }
        }
        guard !results.isEmpty else {
            throw Diagnostic("KS007", "the query has no statement that gives a result", 0..<0)
        }
        return BoundQuery(results: results, render: render, warnings: warnings)
    }

    /// Notes what the service would refuse; of a stored function's own text nobody who asks is told.
    func warn(_ code: String, _ message: String, _ range: Range<Int>) {
        guard storedDepth == 0 else { return }
        var problem = Diagnostic(code, message, range)
        problem.severity = .warning
        if !warnings.contains(problem) { warnings.append(problem) }
    }

    /// The value of an expression that does not depend on rows; nil when it cannot be known now.
    func constant(_ e: BoundExpr) -> Value? {
        if case .literal(let value, _) = e { return value }
        guard e.isConstant else { return nil }
        return evaluate?(e)
    }

    func freshID() -> Int {
        nextID += 1
        return nextID
    }

    /// Takes a declaration into `environment`; returns the expression of a statement that is one.
    func declare(_ statement: Statement, in environment: Environment) throws -> Expr? {
        switch statement {
        case .letValue(let name, let expr):
            environment[name.text] = try bindLet(expr, environment)
        case .set(let name, let value):
            if let value { settings[name.text] = value }
            if name.text == "query_language", let value { try expectKQL(value) }
        case .other(let name):
            throw Diagnostic(
                "VK010", "valid KQL, but not in the local engine: \(name.text); run it on Kusto with --on", name.range)
        case .queryParameters(let declared):
            for parameter in declared {
                guard case .scalar(let type) = parameter.kind else { continue }
                if let value = parameters[parameter.name.text] {
                    environment[parameter.name.text] = .scalar(
                        .literal(try self.value(of: parameter.name, value, type), type))
                } else if let expr = parameter.defaultValue {
                    let bound = try bindScalar(expr, .none, environment)
                    environment[parameter.name.text] = .scalar(convert(bound, to: type))
                } else {
                    environment[parameter.name.text] = .scalar(.literal(.null, type))
                }
            }
        case .expression(let expr): return expr
        }
        return nil
    }

    /// The value that a request gives a parameter: JSON of its type, or the text of a KQL literal, as Kusto's clients
    /// send it.
    private func value(of parameter: Name, _ given: Value, _ type: ScalarType) throws -> Value {
        guard case .string(let text) = given else { return given.converted(to: type) }
        let literal: Value? = {
            guard let statements = try? Parser.parse(text), statements.count == 1,
                case .expression(let expr) = statements[0],
                let bound = try? bindScalar(expr, .none, Environment(parent: nil)), let value = constant(bound)
            else { return nil }
            return bound.type == type || type != .string ? value.converted(to: type) : nil
        }()
        if let literal, !literal.isNull { return literal }
        let converted = type == .string ? .string(text) : Value.string(text).converted(to: type)
        if converted.isNull, !text.isEmpty, !text.hasSuffix("(null)") {
            throw Diagnostic(
                "VK012", "the value \"\(text)\" of the parameter '\(parameter.text)' is not of type \(type.name)",
                parameter.range)
        }
        return converted
    }

    private func expectKQL(_ value: Expr) throws {
        let language =
            switch value.kind {
            case .literal(let v, _): v.text
            case .name(let name): name
            default: ""
            }
        guard !["", "kql", "csl"].contains(language.lowercased()) else { return }
        throw Diagnostic("VK010", "the query language '\(language)' is not spoken here; write KQL", value.range)
    }

    private func bindLet(_ expr: Expr, _ environment: Environment) throws -> Binding {
        if case .lambda(let declaration) = expr.kind {
            let home = Environment(now: environment)
            // Found out now, when all that it calls was: nobody has to look deep for it later.
            _ = returnsTable(declaration, home, name: "")
            return .function(declaration, home)
        }
        if case .name(let n) = expr.kind, let binding = environment[n], case .function = binding { return binding }
        if case .pipe(let source?, let operators) = expr.kind, let last = operators.last, Binder.givesGraph(last) {
            return .graph(try bindGraph(source, operators, environment))
        }
        if isTabular(expr, environment) {
            let plan = try bindTabular(expr, environment)
            try plan.checkSize(expr.range)
            return .plan(plan)
        }
        let value = try bindScalar(expr, .none, environment)
        // What is known now is computed once, wherever the name stands.
        if case .literal = value { return .scalar(value) }
        try value.checkSize("the value", expr.range)
        if value.isFoldable, let known = constant(value) { return .scalar(.literal(known, value.type)) }
        return .scalar(value)
    }

    /// A statement's value: a table, or one cell for a scalar expression.
    func bindStatement(_ expr: Expr, _ environment: Environment) throws -> Plan {
        if isTabular(expr, environment) { return try bindTabular(expr, environment) }
        if case .name(let name) = expr.kind, environment[name] == nil {
            return try bindTable(named: name, expr.range, environment)
        }
        let value = try bindScalar(expr, .none, environment)
        return Plan(.print([value]), Schema([ColumnSpec("print_0", value.type)]))
    }

    // MARK: Tables and scalars

    /// Whether an expression gives a table.
    func isTabular(_ expr: Expr, _ environment: Environment) -> Bool {
        switch expr.kind {
        case .pipe, .datatable, .externaldata: return true
        case .name(let n):
            if let binding = environment[n] {
                switch binding {
                case .plan, .graph: return true
                default: return false
                }
            }
            return catalog.schema(ofTable: n) != nil || catalog.function(named: n) != nil
        case .tuple(let items): return items.count == 1 && isTabular(items[0], environment)
        case .call(let n, let arguments):
            if let binding = environment[n.text] {
                guard case .function(let declaration, let home) = binding else { return false }
                return returnsTable(declaration, home, name: "")
            }
            if Binder.givesTable(n.text) {
                return n.text != "materialize" || arguments.first.map { isTabular($0.value, environment) } ?? false
            }
            if let stored = catalog.function(named: n.text) {
                return returnsTable(stored, .stored, name: n.text)
            }
            return false
        case .memberCall, .member: return QualifiedName(expr).map(isTabular) ?? false
        default: return false
        }
    }

    /// Binds a tabular expression.
    func bindTabular(_ expr: Expr, _ environment: Environment) throws -> Plan {
        switch expr.kind {
        case .pipe(let source, let operators):
            return try bindPipe(source, operators, environment)
        case .tuple(let items) where items.count == 1:
            return try bindTabular(items[0], environment)
        case .name(let name):
            return try bindTable(named: name, expr.range, environment)
        case .datatable(let columns, let values):
            return try bindDatatable(columns, values, expr.range, environment)
        case .externaldata(let columns, let urls, let properties):
            return try bindExternal(columns, urls, properties, environment)
        case .call(let name, let arguments):
            return try bindTabularCall(name, arguments, expr.range, environment)
        case .memberCall, .member:
            guard let qualified = QualifiedName(expr) else {
                throw Diagnostic("KS109", "A table is expected here.", expr.range)
            }
            return try bindQualified(qualified, expr.range, environment)
        case .toScalar, .literal, .binary, .unary:
            let value = try bindScalar(expr, .none, environment)
            return Plan(.print([value]), Schema([ColumnSpec("print_0", value.type)]))
        default:
            throw Diagnostic("KS109", "A table is expected here.", expr.range)
        }
    }

    func bindTable(named name: String, _ range: Range<Int>, _ environment: Environment) throws -> Plan {
        if let binding = environment[name] {
            switch binding {
            case .plan(let plan): return plan
            case .function(let declaration, let home)
            where declaration.parameters.allSatisfy({ $0.defaultValue != nil }):
                return try callTabular(declaration, home, [], name, range, environment)
            default: throw Diagnostic("KS109", "The name '\(name)' does not refer to a table.", range)
            }
        }
        if let schema = catalog.schema(ofTable: name) {
            return Plan(.table(name), schema, ignoresRange: ignoresRange)
        }
        if let stored = catalog.function(named: name) {
            return try callTabular(stored, .stored, [], name, range, environment)
        }
        let candidates = catalog.tableNames + catalog.functionNames + environment.allNames
        throw Diagnostic(
            "KS204", "The name '\(name)' does not refer to any known table, tabular variable or function.", range,
            suggestion: NearMiss.find(name, in: candidates.sorted()))
    }

    private func bindTabularCall(
        _ name: Name, _ arguments: [CallArgument], _ range: Range<Int>, _ environment: Environment
    ) throws -> Plan {
        if let binding = environment[name.text], case .function(let declaration, let home) = binding {
            return try callTabular(declaration, home, arguments, name.text, range, environment)
        }
        switch name.text {
        case "materialize":
            guard let first = arguments.first else {
                throw Diagnostic("KS119", "The function 'materialize' expects 1 argument.", range)
            }
            let inner = try bindTabular(first.value, environment)
            var plan = Plan(.materialize(id: freshID(), inner), inner.schema, isOpen: inner.isOpen)
            plan.isSerialized = inner.isSerialized
            return plan
        case "view":
            guard let first = arguments.first else {
                throw Diagnostic("KS119", "The function 'view' expects 1 argument.", range)
            }
            return try bindTabular(first.value, environment)
        case "table":
            guard let first = arguments.first,
                case .literal(.string(let table), _) = try bindScalar(first.value, .none, environment)
            else { throw Diagnostic("KS112", "The table's name must be a constant string.", range) }
            return try bindTable(named: table, range, environment)
        case "_GetWatchlist": return try bindWatchlist(arguments, range, environment)
        default: break
        }
        if let stored = catalog.function(named: name.text) {
            return try callTabular(stored, .stored, arguments, name.text, range, environment)
        }
        if Builtins.scalars[name.text] != nil {
            let value = try bindScalar(Expr(.call(name, arguments), range), .none, environment)
            return Plan(.print([value]), Schema([ColumnSpec("print_0", value.type)]))
        }
        throw unknownFunction(name, environment)
    }

    private func bindWatchlist(_ arguments: [CallArgument], _ range: Range<Int>, _ environment: Environment) throws
        -> Plan
    {
        guard let first = arguments.first,
            case .string(let alias)? = constant(try bindScalar(first.value, .none, environment))
        else {
            throw Diagnostic("KS112", "The watchlist's alias must be a constant string.", range)
        }
        let table = WatchlistTable.name(alias)
        guard let schema = catalog.schema(ofTable: table) else {
            throw Diagnostic(
                "VK013",
                "there is no watchlist '\(alias)'; put \(alias).csv into the content folder's Watchlists, "
                    + "or run: vestige import FILE --watchlist \(alias)",
                first.value.range, suggestion: NearMiss.find(alias, in: catalog.watchlistAliases.sorted()))
        }
        return Plan(.table(table), schema)
    }

    func unknownFunction(_ name: Name, _ environment: Environment) -> Diagnostic {
        let service =
            QualifiedName.placeNames.contains(name.text)
            ? "the cloud service" : catalog.note(ofFunction: name.text).service
        if let service {
            return Diagnostic(
                "VK010", "\(name.text)() needs data that only \(service) has; run this query there with --on",
                name.range)
        }
        if Binder.elsewhere.contains(name.text) { return notHere(name) }
        let names = Array(Builtins.scalars.keys) + catalog.functionNames + environment.allNames
        return Diagnostic(
            "KS211", "The name '\(name.text)' does not refer to any known function.", name.range,
            suggestion: NearMiss.find(name.text, in: names.sorted()))
    }

    // MARK: Literal tables

    private func bindDatatable(
        _ columns: [ColumnDeclaration], _ values: [Expr], _ range: Range<Int>, _ environment: Environment
    ) throws -> Plan {
        let schema = Schema(columns.map { ColumnSpec($0.name.text, $0.type) })
        guard !columns.isEmpty || values.isEmpty, columns.isEmpty || values.count % columns.count == 0 else {
            throw Diagnostic("KS110", "The number of values is not a multiple of the number of columns.", range)
        }
        var rows: [[Value]] = []
        var row: [Value] = []
        for (i, expr) in values.enumerated() {
            let bound = try bindScalar(expr, .none, environment)
            guard bound.isConstant else { throw Diagnostic("KS112", "A constant is expected here.", expr.range) }
            row.append((constant(bound) ?? .null).converted(to: columns[i % columns.count].type))
            if row.count == columns.count {
                rows.append(row)
                row = []
            }
        }
        return Plan(.rows(Batch(schema: schema, rows: rows)), schema)
    }

    private func bindExternal(
        _ columns: [ColumnDeclaration], _ urls: [Expr], _ properties: [Property], _ environment: Environment
    ) throws -> Plan {
        var options = ExternalOptions()
        for property in properties {
            let text: String
            switch property.value.kind {
            case .literal(let v, _): text = v.text
            case .name(let n): text = n
            default: text = (constant(try bindScalar(property.value, .none, environment)) ?? .null).text
            }
            switch property.name.text.lowercased() {
            case "format": options.format = text.lowercased()
            case "ignorefirstrecord": options.ignoresFirst = text.lowercased() == "true"
            case "ingestionmapping": options.mapping = text
            default: break
            }
        }
        let schema = Schema(columns.map { ColumnSpec($0.name.text, $0.type) })
        let bound = try urls.map { try bindScalar($0, .none, environment) }
        return Plan(.external(urls: bound, options), schema)
    }
}
