import Content

/// One thing that was checked.
package struct Finding: Sendable {
    package enum Outcome: String, Sendable {
        case ok
        case warning
        case failed
    }

    /// What it is about: `tenant contoso`, `sink sentinel`, `sensor plant-1`.
    package let subject: String
    /// What was checked.
    package let check: String
    package let outcome: Outcome
    /// What was found.
    package let detail: String
    /// What to do; nil when nothing is to be done.
    package let next: String?

    init(_ subject: String, _ check: String, _ outcome: Outcome, _ detail: String, next: String? = nil) {
        self.subject = subject
        self.check = check
        self.outcome = outcome
        self.detail = detail
        self.next = next
    }

    /// A content file that is left out, or one that nobody reads.
    package init(content problem: ContentProblem) {
        self.init(
            "content", "files", problem.isNotice ? .warning : .failed, problem.description,
            next: "correct the file, then: vestige content check")
    }

    /// A failed check, in the words of the error.
    init(_ subject: String, _ check: String, _ error: any Error) {
        let told = OperatorError(error, title: subject)
        self.init(
            subject, check, .failed, [told.got, told.means].compactMap { $0 }.joined(separator: ": "), next: told.next)
    }
}
