import Tables

/// The alerts that scenarios have raised by now, in the form of the alerts call: each `AlertInfo` row with the device
/// of its evidence.
struct PlayedAlerts: Sendable {
    private let scenarios: [PlayedScenario]
    /// Ticks.
    private let now: Int64

    init(_ scenarios: [PlayedScenario], now: Int64) {
        self.scenarios = scenarios
        self.now = now
    }

    var rows: [Value] {
        scenarios.flatMap { played -> [Value] in
            let rows = played.scenario.rows
            func cells(_ row: Scenario.Row) -> [String: String] {
                Dictionary(row.cells.map { ($0.column, $0.text) }) { _, last in last }
            }
            return rows.filter { $0.table == "AlertInfo" && played.ticks($0.at) <= now }.compactMap { row in
                let info = cells(row)
                let evidence = rows.filter {
                    $0.table == "AlertEvidence" && cells($0)["AlertId"] == info["AlertId"]
                }
                guard let machine = evidence.compactMap(\.device).first.flatMap({ played.machines[$0] }) else {
                    return nil
                }
                return alert(info, machine, at: played.ticks(row.at), evidence.map(cells))
            }
        }
    }

    private func alert(
        _ info: [String: String], _ machine: Machine, at time: Int64, _ evidence: [[String: String]]
    ) -> Value {
        func text(_ column: String) -> Value { info[column].map { .string($0) } ?? .null }
        let entities = evidence.map { cells -> Value in
            .bag(
                Bag([
                    ("entityType", cells["EntityType"].map { .string($0) } ?? .null),
                    ("evidenceCreationTime", .datetime(time)),
                    ("fileName", cells["FileName"].map { .string($0) } ?? .null),
                    ("detectionStatus", .string("Detected")),
                ]))
        }
        return .bag(
            Bag([
                ("id", text("AlertId")), ("incidentId", .long(Int64(machine.index))), ("investigationId", .null),
                ("assignedTo", .null), ("severity", text("Severity")), ("status", .string("New")),
                ("classification", .null), ("determination", .null),
                ("investigationState", .string("UnsupportedAlertType")),
                ("detectionSource", .string("WindowsDefenderAtp")), ("category", text("Category")),
                ("threatFamilyName", .null), ("title", text("Title")), ("description", text("Title")),
                ("alertCreationTime", .datetime(time)), ("firstEventTime", .datetime(time)),
                ("lastEventTime", .datetime(time)), ("lastUpdateTime", .datetime(time)), ("resolvedTime", .null),
                ("machineId", .string(machine.id)), ("computerDnsName", .string(machine.name)),
                ("rbacGroupName", .string(machine.group)), ("mitreTechniques", .array([])),
                ("relatedUser", .bag(Bag([("userName", .string(machine.user)), ("domainName", .string("CONTOSO"))]))),
                ("comments", .array([])), ("evidence", .array(entities)),
            ]))
    }
}
