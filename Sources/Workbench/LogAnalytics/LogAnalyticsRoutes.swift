import Foundation
import Hummingbird
import KQL
import KQLEngine
import NIOCore
import Tables

/// The query interface of Log Analytics: one query, a batch, and what there is to ask for
/// (https://learn.microsoft.com/azure/azure-monitor/logs/api/overview). Every workspace id stands for this workspace.
struct LogAnalyticsRoutes: Sendable {
    let state: WorkbenchState
    private static let bodyBytesMax = 4 << 20
    /// Queries of a batch at most (https://learn.microsoft.com/azure/azure-monitor/logs/api/batch-queries).
    private static let batchCountMax = 100

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/workspaces/:workspace/query") { request, _ in
            let fields = AddressFields.bag(request.uri.query ?? "")
            let (prefer, client) = (request.headers[Self.prefer] ?? "", state.client(of: request))
            // Whoever hangs up is not waited for, though a GET has no body whose end would tell.
            return try await request.body.consumeWithCancellationOnInboundClose { _ in
                var response = try await answer(prefer: prefer, address: fields, fields, client)
                response.headers[.connection] = "close"
                return response
            }
        }
        router.post("/v1/workspaces/:workspace/query") { request, _ in try await post(request) }
        router.post("/v1/$batch") { request, _ in
            let client = state.client(of: request)
            return try await request.body.consumeWithCancellationOnInboundClose { body in
                var response = try await batch(body, client)
                response.headers[.connection] = "close"
                return response
            }
        }
        router.get("/v1/workspaces/:workspace/metadata") { _, _ in Answer.json(metadata(try state.provider())) }
    }

    private static let prefer = HTTPFields.Element.Name("Prefer")!

    private func post(_ request: Request) async throws -> Response {
        let address = AddressFields.bag(request.uri.query ?? "")
        let prefer = request.headers[Self.prefer] ?? ""
        return try await request.body.consumeWithCancellationOnInboundClose { body in
            guard let buffer = try? await body.collect(upTo: Self.bodyBytesMax),
                case .bag(let fields)? = try? JSONReader.parse(Array(buffer.readableBytesView))
            else {
                return refuse(
                    LogAnalyticsError(
                        .badRequest, "InvalidJsonBody", "The request body is not a JSON object, or it is too large"))
            }
            var response = try await answer(prefer: prefer, address: address, fields, state.client(of: request))
            response.headers[.connection] = "close"
            return response
        }
    }

    private func answer(prefer: String, address: Bag, _ fields: Bag, _ client: Client) async throws -> Response {
        do {
            return Answer.bytes(
                try await run(prefer: prefer, address: address, fields, client), type: "application/json; charset=utf-8"
            )
        } catch let error
            as LogAnalyticsError
        { return refuse(error) }
    }

    /// - Throws: `LogAnalyticsError`.
    private func run(prefer: String, address: Bag, _ fields: Bag, _ client: Client) async throws -> [UInt8] {
        let asked = try LogAnalyticsRequest(fields: fields, address: address, prefer: prefer, now: SystemClock.now())
        let trail = RequestTrail.current
        let question = trail?.asks(asked.text)
        do {
            let view = try state.view()
            let result = try await state.queries.answer(
                asked.text, options: asked.options, client: client, over: view.provider, version: view.current)
            if let question { trail?.gave(rows: result.primary.count, to: question) }
            return try await QueryService.offload(ifMoreThan: 2_000, result.cellCount) {
                try LogAnalyticsAnswer.encode(result, asked)
            }
        } catch let error as QueryError {
            if let question { trail?.failed(error.message, question) }
            throw LogAnalyticsError(error)
        }
    }

    private func refuse(_ error: LogAnalyticsError) -> Response {
        let response = Answer.json(error.body, status: error.status)
        let isPassing = error.status == .tooManyRequests || error.status == .serviceUnavailable
        return isPassing ? KustoError.tooMany(response) : response
    }

    // MARK: Batch

    private func batch(_ body: RequestBody, _ client: Client) async throws -> Response {
        guard let buffer = try? await body.collect(upTo: Self.bodyBytesMax),
            let items = (try? JSONReader.parse(Array(buffer.readableBytesView)))?.bagValue?["requests"]?.arrayValue
        else {
            return refuse(
                LogAnalyticsError(.badRequest, "InvalidJsonBody", "The request body needs 'requests', a list"))
        }
        let requests = items.compactMap(\.bagValue)
        let ids = requests.map { $0["id"]?.text ?? "" }
        guard requests.count == items.count, Set(ids).count == ids.count, !ids.contains("") else {
            return refuse(
                LogAnalyticsError(.badRequest, "BadArgumentError", "every request of a batch needs an 'id' of its own"))
        }
        guard requests.count <= Self.batchCountMax else {
            return refuse(
                LogAnalyticsError(
                    .badRequest, "BadArgumentError", "a batch holds at most \(Self.batchCountMax) requests"))
        }
        var answers: [(Int, [UInt8])] = []
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (i, one) in requests.enumerated() { group.addTask { (i, try await item(ids[i], one, client)) } }
            for try await answer in group { answers.append(answer) }
        }
        var out: [UInt8] = Array("{\"responses\":[".utf8)
        for (n, answer) in answers.sorted(by: { $0.0 < $1.0 }).enumerated() {
            if n > 0 { out.append(44) }
            out += answer.1
        }
        out += "]}".utf8
        return Answer.bytes(out, type: "application/json; charset=utf-8")
    }

    private func item(_ id: String, _ one: Bag, _ client: Client) async throws -> [UInt8] {
        var status = HTTPResponse.Status.ok
        let body: [UInt8]
        do {
            var fields = one["body"]
            if case .string(let text)? = fields { fields = try? JSONReader.parse(text) }
            guard let bag = fields?.bagValue else {
                throw LogAnalyticsError(.badRequest, "InvalidJsonBody", "the request's 'body' is missing")
            }
            let prefer = one["headers"]?.bagValue?.value("Prefer")?.stringValue ?? ""
            body = try await run(prefer: prefer, address: Bag([(String, Value)]()), bag, client)
        } catch let error as LogAnalyticsError {
            status = error.status
            body = error.body.bytes
        }
        return Array("{\"id\":\(JSONWriter.quoted(id)),\"status\":\(status.code),\"headers\":{},\"body\":".utf8) + body
            + [125]
    }

    // MARK: Metadata

    /// Tables, their columns, and functions (https://learn.microsoft.com/rest/api/loganalytics/metadata).
    private func metadata(_ provider: some SchemaCatalog) -> JSON {
        let tables: [JSON] = provider.tableNames.sorted().map { name in
            let columns: [JSON] = (provider.schema(ofTable: name)?.columns ?? []).map {
                ["name": .string($0.name), "type": .string($0.type.name)]
            }
            return [
                "id": .string(name), "name": .string(name),
                "description": .string(provider.note(ofTable: name).description), "timespanColumn": "TimeGenerated",
                "columns": .array(columns),
            ]
        }
        let functions: [JSON] = provider.functionNames.sorted().map { name in
            let note = provider.note(ofFunction: name)
            return [
                "id": .string(name), "name": .string(name), "parameters": .string(note.parameters),
                "description": .string(note.description), "body": .string(note.body),
            ]
        }
        return ["tables": .array(tables), "functions": .array(functions)]
    }
}
