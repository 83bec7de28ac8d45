import Tables

/// A scenario in the lab's time: when its first midnight is, and which machines are its devices.
struct PlayedScenario: Sendable {
    let scenario: Scenario
    /// Ticks of the first midnight.
    let midnight: Int64
    /// By the scenario's name for the device.
    let machines: [String: Machine]

    private static let ticksPerMillisecond = DateTime.ticksPerSecond / 1_000

    func ticks(_ milliseconds: Int64) -> Int64 { midnight + milliseconds * Self.ticksPerMillisecond }

    /// The rows of a hunting table from a time to another, as the service has them: ticks.
    func rows(_ table: String, _ schema: Schema, from: Int64, to: Int64) -> [[Value]] {
        var out: [[Value]] = []
        for (number, row) in scenario.rows.enumerated() where row.table == table {
            let time = ticks(row.at)
            guard time >= from, time < to else { continue }
            var cells: [String: Value] = ["Timestamp": .datetime(time)]
            if let machine = row.device.flatMap({ machines[$0] }) {
                cells["DeviceId"] = .string(machine.id)
                cells["DeviceName"] = .string(machine.name)
            }
            // Rows of the ordinary day count from the day's number.
            cells["ReportId"] = .long(Int64(number) + 900)
            for (column, text) in row.cells {
                guard let i = schema.index(of: column) else { continue }
                cells[column] = Value.string(text).converted(to: schema[i].type)
            }
            for (column, at) in row.times { cells[column] = .datetime(ticks(at)) }
            out.append(Self.row(cells, schema))
        }
        return out
    }

    /// Cells in the order of a table's columns; what is not said is an empty text, or null.
    static func row(_ cells: [String: Value], _ schema: Schema) -> [Value] {
        schema.columns.map { cells[$0.name] ?? ($0.type == .string ? .string("") : .null) }
    }

    /// The events that a sensor has of a span of time, newest last; ticks.
    func sensorEvents(from: Int64, to: Int64) -> [(time: Int64, event: Scenario.SensorEvent)] {
        scenario.sensorEvents.map { (ticks($0.at), $0) }.filter { $0.0 >= from && $0.0 <= to }
    }

    /// The alerts that a sensor has raised by a time; ticks.
    func sensorAlerts(by now: Int64) -> [(time: Int64, alert: Scenario.SensorAlert)] {
        scenario.sensorAlerts.map { (ticks($0.at), $0) }.filter { $0.0 <= now }
    }
}
