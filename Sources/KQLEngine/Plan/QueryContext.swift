import KQL
import Synchronization
import Tables

/// Why a query stopped.
package enum QueryError: Error, Sendable {
    case invalid(Diagnostic, query: String)
    case notSupported(String)
    case limit(String)
    case cancelled
    case runtime(String)

    package var message: String {
        switch self {
        case .invalid(let diagnostic, _): diagnostic.message
        case .notSupported(let what): "valid KQL, but not in the local engine: \(what); run it on Kusto with --on"
        case .limit(let text), .runtime(let text): text
        case .cancelled: "the query was cancelled"
        }
    }
}

/// Bounds of one run.
package struct QueryOptions: Sendable {
    /// The instant that `now()` gives, in ticks; the clock's when nil.
    package var now: Int64?
    package var parameters: [String: Value] = [:]
    /// Rows of a result; what is above is left out and reported. Nil for no bound.
    ///
    /// Kusto's default
    /// (https://learn.microsoft.com/kusto/concepts/query-limits#limit-on-result-set-size-result-truncation).
    package var rowCountMax: Int? = 500_000
    /// Bytes of a result, estimated; nil for no bound. Kusto's default is 64 MB, which its clients ask to lift for
    /// exports.
    package var resultBytesMax: Int?
    /// Rows that any `take` gives at most (`query_take_max_records`): the result is cut without a word.
    package var takeCountMax: Int?
    /// Leaves out rows of another time.
    package var timeScope: TimeScope?
    /// Seconds.
    package var durationMax: Double = 240
    /// Bytes that operators may hold together, estimated.
    package var memoryBytesMax: Int = 5 << 30
    /// Threads that one query may use.
    package var workerCountMax = Workers.coreCount
    /// Rows of its tables below which a query is worked on by one thread.
    package var parallelRowsMin = 200_000

    package init() {}
}

/// Rows of tables with `column` count only within a span of time: Log Analytics' `timespan`,
/// Kusto's `query_datetimescope_column`, `_from` and `_to`.
package struct TimeScope: Sendable, Equatable {
    package var column: String
    /// Ticks; the first instant that counts.
    package var from: Int64?
    /// Ticks; the last instant that counts.
    package var to: Int64?

    package init(column: String, from: Int64? = nil, to: Int64? = nil) {
        self.column = column
        self.from = from
        self.to = to
    }
}

/// What the parts of one running query share.
package final class QueryContext {
    package let now: Int64
    package let options: QueryOptions
    package let provider: any TableProvider
    private var deadline: ContinuousClock.Instant
    private let isCancelled: () -> Bool
    var scalars: [Int: Value] = [:]
    var materialized: [Int: [Batch]] = [:]
    var sets: [Int: Value] = [:]
    var inputs: [Int: [Batch]] = [:]
    /// The value of the partition whose graph is being worked on.
    var graphPart: Value?
    private var regexes: [String: Regex?] = [:]
    package private(set) var rowsScanned = 0
    private var heldBytes = 0

    package init(
        provider: any TableProvider, options: QueryOptions, now: Int64, isCancelled: @escaping () -> Bool = { false }
    ) {
        self.provider = provider
        self.options = options
        self.now = options.now ?? now
        self.isCancelled = isCancelled
        deadline = ContinuousClock.now + .seconds(options.durationMax)
    }

    /// Throws when the query was cancelled or ran too long; called once per batch.
    func check() throws {
        if isCancelled() { throw QueryError.cancelled }
        if ContinuousClock.now > deadline {
            throw QueryError.limit(
                "the query ran longer than \(Int(options.durationMax)) s; narrow the time range or raise the limit")
        }
    }

    /// Whether anything was computed from rows: a value of `toscalar`, a set of `in`, a table that is kept.
    var hasRead: Bool { rowsScanned > 0 || !scalars.isEmpty || !materialized.isEmpty || !sets.isEmpty }

    func noteScan(_ rows: Int) { rowsScanned += rows }

    /// Takes back what a trial run read.
    func restoreScans(_ rows: Int) { rowsScanned = rows }

    /// The context of a worker on another thread, with the values that are known by now.
    func forked() -> QueryContext {
        let other = QueryContext(provider: provider, options: options, now: now, isCancelled: isCancelled)
        other.deadline = deadline
        other.scalars = scalars
        other.materialized = materialized
        other.sets = sets
        other.inputs = inputs
        other.graphPart = graphPart
        return other
    }

    /// Counts rows that an operator keeps until its end.
    func hold(rows: Int, columns: Int) throws {
        heldBytes += rows * max(columns, 1) * 16
        if heldBytes > options.memoryBytesMax {
            throw QueryError.limit(
                "the query would keep more than \(options.memoryBytesMax >> 20) MB in memory; filter or "
                    + "summarize earlier"
            )
        }
    }

    /// A compiled pattern; nil when it is not valid.
    func regex(_ pattern: String, caseSensitive: Bool = true) -> Regex? {
        let key = (caseSensitive ? "s" : "i") + pattern
        if let known = regexes[key] { return known }
        let compiled = Regex(pattern, caseSensitive: caseSensitive)
        regexes[key] = .some(compiled)
        return compiled
    }
}
