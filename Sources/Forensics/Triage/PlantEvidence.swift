import Content
import Tables

/// What sensors and the inventory say of a plant's devices. A device is known to each sensor under a number of the
/// sensor's own; sensors
/// that see the same hardware address see the same device. An address of the network alone says nothing: plants reuse
/// them.
struct PlantEvidence {
    /// What a sensor says of a device.
    struct Seen: Equatable {
        let name: String
        /// Plain.
        let type: String
        let addresses: Set<String>
        let hardware: Set<String>
        let isEngineeringStation: Bool
    }

    /// What the inventory of the management console says of a device.
    struct Listed: Equatable {
        /// Plain; empty when it says none.
        let layer: String
        /// Plain.
        let type: String
        let name: String
        let hardware: Set<String>
    }

    /// One device, under the number of the first of its sensors.
    struct Device {
        let id: String
        /// Every `sensor/number` under which it is known.
        let ids: Set<String>
        let name: String
        let seen: [FactHistory<Seen>]
        let listed: [FactHistory<Listed>]

        var times: [Int64] { seen.flatMap(\.times) + listed.flatMap(\.times) }
    }

    private struct Number: Hashable, Comparable {
        let sensor: String
        let number: String

        var id: String { "\(sensor)/\(number)" }

        static func < (a: Number, b: Number) -> Bool {
            if a.sensor != b.sensor { return a.sensor < b.sensor }
            return (Int(a.number) ?? .max, a.number) < (Int(b.number) ?? .max, b.number)
        }
    }

    private struct Place: Hashable {
        let sensor: String
        let address: String
        /// Of reports that name no address.
        var name = ""
    }

    private var seen: [Number: FactHistory<Seen>] = [:]
    private var listed: [String: FactHistory<Listed>] = [:]
    private var vulnerabilities: [Place: [String: FactHistory<Bool>]] = [:]
    private var reports: [Place: FactHistory<Set<String>>] = [:]
    private(set) var devices: [String: Device] = [:]
    private var deviceOf: [Number: String] = [:]
    /// The numbers that ever had an address, or, of a place without one, a name.
    private var holders: [Place: Set<Number>] = [:]

    mutating func add(sensors rows: TriageRows) {
        for row in rows.order {
            let number = Number(sensor: rows.text("SensorName", row), number: rows.text("DeviceId", row))
            let addresses = [rows.text("IpAddress", row)] + rows.texts("IpAddresses", row)
            let facts = Seen(
                name: rows.text("DeviceName", row), type: TriagePoint.plain(rows.text("DeviceType", row)),
                addresses: Set(addresses.filter { !$0.isEmpty }),
                hardware: Self.hardware(rows.texts("MacAddresses", row)),
                isEngineeringStation: rows.flag("IsEngineeringStation", row) ?? false)
            seen[number, default: FactHistory()].add(rows.isGone(row) ? nil : facts, at: rows.time(row))
            for address in facts.addresses {
                holders[Place(sensor: number.sensor, address: address), default: []].insert(number)
            }
            holders[Place(sensor: number.sensor, address: "", name: facts.name), default: []].insert(number)
        }
    }

    mutating func add(inventory rows: TriageRows) {
        for row in rows.order {
            let layer = TriagePoint.plain(rows.text("PurdueLayer", row))
            let facts = Listed(
                layer: ["na", "unknown", "none"].contains(layer) ? "" : layer,
                type: TriagePoint.plain(rows.text("DeviceType", row)), name: rows.text("DeviceName", row),
                hardware: Self.hardware(rows.texts("MacAddresses", row)))
            let key = rows.text("ManagerName", row) + "/" + rows.text("DeviceId", row)
            listed[key, default: FactHistory()].add(rows.isGone(row) ? nil : facts, at: rows.time(row))
        }
    }

    mutating func add(vulnerabilities rows: TriageRows) {
        for row in rows.order {
            let place = Place(sensor: rows.text("SensorName", row), address: rows.text("IpAddress", row))
            vulnerabilities[place, default: [:]][rows.cve(row), default: FactHistory()]
                .add(rows.isGone(row) ? nil : true, at: rows.time(row))
        }
    }

    mutating func add(reports rows: TriageRows) {
        for row in rows.order {
            let numbers = rows.list("Cves", row).compactMap { entry -> String? in
                let number = entry.bagValue?["id"]?.text ?? entry.bagValue?["cveId"]?.text ?? entry.stringValue
                return number.map { $0.trimmed.uppercased() }
            }
            let place = Place(
                sensor: rows.text("SensorName", row), address: rows.text("IpAddress", row),
                name: rows.text("DeviceName", row))
            reports[place, default: FactHistory()].add(rows.isGone(row) ? nil : Set(numbers), at: rows.time(row))
        }
    }

