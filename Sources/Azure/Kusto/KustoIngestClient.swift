import Foundation
import Tables

/// Streaming ingestion into Azure Data Explorer and Fabric Eventhouse
/// (https://learn.microsoft.com/azure/data-explorer/ingest-data-streaming).
package struct KustoIngestClient: Sendable {
    /// Nil on this machine, where nobody signs in.
    private let tokens: TokenCache?
    private let client: ServiceClient
    private let cluster: String
    private let database: String
    private let audience: String
    /// Bytes of a request, before compression; the service takes 4 MB.
    package static let bodyBytesMax = 3_500_000
    /// Bytes of a value: the cluster cuts a longer text, and drops a longer `dynamic`
    /// (https://learn.microsoft.com/kusto/query/scalar-data-types/string).
    package static let fieldBytesMax = 1 << 20

    package init(client: ServiceClient, tokens: TokenCache?, cluster: String, database: String, audience: String) {
        self.client = client
        self.tokens = tokens
        self.cluster = cluster
        self.database = database
        self.audience = audience
    }

    /// Sends JSON lines to a table; returns the bytes on the wire. Columns are found by name.
    package func ingest(_ lines: [UInt8], table: String) async throws -> Int {
        var headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("x-ms-client-request-id", "Vestige;\(UUID().uuidString.lowercased())"),
        ]
        let packed = Deflate.compress(lines, level: 1)
        if packed != nil { headers.append(("Content-Encoding", "gzip")) }
        let request = ServiceRequest(
            "POST", "\(cluster)/v1/rest/ingest/\(database)/\(table)?streamFormat=json", headers: headers,
            body: packed ?? lines, timeoutSeconds: 120)
        let response: ServiceResponse
        if let tokens {
            response = try await AuthorizedClient(
                client: client, tokens: tokens, audience: audience, addresses: [cluster]
            ).send(request)
        } else {
            response = try await client.send(request)
        }
        // Whoever took the records says so in tables; anything else may come from a machine on the way.
        guard response.status == 200, (try? JSONReader.parse(response.body))?.bagValue?["Tables"] != nil else {
            throw refusal(response, request, table)
        }
        return (packed ?? lines).count
    }

    private func refusal(_ response: ServiceResponse, _ request: ServiceRequest, _ table: String) -> ServiceError {
        let next =
            switch response.status {
            case 400:
                "make the table with: vestige setup kusto, and enable its streaming ingestion policy: .alter table \(table) policy streamingingestion enable"
            case 401: "check 'cluster' and the tenant that the sink signs in to"
            case 403:
                "give the application the role Ingestor: .add database \(database) ingestors ('aadapp=CLIENT;TENANT')"
            case 404: "check 'cluster' and 'database'; streaming ingestion must be switched on for the cluster"
            default: "run the command again later; what was not sent stays in the outbox"
            }
        let isTooLarge = response.status == 413 || response.vendorError?.code == "Stream_InputStreamTooLarge"
        return ServiceError(
            tried: request.shown, got: response.summary, next: next, status: response.status, isTooLarge: isTooLarge)
    }
}
