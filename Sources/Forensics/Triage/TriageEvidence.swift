import Content
import KQLEngine
import Tables

/// What the workspace held of vulnerabilities up to a time.
struct TriageEvidence {
    struct KnownExploited: Equatable {
        let dateAdded: Int64?
        /// As written: Yes, No, or nothing.
        let forensicTriage: String
    }

    /// A CVE record with CISA's answers.
    struct Record: Equatable {
        let exploitation: Int?
        let automatable: Int?
        let impact: Int?
        /// When CISA answered; ticks.
        let answered: Int64?
        let vector: CVSS?
    }

    /// What is known of one vulnerability everywhere.
    struct Vulnerability {
        var knownExploited = FactHistory<KnownExploited>()
        var record = FactHistory<Record>()
        var nvd = FactHistory<CVSS?>()
        var isExploitAvailable = FactHistory<Bool>()
        var prediction: (score: Double, model: String)?

        var times: [Int64] {
            knownExploited.times + record.times + nvd.times + isExploitAvailable.times
        }
    }

    /// What a sensor's row says of a program with a vulnerability.
    struct Sighting: Equatable {
        let firstSeen: Int64?
        let exploitability: Exploitability
    }

    enum Exploitability: Int { case unknown, isPublic, isInKit }

    /// What carries a vulnerability on a device: a program, or nothing that has a name.
    struct Program: Hashable {
        var vendor = ""
        var name = ""
        var version = ""
        /// Keeps rows of a plant's sensors apart.
        var carrier = ""
    }

    struct DeviceFacts: Equatable {
        let isInternetFacing: Bool?
        let assetValue: String
    }

    struct Key: Hashable, Comparable {
        let device: String
        let cve: String

        static func < (a: Key, b: Key) -> Bool { (a.device, a.cve) < (b.device, b.cve) }
    }

    private(set) var vulnerabilities: [String: Vulnerability] = [:]
    /// When the catalogue of known exploited vulnerabilities came for the first time.
    private(set) var firstCatalogue: Int64?
    private(set) var devices: [String: FactHistory<DeviceFacts>] = [:]
    private(set) var machines: [String: FactHistory<String>] = [:]
    private(set) var names: [String: String] = [:]
    private(set) var plant = PlantEvidence()
    private(set) var findings: [Key: [Program: FactHistory<Sighting>]] = [:]
    private(set) var statements = StatementLog()
    /// Vectors that were read before, by their text.
    private var vectors: [String: CVSS?] = [:]

    /// - Parameters:
    ///   - end: ticks; the last instant that counts.
    ///   - cve: the only vulnerability; nil for all.
    ///   - onlyKnownExploited: whether findings count only of what is, or was, in the catalogue of known exploited
    ///   vulnerabilities.
    init(
        _ derivation: TriageDerivation, engine: Engine, until end: Int64, cve: String? = nil,
        onlyKnownExploited: Bool = false
    ) throws {
        func rows(_ input: TriageInput) throws -> TriageRows {
            guard let query = derivation.inputs[input] else {
                preconditionFailure("content is not loaded without the input \(input.rawValue)")
            }
            return try TriageRows(input, query, engine: engine, until: end)
        }
        try addCatalogues(rows)
        try addDevices(rows)
        let only = cve?.uppercased()
        let sightings = try rows(.vulnerabilities)
        for row in sightings.order {
            let number = sightings.cve(row)
            guard only == nil || number == only else { continue }
            if onlyKnownExploited, vulnerabilities[number]?.knownExploited.entries.isEmpty ?? true { continue }
            let device = sightings.text("DeviceId", row)
            names[device] = sightings.text("DeviceName", row)
            let program = Program(
                vendor: sightings.text("SoftwareVendor", row), name: sightings.text("SoftwareName", row),
                version: sightings.text("SoftwareVersion", row))
            let sighting =
                sightings.isGone(row)
                ? nil
                : Sighting(
                    firstSeen: sightings.ticks("FirstSeen", row),
                    exploitability: Self.exploitability(sightings.text("ExploitabilityLevel", row)))
            findings[Key(device: device, cve: number), default: [:]][program, default: FactHistory()]
                .add(sighting, at: sightings.time(row))
        }
        for (key, carriers) in plant.findings(only: only) { findings[key, default: [:]].merge(carriers) { a, _ in a } }
        statements = StatementLog(try rows(.statements))
    }

