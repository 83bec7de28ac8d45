import Content
import Tables

/// Causes that no setting of a device tells: of the plant, and of the organisation.
extension CauseStage {
    mutating func plant(_ entry: Entry?, _ acts: [PlantAct], _ plant: PlantStage, isRemote: Bool) {
        for act in acts {
            let target = estate.device(at: act.target) ?? "iot:\(act.target)"
            let control: (String, [String])? =
                switch act.what {
                case "plc-program-changed", "plc-mode-changed", "device-restarted":
                    ("ot.keyswitch", ["T0843", "T0858", "T0889"])
                case "plc-firmware-changed": ("ot.signed_fw", ["T0857", "T0839"])
                case "command-sent": ("ot.allowlist", ["T0855"])
                case "parameter-changed": ("ot.auth", ["T0836", "T0831"])
                case "control-lost": ("ot.auth", ["T0892"])
                default: nil
                }
            guard let control, let known = controls[control.0] else { continue }
            add(
                target, control.1, control.0, known.kind, .wouldHaveBlocked, 70, act.time, nil,
                "the controller took \(act.title) from \(act.actor)", [act.row])
            if estate.devices[target]?.isSafety == true, let separate = controls["ot.sis_separate"] {
                add(
                    target, ["T0880", "T0879"], separate.id, separate.kind, .wouldHaveLimited, 60, act.time,
                    nil,
                    "the safety controller was reached from \(act.actor)", [act.row])
            }
        }
        guard !acts.isEmpty else { return }
        if let entry, entry.vector == "vendor-access", !isRemote,
            !intrusion.movements.contains(where: {
                $0.from == entry.device && plant.isPlantHost($0.to) && !isController($0.to)
            })
        {
            for (id, techniques) in [("ot.removable", ["T0864"]), ("net.segment", ["T0864", "T0886", "T0848"])] {
                guard let control = controls[id] else { continue }
                add(
                    entry.device, techniques, id, control.kind, .wouldHaveBlocked, 14, entry.time, nil,
                    "a device that is none of the plant's reached its controllers", entry.rows)
            }
        }
        guard let control = controls["ot.remote_access"] else { return }
        let techniques = ["T0822", "T0886", "T1133", "T1219", "T1021.001"]
        if let entry, isRemote, !intrusion.movements.contains(where: { $0.to == entry.device }) {
            add(
                entry.device, techniques, control.id, control.kind, .wouldHaveBlocked, 75, entry.time, nil,
                "a remote session that did not come by the usual way", entry.rows)
        }
        // Where a session crossed from outside into the plant.
        for movement in intrusion.movements
        where plant.isPlantHost(movement.to) && !isController(movement.to) && !plant.isPlantHost(movement.from) {
            add(
                movement.to, techniques, control.id, control.kind, .wouldHaveBlocked, 75, movement.time, nil,
                "a session came into the plant from \(estate.name(movement.from))", movement.rows.map(\.reference))
        }
    }

    private func isController(_ device: String) -> Bool { estate.devices[device]?.isController == true }

    /// What no table tells: shown by what happened, two a device at most.
    mutating func organisation(_ entry: Entry?, _ plant: PlantStage) {
        for device in intrusion.devices.keys.sorted() {
            var wanted: [(String, [String])] = []
            let seen = techniques(on: device)
            let time = intrusion.devices[device] ?? 0
            if let entry, entry.device == device {
                if entry.vector == "valid-account" { wanted.append(("id.mfa", ["T1078", "T1133"])) }
                if entry.vector == "removable-media" {
                    let isPlant = plant.isPlantHost(device)
                    wanted.append(isPlant ? ("ot.removable", ["T0847", "T1091"]) : ("usb.control", ["T1091"]))
                }
            }
            if seen.contains("T1052.001") { wanted.append(("usb.control", ["T1052.001"])) }
            if !seen.isDisjoint(with: ["T1567.002", "T1567", "T1048", "T1041"]) {
                wanted.append(("net.egress", ["T1567.002", "T1048", "T1041"]))
            }
            if !seen.isDisjoint(with: ["T1003.001", "T1003.003", "T1047", "T1569.002"]) {
                wanted.append(("id.tiering", ["T1003.001", "T1003.003", "T1047", "T1569.002"]))
            }
            for (id, techniques) in wanted.prefix(2) {
                guard let control = controls[id], found[device + "|" + id] == nil else { continue }
                let rows =
                    intrusion.marks.first { $0.row.device == device }.map { [$0.row.reference] } ?? []
                add(
                    device, techniques.filter { seen.contains($0) || entry?.device == device }, id,
                    control.kind,
                    .wouldHaveLimited, entry?.device == device ? 40 : 8, time, nil,
                    "shown by what happened; no table tells its state", rows)
            }
        }
    }
}
