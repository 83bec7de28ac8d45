import Azure
import Crypto
import Foundation
import Tables

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
        var receipt = SinkReceipt()
        var packer = try RecordPacker(batch, bytesMax: KustoIngestClient.bodyBytesMax, layout: .lines)
        while let pack = packer.next() { receipt.bytes += try await client.ingest(pack.body, table: table) }
        receipt.refused = packer.refused
        return receipt
    }

    private func enqueue(_ batch: Batch, _ table: String, _ queue: KustoQueueClient) async throws -> SinkReceipt {
        var receipt = SinkReceipt()
        var packer = try RecordPacker(batch, bytesMax: KustoQueueClient.fileBytesMax, layout: .lines)
        while let pack = packer.next() {
            let id = Hex.string(SHA256.hash(data: pack.body).prefix(16))
            receipt.bytes += try await queue.ingest(pack.body, table: table, id: id)
        }
        receipt.refused = packer.refused
        return receipt
    }
}
