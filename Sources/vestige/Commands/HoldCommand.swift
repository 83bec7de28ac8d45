import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workspace

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keeps rows from being removed, by retention or on request, until it is released.",
        discussion: """
            vestige hold add case-17 --reason "litigation 17/2026"
            vestige hold add plant --table IoTAlerts_CL --table IoTEvents_CL --reason "insurer asked"
            vestige hold list
            vestige hold release case-17 --reason "settled"
            """, subcommands: [Add.self, List.self, Release.self])

    /// The workspace, opened for writing; it must be there.
    static func open(_ options: SessionOptions) throws -> Session {
        let configuration = try options.configuration()
        guard Workspace.exists(configuration.workspace) else {
            throw OperatorError(
                "there is no workspace \(configuration.workspace)", safe: "no file was made",
                next: "correct --workspace", isConfiguration: true)
        }
        return try Session.open(options, for: .writing)
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Places a hold.")
        @Argument(help: "What the hold is called.") var name: String
        @Option(help: ArgumentHelp("A table; all when not given.", valueName: "name")) var table: [String] = []
        @Option(help: "Why.") var reason: String
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let session = try HoldCommand.open(options)
            let known = try session.schemas()
            if let stranger = table.first(where: { known[$0] == nil }) {
                throw OperatorError(
                    "there is no table \(stranger)", safe: "no hold was placed",
                    next: "see which there are with: vestige status --tables", isConfiguration: true)
            }
            guard !name.isEmpty, !reason.isEmpty else { throw ValidationError("a hold has a name and a reason") }
            let now = SystemClock.now()
            try session.workspace.place(
                Hold(name: name, tables: table, reason: reason, person: NSUserName(), placed: now))
            try RemovalRecord(
                kind: .holdPlaced, tables: table, condition: name, reason: reason, person: NSUserName()
            ).write(to: session.workspace, session.library, now: now)
            options.console.say("nothing is removed of \(table.isEmpty ? "any table" : table.joined(separator: ", "))")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the holds that stand.")
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let session = try Session.open(options, for: .reading)
            var text = TextTable(
                ["hold", "tables", "placed", "by", "reason"], numbers: [false, false, false, false, false])
            for hold in try session.workspace.holds() {
                text.append([
                    hold.name, hold.tables.isEmpty ? "all" : hold.tables.joined(separator: ", "),
                    String(DateTime.format(hold.placed).prefix(16)) + "Z", hold.person, hold.reason,
                ])
            }
            Console.out(text.rendered(width: Console.outputWidth))
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "release", abstract: "Takes a hold away.")
        @Argument(help: "The hold's name.") var name: String
        @Option(help: "Why.") var reason: String
        @OptionGroup var options: SessionOptions

        func run() async throws {
            guard !reason.isEmpty else { throw ValidationError("to release a hold takes a reason") }
            let session = try HoldCommand.open(options)
            let hold = try session.workspace.release(hold: name)
            try RemovalRecord(
                kind: .holdReleased, tables: hold.tables, condition: name, reason: reason, person: NSUserName()
            ).write(to: session.workspace, session.library, now: SystemClock.now())
            options.console.say("the hold \(name) is released")
        }
    }
}
