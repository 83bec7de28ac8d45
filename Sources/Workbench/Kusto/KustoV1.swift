import Foundation
import KQLEngine
import Tables

/// A result as Kusto's version 1 frames it: the results, properties, status, and a table of contents
/// (https://learn.microsoft.com/kusto/api/rest/response-http).
enum KustoV1 {
    /// The answer of a command: its table alone.
    static func encodeCommand(_ result: QueryResult) throws -> [UInt8] {
        var out: [UInt8] = Array("{\"Tables\":[".utf8)
        for (i, table) in result.tables.enumerated() {
            if i > 0 { out.append(44) }
            try append(table, i, nil, to: &out)
        }
        out += "]}".utf8
        return out
    }

    static func encode(_ result: QueryResult, activity: String) throws -> [UInt8] {
        var out: [UInt8] = Array("{\"Tables\":[".utf8)
        let n = result.tables.count
        for (i, table) in result.tables.enumerated() {
            try append(table, i, i == n - 1 ? result.truncation : nil, to: &out)
            out.append(44)
        }
        out += table(n, [("Value", "String", "string")], [[.string(Visualization.json(result.render))]])
        let now = Value.datetime(SystemClock.now())
        let request = Value.string(UUID().uuidString.lowercased())
        func status(_ severity: Int64, _ name: String, _ code: Int64, _ text: String) -> [Value] {
            [
                now, .long(severity), .string(name), .long(code), .string(text), .long(1), request, request, request,
                .string(activity),
            ]
        }
        let end =
            result.truncation.map { status(2, "Error", KustoV2.tooLarge, $0) }
            ?? status(4, "Info", 0, "Query completed successfully")
        let statistics =
            "{\"ExecutionTime\":\(RealText.format(result.duration)),\"dataset_statistics\":[{\"table_row_count\":\(result.primary.count)}]}"
        out.append(44)
        out += table(
            n + 1,
            [
                ("Timestamp", "DateTime", "datetime"), ("Severity", "Int32", "int"),
                ("SeverityName", "String", "string"), ("StatusCode", "Int32", "int"),
                ("StatusDescription", "String", "string"), ("Count", "Int32", "int"), ("RequestId", "Guid", "guid"),
                ("ActivityId", "Guid", "guid"),
                ("SubActivityId", "Guid", "guid"), ("ClientActivityId", "String", "string"),
            ], [end, status(6, "Stats", 0, statistics)])
        var contents: [[Value]] = []
        for i in 0..<n {
            contents.append([
                .long(Int64(i)), .string("QueryResult"), .string(i == 0 ? "PrimaryResult" : result.tables[i].name),
                request, .string(""),
            ])
        }
        contents.append([
            .long(Int64(n)), .string("QueryProperties"), .string("@ExtendedProperties"), request, .string(""),
        ])
        contents.append([.long(Int64(n + 1)), .string("QueryStatus"), .string("QueryStatus"), request, .string("")])
        out.append(44)
        out += table(
            n + 2,
            [
                ("Ordinal", "Int64", "long"), ("Kind", "String", "string"), ("Name", "String", "string"),
                ("Id", "String", "string"),
                ("PrettyName", "String", "string"),
            ], contents)
        out.append(93)
        if let truncation = result.truncation { out += ",\"Exceptions\":[\(JSONWriter.quoted(truncation))]".utf8 }
        out.append(125)
        return out
    }

    private static func append(_ table: ResultTable, _ i: Int, _ truncation: String?, to out: inout [UInt8]) throws {
        out += "{\"TableName\":\"Table_\(i)\",\"Columns\":[".utf8
        for (c, column) in table.schema.columns.enumerated() {
            if c > 0 { out.append(44) }
            out +=
                "{\"ColumnName\":\(JSONWriter.quoted(column.name)),\"DataType\":\"\(column.type.dotNetName)\",\"ColumnType\":\"\(column.type.name)\"}"
                .utf8
        }
        out += "],\"Rows\":[".utf8
        try ResultEncoding.appendRows(table, dynamicAsText: true, to: &out)
        if let truncation {
            if table.count > 0 { out.append(44) }
            out += "{\"Exceptions\":[\(JSONWriter.quoted(truncation))]}".utf8
        }
        out += "]}".utf8
    }

    private static func table(_ i: Int, _ columns: [(String, String, String)], _ rows: [[Value]]) -> [UInt8] {
        let heads = columns.map { "{\"ColumnName\":\"\($0.0)\",\"DataType\":\"\($0.1)\",\"ColumnType\":\"\($0.2)\"}" }
        var out: [UInt8] = Array(
            "{\"TableName\":\"Table_\(i)\",\"Columns\":[\(heads.joined(separator: ","))],\"Rows\":".utf8)
        JSONWriter.append(.array(rows.map { .array($0) }), to: &out)
        out.append(125)
        return out
    }
}
