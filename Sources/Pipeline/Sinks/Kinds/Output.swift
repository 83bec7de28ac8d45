import Content
import Tables

/// A sink of kind `output`, which has no settings.
package struct OutputConfiguration: SinkKind {
    package static let name = "output"
    package static let summary = "JSON lines on standard output, each with its table"
    package static let settings: [any SettingDeclaration] = []

    package init() {}
    package init(reading yaml: Fields) throws {}

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        OutputSink(name: context.name, write: context.write)
    }
}

/// JSON lines on standard output, each with its table.
package struct OutputSink: Sink {
    package let name: String
    private let write: @Sendable ([UInt8]) throws -> Void

    package init(name: String, write: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.write = write
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        var writer = try RecordWriter(batch)
        var bytes: [UInt8] = []
        let head = Array("{\"Table\":\(JSONWriter.quoted(table)),".utf8)
        var record: [UInt8] = []
        for row in 0..<batch.count {
            record.removeAll(keepingCapacity: true)
            writer.append(row, to: &record)
            bytes += head
            bytes += record.dropFirst()
            bytes.append(10)
        }
        try write(bytes)
        return SinkReceipt(bytes: bytes.count)
    }
}
