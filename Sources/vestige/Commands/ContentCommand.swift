import ArgumentParser
import Content
import Pipeline

struct ContentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "content", abstract: "Checks the content files, and describes them.",
        subcommands: [CheckContent.self, DocumentContent.self])

    struct DocumentContent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "document", abstract: "Writes what the content collects as Markdown (docs/sources.md).")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            Console.out(SourcesDocument.markdown(try Session.content(try options.configuration()).0))
        }
    }

    struct CheckContent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Checks that every content file is well formed and that its KQL binds: exit code 0 or 1.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let (library, unreadable) = try Session.content(try options.configuration())
            let problems = unreadable + ContentCheck.run(library)
            for problem in problems { options.console.fail(problem.description) }
            let counts =
                "\(library.tables.count) tables, \(library.sources.count) sources, \(library.functions.count) functions, \(library.workbooks.count) workbooks"
            guard problems.isEmpty else {
                options.console.say("\(problems.count) problems in \(counts)")
                throw ExitCode(1)
            }
            options.console.say("\(counts): all right")
        }
    }
}
