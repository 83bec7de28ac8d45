import ArgumentParser
import Tables
import Workspace

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the workspace: tables, last runs, and what sinks still have to get.")

    @OptionGroup var options: SessionOptions

    func run() async throws {
        let session = try Session.open(options)
        let workspace = session.workspace
        Console.out("workspace  \(workspace.path), \(Human.bytes(workspace.sizeBytes))\n\n")
        let counts = try workspace.rowCounts()
        var tables = TextTable(["table", "rows", "columns"], numbers: [false, true, true])
        for (name, schema) in try workspace.schemas().sorted(by: { $0.key < $1.key }) {
            tables.append([name, Human.count(counts[name] ?? 0), String(schema.count)])
        }
        Console.out(tables.rendered(width: Console.outputWidth))
        let runs = try workspace.lastRuns()
        if !runs.isEmpty {
            var text = TextTable(["source", "last run", "read", "kept", "result"], numbers: [false, false, true, true, false])
            for run in runs {
                text.append([
                    run.source, String(DateTime.format(run.started).prefix(19)) + "Z", Human.count(run.rowsRead), Human.count(run.rowsChanged),
                    run.error ?? "ok",
                ])
            }
            Console.out("\n" + text.rendered(width: Console.outputWidth))
            let totals = try workspace.runTotals()
            if totals.read > 0 {
                let share = Int((100 - 100 * Double(totals.kept) / Double(totals.read)).rounded())
                Console.out(
                    "\n\(Human.count(totals.read)) rows were read in \(Human.count(totals.runs)) runs, \(Human.count(totals.kept)) were new: \(share) % less to store and send\n"
                )
            }
        }
        for (sink, extents) in try workspace.outboxCounts().sorted(by: { $0.key < $1.key }) {
            Console.out("\nsink \(sink) still has to get \(extents) extents; they go out with the next run\n")
        }
    }
}
