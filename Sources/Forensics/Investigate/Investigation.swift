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

    package func name(_ id: String) -> String {
        names[id] ?? String(id.trimmingPrefix("iot:").trimmingPrefix("out:"))
    }
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
        var trail = try grow(estate, names, stage.marks, habits, chosen)
        var plant = try PlantStage(estate)
        var way: PlantEntry?
        for _ in 0..<3 {
            let before = trail.intrusion.size
            try addPlant(&plant, estate, names, &trail, &way)
            guard trail.intrusion.size != before else { break }
            try trail.follow()
        }
        let intrusion = trail.intrusion
        result.unknowns = unknowns(estate, stage)
        for mark in stage.marks where habits.isHabit(mark, beginning: intrusion.beginning) {
            result.setAside[mark.hunt.slug, default: 0] += 1
        }
        result.held = held(estate, stage.marks, habits, intrusion) + refused(estate, plant)
        for device in estate.devices.values {
            result.names[device.id] = device.name.isEmpty ? device.id : device.name
        }
        guard !intrusion.devices.isEmpty, !isStopped(intrusion, plant, result.held) else {
            let isAttempt = !plant.attempts.isEmpty || isAttempt(result.held, estate, stage.marks, habits)
            result.verdict = isAttempt ? .prevented : canTell(estate, stage) ? .none : .unknown
            if result.verdict != .prevented { result.held = [] }
            return result
        }
        result.verdict = .intrusion
        // What was refused long before is of another story.
        result.held.removeAll { $0.time < intrusion.beginning - Span.day }
        let acts = try plant.acts.filter { try plant.isHostile($0, intrusion) }
        result.acts = acts
        result.marks = intrusion.marks.sorted {
            ($0.row.time, $0.hunt.slug) < ($1.row.time, $1.hunt.slug)
        }
        result.devices = intrusion.devices
        result.movements = intrusion.movements.sorted { ($0.time, $0.to) < ($1.time, $1.to) }
        let entry = try EntryStage(estate, names, intrusion, plant).entry(way)
        result.entry = entry
        var harm = HarmStage(estate, intrusion, trail.grow, marks: stage.marks)
        result.harm = try harm.harm(acts)
        var causes = try CauseStage(estate, intrusion)
        result.causes = try causes.causes(entry: entry, acts: acts, plant: plant, isRemote: way?.isStation == true)
        return result
    }

    /// From the seeds to a fixed point. What begins with the intrusion is no habit: its beginning is looked for again
    /// once it is known.
    private func grow(
        _ estate: Estate, _ names: ProgramNames, _ marks: [Mark], _ habits: Habits,
        _ chosen: Set<String>?
    ) throws -> Trail {
        var seedStage = SeedStage(estate, names)
        var beginning = Int64.max
        var trail = try Trail(estate, names, marks, habits)
        for _ in 0..<3 {
            let seeds = try seedStage.seeds(marks, habits, beginning: beginning).filter {
                chosen?.contains($0.row.device) != false
            }
            trail.intrusion = Intrusion()
            trail.intrusion.seeds = seeds
            for seed in seeds { try trail.grow.take(seed, into: &trail.intrusion) }
            try trail.follow()
            guard trail.intrusion.beginning != beginning, trail.intrusion.beginning != .max else { break }
            beginning = trail.intrusion.beginning
        }
        return trail
    }

    /// The devices that an investigation is to begin with; nil for all.
    private static func devices(of scope: InvestigationScope, _ estate: Estate) throws -> Set<String>? {
        if let alert = scope.alert {
            // The alerts call tells the device too, where advanced hunting's evidence was not collected.
            let rows = try ["AlertEvidence", "MDEAlerts_CL"].flatMap {
                try estate.ask("\($0) | where AlertId == \(Estate.literal(alert)) | distinct DeviceId")
            }
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

    /// Adds what the plant's sensors told, with the session and the program behind each act.
    private func addPlant(
        _ plant: inout PlantStage, _ estate: Estate, _ names: ProgramNames, _ trail: inout Trail,
        _ entry: inout PlantEntry?
    ) throws {
        for act in plant.acts where try plant.isHostile(act, trail.intrusion) {
            let target = estate.device(at: act.target) ?? "iot:\(act.target)"
            trail.intrusion.touch(target, at: act.time)
            guard !act.actor.isEmpty else { continue }
            if Address.isPublic(act.actor) {
                if entry == nil {
                    entry = PlantEntry(
                        device: target, time: act.time, isStation: false, isPublic: true, isNewAsset: false,
                        row: act.row)
                }
                continue
            }
            let actor = estate.device(at: act.actor) ?? "iot:\(act.actor)"
            if let foreign = try plant.foreignTool(act) {
                try open(foreign.session, on: actor, trail: &trail)
                if let tool = foreign.tool.actor { trail.grow.adopt(tool, on: actor, &trail.intrusion) }
                trail.intrusion.touch(actor, at: foreign.session?.time ?? foreign.tool.time)
            } else if trail.intrusion.devices[actor] == nil {
                let odd = try plant.oddSession(to: act.actor, before: act.time)
                let tool = try remoteTool(estate, names, actor, before: act.time)
                let time = [odd?.time, tool?.time].compactMap { $0 }.min() ?? act.time
                trail.intrusion.touch(actor, at: time)
                try open(odd, on: actor, trail: &trail)
                if entry == nil, !trail.intrusion.reached.contains(actor) {
                    let isStation = estate.devices[actor]?.isStation == true
                    entry = PlantEntry(
                        device: actor, time: time, isStation: isStation && (odd != nil || tool != nil),
                        isPublic: false, isNewAsset: estate.devices[actor]?.hasSensor != true, row: act.row)
                }
            }
            let reached = try estate.rows("DeviceNetworkEvents", of: actor).first {
                $0.remoteAddress == act.target && $0.time <= act.time + Span.minute
                    && act.time - $0.time <= 30 * Span.minute
            }
            _ = trail.intrusion.take(
                Movement(
                    from: actor, to: target, time: reached?.time ?? act.time, technique: act.technique, account: "",
                    how: "industrial protocol", rows: reached.map { [$0] } ?? []))
        }
    }

    /// Opens the session of a station that belongs to the intrusion, and follows it to where it came from.
    private func open(_ session: OddSession?, on station: String, trail: inout Trail) throws {
        guard let session else { return }
        let source = trail.move.source(at: session.from, named: session.logon?.remoteDevice ?? "")
        if let logon = session.logon {
            trail.grow.open(logon, source: source ?? session.from, into: &trail.intrusion)
        }
        guard let source, source != station, !Address.isPublic(session.from) else { return }
        let isNew = trail.intrusion.take(
            Movement(
                from: source, to: station, time: session.time, technique: session.logon == nil ? "T0886" : "T1021.001",
                account: session.logon?.account ?? "", how: "remote session into the plant",
                rows: session.logon.map { [$0] } ?? []))
        guard isNew else { return }
        trail.intrusion.touch(source, at: session.time)
        try trail.grow.adoptReach(from: source, to: station, at: session.time, &trail.intrusion)
    }

    /// Contact of a remote-access tool on a station, shortly before an act. What comes at that hour again and again is
    /// the supplier's agreed visit.
    private func remoteTool(_ estate: Estate, _ names: ProgramNames, _ device: String, before time: Int64) throws
        -> TraceRow?
    {
        let contacts = try estate.rows("DeviceNetworkEvents", of: device).filter {
            names.remoteTools.contains($0.actorName) && $0.isPublic
        }
        return contacts.first { contact in
            guard contact.time <= time, time - contact.time <= 90 * Span.minute else { return false }
            let others = contacts.filter {
                $0.actorName == contact.actorName && abs($0.time - contact.time) > 12 * Span.hour
                    && Span.ofDay($0.time, contact.time) <= 2 * Span.hour
            }
            return Set(others.map { $0.time / DateTime.ticksPerDay }).count < 2
        }
    }

    /// Whether the antivirus ended all that was seen: nothing came after it, nothing was done, nobody went anywhere.
    private func isStopped(_ intrusion: Intrusion, _ plant: PlantStage, _ held: [Held]) -> Bool {
        let removed = held.filter { $0.control == "av.mode" }
        let isHarmless =
            intrusion.movements.isEmpty && !intrusion.marks.contains { $0.hunt.harm != nil && $0.hunt.mark != .context }
        return isHarmless
            && intrusion.devices.allSatisfy { device, first in
                let rows = intrusion.marks.filter { $0.row.device == device }
                return removed.contains { stop in
                    stop.device == device && stop.time >= first
                        && rows.allSatisfy { $0.row.time <= stop.time + Span.minute }
                }
            }
    }

    /// What the plant's devices refused.
    private func refused(_ estate: Estate, _ plant: PlantStage) -> [Held] {
        plant.attempts.map { act in
            Held(
                device: estate.device(at: act.target) ?? "iot:\(act.target)", technique: act.technique,
                control: "ot.auth", time: act.time, row: act.row)
        }
    }

    /// What controls stopped, off the estate's habits.
    private func held(_ estate: Estate, _ marks: [Mark], _ habits: Habits, _ intrusion: Intrusion)
        -> [Held]
    {
        var found: [Held] = []
        let controls = library.controls.filter { !$0.blocked.isEmpty }
        for mark in marks {
            let isHeld = mark.wasBlocked || mark.hunt.group == "held"
            guard isHeld, !habits.isRecurring(mark) else { continue }
            let control = controls.first { $0.blocked.contains(mark.row.action) }
            found.append(
                Held(
                    device: mark.row.device, technique: mark.hunt.techniques.first ?? "",
                    control: control?.id ?? mark.hunt.control ?? "", time: mark.row.time, row: mark.row.reference,
                    isSure: mark.hunt.isAttempt || control?.isAttempt == true,
                    source: estate.device(at: mark.row.remoteAddress), hunt: mark.hunt.slug))
        }
        return found
    }

    /// Whether what was stopped was somebody's attempt: a new program meets these controls too, so that some of them
    /// say it only in company.
    private func isAttempt(_ held: [Held], _ estate: Estate, _ marks: [Mark], _ habits: Habits) -> Bool {
        if held.contains(where: \.isSure) { return true }
        let kinds = Set(held.map { $0.device + "|" + $0.control })
        return held.contains { one in
            marks.contains { mark in
                (mark.row.device == one.device || mark.row.device == one.source)
                    && abs(mark.row.time - one.time) <= 2 * Span.hour
                    && mark.row.reference != one.row && mark.hunt.mark != .inside
                    && !habits.isHabit(mark, beginning: .max)
                    && (!["install", "account", "remote", "held"].contains(mark.hunt.group)
                        || mark.hunt.group == "held" && kinds.count > 1
                            && mark.hunt.slug != one.hunt)
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

/// An intrusion with the stages that follow it.
private struct Trail {
    var intrusion = Intrusion()
    var grow: GrowStage
    let move: MovementStage

    init(_ estate: Estate, _ names: ProgramNames, _ marks: [Mark], _ habits: Habits) throws {
        grow = try GrowStage(estate, names, marks: marks, habits: habits)
        move = MovementStage(estate, names, marks: marks, habits: habits)
    }

    /// Follows it on its devices and to others, until nothing is added.
    mutating func follow() throws {
        try grow.grow(&intrusion)
        for _ in 0..<20 {
            let isMoved = try move.move(&intrusion, &grow)
            let isTraced = try move.origins(&intrusion, &grow)
            let isSpread = try move.spread(&intrusion, &grow)
            guard isMoved || isTraced || isSpread else { break }
            try grow.grow(&intrusion)
        }
    }
}
