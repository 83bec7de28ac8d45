import ArgumentParser
import Forensics
import KQLEngine
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
            vestige investigate --alert da637 --fetch       asks the tenant for events that are missing
            vestige investigate --watch                     goes on after each collect
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, html }

    @Option(help: "Begin with this device: its id, name or address.") var device: String?
    @Option(help: ArgumentHelp("Only what happened from this time on.", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("Only what happened up to this time.", valueName: "time")) var to: String?
    @Option(help: ArgumentHelp("Begin with the devices of this alert.", valueName: "id")) var alert: String?
    @Option(help: "How the answer is written.") var format = Format.text
    @Flag(help: "Ask the tenant for the events that are missing, and store them.") var fetch = false
    @Flag(help: "Investigate again after each change of the workspace, and print what is new.") var watch = false
    @OptionGroup var session: SessionOptions

    func validate() throws {
        if watch, format == .html { throw ValidationError("--watch goes with --format text or json") }
    }

    /// What an investigation finds, and which events it lacked.
    static func answer(_ session: Session, _ scope: InvestigationScope) throws -> Forensics.Investigation {
        var result = try investigate(session, session.provider(), scope)
        result.unknowns += try EventFetch.gaps(session, scope, result).map {
            $0.text + ": --fetch asks the tenant for them"
        }
        return result
    }

    /// - Throws: `OperatorError` when what the scope names is not there.
    static func investigate(
        _ session: Session, _ provider: any TableProvider, _ scope: InvestigationScope
    ) throws -> Forensics.Investigation {
        do { return try Investigator(provider: provider, library: session.library).run(scope) } catch {
            throw (error as? ScopeError).map { OperatorError($0) as any Error } ?? error
        }
    }

    /// The answer as a page of its own, with the rows behind each statement.
    static func report(_ session: Session, _ result: Forensics.Investigation) throws -> [UInt8] {
        let now = SystemClock.now()
        var file = CaseFile(id: "investigation", opened: now)
        try CaseBuilder(provider: session.provider(), library: session.library).add(
            result, to: &file, now: now, author: "vestige \(Vestige.version)")
        return Array(InvestigationReport.page(file).text.utf8)
    }

    func run() async throws {
        let configuration = try session.configuration()
        try session.refuseMissingWorkspace(configuration)
        if fetch { try EventFetch.refuseWithoutTenant(configuration) }
        let opened = try Session.open(session, for: fetch ? .writing : .reading)
        session.console.warn(leftOut: opened.library.forensicProblems)
        let scope = InvestigationScope(device: device, window: try TimeOptions.window(from: from, to: to), alert: alert)
        // What comes in meanwhile is looked at again.
        let version = opened.workspace.version()
        let result: Forensics.Investigation
        if fetch {
            let fetch = EventFetch(session: opened, console: session.console, now: SystemClock.now())
            result = try await fetch.investigate(scope)
        } else {
            result = try Self.answer(opened, scope)
        }
        switch format {
        case .json: Console.out(line: Answer.json(result))
        case .text: Console.out(TextReport.render(result))
        case .html: Console.out(try Self.report(opened, result))
        }
        guard watch else { return }
        try await InvestigationWatch(options: session, scope: scope, format: format).run(from: result, version)
    }
}

extension OperatorError {
    /// What an investigation was asked to begin with is not there.
    init(_ scope: ScopeError) {
        switch scope {
        case .noDevice(let name):
            self.init(
                "no device is called \(name)", next: "see: vestige query 'DeviceInfo | distinct DeviceName'",
                isConfiguration: true)
        case .noAlert(let id):
            self.init(
                "no row tells which devices belong to the alert \(id)",
                next:
                    "see: vestige query 'AlertEvidence | distinct AlertId'; without rows of that table, name the device",
                isConfiguration: true)
        }
    }
}
