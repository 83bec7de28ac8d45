import Foundation
import Hummingbird
import KQLEngine
import Tables

/// Azure Resource Graph over the plant, as a cloud-connected site has it.
struct ResourceGraphRoutes: Sendable {
    let lab: LabState
    private static let root =
        "/subscriptions/6f1d6d6a-0000-4000-8000-1ab000000009/providers/Microsoft.IoTSecurity/locations/westeurope"
    private static let schema = Schema([
        ("id", .string), ("name", .string), ("type", .string), ("location", .string), ("properties", .dynamic),
    ])

    func add(to router: Router<BasicRequestContext>) {
        router.post("/providers/Microsoft.ResourceGraph/resources") { request, _ in try await resources(request) }
    }

    private func resources(_ request: Request) async throws -> Response {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7))),
            claims.aud == "https://management.azure.com"
        else { return error(401, "AuthenticationFailed", "Authentication failed.") }
        guard request.uri.queryParameters["api-version"] != nil else {
            return error(
                400, "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.")
        }
        let type = request.headers[.contentType]
        guard type?.lowercased().hasPrefix("application/json") == true else {
            return error(
                415, "UnsupportedMediaType",
                "The content media type '\(type ?? "<null>")' is not supported. Only 'application/json' is supported.")
        }
        let body = try await request.body.collect(upTo: 1 << 20)
        guard let bag = (try? JSONReader.parse(Array(body.readableBytesView)))?.bagValue,
            let query = bag["query"]?.stringValue
        else {
            return error(400, "BadRequest", "The query is missing.")
        }
        let options = bag["options"]?.bagValue
        let top = Int(options?["$top"]?.longValue ?? 100)
        guard (1...1_000).contains(top) else { return error(400, "BadRequest", "$top must be between 1 and 1000.") }
        let tables = MemoryTables()
        tables.set("iotsecurityresources", schema: Self.schema, batches: [Batch(schema: Self.schema, rows: rows())])
        let result: QueryResult
        do { result = try Engine(provider: tables).run(query + " | order by id asc") } catch let problem as QueryError {
            return error(400, "InvalidQuery", problem.message)
        }
        let start =
            Int(
                options?["$skipToken"]?.stringValue.flatMap { Data(base64Encoded: $0) }.map {
                    String(decoding: $0, as: UTF8.self)
                } ?? "0") ?? 0
        let names = result.primary.schema.names
        let all = try result.primary.rows()
        let data = all.dropFirst(start).prefix(top).map { Value.bag(Bag(zip(names, $0))) }
        var answer = Bag([
            ("totalRecords", .long(Int64(all.count))), ("count", .long(Int64(data.count))), ("data", .array(data)),
            ("facets", .array([])),
            ("resultTruncated", .string("false")),
        ])
        // Without the id in the projection there is no token to go on with.
        if start + top < all.count, names.contains("id") {
            answer["$skipToken"] = .string(Data(String(start + top).utf8).base64EncodedString())
        }
        return Reply.json(.bag(answer))
    }

    private func error(_ status: Int, _ code: String, _ message: String) -> Response {
        Reply.json(
            .bag(Bag([("error", .bag(Bag([("code", .string(code)), ("message", .string(message))])))])), status: status)
    }

    private func rows() -> [[Value]] {
        let plant = lab.world.plant
        let now = lab.world.clock.now
        let type = "microsoft.iotsecurity/locations"
        func row(_ id: String, _ type: String, _ properties: [(String, Value)]) -> [Value] {
            [
                .string(Self.root + id), .string(String(id.split(separator: "/").last ?? "")), .string(type),
                .string("westeurope"), .bag(Bag(properties)),
            ]
        }
        let devices = plant.devices.map { d in
            row(
                "/deviceGroups/default/devices/device-\(d.id)", type + "/devicegroups/devices",
                [
                    ("deviceDataSource", .string("OtSensor")), ("deviceName", .string(d.name)),
                    (
                        "sensor",
                        .bag(
                            Bag([
                                ("name", .string("sensor-\(d.id % 2 + 1)")), ("type", .string("Ot")),
                                ("zone", .string("Boilers")), ("site", .string("Lisbon")),
                            ]))
                    ),
                    ("onboardingStatus", .string("Onboarded")), ("deviceCategoryDisplayName", .string("OT")),
                    ("deviceTypeDisplayName", .string("Industrial")),
                    ("deviceSubTypeDisplayName", .string(d.type)), ("riskScore", .long(Int64(d.id % 100))),
                    ("criticality", .string(d.level == 1 ? "High" : "Normal")),
                    (
                        "hardware",
                        .bag(
                            Bag([
                                ("model", d.model.map { .string($0) } ?? .null),
                                ("vendor", d.vendor.map { .string($0) } ?? .null),
                            ]))
                    ),
                    ("operatingSystem", .bag(Bag([("platform", .string(d.os ?? "")), ("version", .string(""))]))),
                    ("purdueLevel", .string("Level\(d.level)")),
                    ("authorizedState", .string("Authorized")),
                    (
                        "programmingState",
                        .string(d.type == "Engineering Station" ? "ProgrammingDevice" : "NotProgrammingDevice")
                    ),
                    ("deviceStatus", .string("Active")),
                    ("firmwares", .array(d.firmware.map { [.bag(Bag([("version", .string($0))]))] } ?? [])),
                    (
                        "nics",
                        .array([
                            .bag(
                                Bag([
                                    ("ipv4Address", .string(d.address)),
                                    ("macAddress", .string(d.mac.replacing(":", with: "-"))),
                                    ("macCertainty", .string("Certain")),
                                ]))
                        ])
                    ), ("firstSeen", .string("2026-01-01T00:00:00.000Z")), ("lastSeen", .datetime(now)),
                ])
        }
        let sensors = (1...2).map { n in
            row(
                "/sites/Lisbon/sensors/sensor-\(n)", type + "/sites/sensors",
                [
                    ("connectivityTime", .datetime(now)), ("learningMode", .bool(n == 2)),
                    ("sensorStatus", .string("Ok")),
                    ("sensorVersion", .string("24.1.5")),
                    ("tiStatus", .string("Ok")), ("tiVersion", .string("2026.11.1")), ("zone", .string("Boilers")),
                    ("sensorType", .string("Ot")),
                ])
        }
        let alerts = plant.alertRows(now: now, from: nil, to: nil).prefix(20).compactMap { value -> [Value]? in
            guard let bag = value.bagValue, let number = bag["id"]?.longValue, let ms = bag["time"]?.longValue else {
                return nil
            }
            let time = DateTime.unixEpoch + ms * 10_000
            return row(
                "/deviceGroups/default/alerts/alert-\(number)", type + "/devicegroups/alerts",
                [
                    ("systemAlertId", .string("sys-\(number)")), ("displayName", bag["title"] ?? .null),
                    ("alertType", .string("IoT_\(number % 7)")),
                    ("severity", .string("Medium")), ("status", .string("New")), ("intent", .string("Execution")),
                    ("techniques", .array([])),
                    ("startTimeUtc", .datetime(time)), ("endTimeUtc", .datetime(time)), ("entities", .array([])),
                    (
                        "extendedProperties",
                        .bag(Bag([("SensorId", .string("sensor-1")), ("Protocol", .string("MODBUS"))]))
                    ),
                ])
        }
        let site = row("/sites/Lisbon", type + "/sites", [("displayName", .string("Lisbon"))])
        return devices + sensors + alerts + [site]
    }
}
