import CQueryGuard

/// Tells loops over bytes and texts, whose length somebody else decides, that nobody wants what they make any more.
///
/// A loop that stops may give anything: whoever runs the query throws its result away.
package enum StopSign {
    /// Whether the query that this thread works on has to stop; false on a thread that works on none. Costs a
    /// nanosecond.
    package static var isDue: Bool { vestige_stop_reason() != 0 }
}
