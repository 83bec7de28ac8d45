import Foundation
import Hummingbird
import Tables

/// The Logs Ingestion API: one data collection rule whose streams are declared through `/lab/dcr`.
struct IngestionRoutes: Sendable {
    let lab: LabState
    /// The service compares the bytes on the wire with this.
    static let bodyBytesMax = 1_048_576

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

    /// The rule as Azure Resource Manager shows it.
    private func rule(_ request: Request, _ name: String) async -> Response {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7))),
            claims.aud == "https://management.azure.com"
        else { return fail(401, "AuthenticationFailed", "Authentication failed.") }
        guard name == "lab-rule" else {
            return fail(
                404, "ResourceNotFound", "The Resource 'Microsoft.Insights/dataCollectionRules/\(name)' was not found.")
        }
        let streams = lab.streams.sorted { $0.key < $1.key }.map { stream, columns in
            let list = columns.sorted { $0.key < $1.key }.map {
                Value.bag(Bag([("name", .string($0.key)), ("type", .string($0.value))]))
            }
            return (stream, Value.bag(Bag([("columns", .array(list))])))
        }
        return Reply.json(
            .bag(
                Bag([
                    ("kind", .string("Direct")),
                    (
                        "properties",
                        .bag(
                            Bag([
                                ("immutableId", .string(lab.identity.dataCollectionRule)),
                                ("streamDeclarations", .bag(Bag(streams))),
                            ]))
                    ),
                ])))
    }

    private func fail(_ status: Int, _ code: String, _ message: String) -> Response {
        Reply.json(
            .bag(Bag([("error", .bag(Bag([("code", .string(code)), ("message", .string(message))])))])), status: status,
            headers: [("ms-error-code", code), ("x-ms-request-id", UUID().uuidString.lowercased())])
    }

    private func upload(_ request: Request, rule: String, stream: String) async throws -> Response {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7))),
            claims.aud == "https://monitor.azure.com"
        else { return fail(401, "InvalidToken", "The access token is missing, expired or for another audience.") }
        guard rule == lab.identity.dataCollectionRule else {
            return fail(404, "NotFound", "Data collection rule with immutable Id '\(rule)' not found.")
        }
        guard request.uri.queryParameters["api-version"] != nil else {
            return fail(400, "InvalidRequest", "api-version is missing.")
        }
        guard request.headers[.contentType]?.hasPrefix("application/json") == true else {
            return fail(400, "InvalidRequestBody", "Content-Type must be application/json.")
        }
        guard let declared = lab.stream(stream) else {
            return fail(400, "InvalidStream", "The stream '\(stream)' is not declared in the data collection rule.")
        }
        let buffer = try await request.body.collect(upTo: 64 << 20)
        guard buffer.readableBytes <= Self.bodyBytesMax else {
            return fail(
                413, "ContentLengthLimitExceeded",
                "Maximum allowed content length: \(Self.bodyBytesMax) bytes (1 MB). Provided content length: \(buffer.readableBytes) bytes."
            )
        }
        var bytes = Array(buffer.readableBytesView)
        if request.headers[.contentEncoding] == "gzip" {
            guard let inflated = Deflate.decompress(bytes, sizeMax: 50 << 20) else {
                return fail(400, "InvalidRequestBody", "The body is not gzip, or it inflates beyond 50 MiB.")
            }
            bytes = inflated
        }
        guard let value = try? JSONReader.parse(bytes) else {
            return fail(400, "InvalidRequestBody", "The body is not valid JSON.")
        }
        let records: [Value] = value.arrayValue ?? [value]
        if let poison = lab.poison, records.contains(where: { $0.bagValue?.values.contains(.string(poison)) == true }) {
            return fail(400, "InvalidRequestBody", "A record of the body could not be processed.")
        }
        var kept: [Value] = []
        for record in records {
            guard case .bag(let bag) = record else {
                return fail(400, "InvalidRequestBody", "Every record must be an object.")
            }
            var out = Bag()
            // Unknown columns are dropped silently; long values are cut.
            for (k, v) in zip(bag.keys, bag.values) {
                guard let type = declared[k] else { continue }
                out[k] = Self.coerce(v, type)
            }
            if case .string(let t)? = out["TimeGenerated"] {
                let time = DateTime.parse(t) ?? 0
                let now = lab.world.clock.now
                if time < now - 2 * DateTime.ticksPerDay || time > now + DateTime.ticksPerDay {
                    out["TimeGenerated"] = .string(DateTime.format(now))
                }
            }
            kept.append(.bag(out))
        }
        lab.keep(ReceivedBatch(stream: stream, records: kept))
        return Response(status: .noContent, headers: [.init("x-ms-request-id")!: UUID().uuidString.lowercased()])
    }

    private static func coerce(_ v: Value, _ type: String) -> Value {
        switch type {
        case "string": return v.isNull ? .string("") : .string(String(v.text.prefix(65_536)))
        case "dynamic": return v
        case "datetime": return DateTime.parse(v.text).map { .string(DateTime.format($0)) } ?? .null
        case "boolean": return v.converted(to: .bool)
        case "real": return v.converted(to: .real)
        case "int": return v.converted(to: .int)
        case "long": return v.converted(to: .long)
        default: return v
        }
    }
}
