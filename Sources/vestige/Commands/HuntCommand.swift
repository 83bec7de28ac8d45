import ArgumentParser
import Content
import Forensics
import KQLEngine
import Pipeline
import ServiceLifecycle
import Tables
import UnixSignals
import Workspace

struct HuntCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hunt", abstract: "Lists the hunting queries of the content, and runs them.",
        discussion: """
            vestige hunt list
            vestige hunt run
            vestige hunt run ca-lsass-read im-recovery --format json
            vestige hunt test own-hunt

            Hunts stand in Content/Hunts, in Microsoft Sentinel's form; docs/hunts.md lists them.
            """, subcommands: [List.self, Run.self, Test.self])

    /// The hunts of a name or an id each; all of them when none is given.
    static func select(_ hunts: [HuntDefinition], _ names: [String]) throws -> [HuntDefinition] {
        guard !names.isEmpty else { return hunts }
        for name in names where !hunts.contains(where: { $0.isCalled(name) }) {
            let near = hunts.map(\.slug).filter { $0.contains(name) }.prefix(5).joined(separator: ", ")
            throw OperatorError(
                "there is no hunting query \(name)",
                next: near.isEmpty ? "see 'vestige hunt list'" : "did you mean \(near)?", isConfiguration: true)
        }
        return hunts.filter { hunt in names.contains { hunt.isCalled($0) } }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Runs hunting queries over the rows that stand beside them: exit code 0 or 1.",
            discussion: """
                Rows stand in a hunt's file under 'tests', with the number of results that there must be. Neither \
                the day nor the order of the rows nor the case of names may make a difference.
                """)

        @Argument(help: "Names of hunting queries; all when none is given.") var names: [String] = []
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let (library, problems) = try Session.content(try session.configuration())
            session.console.warn(leftOut: problems + library.forensicProblems)
            let entries = try HuntCommand.select(library.hunts, names).map {
                TestedQueries.Entry(name: $0.slug, query: $0.query, tests: $0.tests)
            }
            try TestedQueries(library: library, entries: entries).run(session.console)
        }
    }

    /// A result as a line for programs.
    static func json(_ hunt: HuntDefinition, _ table: ResultTable, _ row: [Value]) -> JSON {
        let cells = zip(table.schema.names, row).filter { !$1.isNull }.map { ($0, JSON($1)) }
        return ["hunt": .string(hunt.slug), "row": .object(JSON.Members(cells))]
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists the hunting queries, with what each found when the schedule ran it last.")

        @Option(help: "text or json.") var format = TextOrJSON.text
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let configuration = try session.configuration()
            let (library, problems) = try Session.content(configuration)
            session.console.warn(leftOut: problems + library.forensicProblems)
            let runs = try lastRuns(configuration)
            switch format {
            case .text: Console.out(table(library.hunts, runs).rendered(width: Console.outputWidth))
            case .json:
                let hunts = library.hunts.map { hunt -> JSON in
                    [
                        "id": .string(hunt.id), "name": .string(hunt.slug), "title": .string(hunt.title),
                        "mark": .string(hunt.mark.rawValue), "techniques": .array(hunt.techniques.map { .string($0) }),
                        "techniquesV19": .array(hunt.techniquesV19.map { .string($0) }),
                        "harm": hunt.harm.map { .string($0) } ?? .null,
                        "needs": .array(hunt.needs.map { .string($0) }),
                        "blind": .array(hunt.blind.map { .string($0.text) }), "query": .string(hunt.query),
                        "lastRun": runs[hunt.slug]?.json ?? .null,
                    ]
                }
                Console.out(line: .array(hunts))
            }
        }

        private func table(_ hunts: [HuntDefinition], _ runs: [String: HuntRun]) -> TextTable {
            let last = runs.isEmpty ? [] : ["last run", "rows", "new"]
            var table = TextTable(
                ["hunt", "weight", "techniques"] + last + ["what"],
                numbers: [false, false, false] + last.map { $0 != "last run" } + [false])
            for hunt in hunts {
                var cells = [hunt.slug, hunt.mark.rawValue, hunt.techniques.joined(separator: " ")]
                if !runs.isEmpty {
                    let run = runs[hunt.slug]
                    cells.append(run.map { String(DateTime.format($0.time).prefix(16)) + "Z" } ?? "")
                    cells.append(run.map { $0.problem == nil ? Human.count($0.rows) : "?" } ?? "")
                    cells.append(run?.new.map { Human.count($0) } ?? "")
                }
                table.append(cells + [hunt.title])
            }
            return table
        }

        /// What the schedule remembers; nothing where there is no workspace yet.
        private func lastRuns(_ configuration: Configuration) throws -> [String: HuntRun] {
            guard Workspace.exists(configuration.workspace) else { return [:] }
            return try HuntRunner.runs(in: Workspace(reading: configuration.workspace, mapsPages: false))
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Runs hunting queries over the workspace and prints what each finds.",
            discussion: """
                vestige hunt run
                vestige hunt run ca-lsass-read im-recovery --format json
                vestige hunt run --schedule --every 6h
                vestige hunt run --schedule --once

                With --schedule, each is run when it has not been run for the time of --every, what is new is \
                printed, and 'hunt list' shows the last run. --once runs what is due and ends, as timers of the \
                system want it.
                """)

        @Argument(help: "Names of hunting queries; all when none is given.") var names: [String] = []
        @Flag(help: "Go on running them, and remember what they found.") var schedule = false
        @Option(help: ArgumentHelp("With --schedule: how often each is run.", valueName: "span")) var every = "1d"
        @Flag(help: "With --schedule: run what is due, and end.") var once = false
        @Option(help: "text or json.") var format = TextOrJSON.text
        @OptionGroup var session: SessionOptions

        func validate() throws {
            guard schedule || !once else { throw ValidationError("--once belongs to --schedule") }
            guard frequency != nil else {
                throw ValidationError("--every is a length of time of a minute or more, such as 30m, 6h or 1d")
            }
        }

        /// Ticks.
        private var frequency: Int64? {
            TimeSpan.parse(every).flatMap { $0 >= 60 * DateTime.ticksPerSecond ? $0 : nil }
        }

        func run() async throws {
            let opened = try Session.open(session, for: schedule ? .writing : .reading)
            session.console.warn(leftOut: opened.library.forensicProblems)
            let hunts = try HuntCommand.select(opened.library.hunts, names)
            if schedule, let frequency {
                let turns = HuntSchedule(
                    session: opened, hunts: hunts, frequency: frequency, format: format, console: session.console)
                if once { return try turns.turn() }
                let group = ServiceGroup(
                    configuration: .init(
                        services: [.init(service: turns)], gracefulShutdownSignals: [.sigterm, .sigint],
                        logger: Logs.make(session.console, level: .warning)))
                return try await group.run()
            }
            try answer(hunts, HuntRunner(try opened.provider(), clock: SystemClock.now))
        }

        private func answer(_ hunts: [HuntDefinition], _ runner: HuntRunner) throws {
            var (found, rows, failed) = (0, 0, 0)
            var unanswered: [String: Int] = [:]
            let report = HuntReport(rowsMax: names.isEmpty ? 3 : 100, width: Console.outputWidth)
            for hunt in hunts {
                do {
                    let silent = runner.silentTables(hunt)
                    if !hunt.needs.isEmpty, silent.count == hunt.needs.count {
                        unanswered["no rows of \(silent.joined(separator: ", "))", default: 0] += 1
                    }
                    let table = try runner.results(hunt)
                    if table.count > 0 { (found, rows) = (found + 1, rows + table.count) }
                    switch format {
                    case .text where table.count > 0 || !names.isEmpty: Console.out(try report.text(hunt, table))
                    case .text: break
                    case .json: for row in try table.rows() { Console.out(line: HuntCommand.json(hunt, table, row)) }
                    }
                } catch let error as QueryError {
                    failed += 1
                    session.console.fail("\(hunt.slug): \(error.message)")
                }
            }
            if format == .text {
                let summary = HuntReport.summary(asked: hunts.count, found: found, rows: rows, unanswered: unanswered)
                Console.out(summary)
            }
            guard failed == 0 else { throw ExitCode(1) }
        }
    }
}

/// How an answer for people or programs is written.
enum TextOrJSON: String, ExpressibleByArgument, CaseIterable { case text, json }

extension HuntDefinition {
    /// Whether a person means this hunt: by its name or its GUID, in any case.
    fileprivate func isCalled(_ text: String) -> Bool { [slug, id].contains { $0.lowercased() == text.lowercased() } }
}
