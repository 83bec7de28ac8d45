import ArgumentParser
import KQL
import KQLEngine

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks KQL: exit code 0 when it is right, 1 with line:column messages when not.",
        discussion: """
            vestige check 'DeviceInfo | where OSPlatform == "macOS"'
            vestige check --syntax-only -f hunt.kql
            """)

    @Argument(help: "The query. Without it, it is read from --file or standard input.")
    var query: String?

    @Option(name: [.short, .long], help: "A file that holds the query.")
    var file: String?

    @Flag(help: "Check the grammar only, not the names and types.")
    var syntaxOnly = false

    @OptionGroup var session: SessionOptions

    func run() async throws {
        let text = try QueryText.read(query, file: file)
        do {
            if syntaxOnly {
                _ = try Parser.parse(text)
                return
            }
            let engine = Engine(provider: try Session.queryProvider(session, wildcardsSeeAll: true))
            for warning in try engine.check(text) { session.console.say(warning.render(in: text)) }
        } catch let problem as Diagnostic {
            throw QueryError.invalid(problem, query: text)
        }
    }
}
