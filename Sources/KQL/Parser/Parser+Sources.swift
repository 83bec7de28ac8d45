import Tables

/// Tables that stand in the query itself.
extension Parser {
    mutating func datatable(from start: Int) throws(Diagnostic) -> Expr {
        let columns = try schema()
        try expectSign("[")
        // A comma before the first value says nothing.
        _ = takeSign(",")
        var values: [Expr] = []
        while !isSign("]") {
            values.append(try expression())
            if !takeSign(",") { break }
        }
        try expectSign("]")
        return Expr(.datatable(columns, values), span(from: start))
    }

    mutating func externaldata(from start: Int) throws(Diagnostic) -> Expr {
        let columns = try schema()
        try expectSign("[")
        var urls: [Expr] = []
        repeat {
            if isSign("]") { break }
            urls.append(try expression())
        } while takeSign(",")
        try expectSign("]")
        let properties = try withProperties()
        return Expr(.externaldata(columns, urls, properties), span(from: start))
    }

    /// `with (a = b, …)`, when it is there.
    mutating func withProperties() throws(Diagnostic) -> [Property] {
        guard isWord("with"), isSign("(", ahead: 1) else { return [] }
        at += 2
        var out: [Property] = []
        repeat {
            if isSign(")") { break }
            guard let n = dashedName() else { throw fail("KS006", "Missing a name") }
            try expectSign("=")
            var value = try expression()
            // `ycolumns = a, b`: names without an `=` of their own go on with the list.
            if case .name = value.kind {
                var list = [value]
                while isSign(","), ahead(1).kind == .identifier, isSign(",", ahead: 2) || isSign(")", ahead: 2) {
                    at += 1
                    list.append(try expression())
                }
                if list.count > 1 { value = Expr(.tuple(list), span(from: value.range.lowerBound)) }
            }
            out.append(Property(name: n, value: value))
        } while takeSign(",")
        try expectSign(")")
        return out
    }
}
