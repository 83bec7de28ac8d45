import Content
import Hummingbird
import HummingbirdCore
import KQLEngine
import Logging
import Pipeline
import ServiceLifecycle
import Serving
import Synchronization
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
    /// Names that reach the server by a proxy or a tunnel, each with the port that clients see.
    package var otherNames: Set<Authority> = []

    package init() {}
}

/// The local web server: workbook pages, and the query interfaces of Kusto and Log Analytics.
package struct WorkbenchServer: Sendable {
    private let options: WorkbenchOptions
    private let state: WorkbenchState
    private let access: ServerAccess?

    /// - Parameters:
    ///   - configuration: what sources and sinks are told of by.
    ///   - access: who may ask what; nil for everybody on this machine, without a word written down.
    package init(
        _ options: WorkbenchOptions, workspace: Workspace, library: ContentLibrary,
        configuration: Configuration = Configuration(),
        outside: OutsideData = OutsideData(), queries: QueryService = QueryService(), access: ServerAccess? = nil
    ) {
        self.options = options
        self.access = access
        state = WorkbenchState(
            workspace: workspace, library: library, configuration: configuration, version: options.version,
            outside: outside, queries: queries, entra: access?.entraSettings)
    }

    /// The server; `onRunning` gets its port once it listens.
    package func service(logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) -> some Service
    {
        Door(options, access, pages: WorkbookRoutes.pages + InvestigationRoutes.pages + SignInRoutes.pages).service(
            router, options, access: access, logger: logger, onRunning: onRunning)
    }
}

extension WorkbenchServer {
    /// Every route, behind what guards them.
    var router: Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        if let access {
            router.add(middleware: RequestAudit(access: access))
            router.add(middleware: AccessControl(access: access))
            SignInRoutes(access: access).add(to: router)
        }
        WorkbookRoutes(state: state).add(to: router)
        InvestigationRoutes(state: state).add(to: router)
        KustoRoutes(state: state).add(to: router)
        LogAnalyticsRoutes(state: state).add(to: router)
        StateRoutes(state: state).add(to: router)
        return router
    }

    /// Stops the queries when the program is asked to end, so that nobody waits for them.
    package var queryEnd: some Service { QueryEnd(queries: state.queries, audit: access?.audit) }
}

/// What the routes share.
struct WorkbenchState: Sendable {
    let workspace: Workspace
    let library: ContentLibrary
    let configuration: Configuration
    let version: String
    let outside: OutsideData
    /// Runs every query, of pages and interfaces alike.
    let queries: QueryService
    /// By which directory clients sign in; nil where there is none.
    let entra: ServeConfiguration.Entra?
    /// Investigations of the workspace as it is.
    let investigations = InvestigationShelf()
    private let snapshot = SeenWorkspace()
    /// The workbooks, read once.
    let documents: [WorkbookDocument]

    init(
        workspace: Workspace, library: ContentLibrary, configuration: Configuration, version: String,
        outside: OutsideData, queries: QueryService, entra: ServeConfiguration.Entra? = nil
    ) {
        self.queries = queries
        self.entra = entra
        self.workspace = workspace
        self.library = library
        self.configuration = configuration
        self.version = version
        self.outside = outside
        documents = library.workbooks.map { WorkbookDocument($0) }
    }

    /// The tables as they are now; read anew only when the file changed.
    func provider() throws -> WorkspaceProvider { try view().provider }

    /// The tables as they are now, with what their answers may be kept by.
    func view() throws -> WorkspaceView {
        try snapshot.view(of: workspace) {
            try WorkspaceProvider(
                workspace, functions: library.functionDeclarations, notes: library.notes,
                others: library.watchlistTables, declared: library.tables.mapValues(\.schema), outside: outside)
        }
    }

    /// Who sends a request. On loopback nobody is signed in: programs are told apart by what they call themselves.
    func client(of request: Request) -> Client {
        let trail = RequestTrail.current
        guard let trail, let identity = trail.facts.identity, identity.method != .machine else {
            return Client(address: "local, \((request.headers[.userAgent] ?? "no agent").prefix(80))")
        }
        return Client(name: identity.name, address: trail.address)
    }

    /// How collecting is going.
    func health() throws -> HealthReport { try HealthReport(workspace, library, configuration, now: SystemClock.now()) }

    /// The page that the site begins with.
    var home: WorkbookDocument? { documents.first { $0.id == library.home } ?? documents.first }
}

/// The workspace as somebody looked at it.
struct WorkspaceView: Sendable {
    let provider: WorkspaceProvider
    fileprivate let version: DataVersion?
    /// When pages are as of, in ticks: the instant at which somebody first looked at the file as it is, for a minute,
    /// so that readers of the same page share its answers. Nothing was written since.
    let time: Int64
    fileprivate let workspace: Workspace

    /// What the rows are now, as long as the tables are those of this view: nil once something was written, so that
    /// nothing which knows the old columns is kept for the new ones.
    var current: @Sendable () -> DataVersion? {
        { [version, workspace] in version.flatMap { workspace.version() == $0 ? $0 : nil } }
    }
}

/// The workspace as it was last looked at.
private final class SeenWorkspace: Sendable {
    private let last: Mutex<WorkspaceView?> = Mutex(nil)
    private static let pageSeconds: Int64 = 60

    func view(
        of workspace: Workspace, _ make: () throws -> WorkspaceProvider
    ) throws -> WorkspaceView {
        let version = workspace.version()
        let now = SystemClock.now()
        if let version, let last = last.withLock({ $0 }), last.version == version {
            if (0...Self.pageSeconds * DateTime.ticksPerSecond).contains(now &- last.time) { return last }
            let later = WorkspaceView(provider: last.provider, version: version, time: now, workspace: workspace)
            self.last.withLock { $0 = later }
            return later
        }
        let view = WorkspaceView(provider: try make(), version: version, time: now, workspace: workspace)
        if version != nil { last.withLock { $0 = view } }
        return view
    }
}

private struct QueryEnd: Service {
    let queries: QueryService
    let audit: AuditWriter?

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await gracefulShutdown()
        } onGracefulShutdown: {
            queries.shutDown()
            // Connections that somebody keeps open do not hold the program; what was asked is written down before.
            ProcessEnd.leave(after: 1.7) { [audit] in audit?.writeEnd() }
        }
    }
}

/// HTTP answers.
enum Answer {
    static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok)
        -> Response
    {
        bytes(Array(text.utf8), type: type, status: status)
    }

    static func html(_ page: HTMLPage, status: HTTPResponse.Status = .ok) -> Response {
        bytes(
            Array(page.text.utf8), type: "text/html; charset=utf-8", status: status,
            headers: [.contentSecurityPolicy: HTMLPage.policy])
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
