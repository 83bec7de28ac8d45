/// How the answers of a source are divided and read one after the other: one type a kind, one file a type.
///
/// Every kind passes `PagingSuite`: a page that cannot be read, a page that comes twice, a short page, and a run that goes
/// on in the middle.
protocol Paging: Sendable {
    static var kind: PagingKind { get }

    /// Calls `take` with every page, and with every page that cannot be read though the ones behind it can.
    ///
    /// - Parameter cursor: where to go on, as `take` got it with a page before.
    /// - Throws: `OperatorError`, or what `take` throws.
    func pages(from cursor: Cursor, _ take: PageTaker) async throws
}

/// All kinds of paging.
package enum PagingKind: String, CaseIterable, Sendable {
    /// Pages that name the next one, or an answer in one piece.
    case link
    /// `$top` and `$skip`.
    case skip
    /// `page` and `size`.
    case number
    /// A token of Resource Graph.
    case token
    /// A call for each chosen device.
    case device
    /// The latest rows, of all kinds and of some by themselves.
    case variant
    /// Parts of a query by a hash.
    case division
    /// Windows of time.
    case window
    /// An export as files.
    case file
    /// A public list.
    case feed
}
