import ArgumentParser
import Pipeline
import Tables
import Workspace

struct WorkspaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspace", abstract: "Checks the workspace's file, and looks after it.",
        subcommands: [Verify.self, Compact.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads everything that is stored and compares it with its checksums: exit code 0 or 1.",
            discussion: """
                Names the table, the extent and the column of each damage; of the audit file beside it, the lines that
                do not follow from those before. Nothing is changed.

                vestige workspace verify
                vestige workspace verify --workspace evidence.db --format json
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

        @Option(help: "text or json.") var format = Format.text
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let console = options.console
            let configuration = try options.configuration()
            let path = configuration.workspace
            guard Workspace.exists(path) else {
                throw OperatorError(
                    "there is no workspace \(path)", safe: "no file was made", next: "correct --workspace",
                    isConfiguration: true)
            }
            let workspace = try Workspace(reading: path)
            let report = try workspace.verify { console.progress("verifying \($0) …") }
            let file = AuditFile(configuration.auditFile)
            let audit = try file.exists ? file.verify(expecting: AuditIntake.last(in: workspace)) : nil
            console.progress("")
            switch format {
            case .json: Console.out(json: Self.json(report, audit).text + "\n")
            case .text:
                for damage in report.damage { Console.out(Self.line(damage) + "\n") }
                for fault in audit?.faults ?? [] { Console.out("audit, \(fault)\n") }
            }
            console.say(
                "\(path): \(report.tables) tables, \(Human.count(report.extents)) extents, \(Human.count(report.rows)) rows, "
                    + "\(Human.count(report.segments)) segments of \(Human.bytes(report.bytes)): "
                    + (report.damage.isEmpty ? "all as it was written" : "\(report.damage.count) damaged"))
            if report.withoutChecksum > 0 {
                console.say(
                    "\(Human.count(report.withoutChecksum)) parts were written by an earlier vestige and have no checksum: "
                        + "they can be read, and no more can be said of them")
            }
            if let audit { console.say("\(file.path): \(audit.summary)") }
            guard report.damage.isEmpty, audit?.faults.isEmpty != false else { throw ExitCode(1) }
        }

        private static func line(_ damage: Damage) -> String {
            let place = [
                damage.table.map { "table \($0)" }, damage.extent.map { "extent \($0)" },
                damage.column.map { "column \($0)" },
            ].compactMap { $0 }.joined(separator: ", ")
            return place.isEmpty ? damage.what : "\(place): \(damage.what)"
        }

        private static func json(_ report: VerifyReport, _ audit: AuditReport?) -> JSON {
            let damage = report.damage.map { damage -> JSON in
                [
                    "table": damage.table.map { .string($0) } ?? .null,
                    "extent": damage.extent.map { .integer($0) } ?? .null,
                    "column": damage.column.map { .string($0) } ?? .null, "what": .string(damage.what),
                ]
            }
            return [
                "tables": .integer(Int64(report.tables)), "extents": .integer(Int64(report.extents)),
                "rows": .integer(Int64(report.rows)), "segments": .integer(Int64(report.segments)),
                "bytes": .integer(Int64(report.bytes)), "withoutChecksum": .integer(Int64(report.withoutChecksum)),
                "damage": .array(damage), "audit": audit.map { .object($0.members) } ?? .null,
            ]
        }
    }

    struct Compact: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compact",
            abstract:
                "Writes the file anew without the space of what was removed; needs as much free space as the file has.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let path = try options.configuration().workspace
            guard Workspace.exists(path) else {
                throw OperatorError(
                    "there is no workspace \(path)", safe: "no file was made", next: "correct --workspace",
                    isConfiguration: true)
            }
            let sizes = try Workspace(path: path, mapsPages: false).compact()
            options.console.say("\(path): \(Human.bytes(sizes.before)) before, \(Human.bytes(sizes.after)) now")
        }
    }
}
