import Tables

/// How large a query may be, counted before anybody walks it.
///
/// A tree of what is allowed fits the stack of `DeepStack`, in debug builds too; `DeepQueryTests` hold it to that.
package enum QuerySize {
    /// Levels of parentheses, calls, lists and subqueries inside each other, as the parser counts them: a call takes
    /// three.
    package static let nestingMax = 450
    /// Links of a chain such as `a + b + c`, `a.b.c` or `T | extend … | extend …` beyond the first few of each, in a
    /// whole query. Chains of `and` and `or` are as long as the text may be: they are kept as balanced trees.
    package static let linksMax = 3_000
    /// Links of each chain that cost nothing.
    static let freeLinks = 8
    /// Levels of an expression once values of `let` and arguments of functions are put in.
    package static let heightMax = 3_000
    /// Parts of an expression once values of `let` and arguments of functions are put in.
    package static let partsMax = 1_000_000
    /// Operators of a query once tables, views and functions of `let` are put in.
    package static let operatorsMax = 20_000
    /// Functions that may call each other.
    package static let callsMax = 120
    /// Expressions that may be bound in all, with the bodies of functions as often as they are called.
    package static let boundMax = 3_000_000
}

extension BoundExpr {
    /// Counts parts and levels.
    ///
    /// - Throws: `Diagnostic` when there are more than a query may have; `Interrupted`.
    func checkSize(_ what: @autoclosure () -> String, _ range: Range<Int>) throws {
        if case .literal = self { return }
        if case .column = self { return }
        var parts = 0
        guard try measured(level: 0, &parts) else {
            throw Diagnostic(
                "VK004",
                "\(what()) has more than \(QuerySize.partsMax) parts or \(QuerySize.heightMax) levels once values and "
                    + "arguments are put in; use toscalar(), materialize() or extend for what is used more than once",
                range)
        }
    }

    private func measured(level: Int, _ parts: inout Int) throws -> Bool {
        parts += 1
        if level > QuerySize.heightMax || parts > QuerySize.partsMax { return false }
        if parts & 1_023 == 0 { try Interrupted.check() }
        switch self {
        case .column, .literal, .toScalar: return true
        case .call(_, let arguments, _):
            for argument in arguments where !(try argument.measured(level: level + 1, &parts)) { return false }
            return true
        case .convert(let e, _), .inTable(_, let e, _, _): return try e.measured(level: level + 1, &parts)
        }
    }
}

extension Plan {
    /// - Throws: `Diagnostic` when the plan has more operators, or more below each other, than a query may have.
    func checkSize(_ range: Range<Int>) throws {
        guard operatorCount > QuerySize.operatorsMax || height > QuerySize.heightMax * 2 else { return }
        throw Diagnostic(
            "VK004",
            "the query has more than \(QuerySize.operatorsMax) operators, or \(QuerySize.heightMax * 2) one after "
                + "another, once its tables and functions are put in; use materialize() for what is used more than once",
            range)
    }
}
