import Foundation
import Hummingbird
import KQL
import KQLEngine
import Tables

/// Kusto's REST query, version 1
/// (https://learn.microsoft.com/kusto/api/rest/request, https://learn.microsoft.com/kusto/api/rest/response-http).
struct KustoRoutes: Sendable {
    let state: WorkbenchState
    static let database = "Vestige"
    private static let requestBytesMax = 4 << 20

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/rest/query") { request, _ in try await query(request) }
    }

    private func query(_ request: Request) async throws -> Response {
        let activity = request.headers[HTTPFields.Element.Name("x-ms-client-request-id") ?? .userAgent] ?? UUID().uuidString.lowercased()
        let body = try await request.body.collect(upTo: Self.requestBytesMax)
        guard let bag = (try? JSONReader.parse(Array(body.readableBytesView)))?.bagValue, let text = bag["csl"]?.stringValue else {
            return KustoError.response(
                "BadRequest", "KustoBadRequestException", "The request body needs 'csl', the query, and 'db', the database.", "", activity)
        }
        let database = bag["db"]?.stringValue ?? Self.database
        guard database.lowercased() == Self.database.lowercased() else {
            return KustoError.response(
                "BadRequest_DatabaseNotExist", "DatabaseNotFoundException",
                "Entity '\(database)' of kind 'Database' was not found; this server has '\(Self.database)'.", text, activity)
        }
        var options = QueryOptions()
        Self.apply(bag["properties"], to: &options)
        do {
            let result = try Engine(provider: try state.provider()).run(text, options: options)
            return Answer.bytes(try KustoV1.encode(result, activity: activity), type: "application/json; charset=utf-8", headers: Self.headers(activity))
        } catch let error as QueryError {
            return KustoError.response(error, text, activity)
        }
    }

    static func headers(_ activity: String) -> HTTPFields {
        var fields = HTTPFields()
        if let name = HTTPFields.Element.Name("x-ms-client-request-id") { fields[name] = activity }
        if let name = HTTPFields.Element.Name("x-ms-activity-id") { fields[name] = UUID().uuidString.lowercased() }
        return fields
    }

    /// Request properties come as an object, or as JSON in a string.
    private static func apply(_ properties: Value?, to options: inout QueryOptions) {
        var value = properties ?? .null
        if case .string(let text) = value { value = (try? JSONReader.parse(text)) ?? .null }
        guard let bag = value.bagValue else { return }
        if let parameters = bag["Parameters"]?.bagValue {
            for (name, value) in zip(parameters.keys, parameters.values) { options.parameters[name] = value }
        }
        guard let set = bag["Options"]?.bagValue else { return }
        if set["notruncation"]?.boolValue == true { options.rowCountMax = nil }
        if let rows = set["truncationmaxrecords"]?.longValue { options.rowCountMax = Int(rows) }
        if let time = set["servertimeout"]?.stringValue.flatMap({ TimeSpan.parse($0) }) {
            options.durationMax = min(3_600, Double(time) / Double(DateTime.ticksPerSecond))
        }
    }
}

/// Kusto's error body, with what its clients read: `@message`, `@permanent` and the `Semantic error:` prefix.
enum KustoError {
    static func response(_ error: QueryError, _ query: String, _ activity: String) -> Response {
        switch error {
        case .invalid(let diagnostic, let text):
            let (line, column) = diagnostic.position(in: text)
            let isSyntax = (try? Parser.parse(text)) == nil
            let kind = isSyntax ? "Syntax error" : "Semantic error"
            return response(
                isSyntax ? "BadRequest_SyntaxError" : "General_BadRequest", isSyntax ? "SyntaxException" : "SemanticException",
                "\(kind): \(diagnostic.code): \(diagnostic.message) [line:position=\(line):\(column)]", query, activity)
        case .limit(let text): return response("LimitsExceeded", "KustoQueryRunawayException", text, query, activity)
        default: return response("General_BadRequest", "KustoBadRequestException", error.message, query, activity)
        }
    }

