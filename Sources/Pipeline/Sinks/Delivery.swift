import Azure
import Tables
import Workspace

/// Where rows go besides the workspace.
package protocol Sink: Sendable {
    var name: String { get }
    /// Sends all rows of a table or throws; returns the bytes on the wire.
    func send(_ batch: Batch, table: String) async throws -> Int
}

/// Custom tables of Microsoft Sentinel, through the Logs Ingestion API. The stream of a table is `Custom-` and its name.
package struct LogsIngestionSink: Sink {
    package let name: String
    private let client: LogsIngestionClient

    package init(name: String, client: LogsIngestionClient) {
        self.name = name
        self.client = client
    }

    package func send(_ batch: Batch, table: String) async throws -> Int {
        var bytes = 0
        for pack in try RecordPacker(bytesMax: LogsIngestionClient.bodyBytesMax).pack(batch) {
            bytes += try await client.upload(pack.body, stream: "Custom-\(table)")
        }
        return bytes
    }
}

/// What a sink got in one delivery.
package struct DeliveryOutcome: Sendable {
    package let sink: String
    package fileprivate(set) var rows = 0
    package fileprivate(set) var bytes = 0
    /// Rows by the source that they came from.
    package fileprivate(set) var rowsBySource: [String: Int] = [:]
    package fileprivate(set) var error: OperatorError?
}

/// Empties the outbox: every sink gets what it has not acknowledged, oldest first.
struct Delivery: Sendable {
    let workspace: Workspace

    func deliver(to sink: any Sink) async -> DeliveryOutcome {
        var outcome = DeliveryOutcome(sink: sink.name)
        do {
            let schemas = try workspace.schemas()
            for (extent, table) in try workspace.pending(for: sink.name) {
                try Task.checkCancellation()
                guard let schema = schemas[table] else { continue }
                let batch = workspace.extent(extent, schema: schema)
                outcome.bytes += try await sink.send(batch, table: table)
                try workspace.acknowledge(extent, by: sink.name)
                outcome.rows += extent.rows
                if extent.rows > 0, let source = try batch.column(named: "SourceName")?[0].stringValue {
                    outcome.rowsBySource[source, default: 0] += extent.rows
                }
            }
        } catch {
            outcome.error = OperatorError(
                error, title: "sink \(sink.name) stopped", safe: "what was not acknowledged stays in the outbox and goes out with the next run")
        }
        return outcome
    }
}
