import Pipeline
import Tables

/// Times on the command line: every command reads them here, and says the same of what is none.
enum TimeOptions {
    /// A time.
    ///
    /// - Parameter option: the option that it was given with, for whoever mistyped it.
    /// - Returns: ticks; nil when none is given.
    /// - Throws: `OperatorError` for what is none.
    static func time(_ text: String?, option: String) throws -> Int64? {
        guard let text else { return nil }
        guard let time = DateTime.parse(text) else {
            throw OperatorError(
                "\(option) is not a time: \"\(text)\"",
                next: "write 2026-09-20 or 2026-09-20T08:00:00Z; times are UTC unless they say otherwise",
                isConfiguration: true)
        }
        return time
    }

    /// A window whose last instant belongs to it.
    ///
    /// - Returns: ticks; nil when neither end is given.
    static func window(from: String?, to: String?) throws -> ClosedRange<Int64>? {
        guard from != nil || to != nil else { return nil }
        let first = try time(from, option: "--from") ?? 0
        let last = try time(to, option: "--to") ?? DateTime.maximum
        guard first <= last else {
            throw OperatorError("--from lies behind --to", next: "exchange them", isConfiguration: true)
        }
        return first...last
    }

    /// A window whose last instant does not belong to it, so that it holds something.
    ///
    /// - Parameter end: where it ends when nothing says so; ticks.
    /// - Returns: nil when neither end is given.
    static func range(from: String?, to: String?, end: Int64 = DateTime.maximum) throws -> Range<Int64>? {
        guard from != nil || to != nil else { return nil }
        let first = try time(from, option: "--from") ?? 0
        let last = try time(to, option: "--to") ?? end
        guard first < last else {
            throw OperatorError("--from must be before --to", next: "exchange them", isConfiguration: true)
        }
        return first..<last
    }
}
