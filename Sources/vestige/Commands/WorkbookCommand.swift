import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import Workbooks
import Workspace

struct WorkbookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workbook", abstract: "Lists workbooks and renders them to HTML.",
        subcommands: [List.self, Render.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the workbooks.")
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let (library, _) = try Session.content(try options.configuration())
            var text = TextTable(["workbook", "title", "file"], numbers: [false, false, false])
            for file in library.workbooks {
                let document = WorkbookDocument(file)
                text.append([document.id, document.title, file.file])
            }
            Console.out(text.rendered(width: Console.outputWidth))
        }
    }

    struct Render: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "render", abstract: "Renders a workbook over the workspace as one HTML page.")
        @Argument(help: "The workbook's id.") var id: String
        @Option(help: ArgumentHelp("A parameter; may be given several times.", valueName: "name=value")) var set:
            [String] = []
        @Option(help: ArgumentHelp("Where to write; standard output when not given.", valueName: "file")) var out:
            String?
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let session = try Session.open(options, for: .reading)
            try options.refuseMissingWorkspace(session.configuration)
            let documents = session.library.workbooks.map { WorkbookDocument($0) }
            guard let document = documents.first(where: { $0.id == id }) else {
                throw OperatorError("there is no workbook \(id)", next: "vestige workbook list", isConfiguration: true)
            }
            var asked: [String: [String]] = [:]
            for pair in set {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw ValidationError("--set needs name=value, not \"\(pair)\"") }
                asked[parts[0], default: []].append(parts[1])
            }
            let run = WorkbookRun(provider: try session.provider(), now: SystemClock.now())
            let page = PageRenderer(documents: documents).page(await run.resolve(document, asked: asked))
            guard let out else { return Console.out(Array(page.text.utf8)) }
            do throws(WorkspaceError) { try PrivateFile.replace(out, Array(page.text.utf8)) } catch {
                throw OperatorError(error, title: "the page cannot be written to \(out)")
            }
        }
    }
}
