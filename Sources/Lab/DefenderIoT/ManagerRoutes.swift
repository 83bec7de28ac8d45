import Hummingbird
import Tables

/// A Defender for IoT management console over the plant, which two sensors watch: retired by Microsoft, still met in the field.
struct ManagerRoutes: Sendable {
    let lab: LabState

    private static let sites = ["Lisbon", "Lisbon", "Oslo"]
    private static let zones = ["Boilers", "Packing", "Water"]

    func add(to router: Router<BasicRequestContext>) {
        router.get("/external/v3/integration/devices/:since") { request, context in
            answer(request) { q throws(SensorRefusal) in
                guard context.parameters.get("since").flatMap({ Int64($0) }) != nil else {
                    throw SensorRefusal(reason: "the time is no number")
                }
                return try page(q, "u_devices", lab.world.plant.devices.map(device))
            }
        }
        router.get("/external/v1/appliances") { request, _ in
            answer(request) { _ throws(SensorRefusal) in .array((1...2).map(appliance)) }
        }
        for version in ["v1", "v2"] {
            router.get("/external/\(version)/alerts") { request, _ in
                answer(request) { q throws(SensorRefusal) in
                    let (from, to) = (try q.number("fromTime"), try q.number("toTime"))
                    return .array(lab.world.plant.alertRows(now: lab.world.clock.now, from: from, to: to).map(alert))
                }
            }
        }
    }

    private func answer(
        _ request: Request, _ body: (SensorParameters) throws(SensorRefusal) -> Value
    ) -> Response {
        guard request.headers[.authorization] == lab.identity.sensorToken else {
            return SensorRefusal(status: 401, reason: "authorization").answer
        }
        do throws(SensorRefusal) { return Reply.json(try body(SensorParameters(request))) } catch {
            return error.answer
        }
    }

    /// `page` from 0 and `size`, 50 when not given; `u_count` counts the objects of all pages.
    private func page(_ q: SensorParameters, _ name: String, _ all: [Value]) throws(SensorRefusal) -> Value {
        let page = Int(try q.number("page") ?? 0)
        let size = Int(try q.number("size") ?? 50)
        guard size > 0 else { throw SensorRefusal(reason: "size is no number above 0") }
        return .bag(
            Bag([("u_count", .long(Int64(all.count))), (name, .array(Array(all.dropFirst(page * size).prefix(size))))]))
    }

    private func device(_ d: OTDevice) -> Value {
        let now = (lab.world.clock.now - DateTime.unixEpoch) / 10_000
        func objects(_ key: String, _ texts: [String]) -> Value {
            .array(texts.map { .bag(Bag([(key, .string($0))])) })
        }
        let place = d.id % Self.sites.count
        return .bag(
            Bag([
                ("u_id", .long(Int64(10_000 + d.id))), ("u_name", .string(d.name)),
                ("u_vendor", d.vendor.map { .string($0) } ?? .null),
                ("u_operating_system", .string(d.os ?? "")), ("u_appliance", .string("sensor-\(d.id % 2 + 1)")),
                ("u_site", .string(Self.sites[place])),
                ("u_zone", .string(Self.zones[place])), ("u_groups", .array([])),
                ("u_first_discovered", .long(1_767_225_600_000)),
                ("u_last_activity", .long(now - Int64(d.id % 50) * 1_000)),
                ("u_last_update", .long(now - Int64(d.id % 70) * 60_000)),
                ("u_purdue_layer", .string("N/A")),
                ("u_cm_device_url", .string("https://console.lab.example/device/\(d.id)")),
                ("u_device_urls", .array([])),
                // Some devices are seen by both sensors.
                (
                    "u_sensor_ids",
                    .array(
                        (d.id % 5 == 0 ? [1, 2] : [d.id % 2 + 1]).map { .bag(Bag([("u_sensor_id", .long(Int64($0)))])) }
                    )
                ),
                (
                    "u_ip_address_objects",
                    .array([.bag(Bag([("u_ip_address", .string(d.address)), ("u_guessed_mac_addresses", .array([]))]))])
                ),
                ("u_mac_address_objects", objects("u_mac_address", [d.mac])),
                ("u_protocol_objects", objects("u_protocol", d.protocols.map { $0.uppercased() })),
                ("u_vlans", objects("u_vlan", d.level == 1 ? ["40"] : [])),
                (
                    "u_device_type",
                    .bag(
                        Bag([
                            ("u_category", .string(d.level <= 2 ? "ICS" : "IT")),
                            ("u_purdue_layer", .string(d.level == 1 ? "Basic Control" : "Supervisory")),
                            ("u_name", .string(d.type)),
                        ]))
                ),
                (
                    "u_firmwares",
                    .array(
                        d.firmware.map {
                            [
                                .bag(
                                    Bag([
                                        ("u_address", .string(d.address)), ("u_model", .string(d.model ?? "")),
                                        ("u_version", .string($0)),
                                    ]))
                            ]
                        }
                            ?? [])
                ),
            ]))
    }

    private func appliance(_ n: Int) -> Value {
        .bag(
            Bag([
                ("id", .long(Int64(n))), ("name", .string("sensor-\(n)")),
                ("interfaceAddress", .string("https://10.40.0.\(n)")),
                ("version", .string("22.3.15.1-r-1")),
                ("alertCount", .long(72)), ("unhandledAlertsCount", .long(40)),
                ("deviceCount", .long(Int64(lab.world.plant.devices.count / 2))),
                ("isActivated", .bool(true)), ("dataIntelligenceVersion", .string("Nov 1, 2024")),
                ("hasLog", .bool(false)), ("zoneId", .long(Int64(n + 10))),
                ("upgradeFinishTime", .null), ("upgradeStatus", .null),
                (
                    "state",
                    .bag(
                        Bag([
                            ("id", .long(Int64(n))), ("xsenseId", .long(Int64(n))),
                            (
                                "connectionState",
                                .bag(
                                    Bag([
                                        ("id", .string("SYNCED")), ("description", .string("Synchronized")),
                                        ("isConsideredConnected", .bool(true)),
                                    ]))
                            ),
                        ]))
                ),
            ]))
    }

    private func alert(_ row: Value) -> Value {
        var bag = row.bagValue ?? Bag()
        let n = Int((bag["id"]?.longValue ?? 0) % 2) + 1
        bag["id"] = .long((bag["id"]?.longValue ?? 0) + 500_000)
        bag["sensorId"] = .long(Int64(n))
        bag["sensorName"] = .string("sensor-\(n)")
        bag["zoneId"] = .long(Int64(n + 10))
        bag["zoneName"] = .string(Self.zones[n])
        bag["siteId"] = .long(Int64(n))
        bag["siteName"] = .string(Self.sites[n])
        bag["destinationDevice"] = .long(0)
        bag["handled"] = .bool(n == 1)
        bag["remediationSteps"] = .array([.string("Ask the engineer on duty.")])
        return .bag(bag)
    }
}
