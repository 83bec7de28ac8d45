import Content
import Tables

/// Reads, for each step of an intrusion, the state of the controls against it at that minute.
package struct CauseStage {
    let estate: Estate
    private let states: ControlStates
    let intrusion: Intrusion
    let controls: [String: ControlDefinition]
    var found: [String: Cause] = [:]

    /// A technique on a device at a minute.
    private struct Step {
        let device: String
        let technique: String
        let time: Int64
        let row: RowReference?
        /// Whether the step is how somebody came in, moved or did harm.
        let isKey: Bool
        /// Whether it is the way in.
        var isEntry = false
        /// Whether a process of the intrusion itself was seen to do it.
        var isSeen = false
    }

    package init(_ estate: Estate, _ intrusion: Intrusion) throws {
        self.estate = estate
        self.intrusion = intrusion
        let shares = intrusion.movements.compactMap { Self.share(of: $0, estate) }
        let between = intrusion.movements.flatMap { $0.rows.map(\.device) }
        let all = Set(shares).union(between).union(intrusion.devices.keys)
        states = try ControlStates(estate, devices: all.sorted())
        controls = Dictionary(estate.library.controls.map { ($0.id, $0) }) { a, _ in a }
    }

    /// The causes, most important first.
    ///
    /// - Parameter isRemote: whether somebody came straight to a plant's station by a remote tool or session.
    package mutating func causes(entry: Entry?, acts: [PlantAct], plant: PlantStage, isRemote: Bool) throws -> [Cause] {
        try audited()
        try exposures(entry)
        try vulnerabilities(entry)
        try antivirus()
        for step in steps(entry) { settings(step) }
        self.plant(entry, acts, plant, isRemote: isRemote)
        organisation(entry, plant)
        let isPlain = entry.map { entry in
            !found.values.contains {
                // What was off for a later step did not let them in.
                $0.device == entry.device && $0.time <= entry.time + Span.hour
                    && (entry.vector != "valid-account" || $0.score >= 40)
            }
        }
        let states = [
            "DeviceTvmSecureConfigurationAssessment", "DeviceTvmSoftwareVulnerabilities",
            "DeviceBaselineComplianceAssessment",
        ]
        // Where the states are not known, nobody can say that every control was on.
        let isKnown = !states.contains { estate.silent.contains($0) }
        let isPersonal = ["valid-account", "supply-chain", "other", "phishing", "user-execution"].contains(
            entry?.vector)
        // A device that nobody manages has no controls to be on.
        if let entry, !Estate.isOutsider(entry.device), isPlain == true, isPersonal,
            isKnown || entry.vector == "valid-account"
        {
            add(
                entry.device, ["T1078"] + entry.techniques, "none-effective", .noneEffective, .unknown, 20,
                entry.time,
                nil,
                "every control that is known on the device was on", entry.rows)
        }
        return limited()
    }

    mutating func add(
        _ device: String, _ techniques: [String], _ control: String, _ kind: ControlDefinition.Class,
        _ proof: Cause.Proof, _ score: Int, _ time: Int64, _ state: ControlState?, _ because: String,
        _ rows: [RowReference]
    ) {
        let key = device + "|" + control
        if var known = found[key] {
            known.techniques += techniques.filter { !known.techniques.contains($0) }
            known.score = max(known.score, score)
            known.proof = max(known.proof, proof)
            known.rows += rows.filter { !known.rows.contains($0) }
            found[key] = known
            return
        }
        found[key] = Cause(
            device: device, techniques: techniques, control: control, kind: kind, proof: proof,
            score: score,
            time: time,
            state: state, because: because, rows: rows)
    }

    /// What the state of a control is asked at: what the intruder switched off later is harm, not cause.
    private func minute(_ time: Int64, on device: String) -> Int64 {
        min(time, intrusion.devices[device] ?? time)
    }

    /// A rule's own audit event for what the intruder did: in block mode this very event would have been stopped.
    private mutating func audited() throws {
        for control in controls.values.sorted(by: { $0.id < $1.id }) where !control.audited.isEmpty {
            for device in intrusion.devices.keys.sorted() {
                for row in try estate.rows("DeviceEvents", of: device)
                where control.audited.contains(row.action) {
                    let first = intrusion.devices[device] ?? .max
                    guard row.time >= first - Span.minute else { continue }
                    let isTheirs =
                        row.actor.map { actor in
                            intrusion.processes.contains { $0.device == device && $0.id == actor.id }
                        } ?? false
                        || intrusion.marks.contains {
                            $0.row.device == device && abs($0.row.time - row.time) <= 5 * Span.second
                        }
                    guard isTheirs else { continue }
                    let seen = techniques(on: device)
                    let stops = control.stops.map(\.technique).filter { stop in
                        seen.contains { Self.isSame($0, stop) }
                    }
                    add(
                        device, stops.isEmpty ? control.stops.map(\.technique) : stops, control.id,
                        control.kind,
                        .wouldHaveBlocked, 90, row.time, nil, "its own audit event names this act",
                        [row.reference])
                }
            }
        }
    }

    /// Ways in from outside, and what a user is made to start: on a device that something led to, the movement is the
    /// technique.
    private func happened(_ technique: String, on device: String) -> Bool {
        let arrivals = ["T1190", "T1133", "T1189", "T1566", "T1204", "T1195", "T1091"]
        return !intrusion.reached.contains(device) || !arrivals.contains { technique.hasPrefix($0) }
    }

    /// The server of the share by which a movement went.
    private static func share(of movement: Movement, _ estate: Estate) -> String? {
        guard movement.technique == "T1080", let row = movement.rows.first else { return nil }
        let path = row.path.hasPrefix("\\\\") ? row.path : row.actorCommand.lowercased()
        guard path.hasPrefix("\\\\") else { return nil }
        return estate.device(named: String(path.dropFirst(2).prefix { $0 != "\\" }))
    }

    func techniques(on device: String) -> Set<String> {
        var all = Set(
            intrusion.marks.filter {
                $0.row.device == device && $0.hunt.mark != .context && !$0.wasBlocked
            }
            .flatMap(\.hunt.techniques).filter { happened($0, on: device) })
        for movement in intrusion.movements where movement.to == device {
            all.insert(movement.technique)
        }
        return all
    }

    /// Ids of different depth mean the same when one is the other's parent.
    static func isSame(_ a: String, _ b: String) -> Bool {
        a == b || (a.prefix(5) == b.prefix(5) && (a.count == 5 || b.count == 5))
    }

    private mutating func exposures(_ entry: Entry?) throws {
        if let entry, entry.vector == "exposed-remote-service" || entry.vector == "exploit-public-app",
            let taken = EntryStage.inbound(
                try estate.rows("DeviceNetworkEvents", of: entry.device), before: entry.time)
        {
            add(
                entry.device, ["T1133", "T1190"], "net.exposed", .misconfiguration, .wouldHaveBlocked,
                entry.vector == "exploit-public-app" ? 35 : 80, taken.time, nil,
                "took a connection from \(taken.remoteAddress) on port \(taken.localPort)", [taken.reference])
        }
        for mark in intrusion.marks where mark.row.table == "DeviceLogonEvents" && mark.row.isPublic {
            add(
                mark.row.device, ["T1133", "T1021.001"], "net.exposed", .misconfiguration,
                .wouldHaveBlocked, 80,
                mark.row.time, nil, "a logon from the public address \(mark.row.remoteAddress)",
                [mark.row.reference])
        }
        guard let entry, entry.vector == "internet-exposed-controller" else { return }
        add(
            entry.device, ["T0883", "T0819"], "net.exposed", .misconfiguration, .wouldHaveBlocked, 80,
            entry.time, nil,
            "reached from the internet", entry.rows)
    }

    /// One vulnerability of the product that started the intruder's process, never all of a device.
    private mutating func vulnerabilities(_ entry: Entry?) throws {
        for mark in intrusion.marks
        where mark.hunt.techniques.contains("T1190") || mark.hunt.techniques.contains("T1203") {
            let row = mark.row
            let text = [row.actorName, row.actorPath, row.actorCommand, row.path].joined(separator: " ")
                .lowercased()
            let time = minute(row.time, on: row.device)
            guard let (cve, _) = states.vulnerability(of: text, on: row.device, at: time) else {
                continue
            }
            add(
                row.device, ["T1190", "T1203", "T1210"].filter { mark.hunt.techniques.contains($0) }, cve,
                .missingPatch,
                .wouldHaveBlocked, 85, row.time, nil, "open in the product that started the process",
                [row.reference])
        }
        for mark in intrusion.marks where mark.hunt.techniques.contains("T1068") {
            let row = mark.row
            let text = [row.actorName, row.actorPath, row.actorCommand, row.actorParentName, row.path, row.command]
                .joined(separator: " ").lowercased()
            let time = minute(row.time, on: row.device)
            guard let (cve, _) = states.vulnerability(of: text, on: row.device, at: time) else {
                continue
            }
            add(
                row.device, ["T1068"], cve, .missingPatch, .wouldHaveBlocked, 60, row.time, nil,
                "open in the program that gave the rights", [row.reference])
        }
        for mark in intrusion.marks
        where mark.row.actorName == "winrar.exe" || mark.row.actorName == "7zfm.exe" {
            let row = mark.row
            guard
                let (cve, _) = states.vulnerability(
                    of: row.actorName, on: row.device, at: minute(row.time, on: row.device))
            else { continue }
            add(
                row.device, ["T1203", "T1204.002"], cve, .missingPatch, .wouldHaveBlocked, 60, row.time,
                nil,
                "open in the program that opened the archive", [row.reference])
        }
        // A gateway sends nothing of its own: its flaw stands in the inventory alone.
        guard let entry, estate.devices[entry.device]?.hasSensor != true else { return }
        for cve in states.exploitedVulnerabilities(on: entry.device, at: entry.time).prefix(1) {
            add(
                entry.device, ["T1190", "T1133"], cve, .missingPatch, .wouldHaveBlocked, 85, entry.time,
                nil,
                "known to be exploited and open on the device that the intruder came through", entry.rows)
        }
    }

    /// Whether the antivirus could have met the intruder's files.
    private mutating func antivirus() throws {
        for device in intrusion.devices.keys.sorted() {
            let payloads = (intrusion.paths[device] ?? []).sorted() + ran(on: device)
            guard let path = payloads.first else { continue }
            let time = intrusion.devices[device] ?? 0
            let rows = intrusion.marks.first { $0.row.device == device }.map { [$0.row.reference] } ?? []
            for id in ["av.mode", "av.signature_age"] {
                guard let control = controls[id], let state = states.state(of: id, on: device, at: time),
                    state.isOff
                else { continue }
                if id == "av.signature_age", found[device + "|av.mode"] != nil { continue }
                add(
                    device,
                    ["T1204.002", "T1505.003", "T1059.001", "T1105"].filter { technique in
                        techniques(on: device).contains { Self.isSame($0, technique) }
                            || technique == "T1204.002"
                    }, id, control.kind, .wouldHaveBlocked, 50, time, state,
                    "\(path) ran; the antivirus stood at \(state.shown)",
                    rows)
            }
            for row in try estate.rows("DeviceRegistryEvents", of: device)
            where row.key.lowercased().contains("windows defender\\exclusions") && row.time < time {
                let excluded = row.valueName.lowercased().trimmingPrefix("*.")
                guard excluded.count > 2,
                    let covered = payloads.first(where: { Self.covers(String(excluded), $0) })
                else { continue }
                add(
                    device, ["T1204.002", "T1105", "T1059.003"], "av.exclusion", .missingSetting,
                    .wouldHaveBlocked, 75,
                    time,
                    nil, "the exclusion \(row.valueName) covers \(covered)", [row.reference])
            }
        }
    }

    /// Paths of programs that the intruder ran from places where none belong.
    private func ran(on device: String) -> [String] {
        intrusion.marks.filter {
            $0.row.device == device && $0.row.child != nil && ProgramNames.isOddPlace($0.row.path)
        }
        .map(\.row.path)
    }

    private static func covers(_ exclusion: String, _ path: String) -> Bool {
        let plain = exclusion.replacing("/", with: "\\").replacing("*", with: "")
        return path.contains(plain) || path.hasSuffix("." + plain.trimmingPrefix("."))
    }

    private func steps(_ entry: Entry?) -> [Step] {
        var steps: [Step] = []
        for mark in intrusion.marks
        where mark.hunt.mark != .context && !mark.wasBlocked && !intrusion.isExecution(mark) {
            let isKey = mark.hunt.mark == .strong || mark.hunt.harm != nil
            let techniques = mark.hunt.techniques.filter { happened($0, on: mark.row.device) }
            for (i, technique) in techniques.prefix(isKey ? 2 : 1).enumerated() {
                steps.append(
                    Step(
                        device: mark.row.device, technique: technique, time: mark.row.time,
                        row: mark.row.reference,
                        isKey: isKey && i == 0, isSeen: mark.hunt.mark == .inside))
            }
        }
        for movement in intrusion.movements {
            guard let row = movement.rows.first else { continue }
            steps.append(
                Step(
                    device: movement.to, technique: movement.technique, time: movement.time,
                    row: row.reference,
                    isKey: true))
            let isLocal =
                estate.devices[movement.to]?.isCalled(row.accountDomain) == true || row.accountDomain.isEmpty
                || row.accountDomain == "."
            // Who was made to log on to the intruder is the one that asked everybody for a name.
            if movement.technique == "T1557.001", let victim = movement.rows.last, victim.device != movement.to {
                steps.append(
                    Step(
                        device: victim.device, technique: movement.technique, time: victim.time, row: victim.reference,
                        isKey: true))
            }
            if let server = Self.share(of: movement, estate) {
                steps.append(
                    Step(
                        device: server, technique: movement.technique, time: movement.time, row: row.reference,
                        isKey: true))
            }
            if isLocal, row.table == "DeviceLogonEvents", movement.technique != "T1021.004" {
                steps.append(
                    Step(
                        device: movement.to, technique: "T1078.003", time: movement.time, row: row.reference,
                        isKey: true))
            }
        }
        if let entry {
            for technique in entry.techniques {
                steps.append(
                    Step(
                        device: entry.device, technique: technique, time: entry.time, row: entry.rows.first,
                        isKey: true, isEntry: true))
            }
        }
        return steps
    }

    /// The settings and policies against a step that were off.
    private mutating func settings(_ step: Step) {
        let time = minute(step.time, on: step.device)
        var ranked: [(control: ControlDefinition, stop: ControlDefinition.Stop, state: ControlState)] =
            []
        for control in controls.values {
            guard control.reading == .configuration || control.id.hasPrefix("cfg.") else { continue }
            guard
                let stop = control.stops.filter({ Self.isSame($0.technique, step.technique) }).max(by: {
                    $0.effect < $1.effect
                }),
                stop.effect != .detect, stop.basis > 0 || step.isEntry,
                let state = states.state(of: control.id, on: step.device, at: time), state.isOff
            else { continue }
            ranked.append((control, stop, state))
        }
        ranked.sort { a, b in
            let first = (a.stop.effect == .prevent ? 1 : 0, a.stop.basis)
            let second = (b.stop.effect == .prevent ? 1 : 0, b.stop.basis)
            return first != second ? first > second : a.control.id < b.control.id
        }
        // The best founded first; what is only a class or an inference beside them is folded.
        guard let best = ranked.first else { return }
        let equals = ranked.filter {
            $0.stop.effect == best.stop.effect && $0.stop.basis == best.stop.basis
        }
        let isNamed = best.stop.effect == .prevent && best.stop.basis == 3
        for (i, item) in equals.prefix(step.isKey ? 2 : isNamed || step.isSeen ? 1 : 0).enumerated() {
            let prevents = item.stop.effect == .prevent
            add(
                step.device, [step.technique, item.stop.technique], item.control.id, item.control.kind,
                prevents ? .wouldHaveBlocked : .wouldHaveLimited,
                (isNamed ? 34 : prevents ? 30 : 12) + item.stop.basis * 3 - i + (step.isKey ? 10 : 0), step.time,
                item.state,
                "\(item.control.title): off at that minute", step.row.map { [$0] } ?? [])
        }
    }

    /// The causes in order, without those that would bury the others.
    private func limited() -> [Cause] {
        let ordered = found.values.sorted { a, b in
            a.score != b.score
                ? a.score > b.score : (a.time, a.device, a.control) < (b.time, b.device, b.control)
        }
        let sure = ordered.filter { $0.score >= 40 }
        let rest = ordered.filter { $0.score < 40 }
        return Array((sure + rest.prefix(sure.count + 2)).prefix(60))
    }
}
