import Foundation
import KQLEngine
import Tables

/// A result as frames of version 2 (https://learn.microsoft.com/kusto/api/rest/response-http-v2).
struct KustoV2 {
    /// `E_QUERY_RESULT_SET_TOO_LARGE`.
    static let tooLarge: Int64 = -2_133_196_797
    /// Rows of one fragment.
    private static let fragmentRows = 8_192

    private let result: QueryResult
    private let asked: KustoRequest
    private var out: [UInt8] = [91]
    private var isFirst = true

    init(_ result: QueryResult, _ asked: KustoRequest) {
        self.result = result
        self.asked = asked
    }

    private var framing: KustoFraming { asked.framing }
    private var usesFragments: Bool { framing.isFragmented || framing.isProgressive }

    /// The whole answer.
    func encode() throws -> [UInt8] {
        var encoder = self
        try encoder.write()
        return encoder.out
    }

    private mutating func write() throws {
        frame(
            "\"FrameType\":\"DataSetHeader\",\"IsProgressive\":\(framing.isProgressive),\"Version\":\"v2.0\",\"IsFragmented\":\(usesFragments),\"ErrorReportingPlacement\":\"\(framing.errors.rawValue)\""
        )
        table(
            0, "QueryProperties", "@ExtendedProperties", [("TableId", "int"), ("Key", "string"), ("Value", "dynamic")],
            properties)
        for (i, one) in result.tables.enumerated() {
            let isCut = i == result.tables.count - 1 && result.truncation != nil
            try primary(one, i + 1, isCut: isCut)
        }
        table(
            result.tables.count + 1, "QueryCompletionInformation", "QueryCompletionInformation", Self.completionColumns,
            completion)
        let failed = result.truncation != nil && !framing.defersFailures
        frame(
            "\"FrameType\":\"DataSetCompletion\",\"HasErrors\":\(failed),\"Cancelled\":false\(failed ? errors() : "")")
        if framing.hasNewlines { out.append(10) }
        out.append(93)
    }

    // MARK: Frames

    private mutating func open() {
        if !isFirst {
            if framing.hasNewlines { out.append(10) }
            out.append(44)
        }
        isFirst = false
        out.append(123)
    }

    private mutating func frame(_ members: String) {
        open()
        out += members.utf8
        out.append(125)
    }

    private mutating func table(
        _ id: Int, _ kind: String, _ name: String, _ columns: [(String, String)], _ rows: [[Value]]
    ) {
        open()
        let heads = columns.map { "{\"ColumnName\":\"\($0.0)\",\"ColumnType\":\"\($0.1)\"}" }.joined(separator: ",")
        out +=
            "\"FrameType\":\"DataTable\",\"TableId\":\(id),\"TableKind\":\"\(kind)\",\"TableName\":\"\(name)\",\"Columns\":[\(heads)],\"Rows\":"
            .utf8
        JSONWriter.append(.array(rows.map { .array($0) }), to: &out)
        out.append(125)
    }

