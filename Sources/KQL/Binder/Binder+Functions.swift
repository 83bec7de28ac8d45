import Tables

/// Calls of functions that a query or the content declares.
extension Binder {
    /// An environment in which the parameters of a function have the values of a call.
    func callScope(
        _ declaration: FunctionDeclaration, _ home: Environment, _ arguments: [CallArgument], _ name: String,
        _ range: Range<Int>, _ scope: RowScope, _ environment: Environment, input: Plan? = nil
    ) throws -> Environment {
        let inner = Environment(parent: home)
        var positional = arguments.filter { $0.name == nil }[...]
        let named = arguments.filter { $0.name != nil }
        for given in named where !declaration.parameters.contains(where: { $0.name.text == given.name?.text }) {
            throw Diagnostic(
                "KS119", "The function '\(name)' has no parameter '\(given.name?.text ?? "")'.", given.value.range)
        }
        for (i, parameter) in declaration.parameters.enumerated() {
            if i == 0, let input {
                inner[parameter.name.text] = .plan(input)
                continue
            }
            let given = named.first { $0.name?.text == parameter.name.text } ?? positional.popFirst()
            switch parameter.kind {
            case .table(let columns):
                guard let given else {
                    throw Diagnostic(
                        "KS119", "The function '\(name)' expects \(counted(declaration.parameters.count)).", range)
                }
                let plan = try bindTabular(given.value, environment)
                for column in columns
                where column.name.text != "*" && plan.schema.index(of: column.name.text) == nil && !plan.isOpen {
                    throw Diagnostic(
                        "KS142", "The table given to '\(name)' has no column named \(column.name.text).",
                        given.value.range)
                }
                try plan.checkSize(given.value.range)
                inner[parameter.name.text] = .plan(plan)
            case .scalar(let type):
                if let given {
                    // A column of the invoked table, given for a text, stands for its name.
                    if type == .string, let input, case .name(let column) = given.value.kind,
                        environment[column] == nil,
                        input.schema.index(of: column) != nil
                    {
                        inner[parameter.name.text] = .scalar(.literal(.string(column), .string))
                        continue
                    }
                    let value = try bindScalar(given.value, scope, environment)
                    try value.checkSize("the argument", given.value.range)
                    inner[parameter.name.text] = .scalar(value.type == type ? value : convert(value, to: type))
                } else if let expr = parameter.defaultValue {
                    inner[parameter.name.text] = .scalar(convert(try bindScalar(expr, .none, home), to: type))
                } else {
                    throw Diagnostic(
                        "KS119", "The function '\(name)' expects \(counted(declaration.parameters.count)).", range)
                }
            }
        }
        if let extra = positional.first {
            throw Diagnostic(
                "KS119", "The function '\(name)' expects \(counted(declaration.parameters.count)).", extra.value.range)
        }
        return inner
    }

    func counted(_ n: Int) -> String { n == 1 ? "1 argument" : "\(n) arguments" }

    func callTabular(
        _ declaration: FunctionDeclaration, _ home: Environment, _ arguments: [CallArgument], _ name: String,
        _ range: Range<Int>, _ environment: Environment, input: Plan? = nil
    ) throws -> Plan {
        let inner = try callScope(declaration, home, arguments, name, range, .none, environment, input: input)
        return try inBody(of: declaration, in: home, name, range) {
            for statement in declaration.body {
                if let expr = try declare(statement, in: inner) {
                    let plan = try bindStatement(expr, inner)
                    try plan.checkSize(range)
                    return plan
                }
            }
            throw Diagnostic("KS007", "the function '\(name)' has no statement that gives a result", range)
        }
    }

    /// Binds a function's body: not inside its own, nor inside those of too many others.
    private func inBody<T>(
        of declaration: FunctionDeclaration, in home: Environment, _ name: String, _ range: Range<Int>,
        _ body: () throws -> T
    ) throws -> T {
        // What a query declares cannot see itself; the content's functions see each other.
        let isStored = catalog.function(named: name)?.range == declaration.range
        if isStored, !active.insert(name).inserted {
            throw Diagnostic("VK003", "the function '\(name)' calls itself", range)
        }
        callDepth += 1
        let outer = ignoresRange
        ignoresRange = outer || declaration.setsRange
        storedDepth += home.isStored ? 1 : 0
        defer {
            if isStored { active.remove(name) }
            callDepth -= 1
            ignoresRange = outer
            storedDepth -= home.isStored ? 1 : 0
        }
        guard callDepth <= QuerySize.callsMax else {
            throw Diagnostic(
                "VK003",
                "functions call each other more than \(QuerySize.callsMax) levels deep, from '\(name)' on; write the "
                    + "innermost parts into one function", range)
        }
        return try body()
    }

    func callScalar(
        _ declaration: FunctionDeclaration, _ home: Environment, _ arguments: [CallArgument], _ name: String,
        _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        let inner = try callScope(declaration, home, arguments, name, range, scope, environment)
        return try inBody(of: declaration, in: home, name, range) {
            try bindScalarBody(declaration, arguments, name, range, scope, environment, inner)
        }
    }

    private func bindScalarBody(
        _ declaration: FunctionDeclaration, _ arguments: [CallArgument], _ name: String, _ range: Range<Int>,
        _ scope: RowScope, _ environment: Environment, _ inner: Environment
    ) throws -> BoundExpr {
        for statement in declaration.body {
            if let expr = try declare(statement, in: inner) {
                if isTabular(expr, inner) {
                    if let varying = arguments.first(where: {
                        !((try? bindScalar($0.value, scope, environment).isConstant) ?? true)
                    }) {
                        throw Diagnostic(
                            "KS113",
                            "The function '\(name)' reads a table, so it cannot be called with a value that "
                                + "differs from row to row.",
                            varying.value.range)
                    }
                    let plan = try bindTabular(expr, inner)
                    return .toScalar(id: freshID(), plan, plan.schema.columns.first?.type ?? .dynamic)
                }
                return try bindScalar(expr, .none, inner)
            }
        }
        throw Diagnostic("KS007", "the function '\(name)' has no statement that gives a result", range)
    }
}
