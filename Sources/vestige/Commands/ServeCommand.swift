import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import ServiceLifecycle
import Serving
import Tables
import UnixSignals
import Workbench
import Workspace

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Shows the workspace in a browser, and answers Kusto's REST queries.",
        discussion: """
            vestige serve
            vestige serve --listen 127.0.0.1:9000 --workspace demo.vestige
            vestige serve --listen 10.0.0.5:8443 --tls-certificate server.pem --tls-key server.key
            Any address that others can reach needs TLS and somebody who may sign in: docs/team.md.
            """)

    @Option(help: "Address and port; 'server.listen' of the configuration, or else \(Self.standard).") var listen:
        String?
    @Option(help: ArgumentHelp("The server's certificate and those above it, PEM.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file")) var tlsKey: String?
    @Flag(help: "Write a line on standard error for every request.") var accessLog = false
    @Option(
        help: ArgumentHelp(
            "Answer under this name too: that of a proxy or tunnel before the server, with the port that browsers see.",
            valueName: "name[:port]"))
    var name: [String] = []
    @Flag(help: "Run queries again that were under way when the program ended by a fault.")
    var allowSuspectQueries = false
    @OptionGroup var options: SessionOptions

    private static let standard = "127.0.0.1:8321"

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
    }

    /// The service that runs all queries, with what the last run of the program left behind told.
    private func queries(beside workspace: String) -> QueryService {
        let note = CrashNote(path: workspace + "-queries", allowsSuspects: allowSuspectQueries)
        for suspect in note?.suspects ?? [] {
            options.console.warn(
                "the program ended by signal \(suspect.signal) while a query of \(suspect.client) ran, begun "
                    + "\(DateTime.format(suspect.started)): "
                    + suspect.text.prefix(300).map { $0.isNewline || $0 == "\t" ? " " : String($0) }.joined()
                    + (allowSuspectQueries ? "" : " (it is not run again; --allow-suspect-queries lets it)"))
        }
        return QueryService(note: note)
    }

    func run() async throws {
        var configuration = try options.configuration()
        if let tlsCertificate, let tlsKey {
            configuration.server.tls = .init(certificate: tlsCertificate, key: tlsKey)
        }
        let listen = try ListenAddress(
            listen ?? configuration.server.listen ?? Self.standard,
            setting: listen == nil ? "'server.listen'" : "--listen")
        let console = options.console
        let logger = Logs.make(console, level: .warning)
        let access = try await ServerAccess(
            Self.parts(configuration, listen, console: console, hasAccessLog: accessLog))
        let session = try Session.open(configuration, console: console, for: .reading)
        if !Workspace.exists(session.workspace.path) {
            console.say(
                "there is no workspace \(session.workspace.path) yet: tables are empty until something is collected into it"
            )
        }
        var address = Self.options(listen)
        address.otherNames = Set(try name.map(Self.name))
        DoorLimits.raiseFileLimit()
        let server = WorkbenchServer(
            address, workspace: session.workspace, library: session.library,
            configuration: session.configuration, outside: session.outside,
            queries: queries(beside: session.workspace.path), access: access)
        let shown = configuration.server.address
        let service = server.service(logger: logger) { port in
            let scheme = access.certificate == nil ? "http" : "https"
            let own = "\(scheme)://\(listen.authority(port: port))/"
            console.say(shown.map { "\($0)/ by \(own)" } ?? own)
        }
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = access.services.map { .init(service: $0) }
        services.append(.init(service: service))
        services.append(.init(service: server.queryEnd))
        if let certificate = access.certificate, !CollectDaemon.hasTerminal {
            services.append(.init(service: CertificateReload(certificate: certificate)))
        }
        try await ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }

    /// What a server that may be shared is made of.
    static func parts(
        _ configuration: Configuration, _ listen: ListenAddress, console: Console, hasAccessLog: Bool = false
    ) -> ServerAccess.Parts {
        var parts = ServerAccess.Parts(
            configuration: configuration, listen: listen, environment: ProcessInfo.processInfo.environment,
            hasAccessLog: hasAccessLog, logger: Logs.make(console, level: .warning), say: { console.say($0) },
            warn: { console.warn($0.rendered) })
        // A line that somebody asked for comes also when the rest is quiet.
        parts.log = { console.raw($0) }
        return parts
    }

    /// A name under which clients reach the server.
    private static func name(_ text: String) throws -> Authority {
        guard let name = Authority(text) else {
            throw ValidationError("--name needs NAME or NAME:PORT, not \"\(text)\"")
        }
        return name
    }

    static func options(_ listen: ListenAddress) -> WorkbenchOptions {
        var options = WorkbenchOptions()
        options.version = Vestige.version
        (options.host, options.port) = (listen.host, listen.port)
        return options
    }

    /// An address of this machine only.
    static func address(_ text: String) throws -> WorkbenchOptions {
        let listen = try ListenAddress(text, setting: "--listen")
        guard listen.isLoopback else {
            throw OperatorError(
                "the address \(listen.host) is not served", got: "an address that others can reach",
                means: "without TLS and sign-in, anyone on the network could read the workspace",
                next: "use 127.0.0.1 here; vestige serve can be shared (docs/team.md)", isConfiguration: true)
        }
        return options(listen)
    }
}

/// Reads the certificate again on SIGHUP.
private struct CertificateReload: Service {
    let certificate: ServerCertificate

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { certificate.reload() }
    }
}
