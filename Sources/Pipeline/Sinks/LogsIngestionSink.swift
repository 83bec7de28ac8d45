import Azure
import Tables

/// Custom tables of Microsoft Sentinel, through the Logs Ingestion API. The stream of a table is `Custom-` and its name.
package struct LogsIngestionSink: Sink {
    package let name: String
    private let client: LogsIngestionClient

    package init(name: String, client: LogsIngestionClient) {
        self.name = name
        self.client = client
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        var receipt = SinkReceipt()
        var packer = try RecordPacker(
            batch, bytesMax: LogsIngestionClient.bodyBytesMax, layout: .array, aliases: ObservedTime.alias)
        var sent = 0
        while let pack = packer.next() {
            let rows = packer.rows(after: sent)
            sent = rows.upperBound
            do { receipt.bytes += try await client.upload(pack.body, stream: "Custom-\(table)") } catch let error
                as ServiceError where error.status == 400
            {
                // A stream that takes nothing at all is a matter of the rule, not of these rows.
                try await client.probe(stream: "Custom-\(table)")
                try await isolate(batch, rows, table, error, &receipt)
            }
        }
        receipt.refused += packer.refused
        return receipt
    }

    /// Sends what the service refused as a whole in halves, until the rows that it refuses stand alone.
    private func isolate(
        _ batch: Batch, _ rows: Range<Int>, _ table: String, _ error: ServiceError, _ receipt: inout SinkReceipt
    ) async throws {
        if rows.count == 1 {
            receipt.refused.append(RefusedRow(row: rows.lowerBound, reason: error.got))
            return
        }
        let middle = (rows.lowerBound + rows.upperBound) / 2
        for half in [rows.lowerBound..<middle, middle..<rows.upperBound] {
            var packer = try RecordPacker(
                batch.slice(half), bytesMax: LogsIngestionClient.bodyBytesMax, layout: .array,
                aliases: ObservedTime.alias)
            // A part of one call fits into one call.
            guard let pack = packer.next() else { continue }
            do { receipt.bytes += try await client.upload(pack.body, stream: "Custom-\(table)") } catch let error
                as ServiceError where error.status == 400
            {
                try await isolate(batch, half, table, error, &receipt)
            }
        }
    }
}
