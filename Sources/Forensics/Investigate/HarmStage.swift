import Content
import Tables

/// What an intruder did, by category and device: each with the first row that proves it.
package struct HarmStage {
    private let estate: Estate
    private let intrusion: Intrusion
    private var grow: GrowStage
    /// Marks of the whole estate: what a directory writes of an intruder's order stands on another device.
    private let marks: [Mark]
    private var found: [String: Harm] = [:]

    package init(_ estate: Estate, _ intrusion: Intrusion, _ grow: GrowStage, marks: [Mark]) {
        self.estate = estate
        self.intrusion = intrusion
        self.grow = grow
        self.marks = marks
    }

    /// - Parameter acts: what the plant's sensors told of the intruder.
    package mutating func harm(_ acts: [PlantAct]) throws -> [Harm] {
        for mark in intrusion.marks where !mark.wasBlocked && mark.hunt.mark != .context {
            guard let what = mark.hunt.harm, !intrusion.isExecution(mark) else { continue }
            if mark.row.table == "DeviceProcessEvents", ["account-created", "account-changed"].contains(what),
                try takeDirectory(mark, what)
            {
                continue
            }
            take(mark.row.device, what, mark.hunt.techniques, mark.row.time, mark.row.reference)
        }
        for act in acts { take(act, acts) }
        try uploads()
        return found.values.sorted { ($0.time, $0.device, $0.what) < ($1.time, $1.device, $1.what) }
    }

    private mutating func take(
        _ device: String, _ what: String, _ techniques: [String], _ time: Int64, _ row: RowReference
    ) {
        let key = device + "|" + what
        if let known = found[key], known.time <= time {
            if known.rows.count < 20 { found[key]?.rows.append(row) }
            return
        }
        found[key] = Harm(
            device: device, what: what, techniques: techniques, time: time, rows: [row] + (found[key]?.rows ?? []))
    }

    /// An account of the directory is changed where the directory is: by its own event, or else by the one server that
    /// the estate has.
    private mutating func takeDirectory(_ mark: Mark, _ what: String) throws -> Bool {
        let command = mark.row.command.lowercased()
        guard command.contains("/domain") || command.contains("-aduser") || command.contains("-adgroup") else {
            return false
        }
        let told = marks.first {
            $0.row.table == "DeviceEvents" && $0.hunt.harm == what && $0.row.device != mark.row.device
                && abs($0.row.time - mark.row.time) <= 2 * Span.minute
        }
        if let told {
            take(told.row.device, what, told.hunt.techniques, told.row.time, told.row.reference)
            return true
        }
        let servers = try estate.directoryServers()
        guard servers.count == 1, let server = servers.first else { return false }
        take(server, what, mark.hunt.techniques, mark.row.time, mark.row.reference)
        return true
    }

    private mutating func take(_ act: PlantAct, _ acts: [PlantAct]) {
        var target = estate.device(at: act.target) ?? "iot:\(act.target)"
        var what = act.what
        var techniques = [act.technique]
        // A controller that falls silent after it was changed obeys nobody any more.
        if what == "view-lost",
            acts.contains(where: {
                $0.target == act.target && $0.what.hasPrefix("plc-") && $0.time <= act.time
                    && act.time - $0.time <= 6 * Span.hour
            })
        {
            what = "control-lost"
            techniques = ["T0813", "T0827"]
        }
        // Alarms are silenced where their server was stopped.
        if what == "alarm-suppressed", let actor = estate.device(at: act.actor),
            found[actor + "|service-stopped"].map({ abs($0.time - act.time) <= 10 * Span.minute }) == true
        {
            target = actor
        }
        take(target, what, techniques, act.time, act.row)
        if estate.devices[target]?.isSafety == true, what.hasPrefix("plc-") {
            take(target, "safety-impaired", ["T0880", "T0837"], act.time, act.row)
        }
    }

    /// What was gathered leaves: soon after, a process of the intrusion reaches an address that is new to it.
    private mutating func uploads() throws {
        for staged in found.values.filter({ $0.what == "data-staged" }).sorted(by: { $0.device < $1.device }) {
            guard found[staged.device + "|data-exfiltrated"] == nil else { continue }
            let tree = try grow.tree(staged.device)
            let reaches = tree.rows.filter { row in
                row.table == "DeviceNetworkEvents" && row.isPublic && row.action.hasPrefix("ConnectionSuccess")
                    && tree.resolve(row.actor, at: row.time).map(intrusion.processes.contains) == true
            }
            let before = Set(reaches.filter { $0.time < staged.time }.map(\.remoteAddress))
            guard
                let row = reaches.first(where: {
                    $0.time >= staged.time && $0.time - staged.time <= 2 * Span.hour
                        && !before.contains($0.remoteAddress)
                })
            else { continue }
            take(staged.device, "data-exfiltrated", ["T1041", "T1048", "T1567.002"], row.time, row.reference)
        }
    }
}
