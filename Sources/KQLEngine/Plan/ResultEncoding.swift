import KQL
import Tables

/// Cells as Kusto's REST answers encode them.
package enum ResultEncoding {
    /// One cell as JSON: 64-bit numbers as numbers, times and durations as text, `dynamic` as JSON or as JSON in a
    /// string.
    package static func append(_ value: Value, _ type: ScalarType, dynamicAsText: Bool, to out: inout [UInt8]) {
        switch (type, value) {
        case (.string, .null): out += "\"\"".utf8
        case (_, .null): out += "null".utf8
        case (.dynamic, .string(let s)): JSONWriter.append(s, to: &out)
        case (.dynamic, .array), (.dynamic, .bag):
            if dynamicAsText {
                JSONWriter.append(JSONWriter.string(value), to: &out)
            } else {
                JSONWriter.append(value, to: &out)
            }
        case (_, .decimal(let d)): JSONWriter.append(d.description, to: &out)
        default: JSONWriter.append(value, to: &out)
        }
    }

    /// `{"columns":[{"name","type"}],"rows":[[…]]}`.
    package static func compact(_ table: ResultTable) throws -> [UInt8] {
        var out: [UInt8] = Array("{\"columns\":[".utf8)
        for (i, c) in table.schema.columns.enumerated() {
            if i > 0 { out.append(44) }
            out += "{\"name\":\(JSONWriter.quoted(c.name)),\"type\":\"\(c.type.name)\"}".utf8
        }
        out += "],\"rows\":[".utf8
        try appendRows(table, dynamicAsText: false, to: &out)
        out += "]}".utf8
        return out
    }

    /// The rows, separated by commas.
    package static func appendRows(_ table: ResultTable, dynamicAsText: Bool, to out: inout [UInt8]) throws {
        let columns = try table.schema.columns.indices.map { try table.batch.column($0) }
        for row in 0..<table.count {
            try Interrupted.check()
            if row > 0 { out.append(44) }
            out.append(91)
            for (c, column) in columns.enumerated() {
                if c > 0 { out.append(44) }
                append(column[row], table.schema[c].type, dynamicAsText: dynamicAsText, to: &out)
            }
            out.append(93)
        }
    }
}