    private mutating func primary(_ table: ResultTable, _ id: Int, isCut: Bool) throws {
        let heads = table.schema.columns.map {
            "{\"ColumnName\":\(JSONWriter.quoted($0.name)),\"ColumnType\":\"\($0.type.name)\"}"
        }.joined(separator: ",")
        let name = JSONWriter.quoted(table.name)
        let inRow = isCut && framing.errors == .inData && !framing.defersFailures
        guard usesFragments else {
            open()
            out +=
                "\"FrameType\":\"DataTable\",\"TableId\":\(id),\"TableKind\":\"PrimaryResult\",\"TableName\":\(name),\"Columns\":[\(heads)],\"Rows\":["
                .utf8
            try ResultEncoding.appendRows(table, dynamicAsText: false, to: &out)
            if inRow { rowError(after: table.count) }
            out += "]}".utf8
            return
        }
        frame(
            "\"FrameType\":\"TableHeader\",\"TableId\":\(id),\"TableKind\":\"PrimaryResult\",\"TableName\":\(name),\"Columns\":[\(heads)]"
        )
        var from = 0
        repeat {
            let to = min(table.count, from + Self.fragmentRows)
            open()
            out +=
                "\"FrameType\":\"TableFragment\",\"TableFragmentType\":\"DataAppend\",\"TableId\":\(id),\"Rows\":[".utf8
            try ResultEncoding.appendRows(
                ResultTable(name: table.name, batch: table.batch.slice(from..<to)), dynamicAsText: false, to: &out)
            if inRow, to == table.count { rowError(after: to - from) }
            out += "]}".utf8
            from = to
            if framing.isProgressive {
                let percent = table.count == 0 ? 100 : Double(to) * 100 / Double(table.count)
                frame("\"FrameType\":\"TableProgress\",\"TableId\":\(id),\"TableProgress\":\(RealText.format(percent))")
            }
        } while from < table.count
        let failure = isCut && framing.errors == .endOfTable && !framing.defersFailures ? errors() : ""
        frame("\"FrameType\":\"TableCompletion\",\"TableId\":\(id),\"RowCount\":\(table.count)\(failure)")
    }

    private mutating func rowError(after rows: Int) {
        if rows > 0 { out.append(44) }
        out.append(123)
        out += errors().utf8.dropFirst()
        out.append(125)
    }

    private func errors() -> String {
        guard let truncation = result.truncation else { preconditionFailure("a whole result tells of no cut") }
        return ",\"OneApiErrors\":[\(KustoError.truncation(truncation, asked).text)]"
    }

    // MARK: Tables about the query

    private var properties: [[Value]] {
        (1...result.tables.count).map {
            [.long(Int64($0)), .string("Visualization"), .string(Visualization.json(result.render))]
        }
    }

    private static let completionColumns = [
        ("Timestamp", "datetime"), ("ClientRequestId", "string"), ("ActivityId", "guid"), ("SubActivityId", "guid"),
        ("ParentActivityId", "guid"),
        ("Level", "int"), ("LevelName", "string"), ("StatusCode", "int"), ("StatusCodeName", "string"),
        ("EventType", "int"), ("EventTypeName", "string"),
        ("Payload", "string"),
    ]

    private var completion: [[Value]] {
        let now = Value.datetime(SystemClock.now())
        let id = Value.string(UUID().uuidString.lowercased())
        func row(
            _ level: Int64, _ name: String, _ status: Int64, _ statusName: String, _ event: Int64, _ eventName: String,
            _ payload: JSON
        ) -> [Value] {
            [
                now, .string(asked.activity), id, id, id, .long(level), .string(name), .long(status),
                .string(statusName), .long(event), .string(eventName),
                .string(payload.text),
            ]
        }
        let end: [Value]
        if let truncation = result.truncation {
            end = row(
                2, "Error", Self.tooLarge,
                "Query result set too large (E_QUERY_RESULT_SET_TOO_LARGE). (\(Self.tooLarge))", 1,
                "QueryLimitsExceeded",
                ["Count": 1, "Text": .string(truncation)])
        } else {
            end = row(
                4, "Info", 0, "S_OK (0)", 4, "QueryInfo",
                ["Count": 1, "Text": "Query completed successfully"])
        }
        let sizes: [JSON] = result.tables.map {
            [
                "table_row_count": .integer(Int64($0.count)),
                "table_size": .integer(Int64((try? $0.batch.byteCount()) ?? 0)),
            ]
        }
        let consumption: JSON = [
            "ExecutionTime": .number(result.duration),
            "input_dataset_statistics": ["rows": ["scanned": .integer(Int64(result.rowsScanned))]],
            "dataset_statistics": .array(sizes),
        ]
        return [end, row(6, "Stats", 0, "S_OK (0)", 0, "QueryResourceConsumption", consumption)]
    }
}
