import ArgumentParser
import Content
import Foundation
import KQL
import KQLEngine
import Logging
import Pipeline
import Tables
import Workspace

/// Options of the commands that use a workspace and content.
struct SessionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration; vestige.yaml when it is there.", valueName: "file")) var config:
        String?
    @Option(help: ArgumentHelp("The workspace; the configuration's when not given.", valueName: "file")) var workspace:
        String?
    @OptionGroup var talk: TalkOptions

    var console: Console { talk.console }

    /// The configuration, with what the command line says on top.
    func configuration() throws -> Configuration {
        let file = config ?? (FileManager.default.fileExists(atPath: "vestige.yaml") ? "vestige.yaml" : nil)
        var configuration = try Configuration.load(file: file, environment: ProcessInfo.processInfo.environment)
        if let workspace { configuration.workspace = workspace }
        return configuration
    }

    /// A workspace that the command line names must be there; one that the configuration names may come later.
    func refuseMissingWorkspace(_ configuration: Configuration) throws {
        guard workspace != nil, !Workspace.exists(configuration.workspace) else { return }
        let isEmpty = FileManager.default.fileExists(atPath: configuration.workspace)
        throw OperatorError(
            "there is no workspace \(configuration.workspace)", got: isEmpty ? "the file is empty" : nil,
            safe: "no file was made", next: "collect into it first, or correct --workspace", isConfiguration: true)
    }
}

/// Content, workspace and configuration, opened together.
struct Session: Sendable {
    let configuration: Configuration
    let library: ContentLibrary
    /// Content files that were left out.
    let problems: [ContentProblem]
    let workspace: Workspace
    let outside: OutsideData

    /// What a command does with the workspace. Only those that bring rows write to it; a question changes nothing.
    enum Access { case reading, writing }

    static func open(_ options: SessionOptions, for access: Access, mapsPages: Bool = true) throws -> Session {
        try open(try options.configuration(), console: options.console, for: access, mapsPages: mapsPages)
    }

    /// - Parameter mapsPages: whether the workspace is read through mapped memory, as suits queries.
    static func open(_ configuration: Configuration, console: Console, for access: Access, mapsPages: Bool = true)
        throws -> Session
    {
        let (library, problems) = try content(configuration)
        console.warn(leftOut: problems)
        let workspace: Workspace
        switch access {
        case .reading: workspace = try Workspace(reading: configuration.workspace, mapsPages: mapsPages)
        case .writing:
            workspace = try Workspace(path: configuration.workspace, mapsPages: mapsPages)
            try workspace.declare(library.tables.mapValues(\.schema))
        }
        return Session(
            configuration: configuration, library: library, problems: problems, workspace: workspace,
            outside: try configuration.outsideData())
    }

    /// Sources and sinks of the configuration.
    ///
    /// - Parameters:
    ///   - only: ids of the only sources; empty for all.
    ///   - choice: devices and time to ask for, instead of the configuration's.
    func connections(only: [String], choice: SourceEndpoint.Choice? = nil, logger: Logger) async throws -> Connections {
        let lists = Set(library.sources.filter { if case .devices? = $0.role { true } else { false } }.map(\.id))
        let runs = try workspace.lastRuns().filter { run in lists.contains(String(run.source.prefix { $0 != "@" })) }
        let devices = runs.map(\.rowsRead).max() ?? 0
        return try await Connections.open(
            configuration, library: library, only: only, environment: ProcessInfo.processInfo.environment,
            choice: choice, devices: devices,
            logger: logger,
            write: { try StandardOutput.deliver($0) })
    }

    /// Every table by name: the content's, and those that only the workspace has.
    func schemas() throws -> [String: Schema] {
        library.tables.mapValues(\.schema).merging(try workspace.schemas()) { _, stored in stored }
    }

    /// When sources run.
    var planner: RunPlanner { RunPlanner(library: library, schedules: configuration.schedules) }

    /// How collecting is going.
    func health() throws -> HealthReport { try HealthReport(workspace, library, configuration, now: SystemClock.now()) }

    func collector(_ connections: Connections, allowsEmpty: Bool) -> Collector {
        Collector(
            workspace: workspace, library: library, sinks: connections.sinks, keyframeDays: configuration.keyframeDays,
            spoolBytesMax: configuration.spoolBytesMax, allowsEmpty: allowsEmpty,
            writesHealth: configuration.writesHealth, auditFile: configuration.auditFile,
            retention: Retention(workspace: workspace, library: library, configuration: configuration),
            followUp: configuration.runsRules ? RulesAfterCollect(self).followUp : nil)
    }

