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
        abstract: "Brings files into tables: JSON, NDJSON, CSV, saved answers of queries, and exports.",
        discussion: """
            vestige import kev.json --table KnownExploited
            vestige import answer.json --table DeviceInfo
            vestige import scores.csv.gz --table Epss --schema 'cve:string, epss:real'
            vestige import admins.csv --watchlist HighValueAccounts --search-key Upn
            vestige import ./export

            What a file is - separator, encoding, packing, kind - is looked up in the file and said. Nothing changes \
            unless all of it can be read; what does not fit a column is kept in Unmapped.
            """)

    @Argument(help: "The file, or a folder: each of its files goes to the table of its name.") var file: String
    @Option(help: "The table that takes the rows; it is made when there is none.") var table: String?
    @Option(
        help: ArgumentHelp(
            "The watchlist that the CSV file becomes, in place of the one there was.", valueName: "alias"))
    var watchlist: String?
    @Option(
        help: ArgumentHelp(
            "The watchlist's column that SearchKey repeats; the first when not given.", valueName: "column"))
    var searchKey: String?
    @Option(help: "The file's format; found from its content when not given.") var format: FileImport.Format?
    @Option(
        help: ArgumentHelp(
            "How the file's characters are written, such as windows-1252; found when not given.", valueName: "name"))
    var encoding: String?
    @Option(help: ArgumentHelp("What separates the fields of CSV: a character, or tab.", valueName: "character"))
    var separator: String?
    @Option(help: "The columns, as name:type pairs; found from the rows when not given.") var schema: String?
    @Option(
        help: ArgumentHelp(
            "The member of the outermost JSON object that holds the records; a.b for a member of a member.",
            valueName: "member"))
    var records: String?
    @Flag(help: "Put the rows in the place of those that the table holds.") var replace = false
    @OptionGroup var session: SessionOptions

    func validate() throws {
        if table != nil, watchlist != nil { throw ValidationError("name either --table or --watchlist") }
        if searchKey != nil, watchlist == nil { throw ValidationError("--search-key goes with --watchlist") }
        _ = try options()
    }

    func run() async throws {
        // Before a workspace is opened, which makes one that is not there.
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else {
            throw OperatorError("there is no file or folder \(file)", next: "check the path", isConfiguration: true)
        }
        if let watchlist { return try importWatchlist(watchlist) }
        if isFolder.boolValue { return try importFolder() }
        let opened = try Session.open(session, for: .writing)
        let named = FileName(file).table(of: Set(opened.library.tables.keys))
        guard let target = table ?? (opened.library.tables[named] == nil ? nil : named) else {
            throw OperatorError(
                "which table takes the rows of \(file) is not said", next: "name it with --table, or --watchlist",
                isConfiguration: true)
        }
        let importer = FileImport(workspace: opened.workspace, library: opened.library, now: SystemClock.now())
        say(try importer.run(file, table: target, options: try options()))
    }

    private func importFolder() throws {
        let opened = try Session.open(session, for: .writing)
        let folder = try FolderImport(file, table: table, known: Set(opened.library.tables.keys))
        for (name, reason) in folder.passedOver { session.console.warn("\(name) was passed over: \(reason)") }
        let importer = FileImport(workspace: opened.workspace, library: opened.library, now: SystemClock.now())
        var failed: [String] = []
        for group in folder.groups {
            do {
                for outcome in try importer.run(group.files, table: group.table, options: try options()) {
                    say(outcome)
                }
            } catch {
                Failure.report(error, session.console)
                failed.append(group.table)
            }
        }
        if !failed.isEmpty {
            throw OperatorError(
                "\(failed.count) of \(folder.groups.count) tables were not imported: \(failed.joined(separator: ", "))",
                safe: "the others are in", next: "correct their files, then run the command again")
        }
    }

    private func say(_ outcome: FileImport.Outcome) {
        let console = session.console
        for note in outcome.notes { console.warn("\(outcome.file): \(note)") }
        let known = outcome.known > 0 ? "; \(Human.rows(outcome.known)) there already" : ""
        console.say("\(Human.rows(outcome.rows)) of \(outcome.file) in table \(outcome.table)\(known)")
        console.say("  read as \(outcome.reading)")
        // A table of thousands of columns is not listed.
        let shown = outcome.schema.columns.prefix(60)
        let more = outcome.schema.count > shown.count ? " and \(outcome.schema.count - shown.count) more columns" : ""
        console.say("  \(Schema(Array(shown)).description)\(more)")
    }

    private func importWatchlist(_ alias: String) throws {
        let opened = try Session.open(session, for: .writing)
        let workspace = opened.workspace
        let importer = FileImport(workspace: workspace, library: opened.library, now: SystemClock.now())
        let (csv, reading) = try importer.commaSeparated(file, options: try options())
        let list: Watchlist
        do {
            list = try Watchlist(
                alias: alias, csv: csv, searchKey: searchKey, updated: SystemClock.now(), file: file)
        } catch {
            throw OperatorError(
                "the watchlist was not imported", tried: "reading \(file) as \(reading)", got: error.description,
                safe: "nothing was changed", next: "correct the file")
        }
        let name = WatchlistTable.name(alias)
        try workspace.replace(name, with: list.rows, run: "import", now: SystemClock.now())
        session.console.say(
            "\(Human.rows(list.rows.count)) of \(file) in watchlist \(alias): _GetWatchlist('\(alias)')")
        session.console.say("  read as \(reading)")
    }

    private func options() throws -> FileImport.Options {
        var options = FileImport.Options()
        options.format = format
        options.columns = try schema.map(Self.columns)
        options.records = records
        options.replaces = replace
        if let encoding {
            guard let known = TextEncoding(named: encoding) else {
                let names = TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--encoding knows \(names); not \"\(encoding)\"")
            }
            options.encoding = known
        }
        if let separator {
            let text = separator == "tab" || separator == "\\t" ? "\t" : separator
            guard text.utf8.count == 1, let byte = text.utf8.first, byte != 34, byte != 10, byte != 13 else {
                throw ValidationError("--separator needs one character, or tab; not \"\(separator)\"")
            }
            options.separator = byte
        }
        return options
    }

    private static func columns(_ text: String) throws -> [ColumnSpec] {
        let specs = try text.split(separator: ",").map { part in
            let pair = part.split(separator: ":").map(\.trimmed)
            guard pair.count == 2, let type = ScalarType(name: pair[1]) else {
                throw ValidationError(
                    "--schema needs name:type pairs such as 'cve:string, score:real'; \"\(part.trimmed)\" is none")
            }
            return ColumnSpec(pair[0], type)
        }
        for (i, spec) in specs.enumerated() where specs[..<i].contains(where: { $0.name == spec.name }) {
            throw ValidationError("--schema names the column \(spec.name) twice")
        }
        return specs
    }
}

extension FileImport.Format: ExpressibleByArgument {}
