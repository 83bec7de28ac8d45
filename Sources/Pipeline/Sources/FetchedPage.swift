import Tables

/// A part of what a source gives.
enum FetchedPage: Sendable {
    /// - Parameters:
    ///   - bytes: of the answer.
    ///   - next: where to go on behind this page.
    ///   - given: what the definition's `givenColumn` holds in its rows.
    ///   - isLatest: whether it holds the latest rows of all kinds.
    case page(RecordPage, bytes: Int, next: Cursor, given: String? = nil, isLatest: Bool = false)
    /// A page that cannot be read, while those behind it may be; nil for the place where the run is already.
    case lost(OperatorError, next: Cursor?)
    /// A part that holds nothing though it should, for good: it is reported, and then nothing counts as gone.
    case skipped(note: String)
    /// In how many parts the next run should ask, and why it is not as many as before.
    case division(parts: Int, note: String?)
    /// What is as it was when it was read last.
    case unchanged
    /// By what the next run asks whether anything has changed.
    case validators(FeedValidators)
    /// Something that a person should know, while all could be read.
    case note(String)
}

/// Takes what a source gives, one part after the other.
typealias PageTaker = (FetchedPage) async throws -> Void

/// Pages that could not be read: they are passed over when one behind them can be, but not all that there are.
struct Losses {
    private var pending: [(error: OperatorError, next: Cursor?)] = []
    private var anyRead = false
    private static let inARowMax = 2

    /// Whether the next page may be tried after this failure.
    mutating func bears(_ error: OperatorError, next: Cursor?) -> Bool {
        guard error.isPassing == true, pending.count < Self.inARowMax else { return false }
        pending.append((error, next))
        return true
    }

    /// After a page that was read: those before it are lost.
    mutating func tell(_ take: PageTaker) async throws {
        anyRead = true
        let lost = pending
        pending = []
        for (error, next) in lost { try await take(.lost(error, next: next)) }
    }

    /// At the end: the last pages are lost, unless nothing was read at all.
    mutating func end(_ take: PageTaker) async throws {
        guard let last = pending.last else { return }
        if !anyRead { throw last.error }
        try await tell(take)
    }
}
