import Tables

/// Azure Resource Graph, where the devices, sensors and alerts of cloud-connected plants are
/// (https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources).
package struct ResourceGraphClient: Sendable {
    private let client: AuthorizedClient
    private let host: String
    /// Subscriptions to ask; all that the identity may read when empty.
    private let subscriptions: [String]
    /// The documented limit of 15 queries in five seconds, with room for others of the same identity.
    private let budget = CallBudget([CallBudget.Window(seconds: 5, units: 10)])
    private static let rowsAtOnce: Int64 = 1_000

    package init(client: AuthorizedClient, host: String, subscriptions: [String]) {
        self.client = client
        self.host = host
        self.subscriptions = subscriptions
    }

    /// One page of a query's rows; the answer has `data`, and `$skipToken` where there is more.
    package func page(_ query: String, skipToken: String?, permissions: [String]) async throws -> ServiceResponse {
        var options = Bag([("resultFormat", .string("objectArray")), ("$top", .long(Self.rowsAtOnce))])
        if let skipToken { options["$skipToken"] = .string(skipToken) }
        var body = Bag([("query", .string(query)), ("options", .bag(options))])
        if !subscriptions.isEmpty { body["subscriptions"] = .array(subscriptions.map { .string($0) }) }
        let request = ServiceRequest(
            "POST", host + "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            headers: [("Content-Type", "application/json")],
            body: Array(JSONWriter.string(.bag(body)).utf8))
        let response = try await client.send(request, budget: budget)
        switch response.status {
        case 200: return response
        case 401, 403:
            throw ServiceError(
                tried: request.shown, got: response.summary,
                means: "the identity may not read the subscription's resources",
                next:
                    "give the application the role Reader, or Security Reader, on the subscription, with: \(permissions.joined(separator: ", "))",
                status: response.status)
        default:
            throw ServiceError(
                tried: request.shown, got: response.summary,
                means: response.status == 400 ? "the service does not understand the query" : nil,
                next: "correct 'query' in the source's file, or 'subscriptions' of the tenant", status: response.status)
        }
    }
}