    /// The built-in content with the configured folders over it.
    static func content(_ configuration: Configuration) throws -> (ContentLibrary, [ContentProblem]) {
        let folder = try builtInContent()
        for extra in configuration.content where !FileManager.default.fileExists(atPath: extra) {
            throw OperatorError(
                "there is no content folder \(extra)", next: "correct 'content' in the configuration",
                isConfiguration: true)
        }
        let (library, problems) = ContentLibrary.load(folders: [folder] + configuration.content)
        return (library, problems)
    }

    /// Where the content that ships with the program is: VESTIGE_CONTENT, the current folder, or beside the program.
    static func builtInContent() throws -> String {
        let manager = FileManager.default
        if let folder = ProcessInfo.processInfo.environment["VESTIGE_CONTENT"], !folder.isEmpty { return folder }
        var candidates = ["Content"]
        var place = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        if let here = place {
            candidates.append(here.deletingLastPathComponent().appendingPathComponent("share/vestige/Content").path)
        }
        for _ in 0..<5 {
            guard let folder = place else { break }
            candidates.append(folder.appendingPathComponent("Content").path)
            place = folder.path == "/" ? nil : folder.deletingLastPathComponent()
        }
        if let found = candidates.first(where: { manager.fileExists(atPath: $0 + "/Tables") }) { return found }
        throw OperatorError(
            "the content folder is not found", tried: candidates.joined(separator: ", "),
            next: "set VESTIGE_CONTENT to the folder 'Content' of the program",
            isConfiguration: true)
    }

    /// What a query may ask: the workspace, or, when there is no file yet, the content's tables without rows.
    ///
    /// A question changes nothing: no workspace is made for it.
    ///
    /// - Parameter wildcardsSeeAll: whether wildcards stand for the content's tables when there is no file.
    static func queryProvider(_ options: SessionOptions, wildcardsSeeAll: Bool = false) throws -> any TableProvider {
        let configuration = try options.configuration()
        if Workspace.exists(configuration.workspace) {
            return try open(configuration, console: options.console, for: .reading).provider(withFiles: true)
        }
        try options.refuseMissingWorkspace(configuration)
        let (library, _) = try content(configuration)
        let tables = MemoryTables(notes: library.notes, outside: try configuration.outsideData(withFiles: true))
        for table in library.tables.values {
            let schema = TypeColumn.added(to: table.schema)
            if wildcardsSeeAll {
                tables.set(table.name, schema: schema, batches: [])
            } else {
                tables.declare(table.name, schema: schema)
            }
        }
        for (name, declaration) in library.functionDeclarations { tables.setFunction(name, declaration) }
        for (name, batch) in library.watchlistTables { tables.set(name, schema: batch.schema, batches: [batch]) }
        return tables
    }

    /// The workspace's tables and the content's functions, for queries.
    ///
    /// - Parameter withFiles: whether queries are this user's own and may read files, where the configuration allows
    ///   it.
    func provider(withFiles: Bool = false) throws -> WorkspaceProvider {
        var outside = outside
        outside.allowsFiles = withFiles && configuration.allowsExternalFiles
        return try WorkspaceProvider(
            workspace, functions: library.functionDeclarations, notes: library.notes, others: library.watchlistTables,
            declared: library.tables.mapValues(\.schema), outside: outside)
    }
}

/// Log lines of the libraries, on standard error.
enum Logs {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    static func make(_ console: Console, level: Logger.Level = .notice, format: Format = .text) -> Logger {
        var logger = Logger(label: "vestige") { DiscreetLogHandler(LineLogHandler(label: $0, format: format)) }
        logger.logLevel = console.isQuiet ? .error : level
        return logger
    }
}

/// A query from the command line, a file, or standard input.
enum QueryText {
    static func read(_ argument: String?, file: String?) throws -> String {
        if let argument, file == nil { return argument }
        if argument != nil { throw ValidationError("give the query as an argument or with --file, not both") }
        if let file, file != "-" {
            guard let data = FileManager.default.contents(atPath: file) else {
                throw OperatorError("the file \(file) cannot be read", next: "check the path", isConfiguration: true)
            }
            return String(decoding: data, as: UTF8.self)
        }
        if Console.inputIsTerminal {
            throw ValidationError("there is no query; give it as an argument, with --file, or on standard input")
        }
        return String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
    }
}
