import ArgumentParser
import Foundation
import KQL
import KQLEngine
import Tables

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "query", abstract: "Runs KQL and prints the result.")

    @ArgumentParser.Argument(help: "The query; without it, --file or standard input.")
    var query: String?

    func run() async throws {
        let text = query ?? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
        do {
            let result = try Engine(provider: MemoryTables()).run(text)
            FileHandle.standardOutput.write(Data(try ResultEncoding.compact(result.primary)))
            print("")
        } catch QueryError.invalid(let diagnostic, let query) {
            FileHandle.standardError.write(Data((diagnostic.render(in: query) + "\n").utf8))
            throw ExitCode(1)
        } catch let error as QueryError {
            FileHandle.standardError.write(Data(("error: " + error.message + "\n").utf8))
            throw ExitCode(1)
        }
    }
}
