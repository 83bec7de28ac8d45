import Tables

/// Why a scenario cannot be played.
package struct ScenarioRefusal: Error, Equatable {
    package let scenario: String
    package let reason: String
}

/// A scripted course of events: devices of its own, what is set on them, and the rows that they send.
///
/// A scenario comes as a document whose texts are finished and whose times are milliseconds after its first midnight;
/// the lab checks it against the vendor's tables and types of events, not against the content's.
package struct Scenario: Sendable {
    /// A setting that changes in the course of the scenario.
    struct Turn: Sendable {
        /// Milliseconds after the first midnight.
        let at: Int64
        let setting: String
        let complies: Bool
    }

    /// A registry value that a security baseline looks at.
    struct Policy: Sendable {
        let source: String
        let complies: Bool
    }

    /// A device of the tenant.
    struct Device: Sendable {
        let id: String
        let name: String
        let platform: String
        let address: String
        let user: String
        let isExposed: Bool
        /// Settings that are off from the start; all others are on.
        let off: Set<String>
        let turns: [Turn]
        let vulnerabilities: [String]
        let policies: [Policy]
        /// Days since the security intelligence was updated.
        let signatureAgeDays: Int
    }

    /// A device of the plant, as a sensor knows it.
    struct PlantDevice: Sendable {
        let id: String
        let name: String
        let type: String
        let vendor: String?
        let address: String
        let protocols: [String]
        let model: String?
        let firmware: String?
    }

    /// A row of a hunting table.
    struct Row: Sendable {
        let table: String
        /// The scenario's name for the device; nil for rows that belong to none.
        let device: String?
        let at: Int64
        let cells: [(column: String, text: String)]
        /// Columns that hold times: milliseconds after the first midnight.
        let times: [(column: String, at: Int64)]
    }

    /// An event of the sensor's timeline.
    struct SensorEvent: Sendable {
        let at: Int64
        let type: String
        let title: String
        let severity: String
        let content: String
    }

    /// An alert of the sensor.
    struct SensorAlert: Sendable {
        let at: Int64
        let title: String
        let message: String
        let severity: String
        let engine: String
    }

    package let name: String
    /// How many days before the lab's last day the first midnight is.
    let begins: Int
    let devices: [Device]
    let plant: [PlantDevice]
    let rows: [Row]
    let sensorEvents: [SensorEvent]
    let sensorAlerts: [SensorAlert]

    /// Names and addresses of the devices, IT and plant, in their order.
    package var deviceNames: [String] { devices.map(\.name) }

    /// Reads a scenario.
    package init(_ document: JSON) throws(ScenarioRefusal) {
        let reader = ScenarioReader(name: document["name"]?.string ?? "without a name", document)
        name = reader.name
        begins = try reader.count("begins")
        devices = try reader.items("devices").map { item throws(ScenarioRefusal) in try Self.device(item) }
        plant = try reader.items("plant").map { item throws(ScenarioRefusal) in
            PlantDevice(
                id: try item.text("id"), name: try item.text("name"), type: try item.text("type"),
                vendor: item.optionalText("vendor"), address: try item.text("address"),
                protocols: try item.texts("protocols"), model: item.optionalText("model"),
                firmware: item.optionalText("firmware"))
        }
        let ids = Set(devices.map(\.id))
        rows = try reader.items("rows").map { item throws(ScenarioRefusal) in try Self.row(item, ids) }
        sensorEvents = try reader.items("sensorEvents").map { item throws(ScenarioRefusal) in
            let type = try item.text("type")
            guard EventTypes.all.contains(type) else { throw item.refusal("a sensor has no events of type \(type)") }
            return SensorEvent(
                at: try item.time("at"), type: type, title: try item.text("title"),
                severity: try item.text("severity"), content: try item.text("content"))
        }
        sensorAlerts = try reader.items("sensorAlerts").map { item throws(ScenarioRefusal) in
            SensorAlert(
                at: try item.time("at"), title: try item.text("title"), message: try item.text("message"),
                severity: try item.text("severity"), engine: try item.text("engine"))
        }
    }

    private static func device(_ item: ScenarioReader) throws(ScenarioRefusal) -> Device {
        let platform = try item.text("platform")
        guard let known = Platform.named(platform) else { throw item.refusal("there is no platform \(platform)") }
        let settings = Set(Controls.of(family: known.family).map(\.id))
        let off = try item.texts("off")
        let turns = try item.items("turns").map { turn throws(ScenarioRefusal) in
            Turn(at: try turn.time("at"), setting: try turn.text("setting"), complies: try turn.flag("complies"))
        }
        for setting in off + turns.map(\.setting) where !settings.contains(setting) {
            throw item.refusal("\(platform) has no setting \(setting)")
        }
        let flaws = try item.texts("vulnerabilities")
        for flaw in flaws where !Vulnerabilities.all.contains(where: { $0.id == flaw }) {
            throw item.refusal("the lab knows no vulnerability \(flaw)")
        }
        return Device(
            id: try item.text("id"), name: try item.text("name"), platform: platform,
            address: try item.text("address"), user: try item.text("user"), isExposed: try item.flag("isExposed"),
            off: Set(off), turns: turns, vulnerabilities: flaws,
            policies: try item.items("policies").map { policy throws(ScenarioRefusal) in
                Policy(source: try policy.text("source"), complies: try policy.flag("complies"))
            }, signatureAgeDays: try item.count("signatureAgeDays"))
    }

    private static func row(_ item: ScenarioReader, _ devices: Set<String>) throws(ScenarioRefusal) -> Row {
        let table = try item.text("table")
        guard let schema = EventKind.all[table]?.full else { throw item.refusal("no events go to table \(table)") }
        let device = item.optionalText("device")
        if schema.index(of: "DeviceId") != nil, table != "AlertEvidence" || device != nil {
            guard let device, devices.contains(device) else { throw item.refusal("a row of \(table) has no device") }
        }
        let cells = try item.cells("columns")
        for (column, text) in cells {
            guard let i = schema.index(of: column) else { throw item.refusal("\(table) has no column \(column)") }
            let type = schema[i].type
            if !text.isEmpty, Value.string(text).converted(to: type).isNull {
                throw item.refusal("\(table).\(column) is \(type.name), not \"\(text)\"")
            }
        }
        let times = try item.times("times")
        for (column, _) in times where schema.index(of: column).map({ schema[$0].type }) != .datetime {
            throw item.refusal("\(table).\(column) holds no time")
        }
        return Row(table: table, device: device, at: try item.time("at"), cells: cells, times: times)
    }
}

