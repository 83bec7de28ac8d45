/// Writes rows as JSON objects, one member per column that has a value.
package struct RecordWriter: Sendable {
    private let columns: [Column]
    private let keys: [[UInt8]]

    package init(_ batch: Batch) throws {
        columns = try batch.schema.columns.indices.map { try batch.column($0) }
        keys = batch.schema.columns.map { Array((JSONWriter.quoted($0.name) + ":").utf8) }
    }

    package func append(_ row: Int, to out: inout [UInt8]) {
        out.append(123)
        var isFirst = true
        for (c, column) in columns.enumerated() where !column.isNull(row) {
            if !isFirst { out.append(44) }
            isFirst = false
            out += keys[c]
            JSONWriter.append(column[row], to: &out)
        }
        out.append(125)
    }
}
