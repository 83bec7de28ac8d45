import ArgumentParser
import Pipeline
import ServiceLifecycle
import Serving
import Workbench
import Workspace

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Shows the workspace in a browser, and answers Kusto's REST queries.",
        discussion: """
            vestige serve
            vestige serve --listen 127.0.0.1:9000 --workspace demo.vestige
            """)

    @Option(help: "Address and port.") var listen = "127.0.0.1:8321"
    @Option(
        help: ArgumentHelp(
            "Answer under this name too: that of a proxy or tunnel before the server, with the port that browsers see.",
            valueName: "name[:port]"))
    var name: [String] = []
    @OptionGroup var options: SessionOptions

    func run() async throws {
        let session = try Session.open(options, for: .reading)
        if !Workspace.exists(session.workspace.path) {
            options.console.say(
                "there is no workspace \(session.workspace.path) yet: tables are empty until something is collected into it"
            )
        }
        var address = try Self.address(listen)
        address.otherNames = Set(try name.map(Self.name))
        DoorLimits.raiseFileLimit()
        let server = WorkbenchServer(
            address, workspace: session.workspace, library: session.library,
            configuration: session.configuration,
            outside: session.outside)
        let console = options.console
        let service = server.service(logger: Logs.make(console, level: .warning)) { port in
            console.say("http://127.0.0.1:\(port)/")
        }
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: service), .init(service: server.queryEnd)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logs.make(console, level: .warning))
        ).run()
    }

    /// A name under which clients reach the server.
    private static func name(_ text: String) throws -> Authority {
        guard let name = Authority(text) else {
            throw ValidationError("--name needs NAME or NAME:PORT, not \"\(text)\"")
        }
        return name
    }

    static func address(_ text: String) throws -> WorkbenchOptions {
        var options = WorkbenchOptions()
        options.version = Vestige.version
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else {
            throw ValidationError("--listen needs HOST:PORT, not \"\(text)\"")
        }
        options.host = String(text[..<colon])
        options.port = port
        guard ["127.0.0.1", "localhost", "::1", "[::1]"].contains(options.host) else {
            throw OperatorError(
                "the address \(options.host) is not served", got: "an address that others can reach",
                means: "without TLS and sign-in, anyone on the network could read the workspace",
                next: "serve on 127.0.0.1 and reach it through a tunnel: ssh -L 8321:127.0.0.1:8321 HOST",
                isConfiguration: true)
        }
        return options
    }
}
