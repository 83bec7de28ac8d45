import Azure
import Tables

/// Custom tables through the retired Data Collector API; columns get its suffixes (`_s`, `_d`, …) there.
package struct DataCollectorSink: Sink {
    package let name: String
    private let client: DataCollectorClient

    package init(name: String, client: DataCollectorClient) {
        self.name = name
        self.client = client
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        var receipt = SinkReceipt()
        var packer = try RecordPacker(
            batch, bytesMax: DataCollectorClient.bodyBytesMax, layout: .array, aliases: ObservedTime.alias)
        // The service adds `_CL` itself.
        let logType = table.hasSuffix("_CL") ? String(table.dropLast(3)) : table
        while let pack = packer.next() { receipt.bytes += try await client.post(pack.body, logType: logType) }
        receipt.refused = packer.refused
        return receipt
    }
}