    private mutating func addCatalogues(_ rows: (TriageInput) throws -> TriageRows) throws {
        let exploited = try rows(.knownExploited)
        firstCatalogue = exploited.order.first.map(exploited.time)
        for row in exploited.order {
            let facts =
                exploited.isGone(row)
                ? nil
                : KnownExploited(
                    dateAdded: exploited.ticks("DateAdded", row),
                    forensicTriage: exploited.text("ForensicTriage", row).trimmed)
            vulnerabilities[exploited.cve(row), default: Vulnerability()].knownExploited
                .add(facts, at: exploited.time(row))
        }
        let records = try rows(.cveRecords)
        for row in records.order {
            let facts =
                records.isGone(row)
                ? nil
                : Record(
                    exploitation: TriagePoint.exploitation.value(records.text("Exploitation", row)),
                    automatable: TriagePoint.automatable.value(records.text("Automatable", row)),
                    impact: TriagePoint.technicalImpact.value(records.text("Impact", row)),
                    answered: records.ticks("Answered", row), vector: vector(records.text("Vector", row)))
            vulnerabilities[records.cve(row), default: Vulnerability()].record.add(facts, at: records.time(row))
        }
        let nvd = try rows(.nvd)
        for row in nvd.order {
            let facts: CVSS?? = nvd.isGone(row) ? nil : .some(vector(nvd.text("Vector", row)))
            vulnerabilities[nvd.cve(row), default: Vulnerability()].nvd.add(facts, at: nvd.time(row))
        }
        let kb = try rows(.vulnerabilityKB)
        for row in kb.order {
            vulnerabilities[kb.cve(row), default: Vulnerability()].isExploitAvailable
                .add(kb.isGone(row) ? nil : kb.flag("IsExploitAvailable", row) ?? false, at: kb.time(row))
        }
        let predictions = try rows(.exploitPrediction)
        for row in predictions.order {
            let score = predictions.isGone(row) ? nil : predictions.number("Epss", row)
            vulnerabilities[predictions.cve(row), default: Vulnerability()].prediction =
                score.map { ($0, predictions.text("ModelVersion", row)) }
        }
    }

    private mutating func addDevices(_ rows: (TriageInput) throws -> TriageRows) throws {
        let office = try rows(.devices)
        for row in office.order {
            let id = office.text("DeviceId", row)
            names[id] = office.text("DeviceName", row)
            let facts = DeviceFacts(
                isInternetFacing: office.flag("IsInternetFacing", row),
                assetValue: TriagePoint.plain(office.text("AssetValue", row)))
            devices[id, default: FactHistory()].add(office.isGone(row) ? nil : facts, at: office.time(row))
        }
        let machines = try rows(.machines)
        for row in machines.order {
            let id = machines.text("DeviceId", row)
            if names[id] == nil { names[id] = machines.text("DeviceName", row) }
            let value = TriagePoint.plain(machines.text("DeviceValue", row))
            self.machines[id, default: FactHistory()].add(machines.isGone(row) ? nil : value, at: machines.time(row))
        }
        plant.add(sensors: try rows(.plantDevices))
        plant.add(inventory: try rows(.plantInventory))
        plant.add(vulnerabilities: try rows(.plantVulnerabilities))
        plant.add(reports: try rows(.plantReports))
        plant.merge()
    }

    private mutating func vector(_ text: String) -> CVSS? {
        let text = text.trimmed
        if let known = vectors[text] { return known }
        let vector = try? CVSS(text)
        vectors[text] = .some(vector)
        return vector
    }

    private static func exploitability(_ text: String) -> Exploitability {
        switch TriagePoint.plain(text) {
        case "exploitisinkit": .isInKit
        case "exploitispublic", "exploitisverified": .isPublic
        default: .unknown
        }
    }
}
