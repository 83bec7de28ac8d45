import ArgumentParser
import Forensics
import Pipeline
import Tables
import Workbench

struct InvestigateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "investigate",
        abstract: "Answers how somebody got in, what they did, where they went, and what would have stopped them.",
        discussion: """
            Nothing need be given: no device, no time, no alert. Every statement names the rows that prove it.

            vestige investigate
            vestige investigate --device pc-109 --format json
            vestige investigate --from 2026-09-20 --to 2026-09-27 --format html > report.html
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, html }

    @Option(help: "Begin with this device: its id, name or address.") var device: String?
    @Option(help: ArgumentHelp("Only what happened from this time on.", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("Only what happened up to this time.", valueName: "time")) var to: String?
    @Option(help: ArgumentHelp("Begin with the devices of this alert.", valueName: "id")) var alert: String?
    @Option(help: "How the answer is written.") var format = Format.text
    @OptionGroup var session: SessionOptions

    func run() async throws {
        let configuration = try session.configuration()
        try session.refuseMissingWorkspace(configuration)
        let opened = try Session.open(session, for: .reading)
        session.console.warn(leftOut: opened.library.forensicProblems)
        let scope = InvestigationScope(device: device, window: try TimeOptions.window(from: from, to: to), alert: alert)
        let result = try Investigator(provider: opened.provider(), library: opened.library).run(scope)
        switch format {
        case .json: Console.out(line: Answer.json(result))
        case .text: Console.out(TextReport.render(result))
        case .html: Console.out(Array(InvestigationReport.page(result).text.utf8))
        }
    }
}
