import Hummingbird
import KQL
import KQLEngine
import Tables

/// A refusal as Log Analytics words it (https://learn.microsoft.com/azure/azure-monitor/logs/api/errors).
struct LogAnalyticsError: Error {
    let status: HTTPResponse.Status
    let body: JSON

    init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, inner: (code: String, message: String)? = nil,
        deepest: JSON? = nil
    ) {
        self.status = status
        var error: JSON.Members = ["message": .string(message), "code": .string(code)]
        if let inner {
            var nested: JSON.Members = ["code": .string(inner.code), "message": .string(inner.message)]
            nested["innererror"] = deepest
            error["innererror"] = .object(nested)
        }
        body = ["error": .object(error)]
    }

    init(_ error: QueryError) {
        switch error {
        case .invalid(let diagnostic, let text):
            let isSyntax = QueryErrorText.isSyntax(text)
            let (line, column) = diagnostic.position(in: text)
            let hint = diagnostic.suggestion.map { "; did you mean '\($0)'?" } ?? ""
            let token = String(
                decoding: Array(text.utf8)[diagnostic.range.clamped(to: 0..<text.utf8.count)].prefix(200), as: UTF8.self
            )
            let deepest: JSON = [
                "code": .string(QueryErrorText.code(diagnostic, isSyntax: isSyntax)),
                "message": .string(diagnostic.message + hint), "line": .integer(Int64(line)),
                "pos": .integer(Int64(column)), "token": .string(token),
            ]
            self.init(
                .badRequest, "BadArgumentError", "The request had some invalid properties",
                inner: isSyntax
                    ? ("SyntaxError", "A recognition error occurred in the query.")
                    : ("SemanticError", "A semantic error occurred."),
                deepest: deepest)
        case .limit(let text, .time): self.init(.gatewayTimeout, "GatewayTimeout", text)
        case .limit(let text, .busy): self.init(.tooManyRequests, "ThrottledError", text)
        case .limit(let text, .shutdown): self.init(.serviceUnavailable, "ServiceUnavailable", text)
        default:
            self.init(
                .badRequest, "BadArgumentError", "The request had some invalid properties",
                inner: ("QueryExecutionError", error.message))
        }
    }
}

/// A result as Log Analytics gives it (https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format).
enum LogAnalyticsAnswer {
    static func encode(_ result: QueryResult, _ asked: LogAnalyticsRequest) throws -> [UInt8] {
        var out: [UInt8] = Array("{\"tables\":[".utf8)
        for (i, table) in result.tables.enumerated() {
            if i > 0 { out.append(44) }
            out += "{\"name\":\(JSONWriter.quoted(i == 0 ? "PrimaryResult" : table.name)),\"columns\":[".utf8
            for (c, column) in table.schema.columns.enumerated() {
                if c > 0 { out.append(44) }
                out += "{\"name\":\(JSONWriter.quoted(column.name)),\"type\":\"\(column.type.name)\"}".utf8
            }
            out += "],\"rows\":[".utf8
            try ResultEncoding.appendRows(table, dynamicAsText: true, to: &out)
            out += "]}".utf8
        }
        out.append(93)
        if asked.wantsStatistics {
            let statistics: JSON = [
                "query": [
                    "executionTime": .number(result.duration),
                    "inputDatasetStatistics": ["rows": ["scanned": .integer(Int64(result.rowsScanned))]],
                    "datasetStatistics": [["tableRowCount": .integer(Int64(result.primary.count))]],
                ]
            ]
            out += ",\"statistics\":\(statistics.text)".utf8
        }
        if asked.wantsRender { out += ",\"render\":\(render(result.render).text)".utf8 }
        if let truncation = result.truncation {
            let error: JSON = [
                "code": "PartialError", "message": "There were some errors when processing your query.",
                "details": [
                    [
                        "code": "EngineError",
                        "message": "Something went wrong processing your query on the server.",
                        "innererror": [
                            "code": "\(KustoV2.tooLarge)", "message": .string(truncation), "severity": 2,
                            "severityName": "Error",
                        ],
                    ]
                ],
            ]
            out += ",\"error\":\(error.text)".utf8
        }
        out.append(125)
        return out
    }

    /// The same properties as Kusto's, with names that start small.
    private static func render(_ render: RenderSpec?) -> JSON {
        let members = Visualization.members(render)
        return .object(
            JSON.Members(zip(members.names, members.values).map { ($0.prefix(1).lowercased() + $0.dropFirst(), $1) }))
    }
}
