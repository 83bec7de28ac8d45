import Tables

/// A snapshot that shrank so much that nobody believed it yet.
struct Doubt: Sendable, Equatable {
    /// When it was doubted first, ticks.
    var since: Int64
    /// Answers that agreed so far.
    var answers: Int
}

/// Decides whether what a snapshot does not hold is gone.
///
/// Half of an estate is gone more often because an answer is not whole than because it is true, and a second answer
/// that is asked for a minute later is wrong for the same reason as the first. So several must agree over many hours;
/// a person can say so at once (docs/adr, "What an absence must show").
struct AbsenceGuard {
    /// Rows of state from which on it is doubted that more than half of them are gone at once.
    let doubtedFrom: Int
    /// Answers that must agree, the first one included.
    static let answersMin = 3
    /// Time between the first and the last of them: less than a day, so that a daily source needs no fourth answer.
    static let span = 20 * 3_600 * DateTime.ticksPerSecond

    /// A public list only grows; of the other sources the small ones change by halves now and then.
    init(isPublicList: Bool) { doubtedFrom = isPublicList ? 20 : 200 }

    enum Verdict: Equatable {
        /// Nothing is out of the ordinary.
        case plausible
        /// Nothing counts as gone yet.
        case doubted(Doubt)
        /// So many answers agreed for so long that it is true.
        case believed(Doubt)
    }

    /// - Parameters:
    ///   - before: rows of the state.
    ///   - gone: how many of them the answer does not hold.
    ///   - doubt: what the last run left behind.
    func judge(before: Int, gone: Int, doubt: Doubt?, now: Int64) -> Verdict {
        guard before >= doubtedFrom, gone * 2 > before else { return .plausible }
        // A clock that was set back begins anew.
        guard var doubt, doubt.since <= now else { return .doubted(Doubt(since: now, answers: 1)) }
        doubt.answers += 1
        return doubt.answers >= Self.answersMin && now - doubt.since >= Self.span ? .believed(doubt) : .doubted(doubt)
    }
}
