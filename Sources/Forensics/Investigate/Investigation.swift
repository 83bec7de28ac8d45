import Content
import KQLEngine
import Tables

/// What an investigation is asked.
package struct InvestigationScope: Sendable {
    /// A device's id, name or address; nil to find one.
    package var device: String?
    /// Ticks; nil for all that there is.
    package var window: ClosedRange<Int64>?
    /// An alert to begin with.
    package var alert: String?

    package init(device: String? = nil, window: ClosedRange<Int64>? = nil, alert: String? = nil) {
        self.device = device
        self.window = window
        self.alert = alert
    }
}

/// How they got in, what they did, and the rows that prove it.
package struct Investigation: Sendable {
    package enum Verdict: String, Sendable { case intrusion, prevented, none, unknown }

    package var verdict = Verdict.none
    package var entry: Entry?
    package var causes: [Cause] = []
    package var movements: [Movement] = []
    package var harm: [Harm] = []
    package var held: [Held] = []
    package var marks: [Mark] = []
    /// Marks that are habits of the estate, by hunt: how many.
    package var setAside: [String: Int] = [:]
    package var unknowns: [String] = []
    package var acts: [PlantAct] = []
    /// The first sign on each device.
    package var devices: [String: Int64] = [:]
    /// Names of devices by id.
    package var names: [String: String] = [:]

    package init() {}

    package func name(_ id: String) -> String { names[id] ?? String(id.trimmingPrefix("iot:")) }
}

/// What an investigation was asked to begin with is not there.
package enum ScopeError: Error, Equatable {
    case noDevice(String)
    case noAlert(String)
}

