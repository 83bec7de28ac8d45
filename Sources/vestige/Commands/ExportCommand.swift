import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import Tables

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes tables into files that import reads back, to the last tick and quotation mark.",
        discussion: """
            vestige export ./export
            vestige export --table DeviceInfo --table MDEMachines_CL --format csv --gzip ./export
            vestige export --from 2026-10-01 --to 2026-11-01 ./october

            Each table becomes a file of its name, with a description of its columns beside it. A file has its name \
            only when it is whole.
            """)

    @Argument(help: ArgumentHelp("The folder; it is made when there is none.", valueName: "folder")) var folder: String
    @Option(help: ArgumentHelp("A table to export; all that hold rows when not given.", valueName: "name"))
    var table: [String] = []
    @Option(help: ArgumentHelp("Rows observed at this time or later (UTC).", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("Rows observed before this time (UTC).", valueName: "time")) var to: String?
    @Option(help: "How rows are written.") var format = TableExport.Format.ndjson
    @Flag(help: "Pack the files with gzip.") var gzip = false
    @Flag(help: "Overwrite files that are there.") var overwrite = false
    @OptionGroup var session: SessionOptions

    func run() async throws {
        let configuration = try session.configuration()
        guard FileManager.default.fileExists(atPath: configuration.workspace) else {
            throw OperatorError(
                "there is no workspace \(configuration.workspace)",
                next: "collect into it first, or correct --workspace", isConfiguration: true)
        }
        let opened = try Session.open(session, for: .reading)
        var options = TableExport.Options()
        (options.format, options.packs, options.overwrites) = (format, gzip, overwrite)
        options.times = try TimeOptions.range(from: from, to: to)
        let export = TableExport(workspace: opened.workspace, options: options)
        var tables: [String] = []
        for name in table where !tables.contains(name) { tables.append(name) }
        if tables.isEmpty { tables = try export.tablesWithRows() }
        if tables.isEmpty {
            throw OperatorError("the workspace holds no rows", next: "collect or import first")
        }
        var rows = 0
        try export.run(tables, into: folder) { outcome in
            rows += outcome.rows
            session.console.say("  \(Human.rows(outcome.rows)) in \(outcome.file) (\(Human.bytes(outcome.bytes)))")
        }
        session.console.say("\(Human.rows(rows)) of \(tables.count) tables are in \(folder)")
    }
}

extension TableExport.Format: ExpressibleByArgument {}
