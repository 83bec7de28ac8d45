import Tables

/// The Logs Ingestion API of Azure Monitor
/// (https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview).
package struct LogsIngestionClient: Sendable {
    private let client: AuthorizedClient
    private let endpoint: String
    private let rule: String
    /// The documented limit of 12,000 requests a minute for each rule, with room for others that send to it.
    private let budget = CallBudget([CallBudget.Window(seconds: 60, units: 10_000)])
    /// The documented limit of 2 GB a minute for each rule, counted before compression, as it may be.
    private let volume = CallBudget([CallBudget.Window(seconds: 60, units: 1_800_000_000)])
    /// Bytes of a call, before compression: the documented limit of 1 MB with room for the rest of the request.
    package static let bodyBytesMax = 1_000_000
    /// Bytes of a field's value; the service cuts off what is beyond.
    package static let fieldBytesMax = 65_536

    /// - Parameters:
    ///   - endpoint: the data collection endpoint, or the rule's own.
    ///   - rule: the rule's immutable id, `dcr-…`.
    package init(client: AuthorizedClient, endpoint: String, rule: String) {
        self.client = client
        self.endpoint = endpoint
        self.rule = rule
    }

    /// Asks whether a stream takes records, by sending none.
    package func probe(stream: String) async throws { _ = try await upload([91, 93], stream: stream) }

    /// Sends a JSON array of records to a stream; returns the bytes on the wire.
    package func upload(_ records: [UInt8], stream: String) async throws -> Int {
        // What is billed is counted before compression: a fast level saves time, and the wire has room.
        let body = Deflate.compress(records, level: 1) ?? records
        var headers = [("Content-Type", "application/json")]
        if body.count < records.count { headers.append(("Content-Encoding", "gzip")) }
        let sent = body.count < records.count ? body : records
        let request = ServiceRequest(
            "POST", "\(endpoint)/dataCollectionRules/\(rule)/streams/\(stream)?api-version=2023-01-01",
            headers: headers, body: sent, timeoutSeconds: 60)
        try await volume.take(cost: records.count)
        let response = try await client.send(request, budget: budget)
        // The only answer of success that is documented; anything else may come from a machine on the way.
        guard response.status == 204 else { throw refusal(response, request, stream) }
        return sent.count
    }

    private func refusal(_ response: ServiceResponse, _ request: ServiceRequest, _ stream: String) -> ServiceError {
        let next =
            switch response.status {
            case 400:
                "declare the stream \(stream) in the data collection rule with the table's columns, then run the command again"
            case 401: "check 'resource' and 'tenantId' of the sink"
            case 403:
                "give the application the role Monitoring Metrics Publisher on the data collection rule \(rule); it takes up to 30 minutes to work"
            case 404: "check 'endpoint' and 'rule' of the sink: the rule's immutable id starts with dcr-"
            case 413: "nothing: smaller calls are tried; when none passes, look at what stands between here and Azure"
            default: "run the command again later; what was not sent stays in the outbox"
            }
        return ServiceError(
            tried: request.shown, got: response.summary, next: next, status: response.status,
            isTooLarge: response.status == 413)
    }
}
