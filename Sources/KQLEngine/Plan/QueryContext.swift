import KQL
import Synchronization
import Tables

/// Why a query stopped.
package enum QueryError: Error, Sendable {
    case invalid(Diagnostic, query: String)
    case notSupported(String)
    case limit(String, kind: LimitKind = .other)
    case cancelled
    case runtime(String)

    /// Which limit it was.
    package enum LimitKind: Sendable, Equatable {
        case time, memory
        /// Too many queries are under way; asking again later helps.
        case busy
        /// The program is ending.
        case shutdown
        /// The query is not run since it ended the program before.
        case suspect
        case other
    }

    package var message: String {
        switch self {
        case .invalid(let diagnostic, _): diagnostic.message
        case .notSupported(let what): "valid KQL, but not in the local engine: \(what); run it on Kusto with --on"
        case .limit(let text, _), .runtime(let text): text
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
    private let instant: Int64
    /// What `now()` gives, in ticks. Whoever asks makes the answer one of its time.
    package var now: Int64 {
        note(.atSameTime)
        return instant
    }
    package let options: QueryOptions
    package let provider: any TableProvider
    /// Shared with the workers' contexts.
    private var answers: AnswerFacts
    var scalars: [Int: Value] = [:]
    var materialized: [Int: [Batch]] = [:]
    var sets: [Int: Value] = [:]
    var inputs: [Int: [Batch]] = [:]
    /// The value of the partition whose graph is being worked on.
    var graphPart: Value?
    private var regexes: [String: Result<Regex, RegexProblem>] = [:]
    package private(set) var rowsScanned = 0

    package init(provider: any TableProvider, options: QueryOptions, now: Int64) {
        self.provider = provider
        self.options = options
        instant = options.now ?? now
        answers = AnswerFacts()
    }

    /// Whether the same would be the answer again.
    var repeatability: Repeatability { answers.repeatability }

    /// Notes that the answer hangs on more than the rows.
    func note(_ what: Repeatability) { answers.note(what) }

    /// Throws when the query has to stop.
    func check() throws { try Interrupted.check() }

    /// Whether anything was computed from rows: a value of `toscalar`, a set of `in`, a table that is kept.
    var hasRead: Bool { rowsScanned > 0 || !scalars.isEmpty || !materialized.isEmpty || !sets.isEmpty }

    func noteScan(_ rows: Int) { rowsScanned += rows }

    /// Takes back what a trial run read.
    func restoreScans(_ rows: Int) { rowsScanned = rows }

    /// The context of a worker on another thread, with the values that are known by now.
    func forked() -> QueryContext {
        let other = QueryContext(provider: provider, options: options, now: instant)
        other.answers = answers
        other.scalars = scalars
        other.materialized = materialized
        other.sets = sets
        other.inputs = inputs
        other.graphPart = graphPart
        return other
    }

    /// Counts rows that an operator keeps until its end, for all threads of the query together.
    func hold(rows: Int, columns: Int) throws {
        let (bytes, overflow) = rows.multipliedReportingOverflow(by: max(columns, 1) * 16)
        try hold(bytes: overflow ? .max / 2 : bytes)
    }

    /// Counts bytes that an operator keeps until its end.
    func hold(bytes: Int) throws { try QueryRun.current?.hold(bytes) }

    /// A compiled pattern.
    ///
    /// - Throws: `QueryError` that says what is not valid in it.
    func regex(_ pattern: String, caseSensitive: Bool = true) throws -> Regex {
        let key = (caseSensitive ? "s" : "i") + pattern
        let known =
            regexes[key]
            ?? Result { () throws(RegexProblem) in try Regex(pattern, caseSensitive: caseSensitive) }
        regexes[key] = known
        do { return try known.get() } catch {
            throw QueryError.runtime(
                "the regular expression \"\(pattern.prefix(80))\" is not valid: \(error.message)")
        }
    }
}

/// What the answer of a query hangs on, as its threads find out.
private final class AnswerFacts: Sendable {
    private let found = Atomic<Int>(Repeatability.always.rawValue)

    var repeatability: Repeatability { Repeatability(rawValue: found.load(ordering: .relaxed)) ?? .never }

    func note(_ what: Repeatability) {
        if found.load(ordering: .relaxed) < what.rawValue { found.max(what.rawValue, ordering: .relaxed) }
    }
}
