import Tables

/// A name as written, with its place.
package struct Name: Sendable {
    package let text: String
    package let range: Range<Int>

    package init(_ text: String, _ range: Range<Int>) {
        self.text = text
        self.range = range
    }
}

/// An expression, scalar or tabular, with its place in the text.
package struct Expr: Sendable {
    package let kind: Kind
    package let range: Range<Int>

    package init(_ kind: Kind, _ range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    package indirect enum Kind: Sendable {
        case literal(Value, ScalarType)
        /// `type(text)` whose text is no value of the type: read as such by Microsoft's parser, refused when it is
        /// bound.
        case unreadable(ScalarType, String)
        case name(String)
        case star
        case unary(String, Expr)
        /// A two-sided operator by its text (`==`, `has`, `and`, …).
        case binary(String, Expr, Expr, operatorRange: Range<Int>)
        case call(Name, [CallArgument])
        case member(Expr, Name)
        case index(Expr, Expr)
        /// `a.f(x)`, as in `cluster("c").database("d").T`.
        case memberCall(Expr, Name, [CallArgument])
        /// `in`, `!in`, `has_any`, … with the list's items.
        case list(String, Expr, [Expr])
        case between(negated: Bool, Expr, Expr, Expr)
        /// A source (none when an operator such as `print` starts the query) and the operators after it.
        case pipe(Expr?, [Operator])
        case datatable([ColumnDeclaration], [Expr])
        case externaldata([ColumnDeclaration], [Expr], [Property])
        case lambda(FunctionDeclaration)
        case typeLiteral([ColumnDeclaration])
        /// `toscalar(…)` of a tabular expression.
        case toScalar(Expr)
        /// A list on the left of an assignment or `(a, b)`.
        case tuple([Expr])
    }
}

package struct CallArgument: Sendable {
    package let name: Name?
    package let value: Expr
}

/// `name: type` in a schema.
package struct ColumnDeclaration: Sendable {
    package let name: Name
    package let type: ScalarType
}

/// `name = value` after an operator or in `with (…)`.
package struct Property: Sendable {
    package let name: Name
    package let value: Expr
}

/// `name = expression`, `(a, b) = expression` or an expression alone.
package struct NamedExpr: Sendable {
    package let names: [Name]
    package let expr: Expr

    package var range: Range<Int> { (names.first?.range.lowerBound ?? expr.range.lowerBound)..<expr.range.upperBound }
}

package struct Parameter: Sendable {
    package enum Kind: Sendable {
        case scalar(ScalarType)
        /// A tabular parameter: its columns, or `*` for any (empty list).
        case table([ColumnDeclaration])
    }

    package let name: Name
    package let kind: Kind
    package let defaultValue: Expr?
}

/// `(parameters) { statements }`.
package struct FunctionDeclaration: Sendable {
    package let parameters: [Parameter]
    package let body: [Statement]
    package let range: Range<Int>
    /// Declared with `view`: wildcards of `union`, `search` and `find` take it for a table.
    package var isView = false
    /// Whether the function says itself of which time it reads rows: a range that somebody sets around the query,
    /// such as Log Analytics' `timespan`, does not narrow what it sees, since a state as of a time rests on older rows.
    package var setsRange = false
}

package enum Statement: Sendable {
    case letValue(Name, Expr)
    case set(Name, Expr?)
    case queryParameters([Parameter])
    /// A statement that the local engine does not do: `declare pattern`, `alias database`, `restrict access to`.
    case other(Name)
    case expression(Expr)
}
