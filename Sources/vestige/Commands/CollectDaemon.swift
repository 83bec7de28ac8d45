import Foundation
import Logging
import Pipeline
import ServiceLifecycle
import Synchronization
import UnixSignals
import Workbench
import Workspace

/// Collects on schedule until the program is asked to end (SIGTERM, SIGINT), and reads configuration and content again
/// when it is
/// asked to (SIGHUP). What cannot be read changes nothing: it goes on as it was.
struct CollectDaemon: Sendable {
    let options: SessionOptions
    /// Ids of the only sources to run; empty for all.
    let only: [String]
    let allowsEmpty: Bool
    let logger: Logger
    let log: Logs.Format

    /// Whether somebody started the program at a terminal, where SIGHUP means that the terminal is gone.
    static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    func run(_ first: Session) async throws {
        var session = first
        while let next = try await serve(session) {
            session = next
            say("the configuration was read again")
        }
    }

    /// Collects until the program is asked to end or to read its configuration again.
    ///
    /// - Returns: what to go on with; nil at the end.
    private func serve(_ session: Session) async throws -> Session? {
        let console = options.console
        let connections = try await session.connections(only: only, logger: logger)
        let service = CollectService(
            collector: session.collector(connections, allowsEmpty: allowsEmpty), endpoints: connections.endpoints,
            planner: session.planner, workspace: session.workspace
        ) { report in
            if log == .json { return CollectLog.write(report, to: logger) }
            if let clock = report.clock { console.warn(clock) }
            for note in report.followUp.notes { console.warn(note) }
            for failure in report.distinctFailures { console.fail(failure.rendered) }
            console.say(CollectReportText.line(report))
        }
        for failure in connections.failures { console.fail(failure.rendered) }
        let reload = ReloadOnHangup {
            try await again(session.configuration.workspace)
        } onFailure: { error in
            console.fail(OperatorError(error, title: "the configuration could not be read again").rendered)
            say("collecting goes on with the configuration as it was")
        }
        say("collecting from \(connections.endpoints.count) sources; stop with Ctrl-C")
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [.init(service: service)]
        if let address = session.configuration.metrics {
            let listen = try ListenAddress(address, setting: "'metrics'")
            let access =
                listen.isLoopback
                ? nil : try await ServerAccess(ServeCommand.parts(session.configuration, listen, console: console))
            services += (access?.services ?? []).map { .init(service: $0) }
            let health: @Sendable () throws -> HealthReport = { try session.health() }
            let server = MetricsServer(ServeCommand.options(listen), access: access, health: health)
            services.append(
                .init(
                    service: server.service(logger: Logs.make(console, level: .warning)) {
                        let scheme = access?.certificate == nil ? "http" : "https"
                        say("metrics on \(scheme)://\(listen.authority(port: $0))/metrics")
                    }))
        }
        if !Self.hasTerminal {
            services.append(.init(service: reload, successTerminationBehavior: .gracefullyShutdownGroup))
        }
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        await connections.close()
        return reload.next
    }

    /// Tells somebody at the terminal, or whoever reads the log.
    private func say(_ text: String) {
        if log == .json { logger.info("\(text)") } else { options.console.say(text) }
    }

    /// Reads configuration and content, and tries whether sources and sinks can be made of them.
    private func again(_ workspace: String) async throws -> Session {
        let configuration = try options.configuration()
        guard configuration.workspace == workspace else {
            throw OperatorError(
                "the workspace is another one", got: configuration.workspace,
                means: "this program has the right to collect into \(workspace) only",
                next: "restart the program, or set 'workspace' back", isConfiguration: true)
        }
        let session = try Session.open(configuration, console: options.console, for: .writing, mapsPages: false)
        await (try await session.connections(only: only, logger: logger)).close()
        return session
    }
}

/// Waits for SIGHUP, and ends when it came and what was asked to be read could be.
private final class ReloadOnHangup: Service {
    private let read: @Sendable () async throws -> Session
    private let onFailure: @Sendable (any Error) -> Void
    private let found = Mutex<Session?>(nil)

    init(read: @escaping @Sendable () async throws -> Session, onFailure: @escaping @Sendable (any Error) -> Void) {
        self.read = read
        self.onFailure = onFailure
    }

    /// What was read; nil when nobody asked.
    var next: Session? { found.withLock { $0 } }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                let session = try await read()
                found.withLock { $0 = session }
                return
            } catch { onFailure(error) }
        }
        // Being asked to end is not this one's to answer: it waits until the group has ended.
        try await gracefulShutdown()
    }
}

/// A report as log lines with their facts beside them: one for each source and each sink.
enum CollectLog {
    static func write(_ report: CollectReport, to logger: Logger) {
        if let clock = report.clock { logger.warning("\(clock)") }
        for s in report.sources {
            var facts: Logger.Metadata = [
                "source": "\(s.source)", "table": "\(s.table)", "rowsRead": "\(s.counts.read)",
                "rowsAdded": "\(s.counts.added)",
                "rowsChanged": "\(s.counts.changed)", "rowsRemoved": "\(s.counts.removed)", "bytes": "\(s.bytes)",
                "milliseconds": "\(Int(s.seconds * 1_000))",
            ]
            if !s.notes.isEmpty { facts["notes"] = .array(s.notes.map { "\($0)" }) }
            tell("source collected", "source failed", s.error, facts, logger)
        }
        for s in report.sinks where s.rows + s.refused > 0 || s.error != nil {
            var facts: Logger.Metadata = [
                "sink": "\(s.sink)", "rows": "\(s.rows)", "rowsRefused": "\(s.refused)", "bytes": "\(s.bytes)",
            ]
            if !s.notes.isEmpty { facts["notes"] = .array(s.notes.map { "\($0)" }) }
            for error in s.errors.dropFirst() { tell("", "delivery failed", error, ["sink": "\(s.sink)"], logger) }
            tell("rows delivered", "delivery failed", s.error, facts, logger)
        }
        for gone in report.removed {
            logger.info("rows past their time removed", metadata: ["table": "\(gone.table)", "rows": "\(gone.rows)"])
        }
        if let retention = report.retention { tell("", "retention failed", retention, [:], logger) }
        if let spool = report.spool { tell("", "collecting pauses", spool, [:], logger) }
        for note in report.followUp.notes { logger.warning("\(note)") }
        for failure in report.followUp.failures { tell("", "rules stopped", failure, [:], logger) }
    }

    private static func tell(
        _ good: String, _ bad: String, _ error: OperatorError?, _ facts: Logger.Metadata, _ logger: Logger
    ) {
        guard let error else { return logger.info("\(good)", metadata: facts) }
        var facts = facts
        for (name, text) in [("title", error.title), ("got", error.got), ("means", error.means), ("next", error.next)] {
            if let text { facts[name] = "\(text)" }
        }
        logger.error("\(bad)", metadata: facts)
    }
}
