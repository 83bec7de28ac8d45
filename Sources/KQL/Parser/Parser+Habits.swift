import Tables

/// What somebody who knows SQL may have meant.
extension Parser {
    /// A hint about the token at which a query could not go on; empty when there is none.
    func habit() -> String {
        let before = at > 0 ? tokens[at - 1].text : ""
        let first = tokens.first?.text.lowercased()
        switch token.kind {
        case .identifier:
            let word = token.text.lowercased()
            if first == "select" || word == "select" {
                return "; KQL begins with the table: Table | where … | project column, …"
            }
            if word == "is" { return "; isnull(x) and isnotnull(x) tell of nulls, isempty(x) of empty texts" }
            if word == "group" { return "; groups are made with: | summarize … by …" }
            if word == "from" { return "; KQL begins with the table: Table | …" }
            if word == "having" { return "; what was summarized is filtered with: | where …" }
            if word != token.text, ["and", "or", "in", "between", "contains", "has"].contains(word) {
                return "; operators are written in small letters: \(word)"
            }
            if word == "like" { return "; texts are compared with has, contains, startswith or matches regex" }
            if Parser.operatorNames.contains(word), before != "|" { return "; a '|' is missing before '\(token.text)'" }
        case .sign where token.text == "=": return "; '==' compares"
        case .string where before == "in" || before == "!in":
            return "; the list stands in parentheses: in ('a', 'b')"
        default: break
        }
        return ""
    }
}
