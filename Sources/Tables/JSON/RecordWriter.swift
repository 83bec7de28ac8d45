/// Writes rows as JSON objects, one member per column that has a value, straight from the columns.
package struct RecordWriter: Sendable {
    private let columns: [(key: [UInt8], column: Column)]

    /// - Parameter aliases: other names for some columns, each written as a member of its own behind the row's.
    package init(_ batch: Batch, aliases: [(name: String, column: String)] = []) throws {
        var columns = try batch.schema.columns.enumerated().map { (key: Self.key($1.name), column: try batch.column($0)) }
        for alias in aliases { if let column = try batch.column(named: alias.column) { columns.append((Self.key(alias.name), column)) } }
        self.columns = columns
    }

    private static func key(_ name: String) -> [UInt8] { Array((JSONWriter.quoted(name) + ":").utf8) }

    package func append(_ row: Int, to out: inout [UInt8]) {
        out.append(123)
        var isFirst = true
        for (key, column) in columns where !column.isNull(row) {
            if !isFirst { out.append(44) }
            isFirst = false
            out += key
            Self.append(column, row * column.stride, to: &out)
        }
        out.append(125)
    }

    /// Writes a row's values as a JSON array; what is missing is `null`.
    package func appendArray(_ row: Int, to out: inout [UInt8]) {
        out.append(91)
        var isFirst = true
        for (_, column) in columns {
            if !isFirst { out.append(44) }
            isFirst = false
            if column.isNull(row) { out.append(contentsOf: "null".utf8) } else { Self.append(column, row * column.stride, to: &out) }
        }
        out.append(93)
    }

    private static func append(_ column: Column, _ i: Int, to out: inout [UInt8]) {
        switch column.storage {
        case .string(let vector):
            let range = vector.entryRange(vector.codes.map { Int($0[i]) } ?? i)
            vector.bytes.withUnsafeBufferPointer { JSONWriter.append(UnsafeBufferPointer(rebasing: $0[range]), to: &out) }
        case .int64(let values):
            if column.type == .datetime {
                out.append(34)
                DateTime.append(values[i], to: &out)
                out.append(34)
            } else if column.type == .timespan {
                JSONWriter.append(.timespan(values[i]), to: &out)
            } else {
                JSONWriter.append(values[i], to: &out)
            }
        case .bool(let values): out += values[i] ? "true".utf8 : "false".utf8
        case .real(let values): JSONWriter.append(.real(values[i]), to: &out)
        case .decimal, .guid, .dynamic: JSONWriter.append(column[i], to: &out)
        }
    }
}