/// Runs the stages of an investigation in their order: marks, habits, chains, movement, plant, entry, harm, causes,
/// what held, what is not known.
package struct Investigator {
    private let provider: any TableProvider
    private let library: ContentLibrary

    package init(provider: any TableProvider, library: ContentLibrary) {
        self.provider = provider
        self.library = library
    }

    /// - Throws: `QueryError`, and `ScopeError` for a device or an alert that is not there.
    package func run(_ scope: InvestigationScope = InvestigationScope()) throws -> Investigation {
        let estate = try Estate(provider: provider, library: library, window: scope.window)
        let chosen = try Self.devices(of: scope, estate)
        let names = try ProgramNames(estate)
        let stage = MarkStage(estate)
        let habits = Habits(stage.marks)
        var result = Investigation()
        var intrusion = try grow(estate, names, stage.marks, habits, chosen)
        var plant = try PlantStage(estate)
        var oddEntry: PlantEntry?
        try addPlant(&plant, estate, &intrusion, &oddEntry)
        result.unknowns = unknowns(estate, stage)
        for mark in stage.marks where habits.isHabit(mark, beginning: intrusion.beginning) {
            result.setAside[mark.hunt.slug, default: 0] += 1
        }
        result.held = held(estate, stage.marks, habits, intrusion)
        for device in estate.devices.values {
            result.names[device.id] = device.name.isEmpty ? device.id : device.name
        }
        guard !intrusion.devices.isEmpty else {
            result.verdict =
                isAttempt(result.held, stage.marks, habits)
                ? .prevented : canTell(estate, stage) ? .none : .unknown
            if result.verdict != .prevented { result.held = [] }
            return result
        }
        result.verdict = .intrusion
        let acts = try plant.acts.filter { try plant.isHostile($0, intrusion) }
        result.acts = acts
        result.marks = intrusion.marks.sorted {
            ($0.row.time, $0.hunt.slug) < ($1.row.time, $1.hunt.slug)
        }
        result.devices = intrusion.devices
        result.movements = intrusion.movements.sorted { ($0.time, $0.to) < ($1.time, $1.to) }
        let entry = EntryStage(estate, names, intrusion).entry(oddEntry)
        result.entry = entry
        result.harm = harm(estate, intrusion, acts)
        var causes = try CauseStage(estate, intrusion)
        result.causes = try causes.causes(
            entry: entry, acts: acts, oddEntry: oddEntry?.isStation == true)
        return result
    }

    /// From the seeds to a fixed point. What begins with the intrusion is no habit: its beginning is looked for again
    /// once it is known.
    private func grow(
        _ estate: Estate, _ names: ProgramNames, _ marks: [Mark], _ habits: Habits,
        _ chosen: Set<String>?
    ) throws -> Intrusion {
        var seedStage = SeedStage(estate, names)
        var beginning = Int64.max
        var intrusion = Intrusion()
        for _ in 0..<3 {
            let seeds = try seedStage.seeds(marks, habits, beginning: beginning).filter {
                chosen?.contains($0.row.device) != false
            }
            intrusion = Intrusion()
            intrusion.seeds = seeds
            var grow = try GrowStage(estate, names, marks: marks, habits: habits)
            let move = MovementStage(estate, names, marks: marks, habits: habits)
            for seed in seeds { try grow.take(seed, into: &intrusion) }
            try grow.grow(&intrusion)
            for _ in 0..<20 {
                let moved = try move.move(&intrusion, &grow)
                let traced = try move.origins(&intrusion, &grow)
                guard moved || traced else { break }
                try grow.grow(&intrusion)
            }
            guard intrusion.beginning != beginning, intrusion.beginning != .max else { break }
            beginning = intrusion.beginning
        }
        return intrusion
    }

    /// The devices that an investigation is to begin with; nil for all.
    private static func devices(of scope: InvestigationScope, _ estate: Estate) throws -> Set<String>? {
        if let alert = scope.alert {
            let rows = try estate.ask(
                "AlertEvidence | where AlertId == \(Estate.literal(alert)) | distinct DeviceId")
            let devices = Set(rows.map { $0.text("DeviceId") }).subtracting([""])
            guard !devices.isEmpty else { throw ScopeError.noAlert(alert) }
            return devices
        }
        guard let wanted = scope.device else { return nil }
        let found = estate.devices[wanted]?.id ?? estate.device(named: wanted) ?? estate.device(at: wanted)
        guard let found else { throw ScopeError.noDevice(wanted) }
        return [found]
    }

    /// Whether there is anything by which it could be told that nobody got in.
    private func canTell(_ estate: Estate, _ stage: MarkStage) -> Bool {
        let plant = ["IoTEvents_CL", "IoTAlerts_CL"]
        return !(Estate.events + plant).allSatisfy(estate.silent.contains)
            && stage.unanswered.count < library.hunts.count
    }

    private func addPlant(
        _ plant: inout PlantStage, _ estate: Estate, _ intrusion: inout Intrusion,
        _ entry: inout PlantEntry?
    ) throws {
        for act in plant.acts where try plant.isHostile(act, intrusion) {
            let actor = estate.device(at: act.actor) ?? "iot:\(act.actor)"
            let target = estate.device(at: act.target) ?? "iot:\(act.target)"
            let isPublic = Address.isPublic(act.actor)
            if !isPublic, intrusion.devices[actor] == nil {
                let odd = try plant.oddSession(to: act.actor, before: act.time)
                let tool = try remoteTool(estate, actor, before: act.time)
                let time = [odd?.time, tool?.time].compactMap { $0 }.min() ?? act.time
                intrusion.touch(actor, at: time)
                let source = odd.flatMap { estate.device(at: $0.from) }
                if let source, intrusion.devices[source] != nil, let odd {
                    _ = intrusion.take(
                        Movement(
                            from: source, to: actor, time: odd.time, technique: "T0886", account: "",
                            how: "remote session into the plant", rows: []))
                } else if entry == nil {
                    let isStation = estate.devices[actor]?.isStation == true
                    entry = PlantEntry(
                        device: actor, time: time, isStation: isStation && (odd != nil || tool != nil),
                        isPublic: false, isNewAsset: estate.devices[actor]?.hasSensor != true, row: act.row)
                }
            }
            if isPublic, entry == nil {
                entry = PlantEntry(
                    device: target, time: act.time, isStation: false, isPublic: true, isNewAsset: false,
                    row: act.row)
            }
            intrusion.touch(target, at: act.time)
            if !isPublic {
                let reached = try estate.rows("DeviceNetworkEvents", of: actor).first {
                    $0.remoteAddress == act.target && $0.time <= act.time + Span.minute
                        && act.time - $0.time <= 30 * Span.minute
                }
                _ = intrusion.take(
                    Movement(
                        from: actor, to: target, time: reached?.time ?? act.time, technique: act.technique,
                        account: "",
                        how: "industrial protocol", rows: reached.map { [$0] } ?? []))
            }
        }
    }

    /// Contact of a remote-access tool on a station, shortly before an act.
    private func remoteTool(_ estate: Estate, _ device: String, before time: Int64) throws
        -> TraceRow?
    {
        let tools = Set(
            try estate.ask("print Names = RemoteAccessTools()").first?.list("Names").map {
                $0.lowercased()
            } ?? [])
        return try estate.rows("DeviceNetworkEvents", of: device).first {
            tools.contains($0.actorName) && $0.isPublic && $0.time <= time
                && time - $0.time <= 90 * Span.minute
        }
    }

    private func harm(_ estate: Estate, _ intrusion: Intrusion, _ acts: [PlantAct]) -> [Harm] {
        var found: [String: Harm] = [:]
        func take(
            _ device: String, _ what: String, _ techniques: [String], _ time: Int64, _ row: RowReference
        ) {
            let key = device + "|" + what
            if let known = found[key], known.time <= time {
                if known.rows.count < 20 { found[key]?.rows.append(row) }
                return
            }
            found[key] = Harm(
                device: device, what: what, techniques: techniques, time: time,
                rows: [row] + (found[key]?.rows ?? []))
        }
        for mark in intrusion.marks where !mark.wasBlocked && mark.hunt.mark != .context {
            guard let what = mark.hunt.harm else { continue }
            take(mark.row.device, what, mark.hunt.techniques, mark.row.time, mark.row.reference)
        }
        for act in acts {
            let target = estate.device(at: act.target) ?? "iot:\(act.target)"
            take(target, act.what, [act.technique], act.time, act.row)
            if estate.devices[target]?.isSafety == true, act.what.hasPrefix("plc-") {
                take(target, "safety-impaired", ["T0880", "T0837"], act.time, act.row)
            }
        }
        return found.values.sorted { ($0.time, $0.device, $0.what) < ($1.time, $1.device, $1.what) }
    }

    /// What controls stopped, off the estate's habits.
    private func held(_ estate: Estate, _ marks: [Mark], _ habits: Habits, _ intrusion: Intrusion)
        -> [Held]
    {
        var found: [Held] = []
        for mark in marks {
            let isHeld = mark.wasBlocked || mark.hunt.group == "held"
            guard isHeld, !habits.isHabit(mark, beginning: intrusion.beginning) else { continue }
            let control =
                library.controls.first { $0.blocked.contains(mark.row.action) }?.id
                ?? (mark.row.action == "TamperingAttempt"
                    ? "scid-2003" : mark.row.action.hasPrefix("Antivirus") ? "av.mode" : "")
            found.append(
                Held(
                    device: mark.row.device, technique: mark.hunt.techniques.first ?? "", control: control,
                    time: mark.row.time, row: mark.row.reference))
        }
        return found
    }

    /// Whether what was stopped was somebody's attempt: a new program meets these controls too.
    private func isAttempt(_ held: [Held], _ marks: [Mark], _ habits: Habits) -> Bool {
        let sure: Set<String> = [
            "scid-2500", "scid-2501", "scid-2503", "scid-2508", "scid-2510", "scid-2511", "scid-2512",
            "av.mode",
        ]
        if held.contains(where: { sure.contains($0.control) || $0.technique.hasPrefix("T1110") }) {
            return true
        }
        return held.contains { one in
            marks.contains { mark in
                mark.row.device == one.device && abs(mark.row.time - one.time) <= 2 * Span.hour
                    && mark.row.reference != one.row && !habits.isHabit(mark, beginning: .max)
                    && !["install", "account", "remote"].contains(mark.hunt.group)
            }
        }
    }

    private func unknowns(_ estate: Estate, _ stage: MarkStage) -> [String] {
        let wanted =
            Estate.events + [
                "DeviceInfo", "DeviceNetworkInfo", "DeviceTvmSecureConfigurationAssessment",
                "DeviceBaselineComplianceAssessment",
                "DeviceTvmSoftwareVulnerabilities", "MDEAntivirusHealth_CL",
            ]
        // An estate without a plant lacks nothing of it.
        let plant = ["IoTDevices_CL", "IoTEvents_CL"]
        let hasPlant = (plant + ["IoTAlerts_CL", "IoTConnections_CL"]).contains { !estate.silent.contains($0) }
        let asked: [String] = hasPlant ? wanted + plant : wanted
        return asked.filter { estate.silent.contains($0) }.map { "no rows of \($0)" }
            + Dictionary(grouping: stage.unanswered, by: \.value).sorted { $0.key < $1.key }.map { reason, hunts in
                let names = hunts.map(\.key).sorted()
                return "\(names.count == 1 ? "hunt" : "\(names.count) hunts") not answered, \(reason): "
                    + names.joined(separator: ", ")
            }
    }
}

/// How somebody came into the plant.
package struct PlantEntry: Sendable {
    package let device: String
    package let time: Int64
    /// Whether an authorised station was taken by an odd session.
    package let isStation: Bool
    package let isPublic: Bool
    package let isNewAsset: Bool
    package let row: RowReference
}
