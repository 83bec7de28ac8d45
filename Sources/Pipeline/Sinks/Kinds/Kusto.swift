import Azure
import Content
import Crypto
import Foundation
import Tables

/// Settings of a sink of kind `kusto`.
package struct KustoConfiguration: SinkKind {
    package var cluster: String
    package var database: String
    /// The audience of its tokens; the cloud's own when nil.
    package var resource: String?
    package var ingestion: KustoSink.Ingestion

    package init(
        cluster: String, database: String, resource: String? = nil, ingestion: KustoSink.Ingestion = .automatic
    ) {
        self.cluster = cluster
        self.database = database
        self.resource = resource
        self.ingestion = ingestion
    }

    package static let name = "kusto"
    package static let summary =
        "Tables of Azure Data Explorer or a Fabric Eventhouse. What the cluster refuses of a queued file shows in "
        + "`.show ingestion failures` there"

    private static let clusterSetting = Setting.address("cluster", standard: SettingText.required, "its address")
    private static let databaseSetting = Setting.text("database", standard: SettingText.required, "the database")
    private static let resourceSetting = Setting.address(
        "resource", standard: "the cloud's", "the audience of its tokens")
    private static let ingestionSetting = Setting.word(
        "ingestion", standard: KustoSink.Ingestion.automatic,
        "`streaming` within seconds, `queued` within minutes and with less work for the cluster, `automatic` queued "
            + "from 32 MB on")
    package static let settings: [any SettingDeclaration] = [
        clusterSetting, databaseSetting, resourceSetting, ingestionSetting,
    ]

    package init(reading yaml: Fields) throws {
        cluster = try yaml.required(Self.clusterSetting)
        database = try yaml.required(Self.databaseSetting)
        resource = try yaml.optional(Self.resourceSetting)
        ingestion = try yaml.optional(Self.ingestionSetting) ?? .automatic
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        // On this machine nobody signs in.
        if WebAddress.isLocal(cluster), context.owner == nil {
            return KustoSink(
                name: context.name,
                client: KustoIngestClient(
                    client: context.client, tokens: nil, cluster: cluster, database: database, audience: ""))
        }
        guard let (owner, tokens) = try context.signedIn() else { return nil }
        let audience = resource ?? owner.cloud.hosts.kustoResource
        return KustoSink(
            name: context.name,
            client: KustoIngestClient(
                client: context.client, tokens: tokens, cluster: cluster, database: database, audience: audience),
            queue: KustoQueueClient(
                client: context.client, tokens: tokens, cluster: cluster, database: database, audience: audience),
            ingestion: ingestion)
    }
}

/// Tables of Azure Data Explorer or a Fabric Eventhouse: by streaming ingestion, or queued when there is much.
package struct KustoSink: Sink {
    /// How rows get into the cluster.
    package enum Ingestion: String, Sendable, CaseIterable {
        /// Queued from some tens of megabytes on, streaming below.
        case automatic
        /// Within seconds; 4 MB a call.
        case streaming
        /// Within minutes, and with less work for the cluster.
        case queued
    }

    package let name: String
    private let client: KustoIngestClient
    /// Nil on this machine, where nobody signs in.
    private let queue: KustoQueueClient?
    private let ingestion: Ingestion
    private let sender = RecordSender(
        CallForm(
            bytesMax: KustoIngestClient.bodyBytesMax, fieldBytesMax: KustoIngestClient.fieldBytesMax, layout: .lines))
    /// Bytes of a batch from which on it is queued.
    private static let queuedFromBytes = 32 << 20

    package init(
        name: String, client: KustoIngestClient, queue: KustoQueueClient? = nil, ingestion: Ingestion = .automatic
    ) {
        self.name = name
        self.client = client
        self.queue = queue
        self.ingestion = ingestion
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        if let queue, try ingestion == .queued || ingestion == .automatic && batch.byteCount() >= Self.queuedFromBytes {
            return try await enqueue(batch, table, queue)
        }
        let client = client
        return try await sender.send(
            batch, to: RecordSender.Target(call: { try await client.ingest($0, table: table) }, probe: nil))
    }

    private func enqueue(_ batch: Batch, _ table: String, _ queue: KustoQueueClient) async throws -> SinkReceipt {
        var receipt = SinkReceipt()
        let form = CallForm(
            bytesMax: KustoQueueClient.fileBytesMax, fieldBytesMax: KustoIngestClient.fieldBytesMax, layout: .lines)
        var packer = try RecordPacker(batch, form: form)
        while let pack = try packer.next(bytesMax: form.bytesMax) {
            let id = Hex.string(SHA256.hash(data: pack.body).prefix(16))
            receipt.bytes += try await queue.ingest(pack.body, table: table, id: id)
        }
        (receipt.refused, receipt.shortened) = (packer.refused, packer.shortened)
        return receipt
    }
}
