import Forensics
import KQLEngine
import Pipeline
import Tables
import Workspace

/// Investigates again after each change of the workspace, and prints what is new, until the program is ended.
struct InvestigationWatch {
    let options: SessionOptions
    let scope: InvestigationScope
    let format: InvestigateCommand.Format

    /// A collect commits many times: it is over when nothing came for so long.
    private static let calm = Duration.seconds(1)

    /// - Parameter first: what was printed already.
    func run(from first: Forensics.Investigation, _ version: DataVersion?) async throws {
        var (before, seen) = (first, version)
        while true {
            let session = try await changed(since: seen)
            seen = session.workspace.version()
            let after = try InvestigateCommand.answer(session, scope)
            let news = InvestigationNews(from: before, to: after)
            before = after
            if news.isEmpty { continue }
            switch format {
            case .json: Console.out(line: Answer.json(after))
            case .text, .html: Console.out("\n\(TextReport.time(SystemClock.now()))\n\(news.text)")
            }
        }
    }

    /// Waits until the workspace was changed and is left in peace.
    private func changed(since version: DataVersion?) async throws -> Session {
        let session = try Session.open(options, for: .reading)
        while session.workspace.version() == version { try await Task.sleep(for: Self.calm) }
        var last = session.workspace.version()
        while true {
            try await Task.sleep(for: Self.calm)
            let now = session.workspace.version()
            if now == last { return try Session.open(options, for: .reading) }
            last = now
        }
    }
}
