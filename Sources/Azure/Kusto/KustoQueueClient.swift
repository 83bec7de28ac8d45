import Crypto
import Foundation
import Tables

/// Queued ingestion into Azure Data Explorer: a file in the cluster's own storage, and a message in its queue
/// (https://learn.microsoft.com/kusto/api/netfx/kusto-ingest-client-rest).
///
/// The service merges and ingests what is queued within some minutes. Each file carries a tag of its own, so that one
/// that is queued
/// twice is ingested once.
package actor KustoQueueClient {
    private let client: ServiceClient
    private let tokens: TokenCache
    private let endpoint: String
    private let database: String
    private let audience: String
    private var resources: Resources?
    /// Addresses of storage carry permissions that end; they are asked for again before.
    private static let resourcesLast = Duration.seconds(3_600)
    /// Bytes of one file before compression; the service advises less than 1 GB.
    package static let fileBytesMax = 64 << 20
    private static let storageVersion = "2019-12-12"

    private struct Resources {
        /// Containers and queues, each with its permission.
        let containers: [Secret]
        let queues: [Secret]
        let authorization: Secret
        let since: ContinuousClock.Instant
    }

    /// - Parameter cluster: the cluster's address; its ingestion endpoint has the same name with `ingest-` before it.
    package init(client: ServiceClient, tokens: TokenCache, cluster: String, database: String, audience: String) {
        self.client = client
        self.tokens = tokens
        self.database = database
        self.audience = audience
        endpoint = Self.endpoint(of: cluster)
    }

    /// The ingestion endpoint: not another one on this machine, or where the address is in figures.
    package static func endpoint(of cluster: String) -> String {
        guard let parts = URLComponents(string: cluster), let host = parts.host, !host.hasPrefix("ingest-"),
            host != "localhost", !host.contains(":"),
            host.contains(where: \.isLetter)
        else { return cluster }
        return cluster.replacing("://", with: "://ingest-", maxReplacements: 1)
    }

    /// Queues JSON lines for a table; returns the bytes on the wire.
    ///
    /// - Parameter id: the same for the same lines: what was ingested under it is not ingested again.
    package func ingest(_ lines: [UInt8], table: String, id: String) async throws -> Int {
        let resources = try await current()
        guard let container = resources.containers.randomElement(), let queue = resources.queues.randomElement(),
            let packed = Deflate.compress(lines, level: 1)
        else {
            throw ServiceError(
                tried: "queueing for \(table)", got: "the cluster names no storage",
                next: "set 'ingestion: streaming' for the sink")
        }
        let blob = Self.place("\(database)__\(table)__\(id).json.gz", in: container)
        let put = ServiceRequest(
            "PUT", blob.text,
            headers: [
                ("x-ms-blob-type", "BlockBlob"), ("x-ms-version", Self.storageVersion),
                ("Content-Type", "application/octet-stream"),
            ],
            body: packed, timeoutSeconds: 600, secrets: SignedAddress.secrets(of: blob))
        try await send(put, "storing a file for \(table)")
        let tag = "ingest-by:\(id)"
        let properties = Bag([
            ("authorizationContext", .string(resources.authorization.text)), ("format", .string("json")),
            ("tags", .string("[\"\(tag)\"]")),
            ("ingestIfNotExists", .string("[\"\(id)\"]")),
        ])
        let message = Bag([
            ("Id", .string(UUID().uuidString.lowercased())), ("BlobPath", .string(blob.text)),
            ("RawDataSize", .long(Int64(lines.count))),
            ("DatabaseName", .string(database)), ("TableName", .string(table)), ("RetainBlobOnSuccess", .bool(false)),
            ("FlushImmediately", .bool(false)),
            ("IgnoreSizeLimit", .bool(false)), ("ReportLevel", .long(0)), ("ReportMethod", .long(0)),
            ("ApplicationForTracing", .string("Vestige")), ("AdditionalProperties", .bag(properties)),
        ])
        let text = Data(JSONWriter.string(.bag(message)).utf8).base64EncodedString()
        let place = Self.place("messages", in: queue)
        let post = ServiceRequest(
            "POST", place.text,
            headers: [("x-ms-version", Self.storageVersion), ("Content-Type", "application/xml")],
            body: Array("<QueueMessage><MessageText>\(text)</MessageText></QueueMessage>".utf8), timeoutSeconds: 60,
            secrets: SignedAddress.secrets(of: place) + [resources.authorization])
        try await send(post, "queueing a file for \(table)")
        return packed.count + text.utf8.count
    }

    private func send(_ request: ServiceRequest, _ what: String) async throws {
        guard let origin = Origin(request.url), origin.scheme == "https" || Origin(endpoint)?.isLoopback == true else {
            throw ServiceError(
                tried: what, got: "the cluster names a storage that is not reached by https",
                means: "the address is the permission to write there, and goes nowhere in the clear",
                next: "set 'ingestion: streaming' for the sink")
        }
        let response = try await client.send(request)
        guard response.status == 201 else {
            // The permission in an address may have ended.
            if response.status == 403 { resources = nil }
            throw ServiceError(
                tried: what, got: response.summary,
                next: "run the command again later; what was not sent stays in the outbox",
                isRetryable: response.status == 403, status: response.status)
        }
    }

    private func current() async throws -> Resources {
        if let resources, ContinuousClock.now - resources.since < Self.resourcesLast { return resources }
        let rows = try await command(".get ingestion resources")
        func all(_ kind: String) -> [Secret] {
            rows.filter { $0.first?.text == kind && $0.count > 1 }.map { Secret(unlisted: $0[1].text) }
        }
        let authorization = try await command(".get kusto identity token").first?.first?.text ?? ""
        let found = Resources(
            containers: all("TempStorage"), queues: all("SecuredReadyForAggregationQueue"),
            authorization: Secret(authorization), since: .now)
        resources = found
        return found
    }

    /// The rows of a management command's first table.
    private func command(_ text: String) async throws -> [[Value]] {
        let body = JSONWriter.string(.bag(Bag([("db", .string("NetDefaultDB")), ("csl", .string(text))])))
        let request = ServiceRequest(
            "POST", endpoint + "/v1/rest/mgmt", headers: [("Content-Type", "application/json; charset=utf-8")],
            body: Array(body.utf8), timeoutSeconds: 60)
        let response = try await AuthorizedClient(
            client: client, tokens: tokens, audience: audience, addresses: [endpoint]
        ).send(request)
        guard response.status == 200,
            let tables = (try? JSONReader.parse(response.body))?.bagValue?["Tables"]?.arrayValue
        else {
            throw ServiceError(
                tried: "\(text) at \(endpoint)", got: response.summary,
                means: "this is not the ingestion endpoint of a cluster, or it refuses the application",
                next:
                    "give the application the role Ingestor on \(database), or set 'ingestion: streaming' for the sink",
                status: response.status)
        }
        return (tables.first?.bagValue?["Rows"]?.arrayValue ?? []).map { $0.arrayValue ?? [] }
    }

    /// An address below another one that has its permission in the query.
    private static func place(_ name: String, in root: Secret) -> Secret {
        let parts = root.text.split(separator: "?", maxSplits: 1)
        return Secret(unlisted: "\(parts[0])/\(name)" + (parts.count > 1 ? "?\(parts[1])" : ""))
    }
}
