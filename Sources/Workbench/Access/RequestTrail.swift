import Hummingbird
import Synchronization

/// What is known of a request while it is answered, for the audit: routes tell of the queries that they ask.
package final class RequestTrail: Sendable {
    /// A query of the request.
    struct Question: Sendable {
        let text: String
        var rows: Int?
        /// Why there was no answer to it, whatever the request's own was: a batch is answered in any case.
        var failure: String?
    }

    /// What the audit wants to know.
    struct Facts: Sendable {
        var questions: [Question] = []
        var identity: Identity?
        /// Somebody who tried to sign in, by the name that they gave.
        var claimed: String?
        var signIn: SignIn?
        /// Why the request was refused; nil when it was not.
        var refusal: String?
        /// The route that the router found.
        var endpoint: String?
    }

    enum SignIn: Sendable { case entered, left }

    /// The client's address; empty where it has none.
    package let address: String
    private let state = Mutex(Facts())
    /// Requests of a batch beyond so many are counted by the first ones' entries.
    private static let questionsMax = 1_000

    init(address: String) { self.address = address }

    /// Of the request that is answered now.
    @TaskLocal package static var current: RequestTrail?

    var facts: Facts { state.withLock { $0 } }

    /// Tells of a query before it runs.
    ///
    /// - Returns: which it is, for telling how many rows it gave.
    @discardableResult
    package func asks(_ text: String) -> Int {
        state.withLock { facts in
            if facts.questions.count < Self.questionsMax { facts.questions.append(Question(text: text)) }
            return facts.questions.count - 1
        }
    }

    /// Tells how many rows a query gave.
    package func gave(rows: Int, to question: Int) {
        state.withLock { facts in
            if facts.questions.indices.contains(question) { facts.questions[question].rows = rows }
        }
    }

    /// Tells why a query had no answer.
    package func failed(_ reason: String, _ question: Int) {
        state.withLock { facts in
            if facts.questions.indices.contains(question) { facts.questions[question].failure = reason }
        }
    }

    func note(_ change: @Sendable (inout Facts) -> Void) { state.withLock { change(&$0) } }
}
