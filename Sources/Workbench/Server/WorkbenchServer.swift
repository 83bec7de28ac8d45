import Content
import Hummingbird
import KQLEngine
import Logging
import Pipeline
import ServiceLifecycle
import Tables
import Workbooks
import Workspace

/// Settings of the web server.
package struct WorkbenchOptions: Sendable {
    package var host = "127.0.0.1"
    /// 0 for any free port.
    package var port = 8_321
    /// The program's version, for clients that ask.
    package var version = ""

    package init() {}
}

/// The local web server: workbook pages, and the query interfaces of Kusto and Log Analytics.
package struct WorkbenchServer: Sendable {
    private let options: WorkbenchOptions
    private let state: WorkbenchState

    /// - Parameter configuration: what sources and sinks are told of by.
    package init(
        _ options: WorkbenchOptions, workspace: Workspace, library: ContentLibrary,
        configuration: Configuration = Configuration(),
        outside: OutsideData = OutsideData()
    ) {
        self.options = options
        state = WorkbenchState(
            workspace: workspace, library: library, configuration: configuration, version: options.version,
            outside: outside)
    }

    /// The server; `onRunning` gets its port once it listens.
    package func service(logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) -> some Service
    {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: LoopbackGuard())
        WorkbookRoutes(state: state).add(to: router)
        KustoRoutes(state: state).add(to: router)
        LogAnalyticsRoutes(state: state).add(to: router)
        StateRoutes(state: state).add(to: router)
        return Application(
            router: router,
            configuration: .init(address: .hostname(options.host, port: options.port), serverName: "Vestige"),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: logger)
    }
}

/// What the routes share.
struct WorkbenchState: Sendable {
    let workspace: Workspace
    let library: ContentLibrary
    let configuration: Configuration
    let version: String
    let outside: OutsideData
    /// The workbooks, read once.
    let documents: [WorkbookDocument]

    init(
        workspace: Workspace, library: ContentLibrary, configuration: Configuration, version: String,
        outside: OutsideData
    ) {
        self.workspace = workspace
        self.library = library
        self.configuration = configuration
        self.version = version
        self.outside = outside
        documents = library.workbooks.map { WorkbookDocument($0) }
    }

    func provider() throws -> WorkspaceProvider {
        try WorkspaceProvider(
            workspace, functions: library.functionDeclarations, notes: library.notes, others: library.watchlistTables,
            declared: library.tables.mapValues(\.schema), outside: outside)
    }

    /// How collecting is going.
    func health() throws -> HealthReport { try HealthReport(workspace, library, configuration, now: SystemClock.now()) }

    /// The page that the site begins with.
    var home: WorkbookDocument? { documents.first { $0.id == library.home } ?? documents.first }
}

/// Keeps other web sites from using the reader's browser to ask this server: on loopback, the address that the request
/// was made for must be loopback too, and a page of another origin gets nothing.
struct LoopbackGuard<Context: RequestContext>: RouterMiddleware {
    private static var names: Set<String> { ["localhost", "127.0.0.1", "[::1]"] }

    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws
        -> Response
    {
        guard Self.isLoopback(request.head.authority ?? "") else { return refuse("this host name is not served here") }
        if let origin = request.headers[.origin], let scheme = origin.firstRange(of: "://"),
            !Self.isLoopback(String(origin[scheme.upperBound...]))
        {
            return refuse("requests of other sites are not served")
        }
        if request.headers[.origin] == "null" { return refuse("requests of other sites are not served") }
        var response = try await next(request, context)
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    private static func isLoopback(_ authority: String) -> Bool {
        let host =
            authority.hasPrefix("[")
            ? String(authority.prefix { $0 != "]" }) + "]" : String(authority.prefix { $0 != ":" })
        return names.contains(host.lowercased())
    }

    private func refuse(_ reason: String) -> Response { Answer.text("refused: \(reason)\n", status: .forbidden) }
}

/// HTTP answers.
enum Answer {
    static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok)
        -> Response
    {
        bytes(Array(text.utf8), type: type, status: status)
    }

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        self.text(text, type: "text/html; charset=utf-8", status: status)
    }

    static func json(_ body: JSON, status: HTTPResponse.Status = .ok) -> Response {
        bytes(body.bytes, type: "application/json; charset=utf-8", status: status)
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:])
        -> Response
    {
        var fields = headers
        fields[.contentType] = type
        fields[.cacheControl] = "no-store"
        return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
