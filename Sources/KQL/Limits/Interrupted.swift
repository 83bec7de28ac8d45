import Tables

/// Work stopped because its query has to: nobody waits, its time is over, or memory is short. The query's run knows
/// which.
package struct Interrupted: Error {
    package init() {}

    /// Throws when the query that this thread works on has to stop. Costs a nanosecond: to be asked in every loop whose
    /// length a query decides.
    package static func check() throws(Interrupted) {
        if isDue { throw Interrupted() }
    }

    /// Whether the query has to stop: for loops that cannot throw, which then give anything, soon.
    package static var isDue: Bool { StopSign.isDue }
}
