import Foundation
import Tables

/// Where a run that was cut off goes on, as its kind of paging understands it; stored as JSON with the run.
///
/// A cursor of another kind of paging, as an earlier version or another definition of the source left it, is an error that
/// makes the source begin anew, never a silent beginning in the middle.
enum Cursor: Codable, Sendable, Equatable {
    /// Nothing was read yet, or the answer is one piece.
    case start
    /// Rows that were read, for `$skip`.
    case skip(rows: Int)
    /// The next numbered page.
    case page(number: Int)
    /// The next page's address, and which page that is.
    case link(address: String, page: Int)
    /// A token of Resource Graph, and which page it leads to.
    case token(text: String, page: Int)
    /// The last device that was asked about.
    case device(done: String)
    /// The next part of a query, and how many there are.
    case division(parts: Int, next: Int)
    /// The next window's beginning and length, ticks.
    case window(from: Int64, step: Int64)
    /// An export's snapshot, and the names of its files that were read.
    case files(snapshot: String, read: [String])
}
