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
    private let allowedHosts: Set<String>
    private let budgets: DefenderBudgets

    /// Hosts that the service's own answers name as the next page's.
    private static let vendorHosts: Set<String> = [
        "api.security.microsoft.com", "api.securitycenter.microsoft.com", "api-us.securitycenter.microsoft.com",
        "api-eu.securitycenter.microsoft.com", "api-uk.securitycenter.microsoft.com",
        "api-gcc.securitycenter.microsoft.us",
        "api-gov.securitycenter.microsoft.us",
    ]

    package init(
        graph: AuthorizedClient, graphHost: String, endpoint: AuthorizedClient, endpointHost: String,
        budgets: DefenderBudgets = DefenderBudgets()
    ) {
        self.graph = graph
        self.graphHost = graphHost
        self.endpoint = endpoint
        self.endpointHost = endpointHost
        self.budgets = budgets
        var hosts = Self.vendorHosts
        if let own = URLComponents(string: endpointHost)?.host { hosts.insert(own) }
        allowedHosts = hosts
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
        if link.hasPrefix("http") {
            guard let host = URLComponents(string: link)?.host, allowedHosts.contains(host) else {
                throw ServiceError(
                    tried: "following the link to the next page",
                    got: "a link to another host, \(URLComponents(string: link)?.host ?? "?")",
                    means: "a token is sent only to hosts of the Defender API",
                    next: "set 'endpointHost' to that host if it is one of Microsoft's")
            }
            url = link
        } else {
            url = endpointHost + link
        }
        let request = ServiceRequest("GET", url)
        return try check(try await endpoint.send(request, budget: budgets.budget(of: url)), request, permissions)
    }

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
        case 400 where response.vendorError?.message.contains("exceeded the allowed result size") == true:
            throw ServiceError(
                tried: request.shown, got: response.summary, means: "one answer may hold 100,000 rows and 50 MB",
                next: "raise 'partitions' in the source's file",
                status: 400, isTooLarge: true)
        case 400 where response.vendorError?.message.contains("timeout period") == true:
            throw ServiceError(
                tried: request.shown, got: response.summary, means: "a query may take three minutes",
                next: "raise 'partitions' in the source's file",
                status: 400, isTooLarge: true)
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
