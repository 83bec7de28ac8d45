import KQL
import Tables

/// Writes a syntax tree with every grouping shown: `a + b * c` is `(+ a (* b c))`.
enum Shape {
    static func of(_ e: Expr) -> String {
        switch e.kind {
        case .literal(.null, let type): "\(type.name)(null)"
        case .literal(.string(let text), _): "'\(text)'"
        case .literal(let value, _): value.text
        case .unreadable(let type, let text): "\(type.name)(\(text))"
        case .name(let name): name
        case .star: "*"
        case .unary(let op, let a): "(\(op) \(of(a)))"
        case .binary(let op, let a, let b, _): "(\(op) \(of(a)) \(of(b)))"
        case .call(let name, let arguments): "\(name.text)(\(list(arguments)))"
        case .member(let a, let name): "\(of(a)).\(name.text)"
        case .index(let a, let b): "\(of(a))[\(of(b))]"
        case .memberCall(let a, let name, let arguments): "\(of(a)).\(name.text)(\(list(arguments)))"
        case .list(let op, let a, let items): "(\(op) \(of(a)) \(items.map(of).joined(separator: " ")))"
        case .between(let negated, let a, let b, let c): "(\(negated ? "!" : "")between \(of(a)) \(of(b)) \(of(c)))"
        case .pipe(let source, let operators):
            ([source.map(of) ?? "-"] + operators.map { $0.keyword.text }).joined(separator: " | ")
        case .datatable(let columns, let values): "datatable(\(names(columns)))[\(values.count)]"
        case .externaldata(let columns, let urls, _): "externaldata(\(names(columns)))[\(urls.count)]"
        case .lambda(let function): "{\(function.parameters.map(\.name.text).joined(separator: " "))}"
        case .typeLiteral(let columns): "typeof(\(columns.map(\.type.name).joined(separator: " ")))"
        case .toScalar(let inner): "toscalar(\(of(inner)))"
        case .tuple(let items): items.count == 1 ? of(items[0]) : "[\(items.map(of).joined(separator: " "))]"
        }
    }

    private static func list(_ arguments: [CallArgument]) -> String {
        arguments.map { ($0.name.map { "\($0.text)=" } ?? "") + of($0.value) }.joined(separator: " ")
    }

    private static func names(_ columns: [ColumnDeclaration]) -> String {
        columns.map { "\($0.name.text):\($0.type.name)" }.joined(separator: " ")
    }

    /// The shape of a scalar expression.
    static func of(expression text: String) throws -> String { of(try parse(text)) }

    /// Parses a scalar expression; its places count from `print x = `.
    static func parse(_ text: String) throws -> Expr {
        let statements = try Parser.parse("print x = " + text)
        guard case .expression(let whole)? = statements.first, case .pipe(nil, let operators) = whole.kind,
            case .print(let items)? = operators.first?.kind, let first = items.first
        else { throw Diagnostic("TEST", "no expression", 0..<0) }
        return first.expr
    }

    /// An expression and all inside it.
    static func all(in e: Expr) -> [Expr] {
        let inner: [Expr] =
            switch e.kind {
            case .unary(_, let a), .member(let a, _): [a]
            case .binary(_, let a, let b, _), .index(let a, let b): [a, b]
            case .call(_, let arguments): arguments.map(\.value)
            case .list(_, let a, let items): [a] + items
            case .between(_, let a, let b, let c): [a, b, c]
            case .tuple(let items): items
            default: []
            }
        return [e] + inner.flatMap { all(in: $0) }
    }
}
