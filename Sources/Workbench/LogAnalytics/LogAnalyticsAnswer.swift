import Hummingbird
import KQL
import KQLEngine
import Tables

/// A refusal as Log Analytics words it (https://learn.microsoft.com/azure/azure-monitor/logs/api/errors).
struct LogAnalyticsError: Error {
    let status: HTTPResponse.Status
    let body: Value

    init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, inner: (code: String, message: String)? = nil,
        deepest: Value? = nil
    ) {
        self.status = status
        var members: [(String, Value)] = [("message", .string(message)), ("code", .string(code))]
        if let inner {
            var nested: [(String, Value)] = [("code", .string(inner.code)), ("message", .string(inner.message))]
            if let deepest { nested.append(("innererror", deepest)) }
            members.append(("innererror", .bag(Bag(nested))))
        }
        body = .bag(Bag([("error", .bag(Bag(members)))]))
    }

    init(_ error: QueryError) {
        switch error {
        case .invalid(let diagnostic, let text):
            let isSyntax = QueryErrorText.isSyntax(text)
            let (line, column) = diagnostic.position(in: text)
            let hint = diagnostic.suggestion.map { "; did you mean '\($0)'?" } ?? ""
            var deepest: [(String, Value)] = [
                ("code", .string(QueryErrorText.code(diagnostic, isSyntax: isSyntax))),
                ("message", .string(diagnostic.message + hint)),
            ]
            let token = String(
                decoding: Array(text.utf8)[diagnostic.range.clamped(to: 0..<text.utf8.count)].prefix(200), as: UTF8.self
            )
            deepest += [("line", .long(Int64(line))), ("pos", .long(Int64(column))), ("token", .string(token))]
            self.init(
                .badRequest, "BadArgumentError", "The request had some invalid properties",
                inner: isSyntax
                    ? ("SyntaxError", "A recognition error occurred in the query.")
                    : ("SemanticError", "A semantic error occurred."),
                deepest: .bag(Bag(deepest)))
        case .limit(let text) where text.contains("ran longer"):
            self.init(.gatewayTimeout, "GatewayTimeout", text)
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
            let query = Bag([
                ("executionTime", .real(result.duration)),
                (
                    "inputDatasetStatistics",
                    .bag(Bag([("rows", .bag(Bag([("scanned", .long(Int64(result.rowsScanned)))])))]))
                ),
                ("datasetStatistics", .array([.bag(Bag([("tableRowCount", .long(Int64(result.primary.count)))]))])),
            ])
            out += ",\"statistics\":\(JSONWriter.string(.bag(Bag([("query", .bag(query))]))))".utf8
        }
        if asked.wantsRender { out += ",\"render\":\(JSONWriter.string(render(result.render)))".utf8 }
        if let truncation = result.truncation {
            let inner = Bag([
                ("code", .string("\(KustoV2.tooLarge)")), ("message", .string(truncation)), ("severity", .long(2)),
                ("severityName", .string("Error")),
            ])
            let detail = Bag([
                ("code", .string("EngineError")),
                ("message", .string("Something went wrong processing your query on the server.")),
                ("innererror", .bag(inner)),
            ])
            let error = Bag([
                ("code", .string("PartialError")),
                ("message", .string("There were some errors when processing your query.")),
                ("details", .array([.bag(detail)])),
            ])
            out += ",\"error\":\(JSONWriter.string(.bag(error)))".utf8
        }
        out.append(125)
        return out
    }

    /// The same properties as Kusto's, with names that start small.
    private static func render(_ render: RenderSpec?) -> Value {
        guard let bag = Visualization.value(render).bagValue else { return .null }
        return .bag(Bag(zip(bag.keys, bag.values).map { ($0.prefix(1).lowercased() + $0.dropFirst(), $1) }))
    }
}
