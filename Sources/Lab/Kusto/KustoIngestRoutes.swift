import Foundation
import Hummingbird
import Tables

/// Streaming ingestion of a Kusto cluster with one database, `Forensics`, whose tables are those of the lab's streams.
///
/// Source: https://learn.microsoft.com/kusto/api/rest/streaming-ingest.
struct KustoIngestRoutes: Sendable {
    let lab: LabState
    private static let bodyBytesMax = 4 << 20

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/rest/ingest/:database/:table") { request, context in
            guard let header = request.headers[.authorization], header.hasPrefix("Bearer "), let claims = await lab.issuer.read(String(header.dropFirst(7))),
                claims.aud == "https://kusto.kusto.windows.net"
            else { return Reply.json(.null, status: 401) }
            guard context.parameters.get("database") == "Forensics" else { return fail(404, "BadRequest_DatabaseNotExist", "the database does not exist") }
            guard request.uri.queryParameters["streamFormat"]?.lowercased() == "json" else { return fail(400, "BadRequest", "streamFormat must be json") }
            let table = context.parameters.get("table") ?? ""
            guard lab.stream("Custom-\(table)") != nil else { return fail(400, "BadRequest_TableNotExist", "Entity '\(table)' of kind 'Table' was not found.") }
            var bytes = Array(try await request.body.collect(upTo: 64 << 20).readableBytesView)
            if request.headers[.contentEncoding] == "gzip" {
                guard let whole = Deflate.decompress(bytes, sizeMax: 64 << 20) else { return fail(400, "BadRequest", "the body is not gzip") }
                bytes = whole
            }
            guard bytes.count <= Self.bodyBytesMax else { return fail(400, "Stream_InputStreamTooLarge", "the input is larger than 4 MB") }
            var records: [Value] = []
            for line in bytes.split(separator: 10) {
                guard let record = try? JSONReader.parse(Array(line)), case .bag = record else {
                    return fail(400, "BadRequest_NoRecordsOrWrongFormat", "a line is not a JSON object")
                }
                records.append(record)
            }
            lab.keep(ReceivedBatch(stream: "Kusto-\(table)", records: records))
            let row: [Value] = [.long(Int64(records.count)), .string("Skipped"), .string(""), .string("")]
            let columns = ["ConsumedRecordsCount", "UpdatePolicyStatus", "UpdatePolicyFailureCode", "UpdatePolicyFailureReason"].map {
                Value.bag(Bag([("ColumnName", .string($0)), ("ColumnType", .string($0 == "ConsumedRecordsCount" ? "long" : "string"))]))
            }
            let answer = Bag([("TableName", .string("Table_0")), ("Columns", .array(columns)), ("Rows", .array([.array(row)]))])
            return Reply.json(.bag(Bag([("Tables", .array([.bag(answer)]))])))
        }
    }

    private func fail(_ status: Int, _ code: String, _ message: String) -> Response {
        Reply.json(
            .bag(
                Bag([
                    (
                        "error",
                        .bag(Bag([("code", .string(code)), ("message", .string(message)), ("@message", .string(message)), ("@permanent", .bool(true))]))
                    )
                ])), status: status)
    }
}