    static func response(_ code: String, _ type: String, _ message: String, _ query: String, _ activity: String) -> Response {
        let context = Bag([
            ("timestamp", .datetime(SystemClock.now())), ("serviceAlias", .string("VESTIGE")), ("clientRequestId", .string(activity)),
            ("activityId", .string(UUID().uuidString.lowercased())),
        ])
        let inner = Bag([
            ("code", .string(code)), ("message", .string("Request is invalid and cannot be executed.")), ("@type", .string("Kusto.Data.Exceptions.\(type)")),
            ("@message", .string(message)), ("@context", .bag(context)), ("@permanent", .bool(true)), ("@text", .string(query)),
            ("@database", .string(KustoRoutes.database)),
        ])
        var bytes: [UInt8] = []
        JSONWriter.append(.bag(Bag([("error", .bag(inner))])), to: &bytes)
        return Answer.bytes(bytes, type: "application/json; charset=utf-8", status: .badRequest, headers: KustoRoutes.headers(activity))
    }
}

/// A result as Kusto's version 1 frames it: the results, properties, status, and a table of contents.
enum KustoV1 {
    static func encode(_ result: QueryResult, activity: String) throws -> [UInt8] {
        var out: [UInt8] = Array("{\"Tables\":[".utf8)
        for (i, table) in result.tables.enumerated() {
            out += "{\"TableName\":\"Table_\(i)\",\"Columns\":[".utf8
            for (c, column) in table.schema.columns.enumerated() {
                if c > 0 { out.append(44) }
                out +=
                    "{\"ColumnName\":\(JSONWriter.quoted(column.name)),\"DataType\":\"\(column.type.dotNetName)\",\"ColumnType\":\"\(column.type.name)\"}".utf8
            }
            out += "],\"Rows\":[".utf8
            try ResultEncoding.appendRows(table, dynamicAsText: true, to: &out)
            out += "]},".utf8
        }
        let n = result.tables.count
        let visualization = result.render?.kind
        let properties = "{\"Visualization\":\(visualization.map { JSONWriter.quoted($0) } ?? "null")}"
        out += table(n, [("Value", "String", "string")], [[.string(properties)]])
        let now = Value.datetime(SystemClock.now())
        let request = Value.string(UUID().uuidString.lowercased())
        func status(_ severity: Int64, _ name: String, _ text: String) -> [Value] {
            [now, .long(severity), .string(name), .long(0), .string(text), .long(1), request, request, request, .string(activity)]
        }
        out.append(44)
        out += table(
            n + 1,
            [
                ("Timestamp", "DateTime", "datetime"), ("Severity", "Int32", "int"), ("SeverityName", "String", "string"), ("StatusCode", "Int32", "int"),
                ("StatusDescription", "String", "string"), ("Count", "Int32", "int"), ("RequestId", "Guid", "guid"), ("ActivityId", "Guid", "guid"),
                ("SubActivityId", "Guid", "guid"), ("ClientActivityId", "String", "string"),
            ],
            [
                status(4, "Info", "Query completed successfully"),
                status(
                    6, "Stats", "{\"ExecutionTime\":\(RealText.format(result.duration)),\"dataset_statistics\":[{\"table_row_count\":\(result.primary.count)}]}"
                ),
            ])
        var contents: [[Value]] = []
        for i in 0..<n {
            contents.append([.long(Int64(i)), .string("QueryResult"), .string(i == 0 ? "PrimaryResult" : result.tables[i].name), request, .string("")])
        }
        contents.append([.long(Int64(n)), .string("QueryProperties"), .string("@ExtendedProperties"), request, .string("")])
        contents.append([.long(Int64(n + 1)), .string("QueryStatus"), .string("QueryStatus"), request, .string("")])
        out.append(44)
        out += table(
            n + 2,
            [
                ("Ordinal", "Int64", "long"), ("Kind", "String", "string"), ("Name", "String", "string"), ("Id", "String", "string"),
                ("PrettyName", "String", "string"),
            ],
            contents)
        out += "]}".utf8
        return out
    }

    private static func table(_ i: Int, _ columns: [(String, String, String)], _ rows: [[Value]]) -> [UInt8] {
        let heads = columns.map { "{\"ColumnName\":\"\($0.0)\",\"DataType\":\"\($0.1)\",\"ColumnType\":\"\($0.2)\"}" }
        var out: [UInt8] = Array("{\"TableName\":\"Table_\(i)\",\"Columns\":[\(heads.joined(separator: ","))],\"Rows\":".utf8)
        JSONWriter.append(.array(rows.map { .array($0) }), to: &out)
        out.append(125)
        return out
    }
}
