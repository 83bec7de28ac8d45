import ArgumentParser
import Content
import Forensics
import KQLEngine
import Pipeline
import Tables

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

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the hunting queries: name, weight, techniques, title.")

        @Option(help: "text or json.") var format = TextOrJSON.text
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let (library, problems) = try Session.content(try session.configuration())
            session.console.warn(leftOut: problems + library.forensicProblems)
            switch format {
            case .text:
                for hunt in library.hunts {
                    let techniques = hunt.techniques.joined(separator: " ")
                    Console.out("\(hunt.slug)\t\(hunt.mark.rawValue)\t\(techniques)\t\(hunt.title)\n")
                }
            case .json:
                let hunts = library.hunts.map { hunt -> JSON in
                    [
                        "id": .string(hunt.id), "name": .string(hunt.slug), "title": .string(hunt.title),
                        "mark": .string(hunt.mark.rawValue), "techniques": .array(hunt.techniques.map { .string($0) }),
                        "harm": hunt.harm.map { .string($0) } ?? .null, "query": .string(hunt.query),
                    ]
                }
                Console.out(line: .array(hunts))
            }
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Runs hunting queries over the workspace and prints what each finds.",
            discussion: """
                vestige hunt run
                vestige hunt run ca-lsass-read im-recovery --format json
                """)

        @Argument(help: "Names of hunting queries; all when none is given.") var names: [String] = []
        @Option(help: "text or json.") var format = TextOrJSON.text
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let opened = try Session.open(session, for: .reading)
            session.console.warn(leftOut: opened.library.forensicProblems)
            let hunts = try HuntCommand.select(opened.library.hunts, names)
            let engine = Engine(provider: try opened.provider())
            var failed = 0
            for hunt in hunts {
                do {
                    let table = try engine.run(hunt.query).primary
                    guard table.count > 0 || !names.isEmpty else { continue }
                    try show(hunt, table)
                } catch let error as QueryError {
                    failed += 1
                    session.console.fail("\(hunt.slug): \(error.message)")
                }
            }
            guard failed == 0 else { throw ExitCode(1) }
        }

        private func show(_ hunt: HuntDefinition, _ table: ResultTable) throws {
            switch format {
            case .text:
                Console.out("\(hunt.slug)  \(hunt.title): \(table.count) rows\n")
                for row in try table.rows().prefix(names.isEmpty ? 3 : 100) {
                    let shown = [
                        "Timestamp", "EventTime", "DeviceName", "AccountName", "ProcessCommandLine", "FolderPath",
                        "RegistryKey", "RemoteIP", "Content",
                    ]
                    .compactMap { name in table.schema.index(of: name).map { row[$0] } }
                    .filter { !$0.isNull && !$0.text.isEmpty }.map(\.text)
                    Console.out("    " + shown.joined(separator: "  ") + "\n")
                }
            case .json:
                for row in try table.rows() {
                    let cells = zip(table.schema.names, row).filter { !$1.isNull }.map { ($0, JSON($1)) }
                    let line: JSON = ["hunt": .string(hunt.slug), "row": .object(JSON.Members(cells))]
                    Console.out(line: line)
                }
            }
        }
    }
}

/// How an answer for people or programs is written.
enum TextOrJSON: String, ExpressibleByArgument, CaseIterable { case text, json }

extension HuntDefinition {
    /// Whether a person means this hunt: by its name or its GUID, in any case.
    fileprivate func isCalled(_ text: String) -> Bool { [slug, id].contains { $0.lowercased() == text.lowercased() } }
}
