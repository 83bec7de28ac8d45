import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workspace

struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract:
            "Removes rows for good: on request, or those past their time. Without --apply shows what would go.",
        discussion: """
            vestige purge --table MDELogonUsers_CL --where "AccountName == 'maria'" --reason "request 17 of 2026-11-26"
            vestige purge --table MDELogonUsers_CL --where "AccountName == 'maria'" --reason "request 17" --apply
            vestige purge --expired

            A hold refuses it. That it was done, by whom, why and by which condition stands in VestigeRemovals_CL; \
            what was removed does not. Copies elsewhere are not touched: sinks, exports, backups.
            """)

    @Option(help: ArgumentHelp("The table.", valueName: "name")) var table: String?
    @Option(name: .customLong("where"), help: ArgumentHelp("Which rows, as behind 'where'.", valueName: "KQL"))
    var condition: String?
    @Option(help: "Why; it is recorded.") var reason: String?
    @Flag(help: "What is past its time by 'retention' of the configuration.") var expired = false
    @Flag(help: "Remove the rows.") var apply = false
    @OptionGroup var options: SessionOptions

    func validate() throws {
        if expired {
            guard table == nil, condition == nil else {
                throw ValidationError("--expired goes without --table and --where")
            }
        } else {
            guard table != nil, condition != nil else {
                throw ValidationError("give --table and --where, or --expired")
            }
            guard !apply || reason?.isEmpty == false else { throw ValidationError("--apply goes with --reason") }
        }
    }

    func run() async throws {
        let now = SystemClock.now()
        let configuration = try options.configuration()
        guard Workspace.exists(configuration.workspace) else {
            throw OperatorError(
                "there is no workspace \(configuration.workspace)", safe: "no file was made",
                next: "correct --workspace", isConfiguration: true)
        }
        let lock = apply ? try Self.lock(configuration.workspace) : nil
        defer { withExtendedLifetime(lock) {} }
        let session = try Session.open(options, for: apply ? .writing : .reading)
        let removed: [Removal]
        if let table, let condition {
            let purge = try Purge(
                workspace: session.workspace, library: session.library, table: table, condition: condition, now: now)
            removed = [
                try apply ? purge.run(reason: reason ?? "", person: NSUserName(), now: now) : purge.trial()
            ]
        } else {
            removed = try Retention(
                workspace: session.workspace, library: session.library, configuration: configuration
            ).run(isTrial: !apply, now: now)
        }
        show(removed)
        // What a page held before it was divided may stand in its unused part still: on request nothing may.
        if apply, !expired, removed.contains(where: { $0.rows > 0 }) { try compact(session.workspace) }
    }

    private func compact(_ workspace: Workspace) throws {
        do throws(WorkspaceError) { _ = try workspace.compact() } catch {
            throw OperatorError(
                error, title: "the rows are removed, but the file could not be written anew",
                safe: "what they held was overwritten where it stood; older copies within the file may be left")
        }
    }

    private func show(_ removed: [Removal]) {
        var text = TextTable(["table", "rows", "first", "last"], numbers: [false, true, false, false])
        func time(_ ticks: Int64?) -> String { ticks.map { String(DateTime.format($0).prefix(16)) + "Z" } ?? "" }
        for removal in removed where removal.rows > 0 {
            text.append([removal.table, Human.count(removal.rows), time(removal.low), time(removal.high)])
        }
        let rows = removed.reduce(0) { $0 + $1.rows }
        if rows > 0 { Console.out(text.rendered(width: Console.outputWidth)) }
        options.console.say(
            rows == 0
                ? "no row meets the condition"
                : apply
                    ? "\(Human.rows(rows)) removed"
                    : "\(Human.rows(rows)) would go; nothing was changed, add --apply to remove them")
    }

    /// A collector keeps in memory where rows are.
    static func lock(_ workspace: String) throws -> CollectorLock {
        if let lock = try CollectorLock.take(workspace: workspace) { return lock }
        throw OperatorError(
            "nothing was removed",
            got: "process \(CollectorLock.owner(workspace: workspace) ?? "unknown") collects into \(workspace)",
            safe: "the workspace is as it was", next: "stop the collector, then run the command again",
            isConfiguration: true)
    }
}
