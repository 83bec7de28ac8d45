import Tables

extension Parser {
    /// A chain of an operator whose grouping does not matter: from the left while it is short, else halved again and
    /// again, so that a hunt for thousands of indicators is a tree of a dozen levels.
    private func balanced(_ op: String, _ operands: ArraySlice<Expr>, _ operators: ArraySlice<Range<Int>>) -> Expr {
        if operands.count <= QuerySize.freeLinks {
            return zip(operators, operands.dropFirst()).reduce(operands[operands.startIndex]) {
                joined(op, $0, $1.1, $1.0)
            }
        }
        let half = operands.count / 2
        let (low, middle) = (operands.startIndex, operators.startIndex + half - 1)
        return joined(
            op, balanced(op, operands[low..<low + half], operators[operators.startIndex..<middle]),
            balanced(op, operands[(low + half)...], operators[(middle + 1)...]), operators[middle])
    }

    mutating func disjunction() throws(Diagnostic) -> Expr {
        let first = try conjunction()
        guard isWord("or") else { return first }
        var operands = [first]
        var operators: [Range<Int>] = []
        while isWord("or") {
            operators.append(token.range)
            at += 1
            operands.append(try conjunction())
        }
        return balanced("or", operands[...], operators[...])
    }

    mutating func conjunction() throws(Diagnostic) -> Expr {
        let first = try equality()
        guard isWord("and") else { return first }
        var operands = [first]
        var operators: [Range<Int>] = []
        while isWord("and") {
            operators.append(token.range)
            at += 1
            operands.append(try equality())
        }
        return balanced("and", operands[...], operators[...])
    }
}
