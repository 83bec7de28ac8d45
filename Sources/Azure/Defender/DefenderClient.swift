import Foundation
import Tables

/// Advanced hunting over Microsoft Graph and the Defender for Endpoint REST API
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery,
/// https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list).
package struct DefenderClient: Sendable {
    private let graph: AuthorizedClient
    private let endpoint: AuthorizedClient
    private let graphHost: String
    private let endpointHost: String
    private let budgets: DefenderBudgets

    /// Addresses that the service's own answers name as the next page's.
    private static let vendorAddresses = [
        "https://api.security.microsoft.com", "https://api.securitycenter.microsoft.com",
        "https://api-us.securitycenter.microsoft.com", "https://api-eu.securitycenter.microsoft.com",
        "https://api-uk.securitycenter.microsoft.com", "https://api-gcc.securitycenter.microsoft.us",
        "https://api-gov.securitycenter.microsoft.us",
    ]

    /// Where a token for the API at `host` may go.
    package static func addresses(of host: String) -> [String] { vendorAddresses + [host] }

    package init(
        graph: AuthorizedClient, graphHost: String, endpoint: AuthorizedClient, endpointHost: String,
        budgets: DefenderBudgets = DefenderBudgets()
    ) {
        self.graph = graph
        self.graphHost = graphHost
        self.endpoint = endpoint
        self.endpointHost = endpointHost
        self.budgets = budgets
    }

    /// Runs a hunting query; the answer has `schema` and `results`.
    package func hunt(_ query: String, permissions: [String]) async throws -> ServiceResponse {
        var body: [UInt8] = Array("{\"Query\":".utf8)
        JSONWriter.append(query, to: &body)
        body.append(125)
        let request = ServiceRequest(
            "POST", graphHost + "/v1.0/security/runHuntingQuery", headers: [("Content-Type", "application/json")],
            body: body)
        return try check(try await graph.send(request, budget: budgets.hunting), request, permissions)
    }

    /// One page. `link` is a path below the API's host, or a next link of an answer before.
    package func page(_ link: String, permissions: [String]) async throws -> ServiceResponse {
        let url: String
        if link.hasPrefix("/") {
            url = endpointHost + link
        } else {
            guard endpoint.mayCall(link) else {
                throw ServiceError(
                    tried: "following the link to the next page",
                    got: "a link to another address, \(Origin(link)?.description ?? "which is no web address")",
                    means: "a token is sent only to addresses of the Defender API, scheme and port included",
                    next: "set 'endpointHost' to that address if it is one of Microsoft's")
            }
            url = link
        }
        let request = ServiceRequest("GET", url)
        return try check(try await endpoint.send(request, budget: budgets.budget(of: url)), request, permissions)
    }

    /// Whether less must be asked for at once: of rows, bytes, memory or time.
    private static func isTooLarge(_ response: ServiceResponse) -> Bool {
        if response.status == 413 { return true }
        guard response.status == 400 else { return false }
        let error = response.vendorError.map { "\($0.code) \($0.message)" }
        let words = (error ?? String(decoding: response.body.prefix(2_000), as: UTF8.self)).lowercased()
        return !words.contains("fix semantic errors") && limits.contains { words.contains($0) }
    }

    /// How the service, and Kusto below it, say that a query asked for too much
    /// (https://learn.microsoft.com/defender-xdr/advanced-hunting-limits,
    /// https://learn.microsoft.com/kusto/concepts/query-limits).
    private static let limits = [
        "exceeded the allowed result size", "exceeds the allowed size limit", "result set has exceeded",
        "e_query_result_set_too_large", "too many rows", "record count limit", "data size limit", "response size",
        "exceeded the timeout", "query timeout", "timed out", "excessive resource consumption",
        "low memory", "low_memory_condition", "runaway query", "e_runaway_query", "memory budget",
    ]

    private func check(_ response: ServiceResponse, _ request: ServiceRequest, _ permissions: [String]) throws
        -> ServiceResponse
    {
        let needed = permissions.isEmpty ? "the needed permission" : permissions.joined(separator: ", ")
        switch response.status {
        case 200: return response
        case 401:
            throw ServiceError(
                tried: request.shown, got: response.summary, means: "the service does not accept the token",
                next: "check 'tenantId', and that the host belongs to the same cloud as 'loginHost'",
                status: 401)
        case 403:
            throw ServiceError(
                tried: request.shown, got: response.summary,
                means: "the app registration lacks the application permission \(needed)",
                next: "grant \(needed) to the app registration, give admin consent, then run the command again",
                status: 403)
        case 404 where request.shown.hasSuffix("/api/machines"):
            // The documented answer when no device reported lately.
            return ServiceResponse(status: 200, headers: [:], body: Array("{\"value\":[]}".utf8))
        case _ where Self.isTooLarge(response):
            throw ServiceError(
                tried: request.shown, got: response.summary,
                means: "one answer may hold 100,000 rows and 50 MB, and a query may take three minutes",
                next: "ask for less at once", status: response.status, isTooLarge: true)
        default:
            throw ServiceError(
                tried: request.shown, got: response.summary,
                means: response.status == 400 ? "the service does not understand the query" : nil,
                next: response.status == 400
                    ? "correct 'query' or 'parameters' in the source's file" : "check the path in the source's file",
                status: response.status)
        }
    }
}
