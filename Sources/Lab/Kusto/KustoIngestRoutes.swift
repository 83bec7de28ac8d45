import Foundation
import Hummingbird
import Tables

/// Streaming ingestion of a Kusto cluster with one database, `Forensics`, whose tables are declared like the rules'
/// streams.
///
/// Source: https://learn.microsoft.com/kusto/api/rest/streaming-ingest.
struct KustoIngestRoutes: Sendable {
    let lab: LabState
    private static let bodyBytesMax = 4 << 20

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/rest/ingest/:database/:table") { request, context in
            guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
                let claims = await lab.issuer.read(String(header.dropFirst(7))),
                claims.aud == "https://kusto.kusto.windows.net"
            else { return Reply.json(.null, status: 401) }
            guard context.parameters.get("database") == "Forensics" else {
                return fail(404, "BadRequest_DatabaseNotExist", "the database does not exist")
            }
            guard request.uri.queryParameters["streamFormat"]?.lowercased() == "json" else {
                return fail(400, "BadRequest", "streamFormat must be json")
            }
            let table = context.parameters.get("table") ?? ""
            guard lab.hasClusterTable(table) else {
                return fail(400, "BadRequest_TableNotExist", "Entity '\(table)' of kind 'Table' was not found.")
            }
            var bytes = Array(try await request.body.collect(upTo: 64 << 20).readableBytesView)
            if request.headers[.contentEncoding] == "gzip" {
                guard let whole = Deflate.decompress(bytes, sizeMax: 64 << 20) else {
                    return fail(400, "BadRequest", "the body is not gzip")
                }
                bytes = whole
            }
            guard bytes.count <= Self.bodyBytesMax else {
                return fail(400, "Stream_InputStreamTooLarge", "the input is larger than 4 MB")
            }
            var records: [Value] = []
            for line in bytes.split(separator: 10) {
                guard let record = try? JSONReader.parse(Array(line)), case .bag = record else {
                    return fail(400, "BadRequest_NoRecordsOrWrongFormat", "a line is not a JSON object")
                }
                records.append(record)
            }
            lab.keep(ReceivedBatch(stream: "Kusto-\(table)", records: records))
            let row: [JSON] = [.integer(Int64(records.count)), "Skipped", "", ""]
            let columns = [
                "ConsumedRecordsCount", "UpdatePolicyStatus", "UpdatePolicyFailureCode", "UpdatePolicyFailureReason",
            ].map { column -> JSON in
                [
                    "ColumnName": .string(column),
                    "ColumnType": .string(column == "ConsumedRecordsCount" ? "long" : "string"),
                ]
            }
            let answer: JSON = ["TableName": "Table_0", "Columns": .array(columns), "Rows": [.array(row)]]
            return Reply.json(["Tables": [answer]])
        }
    }

    // MARK: Queued

    /// The ingestion endpoint's two commands, its storage and its queue. What is queued is ingested at once.
    func addQueue(to router: Router<BasicRequestContext>, scheme: String) {
        router.post("/v1/rest/mgmt") { request, _ in
            guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
                let claims = await lab.issuer.read(String(header.dropFirst(7))),
                claims.aud == "https://kusto.kusto.windows.net"
            else { return Reply.json(.null, status: 401) }
            let body = try await request.body.collect(upTo: 1 << 20)
            let base = "\(scheme)://\(request.head.authority ?? "")"
            switch (try? JSONReader.parse(Array(body.readableBytesView)))?.bagValue?["csl"]?.text {
            case ".get ingestion resources":
                let kinds = [
                    ("TempStorage", "kusto-temp"), ("SecuredReadyForAggregationQueue", "kusto-queue"),
                    ("FailedIngestionsQueue", "kusto-failed"),
                    ("SuccessfulIngestionsQueue", "kusto-done"), ("IngestionsStatusTable", "kusto-status"),
                ]
                return table(
                    ["ResourceTypeName", "StorageRoot"],
                    kinds.map { [$0.0, "\(base)/\($0.1)?sv=2022-11-02&sig=\(Self.signature)"] })
            case ".get kusto identity token": return table(["AuthorizationContext"], [[Self.context]])
            default: return fail(400, "BadRequest", "the command is not one of this endpoint's")
            }
        }
        router.put("/kusto-temp/:blob") { request, context in
            guard isSigned(request), request.headers[.authorization] == nil else {
                return Reply.raw([], status: 403, type: "application/xml")
            }
            let bytes = Array(try await request.body.collect(upTo: 256 << 20).readableBytesView)
            lab.keep(blob: context.parameters.get("blob") ?? "", bytes)
            return Reply.raw([], status: 201, type: "application/xml")
        }
        router.post("/kusto-queue/messages") { request, _ in
            guard isSigned(request), request.headers[.authorization] == nil else {
                return Reply.raw([], status: 403, type: "application/xml")
            }
            let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
            guard let start = body.firstRange(of: "<MessageText>"), let end = body.firstRange(of: "</MessageText>"),
                let data = Data(base64Encoded: String(body[start.upperBound..<end.lowerBound])),
                let message = (try? JSONReader.parse([UInt8](data)))?.bagValue
            else { return Reply.raw([], status: 400, type: "application/xml") }
            ingest(message)
            return Reply.raw([], status: 201, type: "application/xml")
        }
    }

    private static let signature = "lab-storage"
    private static let context = "lab-identity-context"

    private func isSigned(_ request: Request) -> Bool {
        request.uri.queryParameters["sig"].map(String.init) == Self.signature
    }

    /// Ingests a queued file, unless its tag is there already. What is wrong with it shows in the failed queue only, as in
    /// a cluster.
    private func ingest(_ message: Bag) {
        let properties = message["AdditionalProperties"]?.bagValue
        let name = String((message["BlobPath"]?.text ?? "").prefix { $0 != "?" }.split(separator: "/").last ?? "")
        let tags =
            (try? JSONReader.parse(properties?["ingestIfNotExists"]?.text ?? "[]"))?.arrayValue?.map(\.text) ?? []
        guard properties?["authorizationContext"]?.text == Self.context, properties?["format"]?.text == "json",
            message["DatabaseName"]?.text == "Forensics",
            let table = message["TableName"]?.stringValue, lab.hasClusterTable(table),
            let packed = lab.blob(name),
            let bytes = Deflate.decompress(packed, sizeMax: 1 << 30),
            bytes.count == Int(message["RawDataSize"]?.longValue ?? -1)
        else { return }
        guard tags.allSatisfy({ lab.isNew(tag: "\(table)/\($0)") }) else { return }
        let records = bytes.split(separator: 10).compactMap { try? JSONReader.parse(Array($0)) }
        lab.keep(ReceivedBatch(stream: "Kusto-\(table)", records: records))
    }

    private func table(_ columns: [String], _ rows: [[String]]) -> Response {
        let answer: JSON = [
            "TableName": "Table_0",
            "Columns": .array(
                columns.map { column -> JSON in
                    ["ColumnName": .string(column), "DataType": "String", "ColumnType": "string"]
                }), "Rows": .array(rows.map { .array($0.map { .string($0) }) }),
        ]
        return Reply.json(["Tables": [answer]])
    }

    private func fail(_ status: Int, _ code: String, _ message: String) -> Response {
        Reply.json(
            [
                "error": [
                    "code": .string(code), "message": .string(message), "@message": .string(message),
                    "@permanent": true,
                ]
            ], status: status)
    }
}
