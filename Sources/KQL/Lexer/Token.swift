import Tables

/// One word, number, string or sign of a query.
package struct Token: Sendable {
    package enum Kind: Sendable, Equatable {
        case identifier
        case long(Int64)
        case real(Double)
        case timespan(Int64)
        case string(String)
        /// `datetime(…)`, `guid(…)` and the like: the text between the parentheses.
        case typed(ScalarType, String)
        /// An operator or bracket, by its text.
        case sign
        case end
    }

    package let kind: Kind
    package let range: Range<Int>
    /// The source text; for `sign` and `identifier`.
    package let text: String
}
