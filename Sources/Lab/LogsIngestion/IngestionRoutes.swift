import Foundation
import Hummingbird
import Tables

/// What a call may hold: the documented 1 MB, before compression and on the wire, unless a test lowers it.
struct CallLimits: Sendable {
    var bytes = 1_048_576
    var records = Int.max
}

/// The Logs Ingestion API over the data collection rules that were declared, as strict as the service's pages say
/// (https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview).
struct IngestionRoutes: Sendable {
    let lab: LabState
    /// Longer values are cut, wherever that is.
    static let fieldBytesMax = 65_536
    private static let versions: Set<String> = ["2023-01-01", "2021-11-01-preview"]

    func add(to router: Router<BasicRequestContext>) {
        router.post("/dataCollectionRules/:rule/streams/:stream") { request, context in
            try await upload(
                request, rule: context.parameters.get("rule") ?? "", stream: context.parameters.get("stream") ?? "")
        }
        router.get(
            "/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Insights/dataCollectionRules/:name"
        ) { request, context in
            await rule(request, context.parameters.get("name") ?? "")
        }
    }

    private func isSigned(_ request: Request, for audience: String) async -> Bool {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7)))
        else { return false }
        return claims.aud == audience
    }

    private func rule(_ request: Request, _ name: String) async -> Response {
        guard await isSigned(request, for: "https://management.azure.com") else {
            return fail(401, "AuthenticationFailed", "Authentication failed.")
        }
        guard request.uri.queryParameters["api-version"] != nil else {
            return fail(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required.")
        }
        guard let rule = lab.rule(named: name) else {
            return fail(
                404, "ResourceNotFound", "The Resource 'Microsoft.Insights/dataCollectionRules/\(name)' was not found.")
        }
        return Reply.json(Value(rule.resource(endpoint: "http://\(request.head.authority ?? "127.0.0.1")")))
    }

    private func fail(_ status: Int, _ code: String, _ message: String) -> Response {
        let body: JSON = ["error": ["code": .string(code), "message": .string(message)]]
        return Reply.json(
            Value(body), status: status,
            headers: [("ms-error-code", code), ("x-ms-request-id", UUID().uuidString.lowercased())])
    }

    private func upload(_ request: Request, rule: String, stream: String) async throws -> Response {
        guard await isSigned(request, for: "https://monitor.azure.com") else {
            return fail(401, "InvalidToken", "The access token is missing, expired or for another audience.")
        }
        guard let version = request.uri.queryParameters["api-version"], Self.versions.contains(String(version)) else {
            return fail(400, "InvalidApiVersion", "The api-version is missing or not known.")
        }
        guard let rule = lab.rule(id: rule) else {
            return fail(404, "NotFound", "Data collection rule with immutable Id '\(rule)' not found.")
        }
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            return fail(400, "InvalidRequestBody", "Content-Type must be application/json.")
        }
        guard let declared = rule.streams[stream] else {
            return fail(
                400, "InvalidStream", "The stream '\(stream)' is not declared in the data collection rule.")
        }
        let limits = lab.callLimits
        let buffer = try await request.body.collect(upTo: 64 << 20)
        guard buffer.readableBytes <= limits.bytes else { return tooLarge(buffer.readableBytes) }
        var bytes = Array(buffer.readableBytesView)
        switch request.headers[.contentEncoding]?.lowercased() {
        case nil, "identity": break
        case "gzip":
            guard let inflated = Deflate.decompress(bytes, sizeMax: 50 << 20) else {
                return fail(400, "InvalidRequestBody", "The body is not gzip, or it inflates beyond 50 MiB.")
            }
            bytes = inflated
        case let other?: return fail(415, "UnsupportedMediaType", "The encoding '\(other)' is not taken.")
        }
        let parsed = (try? JSONReader.parse(bytes))?.arrayValue
        // Microsoft's own clients count the records, and not the comma and the space between them.
        let separators = 2 * max(0, (parsed?.count ?? 0) - 1)
        guard bytes.count - separators <= limits.bytes else { return tooLarge(bytes.count) }
        guard let records = parsed else {
            return fail(400, "InvalidRequestBody", "The body is not a JSON array.")
        }
        guard records.count <= limits.records else { return tooLarge(bytes.count) }
        if let poison = lab.poison, records.contains(where: { $0.bagValue?.values.contains(.string(poison)) == true }) {
            return fail(400, "InvalidRequestBody", "A record of the body could not be processed.")
        }
        var kept: [Value] = []
        for record in records {
            guard case .bag(let bag) = record else {
                return fail(400, "InvalidRequestBody", "Every record must be an object.")
            }
            kept.append(.bag(stored(bag, declared)))
        }
        lab.keep(ReceivedBatch(stream: stream, records: kept))
        return Response(status: .noContent, headers: [.init("x-ms-request-id")!: UUID().uuidString.lowercased()])
    }

    private func tooLarge(_ size: Int) -> Response {
        fail(
            413, "ContentLengthLimitExceeded",
            "Maximum allowed content length: \(lab.callLimits.bytes) bytes. Provided content length: \(size) bytes.")
    }

    /// A record as the table has it: columns that the stream does not declare are dropped without a word.
    private func stored(_ record: Bag, _ declared: [String: String]) -> Bag {
        var out = Bag()
        for (name, value) in zip(record.keys, record.values) {
            guard let type = declared[name] else { continue }
            out[name] = Self.coerce(value, type)
        }
        if case .string(let text)? = out["TimeGenerated"] {
            let time = DateTime.parse(text) ?? 0
            let now = lab.world.clock.now
            if time < now - 2 * DateTime.ticksPerDay || time > now + DateTime.ticksPerDay {
                out["TimeGenerated"] = .string(DateTime.format(now))
            }
        }
        return out
    }

    /// A value of another type is null, a long one is cut where the limit happens to be.
    private static func coerce(_ value: Value, _ type: String) -> Value {
        switch type {
        case "string": return value.isNull ? .string("") : .string(cut(value.text))
        case "dynamic":
            let text = value.text
            return text.utf8.count > fieldBytesMax ? .string(cut(text)) : value
        case "datetime": return DateTime.parse(value.text).map { .string(DateTime.format($0)) } ?? .null
        case "boolean": return value.converted(to: .bool)
        case "real": return value.converted(to: .real)
        case "int": return value.converted(to: .int)
        case "long": return value.converted(to: .long)
        default: return .null
        }
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count > fieldBytesMax
            ? String(decoding: text.utf8.prefix(fieldBytesMax), as: UTF8.self) : text
    }
}
