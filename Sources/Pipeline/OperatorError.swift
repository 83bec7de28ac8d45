import Azure
import Content
import KQLEngine
import Tables
import Workspace

/// A failure in the words of whoever has to mend it: what was tried, what came back, what it means, what is safe,
/// what to do.
package struct OperatorError: Error, Sendable {
    package var title: String
    package var tried: String?
    package var got: String?
    package var means: String?
    package var safe: String?
    package var next: String?
    /// A mistake in the command or the configuration rather than in the work: exit code 2.
    package var isConfiguration: Bool
    /// For a failure of a service: whether the same call may succeed another time. Nil for other failures.
    package var isPassing: Bool?
    /// Whether less must be asked for at once.
    package var isTooLarge = false
    /// Of the service's answer; nil for other failures.
    package var status: Int?

    package init(
        _ title: String, tried: String? = nil, got: String? = nil, means: String? = nil, safe: String? = nil,
        next: String? = nil,
        isConfiguration: Bool = false, isPassing: Bool? = nil
    ) {
        self.title = Secret.hidden(in: title)
        self.tried = tried.map { Secret.hidden(in: $0) }
        self.got = got.map { Secret.hidden(in: $0) }
        self.means = means.map { Secret.hidden(in: $0) }
        self.safe = safe
        self.next = next.map { Secret.hidden(in: $0) }
        self.isConfiguration = isConfiguration
        self.isPassing = isPassing
    }

    /// Any error of the layers below, told under a title.
    package init(_ error: any Error, title: String, safe: String? = nil) {
        switch error {
        case let known as OperatorError: self = known
        case let service as ServiceError:
            self.init(
                title, tried: service.tried, got: service.got, means: service.means, safe: safe, next: service.next,
                isPassing: service.isRetryable)
            isTooLarge = service.isTooLarge || service.status == 504
            status = service.status
        case let stored as WorkspaceError: self.init(title, got: stored.message, safe: safe, next: stored.next)
        case let content as ContentProblem:
            self.init(title, got: content.description, safe: safe, next: "correct the file", isConfiguration: true)
        case let query as QueryError: self.init(title, got: query.message, safe: safe, next: "correct the query")
        case is CancellationError:
            self.init(title, got: "it was interrupted", safe: safe, next: "run the command again")
        default: self.init(title, got: "\(error)", safe: safe)
        }
    }

    /// The message, one part a line. What services and files put into it can neither begin a line nor steer a terminal.
    package var rendered: String {
        var lines = [SteeringCharacters.replaced(in: title)]
        for (name, text) in [("tried", tried), ("got", got), ("means", means), ("safe", safe), ("next", next)] {
            if let text, !text.isEmpty {
                let part = SteeringCharacters.replaced(in: text)
                lines.append("  \(name)\(String(repeating: " ", count: 8 - name.count))\(part)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
