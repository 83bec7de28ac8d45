import Content
import Tables

/// One finding with all that bears on it: a vulnerability on a device, the device's rows, and what was said of both.
struct Subject {
    let key: TriageEvidence.Key
    let name: String
    let vulnerability: TriageEvidence.Vulnerability
    let programs: [(program: TriageEvidence.Program, timeline: FactHistory<TriageEvidence.Sighting>)]
    let device: FactHistory<TriageEvidence.DeviceFacts>?
    let machine: FactHistory<String>?
    let plant: PlantEvidence.Device?
    let statements: [StatementLog.Statement]
    let proofs: [String: [StatementLog.Statement]]
    let firstCatalogue: Int64?

    init(_ key: TriageEvidence.Key, _ evidence: TriageEvidence) {
        self.key = key
        plant = evidence.plant.devices[key.device]
        name = plant?.name ?? evidence.names[key.device] ?? key.device
        vulnerability = evidence.vulnerabilities[key.cve] ?? TriageEvidence.Vulnerability()
        // In one order, so that the same rows give the same answer.
        programs = (evidence.findings[key] ?? [:]).map { ($0.key, $0.value) }.sorted { a, b in
            (a.0.vendor, a.0.name, a.0.version, a.0.carrier) < (b.0.vendor, b.0.name, b.0.version, b.0.carrier)
        }
        device = plant == nil ? evidence.devices[key.device] : nil
        machine = plant == nil ? evidence.machines[key.device] : nil
        statements = evidence.statements.about(plant?.ids ?? [key.device], cve: key.cve)
        var proofs: [String: [StatementLog.Statement]] = [:]
        for statement in statements where statement.content.kind == .control {
            proofs[statement.content.controlID] = evidence.statements.proofs[statement.content.controlID]
        }
        self.proofs = proofs
        firstCatalogue = evidence.firstCatalogue
    }

    /// Whether the device was only ever seen by a plant's sensors.
    var isOfPlant: Bool { plant != nil || programs.contains { !$0.program.carrier.isEmpty } }

    /// The programs that carry the finding at a time.
    func present(at time: Int64) -> [(
        program: TriageEvidence.Program, sighting: TriageEvidence.Sighting, newest: Int64
    )] {
        programs.compactMap { entry in entry.timeline.at(time).map { (entry.program, $0, entry.timeline.newest) } }
    }

    /// Every instant, up to one, at which a decision may change: rows, and the ends of statements and proofs.
    func instants(until end: Int64) -> [Int64] {
        var instants = Set(programs.flatMap(\.timeline.times) + vulnerability.times)
        if let firstCatalogue { instants.insert(firstCatalogue) }
        instants.formUnion(device?.times ?? [])
        instants.formUnion(machine?.times ?? [])
        instants.formUnion(plant?.times ?? [])
        for statement in statements { instants.formUnion([statement.start] + [statement.end].compactMap { $0 }) }
        for statement in statements where statement.content.kind == .control {
            for proof in proofs[statement.content.controlID] ?? [] {
                instants.formUnion([proof.start] + [proof.end].compactMap { $0 })
                if let age = statement.content.proofMaxAge { instants.insert(proof.provenAt + age) }
            }
        }
        let first = programs.flatMap(\.timeline.times).min() ?? end
        return instants.filter { $0 >= first && $0 <= end }.sorted()
    }

    // VEX.

    /// Whether a statement says of every program that carries the finding that it is not affected, and why.
    func isNotAffected(at time: Int64) -> Bool {
        let statements = statements.filter {
            $0.content.kind == .vex && $0.holds(at: time) && $0.content.cve == key.cve
        }
        guard !statements.isEmpty else { return false }
        let present = present(at: time)
        return !present.isEmpty
            && present.allSatisfy { entry in
                var best: StatementLog.Statement?
                for statement in statements where Self.speaks(statement.content, of: entry.program) {
                    let rank = (Self.particularity(statement.content), statement.recorded)
                    if best.map({ rank >= (Self.particularity($0.content), $0.recorded) }) ?? true { best = statement }
                }
                return best.map { Self.isNotAffected($0.content) } ?? false
            }
    }

    private static func isNotAffected(_ content: StatementLog.Content) -> Bool {
        TriagePoint.plain(content.value) == "notaffected"
    }

    /// Whether a statement is about a program. One without its reason counts for nothing.
    private static func speaks(_ content: StatementLog.Content, of program: TriageEvidence.Program) -> Bool {
        if isNotAffected(content), content.reason.isEmpty { return false }
        func fits(_ said: String, _ there: String) -> Bool {
            said.isEmpty || said.lowercased() == there.lowercased()
        }
        return fits(content.vendor, program.vendor) && fits(content.name, program.name)
            && fits(content.version, program.version)
    }

    private static func particularity(_ content: StatementLog.Content) -> Int {
        (content.device.isEmpty ? 0 : 8) + (content.version.isEmpty ? 0 : 4) + (content.name.isEmpty ? 0 : 2)
            + (content.vendor.isEmpty ? 0 : 1)
    }

    // Controls.

    /// A control on the device, and whether it holds.
    struct ControlState {
        let id: String
        /// Plain.
        let control: String
        let holds: Bool
        let provenAt: Int64?
        let expires: Int64?
        let statement: StatementLog.Statement
    }

    /// The controls that are in place at a time. One whose proof has lapsed is among them and does not hold.
    func controls(at time: Int64) -> [ControlState] {
        var newest: [String: StatementLog.Statement] = [:]
        for statement in statements where statement.content.kind == .control && statement.holds(at: time) {
            let id = statement.content.controlID.isEmpty ? statement.id : statement.content.controlID
            if newest[id].map({ statement.recorded >= $0.recorded }) ?? true { newest[id] = statement }
        }
        return newest.sorted { $0.key < $1.key }.map { id, statement in
            let proofs = (proofs[id] ?? []).filter { $0.holds(at: time) }
            let last = proofs.max { ($0.provenAt, $0.recorded) < ($1.provenAt, $1.recorded) }
            let isOK = last.map { ["ok", "passed", "yes"].contains(TriagePoint.plain($0.content.value)) } ?? false
            var expires: Int64?
            if let last, let age = statement.content.proofMaxAge { expires = last.provenAt + age }
            if let until = statement.content.until { expires = min(expires ?? until, until) }
            return ControlState(
                id: id, control: statement.content.control, holds: isOK && expires.map { time < $0 } ?? true,
                provenAt: last?.provenAt, expires: last == nil ? nil : expires, statement: statement)
        }
    }
}

extension StatementLog.Statement {
    /// When a proof was made; ticks.
    var provenAt: Int64 { content.from ?? recorded }
}
