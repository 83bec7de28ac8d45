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

        @Flag(help: "Write the settings of vestige.yaml instead (docs/configuration.md).") var settings = false
        @Flag(help: "Write the hunting queries instead (docs/hunts.md).") var hunts = false
        @Flag(help: "Write the controls instead (docs/controls.md).") var controls = false
        @OptionGroup var options: SessionOptions

        func run() async throws {
            if hunts || controls {
                let library = try Session.content(try options.configuration()).0
                return Console.out(hunts ? ForensicsDocument.hunts(library) : ForensicsDocument.controls(library))
            }
            if settings { return Console.out(ConfigurationDocument.markdown) }
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
            for notice in problems.filter(\.isNotice) { options.console.warn(notice.description) }
            let faults = problems.filter { !$0.isNotice }
            for fault in faults { options.console.fail(fault.description) }
            let counts =
                "\(library.tables.count) tables, \(library.sources.count) sources, \(library.functions.count) functions, "
                + "\(library.workbooks.count) workbooks, \(library.hunts.count) hunts, "
                + "\(library.controls.count) controls, \(library.scenarios.count) scenarios"
            guard faults.isEmpty else {
                options.console.say("\(faults.count) problems in \(counts)")
                throw ExitCode(1)
            }
            options.console.say("\(counts): all right")
        }
    }
}
