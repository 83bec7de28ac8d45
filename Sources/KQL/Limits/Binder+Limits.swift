import Tables

/// A function by its name, or by its place in the text alone when the query declares it.
struct FunctionKey: Hashable {
    let name: String
    let range: Range<Int>
}

extension Binder {
    /// Counts an expression that is bound.
    ///
    /// - Throws: `Diagnostic` when there are more than a query may have, as when functions call functions twice each.
    func countBound(_ range: Range<Int>) throws {
        try Interrupted.check()
        boundCount += 1
        if boundCount > QuerySize.boundMax {
            throw Diagnostic(
                "VK004",
                "the query has more than \(QuerySize.boundMax) expressions once its functions are put in; use "
                    + "materialize() or toscalar() for what is used more than once", range)
        }
    }

    /// Whether a call of a function gives a table. A function that calls itself gives none: binding the call refuses
    /// it.
    func returnsTable(_ declaration: FunctionDeclaration, _ home: Environment, name: String) -> Bool {
        let key = FunctionKey(name: name, range: declaration.range)
        if let known = givesTable[key] { return known ?? false }
        givesTable[key] = .some(nil)
        let answer = examine(declaration, home)
        givesTable[key] = answer
        return answer
    }

    private func examine(_ declaration: FunctionDeclaration, _ home: Environment) -> Bool {
        let inner = Environment(parent: home)
        for parameter in declaration.parameters {
            switch parameter.kind {
            case .scalar(let type): inner[parameter.name.text] = .scalar(.literal(.null, type))
            case .table:
                inner[parameter.name.text] = .plan(
                    Plan(.rows(.empty(Schema([ColumnSpec]()))), Schema([ColumnSpec]()), isOpen: true))
            }
        }
        for statement in declaration.body {
            switch statement {
            case .letValue(let name, let expr):
                if case .lambda(let d) = expr.kind {
                    let seen = Environment(now: inner)
                    _ = returnsTable(d, seen, name: "")
                    inner[name.text] = .function(d, seen)
                } else if isTabular(expr, inner) {
                    inner[name.text] = .plan(
                        Plan(.rows(.empty(Schema([ColumnSpec]()))), Schema([ColumnSpec]()), isOpen: true))
                } else {
                    inner[name.text] = .scalar(.literal(.null, .dynamic))
                }
            case .expression(let expr): return isTabular(expr, inner)
            default: break
            }
        }
        return false
    }
}
