import Content
import Tables

/// An act on a controller or another plant device, as the plant's sensors told it.
package struct PlantAct: Sendable {
    package let time: Int64
    package let what: String
    package let technique: String
    /// Addresses.
    package let actor: String
    package let target: String
    package let title: String
    package let row: RowReference
}

/// Tells an intruder's acts on the plant from agreed work: an authorised station, a session by the usual way, a known
/// pair.
package struct PlantStage {
    let estate: Estate
    package private(set) var acts: [PlantAct] = []
    /// Acts that a controller refused.
    package private(set) var refusals: [PlantAct] = []
    private var firstTime: Int64?
    /// Remote sessions into the plant: when, from, to, text.
    private(set) var sessions: [(time: Int64, from: String, to: String, isPublic: Bool)] = []

    package init(_ estate: Estate) throws {
        self.estate = estate
        var kinds: [String: (String, String)] = [:]
        var refused: [String: (String, String)] = [:]
        var titles: [(String, String, String)] = []
        let refusalWords = try estate.names("RefusalWords")
        for category in estate.library.havoc {
            guard let plant = category.plant else { continue }
            for event in plant.events { kinds[event] = (category.id, plant.technique) }
            for event in plant.refused { refused[event] = (category.id, plant.technique) }
            for title in plant.alerts { titles.append((title, category.id, plant.technique)) }
        }
        titles.sort { $0.0.count > $1.0.count }
        for row in try estate.ask("IoTEvents_CL | order by EventTime asc") {
            let type = row.text("EventType")
            let addresses = Self.addresses(row.text("Content"))
            if type == "REMOTE_ACCESS" || type == "USER_LOGIN" || type == "REMOTE_PROCESS_EXECUTION",
                addresses.count >= 2
            {
                sessions.append((row.time, addresses[0], addresses[1], Address.isPublic(addresses[0])))
            }
            if let (what, technique) = refused[type] {
                refuse(row, "IoTEvents_CL", what, technique, addresses, type)
            }
            guard let (what, technique) = kinds[type] else { continue }
            let isRefused = refusalWords.contains { row.text("Content").lowercased().contains($0) }
            if isRefused {
                refuse(row, "IoTEvents_CL", what, technique, addresses, type)
            } else {
                take(row, "IoTEvents_CL", what, technique, addresses, type)
            }
        }
        for row in try estate.ask("IoTAlerts_CL | order by AlertTime asc") {
            let title = row.text("AlertTitle").lowercased()
            guard let (_, what, technique) = titles.first(where: { title.contains($0.0) }) else {
                continue
            }
            var addresses = Self.addresses(row.text("Message"))
            if addresses.count < 2 {
                let sensor = row.text("SensorName")
                for name in ["SourceDeviceId", "DestinationDeviceId"] {
                    let address = estate.address(ofSensor: sensor, number: row.number(name))
                    if !address.isEmpty, !addresses.contains(address) { addresses.append(address) }
                }
            }
            let text = title + " " + row.text("Message").lowercased()
            if refusalWords.contains(where: { text.contains($0) }) {
                refuse(row, "IoTAlerts_CL", what, technique, addresses, row.text("AlertTitle"))
            } else {
                take(row, "IoTAlerts_CL", what, technique, addresses, row.text("AlertTitle"))
            }
        }
        firstTime = acts.map(\.time).min()
        acts.sort { ($0.time, $0.target, $0.what) < ($1.time, $1.target, $1.what) }
    }

    private mutating func take(
        _ row: ResultRow, _ table: String, _ what: String, _ technique: String, _ addresses: [String],
        _ title: String
    ) {
        if let act = act(row, table, what, technique, addresses, title) { acts.append(act) }
    }

    private mutating func refuse(
        _ row: ResultRow, _ table: String, _ what: String, _ technique: String, _ addresses: [String],
        _ title: String
    ) {
        if let act = act(row, table, what, technique, addresses, title) { refusals.append(act) }
    }

    private func act(
        _ row: ResultRow, _ table: String, _ what: String, _ technique: String, _ addresses: [String],
        _ title: String
    ) -> PlantAct? {
        guard estate.window.contains(row.time) else { return nil }
        // The order of the addresses changes with the kind of event: the kinds of the devices decide.
        // A command that goes out as a write is told as one.
        let isCommand =
            title == "CONFIGURATION_CHANGE" && row.text("Content").lowercased().contains("command")
        let what = isCommand ? "command-sent" : what
        let technique = isCommand ? "T0855" : technique
        let target =
            addresses.first { estate.device(at: $0).flatMap { estate.devices[$0] }?.isController == true }
            ?? (addresses.count > 1 ? addresses[1] : addresses.first ?? "")
        let actor = addresses.first { $0 != target } ?? ""
        guard !target.isEmpty else { return nil }
        return PlantAct(
            time: row.time, what: what, technique: technique, actor: actor, target: target, title: title,
            row: RowReference(table: table, device: target, time: row.time, report: row.number("AlertId") ?? 0))
    }

    static func addresses(_ text: String) -> [String] {
        text.matches(of: /\d{1,3}(?:\.\d{1,3}){3}/).map { String($0.output) }.filter {
            Address.parts($0) != nil
        }
    }

    /// Acts that change what a controller does.
    private static let grave: Set<String> = [
        "plc-program-changed", "plc-mode-changed", "plc-firmware-changed", "control-lost",
        "device-restarted",
        "data-destroyed",
    ]

    /// Refusals that are nobody's work: by a device that is no station, and that was not refused on other days too.
    package var attempts: [PlantAct] {
        refusals.filter { act in
            guard !act.actor.isEmpty else { return false }
            let known = estate.device(at: act.actor).flatMap { estate.devices[$0] }
            let days = Set(refusals.filter { $0.actor == act.actor }.map { $0.time / DateTime.ticksPerDay })
            return known?.isStation != true && days.count < 3 && !estate.silent.contains("IoTDevices_CL")
        }
    }

    /// How many days before an act the same was done between the same two.
    private func daysBefore(_ act: PlantAct) -> Int {
        Set(
            acts.filter {
                $0.what == act.what && $0.actor == act.actor && $0.target == act.target
                    && $0.time < act.time - 12 * Span.hour
            }.map { $0.time / DateTime.ticksPerDay }
        ).count
    }

    /// Whether the same goes on between the same two since the first week: the plant's own traffic.
    private func isUsualPair(_ act: PlantAct) -> Bool {
        let same = acts.filter {
            $0.what == act.what && $0.actor == act.actor && $0.target == act.target
        }
        let days = Set(same.map { $0.time / DateTime.ticksPerDay })
        guard let first = same.first?.time, let begin = firstTime else { return false }
        return days.count >= 3 && first <= begin + 10 * Span.day
    }

    /// Whether an act is an intruder's.
    ///
    /// - Parameter intrusion: what is known of it from the devices with agents.
    package func isHostile(_ act: PlantAct, _ intrusion: Intrusion) throws -> Bool {
        if act.what == "view-lost" {
            let target = estate.device(at: act.target) ?? "iot:\(act.target)"
            return intrusion.devices.contains { device, since in
                guard act.time >= since, act.time <= since + 6 * Span.hour else { return false }
                let near = estate.devices[device]?.addresses.map { Address.subnet($0) } ?? []
                return device == target || near.contains(Address.subnet(act.target))
            }
        }
        guard !act.actor.isEmpty else { return false }
        if try foreignTool(act) != nil { return true }
        let actor = estate.device(at: act.actor)
        if let actor, let since = intrusion.devices[actor], act.time >= since - Span.minute,
            act.time <= since + 72 * Span.hour
        {
            let isNear = act.time <= since + 6 * Span.hour
            guard Self.grave.contains(act.what) else {
                return daysBefore(act) == 0 && (isNear || !isUsualPair(act))
            }
            return try isNear || hasUsualSession(act.actor, act) != true
                || oddSession(to: act.actor, before: act.time) != nil
        }
        if Address.isPublic(act.actor) { return act.what != "view-lost" }
        let known = actor.flatMap { estate.devices[$0] }
        let isStation = known?.isStation == true
        if isStation {
            if try oddSession(to: act.actor, before: act.time) != nil {
                return Self.grave.contains(act.what) || daysBefore(act) == 0
            }
            guard Self.grave.contains(act.what), daysBefore(act) < 3 else { return false }
            return try hasUsualSession(act.actor, act) == false
        }
        // Without the inventory nobody can say who is a station.
        guard daysBefore(act) < 2, !isUsualPair(act), !estate.silent.contains("IoTDevices_CL") else { return false }
        // No station by its own record: what changes a controller is not its work.
        if Self.grave.contains(act.what) { return true }
        if act.what == "command-sent" || act.what == "parameter-changed"
            || act.what == "ot-data-collected"
        {
            let isOperator = ["hmi", "scada", "historian", "server", "engineering"].contains {
                (known?.plantRole ?? "").lowercased().contains($0)
            }
            return !isOperator
        }
        return false
    }
}
