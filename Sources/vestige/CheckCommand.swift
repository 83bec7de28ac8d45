import ArgumentParser
import Foundation
import KQL

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks KQL: exit code 0 when it is right, 1 with line:column messages when not.")

    @Argument(help: "The query. Without it, it is read from --file or standard input.")
    var query: String?

    @Option(name: [.short, .long], help: "A file that holds the query.")
    var file: String?

    @Flag(help: "Check the grammar only, not the names and types.")
    var syntaxOnly = false

    func run() async throws {
        let text = query ?? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
        do {
            let statements = try Parser.parse(text)
            if !syntaxOnly { _ = try Binder(catalog: EmptyCatalog()).bind(statements) }
        } catch let error as Diagnostic {
            FileHandle.standardError.write(Data((error.render(in: text) + "\n").utf8))
            throw ExitCode(1)
        }
    }
}
