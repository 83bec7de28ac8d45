import Tables

/// Writes rows in one of the formats that an export knows.
struct TableWriter {
    private let format: TableExport.Format
    private let schema: Schema
    private var isFirst = true
    /// Bytes that are put together before they are written.
    private static let pieceBytes = 1 << 20

    init(_ format: TableExport.Format, _ schema: Schema) {
        self.format = format
        self.schema = schema
    }

    /// What stands before the first row.
    var head: [UInt8] {
        switch format {
        case .ndjson: []
        case .json: Array("[".utf8)
        case .csv: Array(Self.line(schema.names.map { $0.hasPrefix("#") ? "\"\($0)\"" : Self.field($0) }).utf8)
        }
    }

    /// What stands behind the last row.
    var tail: [UInt8] { format == .json ? Array("]\n".utf8) : [] }

    mutating func append(_ batch: Batch, write: ([UInt8]) throws(OperatorError) -> Void) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.pieceBytes + 65_536)
        switch format {
        case .ndjson, .json:
            var records = try RecordWriter(batch)
            for row in 0..<batch.count {
                if format == .json, !isFirst { bytes.append(44) }
                if format == .json { bytes.append(10) }
                isFirst = false
                records.append(row, to: &bytes)
                if format == .ndjson { bytes.append(10) }
                if bytes.count >= Self.pieceBytes { try flush(&bytes, write) }
            }
        case .csv:
            let columns = try batch.schema.columns.indices.map { try batch.column($0) }
            for row in 0..<batch.count {
                bytes += Self.line(columns.map { Self.field(Self.text($0[row], $0.type)) }).utf8
                if bytes.count >= Self.pieceBytes { try flush(&bytes, write) }
            }
        }
        try flush(&bytes, write)
    }

    private func flush(_ bytes: inout [UInt8], _ write: ([UInt8]) throws(OperatorError) -> Void) throws(OperatorError) {
        if bytes.isEmpty { return }
        try write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// A cell of CSV: `dynamic` values are JSON always, so that a text is told from what it may look like.
    private static func text(_ value: Value, _ type: ScalarType) -> String {
        if value.isNull { return "" }
        return type == .dynamic ? JSONWriter.string(value) : value.text
    }

    private static func field(_ text: String) -> String {
        text.utf8.contains { $0 == 44 || $0 == 34 || $0 == 10 || $0 == 13 }
            ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    /// An empty field alone would be an empty line, which is no record.
    private static func line(_ fields: [String]) -> String {
        (fields == [""] ? "\"\"" : fields.joined(separator: ",")) + "\r\n"
    }
}