/// Reads the parts of a scenario's document.
private struct ScenarioReader {
    let name: String
    let node: JSON

    init(name: String, _ node: JSON) {
        self.name = name
        self.node = node
    }

    func refusal(_ reason: String) -> ScenarioRefusal { ScenarioRefusal(scenario: name, reason: reason) }

    func optionalText(_ key: String) -> String? { node[key]?.string }

    func text(_ key: String) throws(ScenarioRefusal) -> String {
        guard let text = node[key]?.string else { throw refusal("'\(key)' is no text") }
        return text
    }

    /// False where it is not given.
    func flag(_ key: String) throws(ScenarioRefusal) -> Bool {
        guard let given = node[key] else { return false }
        guard let flag = given.bool else { throw refusal("'\(key)' is neither true nor false") }
        return flag
    }

    /// A time in milliseconds, before the first midnight or after it.
    func time(_ key: String) throws(ScenarioRefusal) -> Int64 {
        guard let number = node[key]?.integer else { throw refusal("'\(key)' is no whole number") }
        return number
    }

    /// 0 where it is not given.
    func count(_ key: String) throws(ScenarioRefusal) -> Int {
        guard let given = node[key] else { return 0 }
        guard let number = given.integer, (0...30).contains(number) else {
            throw refusal("'\(key)' is no number from 0 to 30")
        }
        return Int(number)
    }

    func items(_ key: String) throws(ScenarioRefusal) -> [ScenarioReader] {
        guard let given = node[key] else { return [] }
        guard let items = given.array else { throw refusal("'\(key)' is no list") }
        return items.map { ScenarioReader(name: name, $0) }
    }

    func texts(_ key: String) throws(ScenarioRefusal) -> [String] {
        guard let given = node[key] else { return [] }
        guard let items = given.array else { throw refusal("'\(key)' is no list") }
        return try items.map { item throws(ScenarioRefusal) in
            guard let text = item.string else { throw refusal("'\(key)' holds what is no text") }
            return text
        }
    }

    func cells(_ key: String) throws(ScenarioRefusal) -> [(column: String, text: String)] {
        guard let members = node[key]?.members else { return [] }
        return try zip(members.names, members.values).map { column, value throws(ScenarioRefusal) in
            guard let text = value.string else { throw refusal("column \(column) is no text") }
            return (column, text)
        }
    }

    func times(_ key: String) throws(ScenarioRefusal) -> [(column: String, at: Int64)] {
        guard let members = node[key]?.members else { return [] }
        return try zip(members.names, members.values).map { column, value throws(ScenarioRefusal) in
            guard let time = value.integer else { throw refusal("column \(column) holds no time") }
            return (column, time)
        }
    }
}
