import ArgumentParser
import Content
import Foundation
import KQL
import KQLEngine
import Pipeline
import Tables

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Brings a file into a table: JSON, NDJSON, CSV, or a saved advanced-hunting answer.",
        discussion: """
            vestige import kev.json --table KnownExploited
            vestige import answer.json --table DeviceInfo
            vestige import scores.csv --table Epss --schema 'cve:string, epss:real'
            vestige import admins.csv --watchlist HighValueAccounts --search-key Upn
            """)

    @Argument(help: "The file.") var file: String
    @Option(help: "The table that takes the rows; it is made when there is none.") var table: String?
    @Option(
        help: ArgumentHelp(
            "The watchlist that the CSV file becomes, in place of the one there was.", valueName: "alias"))
    var watchlist: String?
    @Option(
        help: ArgumentHelp(
            "The watchlist's column that SearchKey repeats; the first when not given.", valueName: "column"))
    var searchKey: String?
    @Option(help: "The file's format; found from its name and content when not given.") var format: FileImport.Format?
    @Option(help: "The columns, as name:type pairs; inferred when not given.") var schema: String?
    @Option(help: ArgumentHelp("The member of the outermost JSON object that holds the records.", valueName: "member"))
    var records: String?
    @Flag(help: "Drop the table's rows first.") var replace = false
    @OptionGroup var session: SessionOptions

    func validate() throws {
        if (table == nil) == (watchlist == nil) { throw ValidationError("name either --table or --watchlist") }
        if searchKey != nil, watchlist == nil { throw ValidationError("--search-key goes with --watchlist") }
    }

    func run() async throws {
        guard let table else { return try importWatchlist(watchlist ?? "") }
        let columns = try schema.map(Self.columns)
        let opened = try Session.open(session, for: .writing)
        let importer = FileImport(workspace: opened.workspace, library: opened.library, now: SystemClock.now())
        let outcome = try importer.run(
            file, table: table, format: format, columns: columns, path: records, replaces: replace)
        for note in outcome.notes { session.console.warn(note) }
        session.console.say(
            "\(Human.count(outcome.rows)) rows of \(file) (\(outcome.format.rawValue)) are in table \(outcome.table)")
        session.console.say("  \(outcome.schema.description)")
    }

    private func importWatchlist(_ alias: String) throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw OperatorError(
                "the file \(file) cannot be read", next: "check the path and its permissions", isConfiguration: true)
        }
        let list: Watchlist
        do {
            list = try Watchlist(
                alias: alias, csv: [UInt8](data), searchKey: searchKey, updated: SystemClock.now(), file: file)
        } catch {
            throw OperatorError(
                "the watchlist was not imported", got: error.description, safe: "nothing was changed",
                next: "correct the file")
        }
        let workspace = try Session.open(session, for: .writing).workspace
        let name = WatchlistTable.name(alias)
        try workspace.replace(name, with: list.rows, run: "import", now: SystemClock.now())
        session.console.say(
            "\(Human.count(list.rows.count)) rows of \(file) are in watchlist \(alias): _GetWatchlist('\(alias)')")
    }

    private static func columns(_ text: String) throws -> [ColumnSpec] {
        try text.split(separator: ",").map { part in
            let pair = part.split(separator: ":").map(\.trimmed)
            guard pair.count == 2, let type = ScalarType(name: pair[1]) else {
                throw ValidationError(
                    "--schema needs name:type pairs such as 'cve:string, score:real'; \"\(part.trimmed)\" is none")
            }
            return ColumnSpec(pair[0], type)
        }
    }
}

extension FileImport.Format: ExpressibleByArgument {}