    /// Hardware addresses in one spelling, without those that no device owns.
    private static func hardware(_ texts: [String]) -> Set<String> {
        Set(
            texts.map(TriagePoint.plain).filter { text in
                !text.isEmpty && text.contains { $0 != "0" } && text.contains { $0 != "f" }
            })
    }

    /// Finds which numbers of which sensors are one device, and what the inventory says of it.
    mutating func merge() {
        var parent: [Number: Number] = [:]
        func root(_ number: Number) -> Number {
            var n = number
            while let next = parent[n] { n = next }
            return n
        }
        var owner: [String: Number] = [:]
        for number in seen.keys.sorted() {
            let hardware = seen[number]?.all.last?.hardware ?? []
            for address in hardware.sorted() {
                guard let other = owner[address] else {
                    owner[address] = number
                    continue
                }
                let (a, b) = (root(other), root(number))
                if other.sensor != number.sensor, a != b { parent[max(a, b)] = min(a, b) }
            }
        }
        for (first, numbers) in Dictionary(grouping: seen.keys, by: root) {
            let timelines = numbers.sorted().compactMap { seen[$0] }
            let hardware = timelines.flatMap(\.all).reduce(into: Set<String>()) { $0.formUnion($1.hardware) }
            let entries = listed.sorted { $0.key < $1.key }.map(\.value).filter { entry in
                entry.all.contains { !$0.hardware.isDisjoint(with: hardware) }
            }
            for number in numbers { deviceOf[number] = first.id }
            devices[first.id] = Device(
                id: first.id, ids: Set(numbers.map(\.id)), name: timelines.first?.all.last?.name ?? first.id,
                seen: timelines, listed: entries)
        }
    }

    /// The device that an address of a sensor's network means at a time: the one that had it then, else the next to
    /// have
    /// it, else the last one that had it; a device without a number when there was never one.
    private func device(at place: Place, _ time: Int64) -> String {
        let isNameless = place.address.isEmpty
        var next: (time: Int64, id: String)?
        var last: (time: Int64, id: String)?
        let holders =
            holders[Place(sensor: place.sensor, address: place.address, name: isNameless ? place.name : "")] ?? []
        for number in holders.sorted() {
            guard let timeline = seen[number], let id = deviceOf[number] else { continue }
            func has(_ facts: Seen?) -> Bool {
                facts.map { isNameless ? $0.name == place.name : $0.addresses.contains(place.address) } ?? false
            }
            if has(timeline.at(time)) { return id }
            for entry in timeline.entries where has(entry.facts) {
                if entry.time > time {
                    if next.map({ entry.time < $0.time }) ?? true { next = (entry.time, id) }
                } else if last.map({ entry.time > $0.time }) ?? true {
                    last = (entry.time, id)
                }
            }
        }
        return next?.id ?? last?.id ?? "\(place.sensor)/\(isNameless ? place.name : place.address)"
    }

    /// The vulnerabilities of each device, by what reports them.
    ///
    /// - Parameter only: the only vulnerability; nil for all.
    func findings(only: String?) -> [TriageEvidence.Key: [TriageEvidence.Program: FactHistory<TriageEvidence.Sighting>]]
    {
        var found: [TriageEvidence.Key: [TriageEvidence.Program: FactHistory<TriageEvidence.Sighting>]] = [:]
        let sighting = TriageEvidence.Sighting(firstSeen: nil, exploitability: .unknown)
        func add(_ cve: String, _ place: Place, _ entries: [(time: Int64, isThere: Bool)], _ kind: String) {
            guard only == nil || cve == only else { return }
            var device: String?
            for entry in entries {
                if entry.isThere, device == nil { device = self.device(at: place, entry.time) }
                guard let id = device else { continue }
                let carrier = "\(kind)/\(place.sensor)/\(place.address)/\(place.name)"
                found[TriageEvidence.Key(device: id, cve: cve), default: [:]][
                    TriageEvidence.Program(carrier: carrier), default: FactHistory()
                ].add(entry.isThere ? sighting : nil, at: entry.time)
                if !entry.isThere { device = nil }
            }
        }
        for (place, numbers) in vulnerabilities {
            for (cve, timeline) in numbers {
                add(cve, place, timeline.entries.map { ($0.time, $0.facts != nil) }, "cve")
            }
        }
        for (place, timeline) in reports {
            for cve in timeline.all.reduce(into: Set<String>(), { $0.formUnion($1) }) {
                add(cve, place, timeline.entries.map { ($0.time, $0.facts?.contains(cve) ?? false) }, "report")
            }
        }
        return found
    }
}
