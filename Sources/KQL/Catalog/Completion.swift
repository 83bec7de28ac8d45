import Tables

/// What may be written next at a place in a query.
package struct Completion: Sendable, Equatable {
    package enum Kind: Int, Sendable, Comparable {
        case column, table, variable, function, aggregate, `operator`, plugin, keyword

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    package let text: String
    package let kind: Kind
    /// A column's type, a function's parameters.
    package let detail: String

    package init(_ text: String, _ kind: Kind, _ detail: String = "") {
        self.text = text
        self.kind = kind
        self.detail = detail
    }
}

/// Finds completions from the catalog, the language's own names, and the columns that the pipeline before the place
/// gives.
package struct Completer {
    private let catalog: any SchemaCatalog

    package init(catalog: any SchemaCatalog) { self.catalog = catalog }

    /// The completions of the word that ends at `offset`.
    ///
    /// - Parameter offset: a place in the text's UTF-8.
    /// - Returns: where the word starts, and what it may become, the likeliest kinds first.
    package func complete(_ text: String, at offset: Int) -> (start: Int, items: [Completion]) {
        let bytes = Array(text.utf8.prefix(offset))
        var start = bytes.count
        while start > 0, Self.isWord(bytes[start - 1]) { start -= 1 }
        // A dash belongs to the word only in an operator's name.
        var operatorStart = start
        while operatorStart > 0, Self.isWord(bytes[operatorStart - 1]) || bytes[operatorStart - 1] == 45 {
            operatorStart -= 1
        }
        let place = Place(Array(bytes[..<operatorStart]))
        let isOperator = place.kind == .operatorName
        let from = isOperator ? operatorStart : start
        let word = String(decoding: bytes[from...], as: UTF8.self).lowercased()
        var found: [Completion] = []
        switch place.kind {
        case .none: return (bytes.count, [])
        case .operatorName:
            found = Parser.operatorNames.filter { !["mvexpand", "mvapply", "filter", "limit"].contains($0) }.map {
                Completion($0, .operator)
            }
        case .source: found = sources(place.declared)
        case .expression:
            found =
                columns(place.pipeline) + place.declared.map { Completion($0, .variable) }
                + functions(place.isAggregating) + keywords(place.operatorName)
        case .tableName: found = sources(place.declared)
        case .pluginName: found = Builtins.plugins.map { Completion($0, .plugin) }
        case .chart: found = ChartKind.renderNames.map { Completion($0, .keyword) }
        }
        var seen = Set<String>()
        let matching = found.filter { $0.text.lowercased().hasPrefix(word) && seen.insert($0.text).inserted }
        return (from, matching.sorted { ($0.kind, $0.text.lowercased()) < ($1.kind, $1.text.lowercased()) })
    }

    private static func isWord(_ b: UInt8) -> Bool {
        b == 95 || (48...57).contains(b) || (65...90).contains(b & 0xDF) || b >= 128
    }

    private func sources(_ declared: [String]) -> [Completion] {
        catalog.tableNames.map { Completion(EntityName.written($0), .table, catalog.note(ofTable: $0).description) }
            + declared.map { Completion($0, .variable) }
            + catalog.functionNames.map { Completion($0, .function, catalog.note(ofFunction: $0).parameters) }
            + ["print", "range", "union", "search", "find", "let", "set", "datatable", "externaldata"].map {
                Completion($0, .keyword)
            }
    }

    private func columns(_ pipeline: String) -> [Completion] {
        guard let statements = try? Parser.parse(pipeline),
            let schema = try? Binder(catalog: catalog).bind(statements).results.last?.plan.schema
        else {
            return []
        }
        return schema.columns.map { Completion(EntityName.written($0.name), .column, $0.type.name) }
    }

    private func functions(_ isAggregating: Bool) -> [Completion] {
        let scalars = Builtins.scalars.keys.filter { $0.first?.isLetter == true }.map { Completion($0, .function) }
        return (isAggregating ? Builtins.aggregates.keys.map { Completion($0, .aggregate) } : []) + scalars
    }

    private func keywords(_ operatorName: String) -> [Completion] {
        let words: [String] =
            switch operatorName {
            case "summarize", "distinct", "make-series": ["by", "on", "from", "to", "step", "default"]
            case "sort", "order", "top": ["by", "asc", "desc", "nulls"]
            case "join", "lookup": ["kind", "on", "inner", "leftouter", "leftanti", "innerunique"]
            case "where", "filter":
                [
                    "and", "or", "has", "contains", "startswith", "endswith", "in", "between", "matches", "has_any",
                    "has_all",
                ]
            default: ["and", "or", "has", "contains", "in", "between"]
            }
        return words.map { Completion($0, .keyword) }
    }
}

/// Where in a query a text ends.
private struct Place {
    enum Kind { case none, source, operatorName, expression, tableName, pluginName, chart }

    var kind = Kind.source
    /// The query as it is before the operator at the end; empty when there is none.
    var pipeline = ""
    var operatorName = ""
    /// Names of `let` before.
    var declared: [String] = []

    var isAggregating: Bool { ["summarize", "make-series", "top-nested"].contains(operatorName) }

    /// Where one nesting level of the text stands.
    private struct Level {
        /// Offset where the level's statement or subquery starts.
        var start: Int
        /// Offset of its last bar.
        var bar: Int?
    }

    init(_ bytes: [UInt8]) {
        guard let tokens = Self.tokens(bytes) else {
            kind = .none
            return
        }
        var levels = [Level(start: 0)]
        var statement = 0
        for (i, token) in tokens.enumerated() where token.kind == .sign {
            switch token.text {
            case "(", "{", "[": levels.append(Level(start: token.range.upperBound))
            case ")", "}", "]": if levels.count > 1 { levels.removeLast() }
            case "|": levels[levels.count - 1].bar = token.range.lowerBound
            case ";":
                levels[levels.count - 1] = Level(start: token.range.upperBound)
                if levels.count == 1 { statement = token.range.upperBound }
            case "=":
                // `let x = …`: the pipeline starts behind the sign.
                if i >= 2, tokens[i - 2].text == "let" {
                    declared.append(tokens[i - 1].text)
                    levels[levels.count - 1] = Level(start: token.range.upperBound)
                }
            default: break
            }
        }
        let names = tokens.filter { $0.kind != .end }
        // The innermost level with a bar decides; brackets of a call inside it belong to it.
        guard let level = levels.last(where: { $0.bar != nil }) ?? levels.last else { return }
        guard let bar = level.bar else {
            kind =
                names.last.map { $0.text == "evaluate" } == true
                ? .pluginName : levels.count > 1 ? .expression : .source
            return
        }
        guard bar >= level.start, bar <= bytes.count else {
            kind = .none
            return
        }
        let lets = String(decoding: bytes[..<min(statement, level.start)], as: UTF8.self)
        pipeline = lets + String(decoding: bytes[level.start..<bar], as: UTF8.self)
        let after = names.filter { $0.range.lowerBound > bar }
        guard let first = after.first else {
            kind = .operatorName
            return
        }
        var end = first.range.upperBound
        for token in after.dropFirst()
        where token.range.lowerBound == end && (token.text == "-" || token.kind == .identifier) {
            end = token.range.upperBound
        }
        operatorName = String(decoding: bytes[first.range.lowerBound..<end], as: UTF8.self)
        kind = .expression
        if operatorName == "evaluate", after.count == 1 { kind = .pluginName }
        if operatorName == "render", after.count == 1 { kind = .chart }
        if ["join", "lookup", "union"].contains(operatorName) {
            // The table stands in brackets, or behind the operator.
            let last = after.last?.text ?? ""
            if last == "(" || operatorName == "union" || after.count == 1 { kind = .tableName }
        }
    }

    /// The tokens, or nil within a string that has not ended.
    private static func tokens(_ bytes: [UInt8]) -> [Token]? {
        try? Lexer.tokens(of: String(decoding: bytes, as: UTF8.self))
    }
}
