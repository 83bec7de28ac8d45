import Hummingbird
import KQL
import KQLEngine
import NIOCore
import Tables

/// Kusto's REST interface: queries in both versions, and the commands that clients find their way with
/// (https://learn.microsoft.com/kusto/api/rest/).
struct KustoRoutes: Sendable {
    let state: WorkbenchState
    static let database = LocalDatabase.name

    private enum Endpoint: Sendable { case queryV1, queryV2, command }

    func add(to router: Router<BasicRequestContext>) {
        for (path, endpoint) in [
            ("/v1/rest/query", Endpoint.queryV1), ("/v2/rest/query", .queryV2), ("/v1/rest/mgmt", .command),
        ] {
            router.post(RouterPath(path)) { request, _ in try await post(request, endpoint) }
            router.get(RouterPath(path)) { request, _ in try await get(request, endpoint) }
        }
        router.get("/v1/rest/ping") { _, _ in Answer.text("Pong! 127.0.0.1\n") }
        router.get("/v1/rest/auth/metadata") { _, _ in
            // Without sign-in there is nothing to tell; clients take an absence for the public cloud's values.
            guard let entra = state.entra else { return Answer.text("there is no sign-in here\n", status: .notFound) }
            return Answer.json(KustoSignIn.metadata(entra))
        }
    }

    private func get(_ request: Request, _ endpoint: Endpoint) async throws -> Response {
        var asked = KustoRequest(request)
        let fields = AddressFields.bag(request.uri.query ?? "")
        do throws(KustoRequest.Malformed) { try asked.read(fields) } catch {
            return KustoError.malformed(error.message, asked)
        }
        return try await answer(asked, endpoint, request)
    }

    private func post(_ request: Request, _ endpoint: Endpoint) async throws -> Response {
        var request = request
        var asked = KustoRequest(request)
        let buffer: ByteBuffer
        do { buffer = try await request.collectBody(upTo: KustoRequest.bodyBytesMax) } catch is NIOTooManyBytesError {
            var response = KustoError.response(
                status: .contentTooLarge, "PayloadTooLarge", "KustoRequestPayloadTooLargeException",
                "the request is larger than \(KustoRequest.bodyBytesMax >> 20) MB", asked, isPermanent: true)
            // What was not read of the body is not worth reading.
            response.headers[.connection] = "close"
            return response
        }
        guard case .bag(let fields)? = try? JSONReader.parse(Array(buffer.readableBytesView)) else {
            return KustoError.malformed("the request's body is not a JSON object", asked)
        }
        do throws(KustoRequest.Malformed) { try asked.read(fields) } catch {
            return KustoError.malformed(error.message, asked)
        }
        return try await answer(asked, endpoint, request)
    }

    /// Answers what is known at once and leaves the connection open; what takes a while only as long as whoever asked
    /// does not hang up, which can be told apart from a next request by no more than the connection's end.
    private func answer(_ asked: KustoRequest, _ endpoint: Endpoint, _ request: Request) async throws -> Response {
        if endpoint != .command, let known = try await known(asked, endpoint) { return known }
        return try await request.body.consumeWithCancellationOnInboundClose { _ in
            var response = try await answer(asked, endpoint, state.client(of: request))
            response.headers[.connection] = "close"
            return response
        }
    }

    /// The kept answer of a query; nil when there is none, or the request is for something else.
    private func known(_ asked: KustoRequest, _ endpoint: Endpoint) async throws -> Response? {
        guard !ManagementCommands.isCommand(asked.text), LocalDatabase.isNamed(asked.database),
            let result = state.queries.known(asked.text, options: asked.options, version: try state.view().current())
        else { return nil }
        if let trail = RequestTrail.current { trail.gave(rows: result.primary.count, to: trail.asks(asked.text)) }
        return try await response(result, asked, endpoint)
    }

    private func answer(_ asked: KustoRequest, _ endpoint: Endpoint, _ client: Client) async throws -> Response {
        let view = try state.view()
        let identity = RequestTrail.current?.facts.identity
        let seesAll = identity == nil || identity?.method == .machine || identity?.role == .administrator
        let commands = ManagementCommands(
            provider: view.provider, database: Self.database, version: state.version, queries: state.queries,
            asker: seesAll ? nil : identity?.name)
        let isCommand = ManagementCommands.isCommand(asked.text)
        guard commands.isDatabase(asked.database) || isCommand && asked.database.isEmpty else {
            return KustoError.response(
                "BadRequest_DatabaseNotExist", "DatabaseNotFoundException",
                "Entity '\(asked.database)' of kind 'Database' was not found; this server has '\(Self.database)'.",
                asked)
        }
        if isCommand, endpoint == .queryV2 {
            return KustoError.malformed(
                "commands are not answered at /v2/rest/query; send this one to /v1/rest/mgmt", asked)
        }
        if !isCommand, endpoint == .command {
            return KustoError.malformed("a command starts with a dot; send queries to /v2/rest/query", asked)
        }
        let trail = RequestTrail.current
        let question = trail?.asks(asked.text)
        do {
            // What shows and stops queries does not wait behind them.
            if isCommand, ManagementCommands.isAboutQueries(asked.text) {
                let result = try commands.run(asked.text, options: state.queries.lowered(asked.options))
                if let question { trail?.gave(rows: result.primary.count, to: question) }
                return Answer.bytes(
                    try KustoV1.encodeCommand(result), type: "application/json; charset=utf-8",
                    headers: KustoHeader.answer(asked.activity))
            }
            let result: QueryResult
            if isCommand {
                result = try await state.queries.run(
                    asked.text, options: asked.options, client: client, activity: asked.activity
                ) { try commands.run(asked.text, options: $0) }
            } else {
                result = try await state.queries.answer(
                    asked.text, options: asked.options, client: client, activity: asked.activity,
                    over: view.provider, version: view.current)
            }
            if let question { trail?.gave(rows: result.primary.count, to: question) }
            return try await response(result, asked, isCommand ? .command : endpoint)
        } catch let error as QueryError {
            if let question { trail?.failed(error.message, question) }
            return KustoError.response(error, asked)
        }
    }

    private func response(_ result: QueryResult, _ asked: KustoRequest, _ endpoint: Endpoint) async throws -> Response {
        let encoded = try await QueryService.offload(ifMoreThan: 2_000, result.cellCount) {
            switch endpoint {
            case .command: try KustoV1.encodeCommand(result)
            case .queryV1: try KustoV1.encode(result, activity: asked.activity)
            case .queryV2: try KustoV2(result, asked).encode()
            }
        }
        return Answer.bytes(
            encoded, type: "application/json; charset=utf-8", headers: KustoHeader.answer(asked.activity))
    }
}
