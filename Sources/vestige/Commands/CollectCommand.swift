import ArgumentParser
import Content
import Foundation
import KQLEngine
import Pipeline
import Synchronization
import Tables
import Workspace

struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collect", abstract: "Collects from the configured tenant and sensors, on schedule or once.",
        discussion: """
            On schedule, it ends with SIGTERM or SIGINT, and reads its configuration and content again with SIGHUP.

            vestige collect --once
            vestige collect --once --source mde-windows-health --dry-run
            vestige collect --once --source mde-process-events --device lis-ws-0042 --from 2026-11-01 --to 2026-11-03T12:00
            vestige collect --config /etc/vestige/vestige.yaml
            """)

    @Flag(help: "Run every source once, then end.") var once = false
    @Option(help: ArgumentHelp("Run only this source; may be given several times.", valueName: "id")) var source:
        [String] = []
    @Option(
        help: ArgumentHelp(
            "With --once: only this device's events, by name or id; may be given several times.", valueName: "device"))
    var device: [String] = []
    @Option(help: ArgumentHelp("With --once: events from this time on, in UTC.", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("With --once: events before this time; until now when not given.", valueName: "time"))
    var to: String?
    @Flag(help: "Show what would be stored and sent, and change nothing.") var dryRun = false
    @Flag(help: "List the sources, their tables, schedules and permissions.") var list = false
    @Flag(help: "Accept that a source has no rows any more.") var allowEmpty = false
    @Flag(help: "Wait while another collector runs on this workspace, and go on when it ends.") var standby = false
    @Option(help: "On schedule: log lines as text, or as JSON objects, one a line.") var log = Logs.Format.text
    @OptionGroup var options: SessionOptions

    func run() async throws {
        if list { return try show() }
        if !device.isEmpty || from != nil || to != nil, !once {
            throw ValidationError("--device, --from and --to go with --once")
        }
        // A dry run is a question.
        let session = try Session.open(options, for: dryRun ? .reading : .writing, mapsPages: false)
        let console = options.console
        let logger = Logs.make(console, level: log == .json ? .info : .notice, format: log)
        // Without a terminal SIGHUP means to read the configuration again; while there is nothing to read it for, it
        // does nothing.
        if !once, !dryRun, !CollectDaemon.hasTerminal { signal(SIGHUP, SIG_IGN) }
        let lock = dryRun ? nil : try await collectorLock(session.configuration.workspace, console)
        defer { withExtendedLifetime(lock) {} }
        if !once, !dryRun {
            return try await CollectDaemon(
                options: options, only: source, allowsEmpty: allowEmpty, logger: logger, log: log
            ).run(session)
        }
        let connections = try await session.connections(
            only: source, choice: try choice(session.configuration), logger: logger)
        let collector = session.collector(connections, allowsEmpty: allowEmpty)
        let progress = CollectProgressLine(console)
        let report = await collector.run(connections.endpoints, isDryRun: dryRun) { progress.show($0) }
        await connections.close()
        progress.clear()
        if dryRun { try CollectReportText.preview(report) }
        console.say(CollectReportText.table(report, sinks: connections.sinks.count, width: Console.outputWidth))
        for note in [report.clock].compactMap({ $0 }) + report.sources.flatMap(\.notes) { console.warn(note) }
        for note in report.sinks.flatMap(\.notes) + report.followUp.notes { console.warn(note) }
        for gone in report.removed {
            console.say("\(gone.table): \(Human.rows(gone.rows)) past their time are removed")
        }
        let failures = connections.failures + report.distinctFailures
        for failure in failures { console.fail(failure.rendered) }
        if !failures.isEmpty || session.problems.contains(where: { !$0.isNotice }) {
            throw ExitCode(failures.isEmpty || failures.allSatisfy { !$0.isConfiguration } ? 1 : 2)
        }
    }

    /// Devices and time from the command line; nil when it names none.
    private func choice(_ configuration: Configuration) throws -> SourceEndpoint.Choice? {
        guard !device.isEmpty || from != nil || to != nil else { return nil }
        var choice = SourceEndpoint.Choice()
        choice.devices = device.isEmpty ? configuration.investigation.devices : device
        choice.since = configuration.investigation.since
        if from != nil {
            choice.range = try TimeOptions.range(from: from, to: to, end: SystemClock.now())
        } else if to != nil {
            throw ValidationError("--to goes with --from")
        }
        return choice
    }

    /// The right to collect into the workspace, which only one program has.
    private func collectorLock(_ workspace: String, _ console: Console) async throws -> CollectorLock {
        var isTold = false
        while true {
            if let lock = try CollectorLock.take(workspace: workspace) { return lock }
            let owner = CollectorLock.owner(workspace: workspace) ?? "unknown"
            guard standby else {
                throw OperatorError(
                    "another collector runs on \(workspace)", got: "process \(owner) has it",
                    safe: "nothing was changed",
                    next: "stop that one, or start this one with --standby: it takes over when the other ends",
                    isConfiguration: true)
            }
            if !isTold { console.say("standing by: process \(owner) collects into \(workspace)") }
            isTold = true
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func show() throws {
        let (library, _) = try Session.content(try options.configuration())
        var text = TextTable(
            ["source", "table", "every", "permissions", "what"], numbers: [false, false, false, false, false])
        for s in library.sources {
            let hours =
                s.intervalSeconds % 3_600 == 0 ? "\(s.intervalSeconds / 3_600) h" : "\(s.intervalSeconds / 60) min"
            text.append([s.id, s.table, hours, s.permissions.joined(separator: ", "), s.description])
        }
        Console.out(text.rendered(width: Console.outputWidth))
    }
}

/// The line that shows how far sources are, on a terminal.
final class CollectProgressLine: Sendable {
    private let console: Console
    private let rows = Mutex<[String: Int]>([:])

    init(_ console: Console) { self.console = console }

    func show(_ event: CollectProgress) {
        switch event {
        case .started(let source): rows.withLock { $0[source] = 0 }
        case .page(let source, let count): rows.withLock { $0[source] = count }
        case .finished(let outcome): rows.withLock { $0[outcome.source] = nil }
        case .sending(let sink):
            console.progress("sending to \(sink) …")
            return
        }
        let running = rows.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key) \(Human.count($0.value))" } }
        console.progress(running.joined(separator: "   "))
    }

    func clear() { console.progress("") }
}

/// Reports of runs as text.
enum CollectReportText {
    static func table(_ report: CollectReport, sinks: Int, width: Int?) -> String {
        var sent: [String: Int] = [:]
        for sink in report.sinks { sent.merge(sink.rowsBySource, uniquingKeysWith: +) }
        var header = ["source", "read", "added", "changed", "removed", "same", "received", "time", "result"]
        if sinks > 0 { header.insert("sent", at: 6) }
        var text = TextTable(header, numbers: header.map { $0 != "source" && $0 != "result" })
        for s in report.sources {
            let c = s.counts
            var row = [s.source] + [c.read, c.added, c.changed, c.removed, c.unchanged + c.snapshot].map(Human.count)
            if sinks > 0 { row.append(Human.count(sent[s.source] ?? 0)) }
            text.append(row + [Human.bytes(s.bytes), Human.seconds(s.seconds), s.error == nil ? "ok" : "failed"])
        }
        var out = text.rendered(width: width)
        for sink in report.sinks {
            out +=
                "\nsink \(sink.sink): \(Human.count(sink.rows)) rows, \(Human.bytes(sink.bytes)) on the wire\(sink.error == nil ? "" : ", not finished")"
        }
        return out.trimmed
    }

    /// One line for a log.
    static func line(_ report: CollectReport) -> String {
        let read = report.sources.reduce(0) { $0 + $1.counts.read }
        let kept = report.sources.reduce(0) { $0 + $1.counts.kept }
        let time = String(DateTime.format(SystemClock.now()).prefix(19))
        return
            "\(time)Z \(report.sources.map(\.source).joined(separator: ", ")): \(Human.count(read)) rows read, \(Human.count(kept)) new"
    }

    /// The first records that each source would send, and how many there are.
    static func preview(_ report: CollectReport) throws {
        for s in report.sources where s.error == nil {
            let total = s.preview.reduce(0) { $0 + $1.count }
            Console.out(
                "# \(s.source): \(Human.count(total)) records for stream \(SentTable.stream(of: s.table))"
                    + "\(total > 3 ? ", the first 3" : "")\n"
            )
            var left = 3
            for batch in s.preview where left > 0 {
                var writer = try RecordWriter(batch)
                for row in 0..<min(left, batch.count) {
                    var line: [UInt8] = []
                    writer.append(row, to: &line)
                    Console.out(json: line + [10])
                }
                left -= min(left, batch.count)
            }
        }
    }
}
