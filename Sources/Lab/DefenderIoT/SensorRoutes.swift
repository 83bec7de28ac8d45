import Hummingbird
import Tables

/// A Defender for IoT OT sensor: GET only, a bare token, bare JSON arrays.
struct SensorRoutes: Sendable {
    let lab: LabState

    func add(to router: Router<BasicRequestContext>) {
        let plant = lab.world.plant
        get(router, "/api/v1/devices") { q throws(SensorRefusal) in
            .array(plant.deviceRows(day: lab.world.clock.day, authorized: try q.flag("authorized")))
        }
        get(router, "/api/v1/devices/connections") { q throws(SensorRefusal) in
            let now = lab.world.clock.now
            let (before, after) = (try q.number("discoveredBefore"), try q.number("discoveredAfter"))
            let since = try q.number("lastActiveInMinutes").map { (now - DateTime.unixEpoch) / 10_000 - $0 * 60_000 }
            return .array(
                plant.connectionRows(now: now).filter { row in
                    let bag = row.bagValue ?? Bag()
                    let (discovered, seen) = (bag["discovered"]?.longValue ?? 0, bag["lastSeen"]?.longValue ?? 0)
                    return discovered < before ?? .max && discovered > after ?? .min && seen >= since ?? .min
                })
        }
        get(router, "/api/v1/devices/cves") { q throws(SensorRefusal) in
            .array(plant.cveRows(day: lab.world.clock.day, top: Int(try q.number("top") ?? 100), address: nil))
        }
        get(router, "/api/v1/alerts") { q throws(SensorRefusal) in
            try q.oneOf("state", ["handled", "unhandled"])
            return .array(
                plant.alertRows(now: lab.world.clock.now, from: try q.number("fromTime"), to: try q.number("toTime")))
        }
        let reports = VulnerabilityReports(plant: plant)
        get(router, "/api/v1/reports/vulnerabilities/devices") { _ in .array(reports.devices()) }
        get(router, "/api/v1/reports/vulnerabilities/security") { _ in
            reports.security(now: lab.world.clock.now, midnight: lab.world.clock.midnight)
        }
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
                do throws(SensorRefusal) {
                    let q = SensorParameters(request)
                    // More than three days are three days; a type that there is none of is no type.
                    let minutes = Int(min(4_320, max(1, try q.number("minutesTimeFrame") ?? 4_320)))
                    let type = q["type"].flatMap { EventTypes.all.contains($0) ? $0 : nil }
                    let now = lab.world.clock.now
                    // The same call inside the same hour gets the first answer again.
                    let body = lab.cached("\(minutes)/\(q["type"] ?? "")", hour: now / 36_000_000_000) {
                        var out: [UInt8] = []
                        JSONWriter.append(
                            .array(Array(plant.eventRows(now: now, minutes: minutes, type: type).prefix(100))),
                            to: &out)
                        return out
                    }
                    return Reply.raw(body)
                } catch { return error.answer }
            }
        }
    }

    private func get(
        _ router: Router<BasicRequestContext>, _ path: RouterPath,
        _ make: @escaping @Sendable (SensorParameters) throws(SensorRefusal) -> Value
    ) {
        router.get(path) { request, _ in
            authorized(request) {
                do throws(SensorRefusal) { return Reply.json(try make(SensorParameters(request))) } catch {
                    return error.answer
                }
            }
        }
    }

    private func authorized(_ request: Request, _ body: () -> Response) -> Response {
        guard request.headers[.authorization] == lab.identity.sensorToken else {
            return SensorRefusal(status: 401, reason: "authorization").answer
        }
        return body()
    }
}

/// Why a sensor or a console refuses a call. The pages give the words only; status and form are the lab's own.
struct SensorRefusal: Error {
    var status = 400
    let reason: String

    var answer: Response {
        let body: JSON = ["error": .string("Failure - error. Operation failed: \(reason)")]
        return Reply.raw(body.bytes, status: status)
    }
}

/// The parameters of a call to a sensor or a console.
struct SensorParameters {
    private let values: [String: String]

    init(_ request: Request) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters { values[String(name)] = String(value) }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// A whole number that is not negative; nil where it is not given.
    func number(_ name: String) throws(SensorRefusal) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let number = Int64(text), number >= 0 else { throw SensorRefusal(reason: "\(name) is no number") }
        return number
    }

    func flag(_ name: String) throws(SensorRefusal) -> Bool? {
        try oneOf(name, ["true", "false"])
        return values[name].map { $0 == "true" }
    }

    func oneOf(_ name: String, _ allowed: [String]) throws(SensorRefusal) {
        if let text = values[name], !allowed.contains(text) {
            throw SensorRefusal(reason: "\(name) is none of \(allowed.joined(separator: ", "))")
        }
    }
}
