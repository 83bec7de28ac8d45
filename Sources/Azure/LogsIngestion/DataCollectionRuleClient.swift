import Tables

/// Data collection rules as Azure Resource Manager keeps them
/// (https://learn.microsoft.com/rest/api/monitor/data-collection-rules/get).
package struct DataCollectionRuleClient: Sendable {
    private let client: AuthorizedClient
    private let host: String

    package init(client: AuthorizedClient, host: String) {
        self.client = client
        self.host = host
    }

    /// The columns of each declared stream, with their types.
    ///
    /// - Parameter resource: `/subscriptions/…/dataCollectionRules/NAME`.
    package func streams(_ resource: String) async throws -> [String: [String: String]] {
        let request = ServiceRequest("GET", "\(host)\(resource)?api-version=2023-03-11", timeoutSeconds: 30)
        let response = try await client.send(request)
        guard response.status == 200, let rule = (try? JSONReader.parse(response.body))?.bagValue else {
            let next =
                switch response.status {
                case 403: "give the application the role Reader on the rule, or leave 'ruleResource' out"
                case 404: "check 'ruleResource': the rule's resource id, /subscriptions/…"
                default: "run the command again later"
                }
            throw ServiceError(tried: request.shown, got: response.summary, next: next, status: response.status)
        }
        var streams: [String: [String: String]] = [:]
        let declared = rule["properties"]?.bagValue?["streamDeclarations"]?.bagValue ?? Bag()
        for (name, stream) in zip(declared.keys, declared.values) {
            let columns = stream.bagValue?["columns"]?.arrayValue ?? []
            streams[name] = Dictionary(
                columns.compactMap { c in c.bagValue.map { ($0["name"]?.text ?? "", $0["type"]?.text ?? "") } }
            ) { a, _ in a }
        }
        return streams
    }
}
