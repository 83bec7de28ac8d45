import Content
import Forensics
import KQLEngine
import Pipeline
import ServiceLifecycle
import Tables

/// Runs hunts again and again, each when it has not been run for a time, until the program is asked to end.
struct HuntSchedule: Service {
    let session: Session
    let hunts: [HuntDefinition]
    /// Ticks.
    let frequency: Int64
    let format: TextOrJSON
    let console: Console

    /// Ticks between two looks at what is due.
    private static let minute = 60 * DateTime.ticksPerSecond

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try turn()
                let pause = min(frequency, Self.minute)
                do { try await Task.sleep(for: .milliseconds(pause / 10_000)) } catch { return }
            }
        }
    }

    /// Runs what is due, and tells what is new.
    func turn() throws {
        let runs = try HuntRunner.runs(in: session.workspace)
        let due = HuntRunner.due(hunts, runs, frequency: frequency, now: SystemClock.now())
        guard !due.isEmpty else { return }
        let runner = HuntRunner(try session.provider(), clock: SystemClock.now)
        var (found, rows, asked) = (0, 0, 0)
        var unanswered: [String: Int] = [:]
        for hunt in due {
            if Task.isCancelled { return }
            let answer = try runner.run(hunt, remembering: session.workspace)
            asked += 1
            if let problem = answer.run.problem { unanswered[problem, default: 0] += 1 }
            guard let table = answer.table, table.count > 0 else { continue }
            found += 1
            rows += table.count
            try tell(answer, table)
        }
        let summary = HuntReport.summary(asked: asked, found: found, rows: rows, unanswered: unanswered)
        console.raw(TerminalText(line: String(summary.dropLast())))
    }

    private func tell(_ answer: HuntRunner.Answer, _ table: ResultTable) throws {
        let chosen = answer.run.new == nil ? nil : answer.new
        if chosen?.isEmpty == true { return }
        switch format {
        case .text:
            let report = HuntReport(rowsMax: 3, width: Console.outputWidth)
            Console.out(try report.text(answer.hunt, table, chosen: chosen))
        case .json:
            let all = try table.rows()
            for row in chosen.map({ $0.map { all[$0] } }) ?? all {
                Console.out(line: HuntCommand.json(answer.hunt, table, row))
            }
        }
    }
}
