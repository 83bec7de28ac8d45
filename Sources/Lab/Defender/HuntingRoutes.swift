import Foundation
import Hummingbird
import KQL
import KQLEngine
import Tables

/// Advanced hunting through Microsoft Graph, and through the two older interfaces that it replaces.
struct HuntingRoutes: Sendable {
    let defender: DefenderRoutes

    private var lab: LabState { defender.lab }
    private static let xdr = "https://api.security.microsoft.com"
    /// Days that a query sees at most (https://learn.microsoft.com/defender-xdr/advanced-hunting-limits).
    private static let lookbackDays: Int64 = 30

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1.0/security/runHuntingQuery") { request, _ in try await graph(request) }
        router.post("/api/advancedqueries/run") { request, _ in
            try await older(
                request, surface: .endpoint, audience: DefenderRoutes.endpoint, role: "AdvancedQuery.Read.All")
        }
        router.post("/api/advancedhunting/run") { request, _ in
            try await older(request, surface: .xdr, audience: Self.xdr, role: "AdvancedHunting.Read.All")
        }
    }

    /// `POST /v1.0/security/runHuntingQuery`: `Query`, and `Timespan` where the thirty days are to be fewer.
    private func graph(_ request: Request) async throws -> Response {
        switch await defender.bearer(of: request, audience: DefenderRoutes.graph, role: "ThreatHunting.Read.All") {
        case .allowed: break
        case .unknown(let reason): return error(401, "InvalidAuthenticationToken", reason)
        case .lacking(let role):
            return error(403, "Forbidden", "Missing application roles. API required roles: \(role).")
        }
        if let refusal = refusal(ofType: request) { return error(refusal.status, "BadRequest", refusal.message) }
        let body = try await request.body.collect(upTo: 4 << 20)
        guard let sent = try? JSON(parsing: Array(body.readableBytesView)), let members = sent.members else {
            return error(400, "BadRequest", "Unable to read JSON request payload.")
        }
        // Names of a payload are told apart by case.
        if let unknown = members.names.first(where: { !["Query", "Timespan", "workspaceId"].contains($0) }) {
            return error(
                400, "BadRequest",
                "The parameter '\(unknown)' in the request payload is not a valid parameter for the operation.")
        }
        guard let query = sent["Query"]?.string, !query.isEmpty else {
            return error(400, "BadRequest", "The request body needs a Query.")
        }
        var from = lab.world.clock.now - Self.lookbackDays * DateTime.ticksPerDay
        var to: Int64?
        if let given = sent["Timespan"], given != .null {
            guard let text = given.string, let span = QueryTimespan(text, now: lab.world.clock.now) else {
                return error(400, "BadRequest", "The Timespan is not valid.")
            }
            from = max(from, span.from ?? from)
            to = span.to
        }
        let answer = HuntingAnswer(surface: .graph, form: lab.huntingForm)
        return run(query, answer, TimeScope(column: "Timestamp", from: from, to: to)) { status, message in
            error(status, "BadRequest", message)
        }
    }

    private func older(
        _ request: Request, surface: HuntingAnswer.Surface, audience: String, role: String
    ) async throws -> Response {
        if let refusal = await defender.refuse(request, audience: audience, role: role) { return refusal }
        if let refusal = refusal(ofType: request) {
            return Reply.defenderError(refusal.status, "InvalidRequestBody", refusal.message)
        }
        let body = try await request.body.collect(upTo: 4 << 20)
        guard let query = (try? JSON(parsing: Array(body.readableBytesView)))?["Query"]?.string else {
            return Reply.defenderError(400, "BadRequest", "The request body needs a Query.")
        }
        let from = lab.world.clock.now - Self.lookbackDays * DateTime.ticksPerDay
        let answer = HuntingAnswer(surface: surface, form: .documented)
        return run(query, answer, TimeScope(column: "Timestamp", from: from)) { status, message in
            Reply.defenderError(status, "BadRequest", message)
        }
    }

    /// What is wrong with the type of a body.
    private func refusal(ofType request: Request) -> (status: Int, message: String)? {
        guard let type = request.headers[.contentType] else {
            return (400, "Write requests (excluding DELETE) must contain the Content-Type header declaration.")
        }
        let isJSON = type.lowercased().prefix { $0 != ";" }.trimmed == "application/json"
        return isJSON ? nil : (415, "The media type \(type) is not supported.")
    }

    private func run(
        _ query: String, _ answer: HuntingAnswer, _ scope: TimeScope, refuse: (Int, String) -> Response
    ) -> Response {
        var options = QueryOptions()
        options.now = lab.world.clock.now
        options.rowCountMax = nil
        options.durationMax = 180
        options.timeScope = scope
        let tooLarge =
            "Query execution has exceeded the allowed result size. "
            + "Optimize your query by limiting the number of results and try again"
        do {
            let result = try Engine(provider: lab.world.tables()).run(query, options: options)
            var table = result.primary
            if table.count > lab.hunting.rowsMax {
                guard lab.hunting.cuts else { return refuse(400, tooLarge) }
                table = ResultTable(name: table.name, batch: table.batch.slice(0..<lab.hunting.rowsMax))
            }
            let text = try answer.text(table, seconds: result.duration)
            return text.count > lab.hunting.bytesMax ? refuse(400, tooLarge) : Reply.raw(text)
        } catch let error as QueryError {
            return refuse(400, "\(error.message) Fix semantic errors in your query.")
        } catch { return refuse(500, "\(error)") }
    }

    /// An error as Graph writes it (https://learn.microsoft.com/graph/errors).
    private func error(_ status: Int, _ code: String, _ message: String) -> Response {
        let id = JSON.string(UUID().uuidString.lowercased())
        let inner: JSON = [
            "date": .string(String(DateTime.format(lab.world.clock.now).prefix(19))), "request-id": id,
            "client-request-id": id,
        ]
        let body: JSON = ["error": ["code": .string(code), "message": .string(message), "innerError": inner]]
        return Reply.raw(body.bytes, status: status)
    }
}
