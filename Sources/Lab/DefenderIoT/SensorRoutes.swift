import Hummingbird
import Tables

/// A Defender for IoT OT sensor: GET only, a bare token, bare JSON arrays.
struct SensorRoutes: Sendable {
    let lab: LabState

    func add(to router: Router<BasicRequestContext>) {
        let plant = lab.world.plant
        get(router, "/api/v1/devices") { q in
            .array(plant.deviceRows(day: lab.world.clock.day, authorized: q["authorized"].map { $0 == "true" }))
        }
        get(router, "/api/v1/devices/connections") { _ in .array(plant.connectionRows(now: lab.world.clock.now)) }
        get(router, "/api/v1/devices/cves") { q in
            .array(plant.cveRows(day: lab.world.clock.day, top: Int(q["top"] ?? "100") ?? 100, address: nil))
        }
        get(router, "/api/v1/alerts") { q in
            .array(
                plant.alertRows(
                    now: lab.world.clock.now, from: q["fromTime"].flatMap { Int64($0) },
                    to: q["toTime"].flatMap { Int64($0) }))
        }
        let reports = VulnerabilityReports(plant: plant)
        get(router, "/api/v1/reports/vulnerabilities/devices") { _ in .array(reports.devices()) }
        get(router, "/api/v1/reports/vulnerabilities/security") { _ in reports.security(now: lab.world.clock.now) }
        get(router, "/api/v1/reports/vulnerabilities/operational") { _ in reports.operational(now: lab.world.clock.now)
        }
        get(router, "/api/v1/reports/vulnerabilities/mitigation") { _ in reports.mitigation() }
        router.get("/api/v1/devices/:address/cves") { request, context in
            authorized(request) {
                Reply.json(
                    .array(
                        plant.cveRows(day: lab.world.clock.day, top: 100, address: context.parameters.get("address"))))
            }
        }
        router.get("/api/v1/events") { request, _ in
            authorized(request) {
                let q = request.uri.queryParameters
                let minutes = min(4_320, max(1, Int(q["minutesTimeFrame"] ?? "4320") ?? 4_320))
                let type = q["type"].map(String.init)
                let now = lab.world.clock.now
                // The same call inside the same hour gets the first answer again.
                let body = lab.cached("\(minutes)/\(type ?? "")", hour: now / 36_000_000_000) {
                    var out: [UInt8] = []
                    JSONWriter.append(
                        .array(Array(plant.eventRows(now: now, minutes: minutes, type: type).prefix(100))), to: &out)
                    return out
                }
                return Reply.raw(body)
            }
        }
    }

    private func get(
        _ router: Router<BasicRequestContext>, _ path: RouterPath,
        _ make: @escaping @Sendable ([String: String]) -> Value
    ) {
        router.get(path) { request, _ in
            authorized(request) {
                var query: [String: String] = [:]
                for (k, v) in request.uri.queryParameters { query[String(k)] = String(v) }
                return Reply.json(make(query))
            }
        }
    }

    private func authorized(_ request: Request, _ body: () -> Response) -> Response {
        guard request.headers[.authorization] == lab.identity.sensorToken else {
            return Reply.json(
                .bag(Bag([("error", .string("Failure - error. Operation failed: authorization"))])), status: 401)
        }
        return body()
    }
}
