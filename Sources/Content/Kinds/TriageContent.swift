import Tables

/// What triage reads of the workspace; the names stand under `inputs` of the derivation.
package enum TriageInput: String, Sendable, CaseIterable {
    case knownExploited, cveRecords, nvd, exploitPrediction, vulnerabilityKB, vulnerabilities, devices, machines
    case plantDevices, plantInventory, plantVulnerabilities, plantReports, statements

    /// The columns that the query must give, beside `Time` and `Gone`.
    package var columns: [(name: String, type: ScalarType)] {
        func texts(_ names: String...) -> [(name: String, type: ScalarType)] { names.map { ($0, .string) } }
        return switch self {
        case .knownExploited: texts("CveId", "ForensicTriage") + [("DateAdded", .datetime)]
        case .cveRecords:
            texts("CveId", "Exploitation", "Automatable", "Impact", "Vector") + [("Answered", .datetime)]
        case .nvd: texts("CveId", "Vector")
        case .exploitPrediction: texts("CveId", "ModelVersion") + [("Epss", .real)]
        case .vulnerabilityKB: texts("CveId") + [("IsExploitAvailable", .bool)]
        case .vulnerabilities:
            texts(
                "DeviceId", "DeviceName", "CveId", "SoftwareVendor", "SoftwareName", "SoftwareVersion",
                "ExploitabilityLevel")
                + [("FirstSeen", .datetime)]
        case .devices: texts("DeviceId", "DeviceName", "AssetValue") + [("IsInternetFacing", .bool)]
        case .machines: texts("DeviceId", "DeviceName", "DeviceValue")
        case .plantDevices:
            texts("SensorName", "DeviceId", "DeviceName", "DeviceType", "IpAddress")
                + [("IpAddresses", .dynamic), ("MacAddresses", .dynamic), ("IsEngineeringStation", .bool)]
        case .plantInventory:
            texts("ManagerName", "DeviceId", "DeviceName", "DeviceType", "PurdueLayer") + [("MacAddresses", .dynamic)]
        case .plantVulnerabilities: texts("SensorName", "IpAddress", "CveId")
        case .plantReports: texts("SensorName", "DeviceName", "IpAddress") + [("Cves", .dynamic)]
        case .statements:
            texts(
                "StatementId", "Kind", "Value", "DeviceId", "CveId", "SoftwareVendor", "SoftwareName",
                "SoftwareVersion", "Control", "ControlId", "ProofMaxAge", "Author", "Reason")
                + [("ValidFrom", .datetime), ("ValidUntil", .datetime)]
        }
    }

    /// The table whose rows it holds, as decisions name their sources.
    package var table: String {
        switch self {
        case .knownExploited: "KnownExploitedVulnerabilities_CL"
        case .cveRecords: "CveRecords_CL"
        case .nvd: "NvdVulnerabilities_CL"
        case .exploitPrediction: "ExploitPrediction_CL"
        case .vulnerabilityKB: "DeviceTvmSoftwareVulnerabilitiesKB"
        case .vulnerabilities: "DeviceTvmSoftwareVulnerabilities"
        case .devices: "DeviceInfo"
        case .machines: "MDEMachines_CL"
        case .plantDevices: "IoTDevices_CL"
        case .plantInventory: "IoTManagedDevices_CL"
        case .plantVulnerabilities: "IoTCves_CL"
        case .plantReports: "IoTDeviceVulnerabilities_CL"
        case .statements: "TriageStatements_CL"
        }
    }
}

/// How the points of the decision tables follow from rows: `Content/Triage/*.yaml` with `kind: derivation`.
package struct TriageDerivation: Sendable {
    /// The place of a plant device in the plant.
    package struct Role: Sendable {
        package let id: String
        /// Purdue layers and device types, plain (`TriagePoint.plain`).
        package let layers: Set<String>
        package let deviceTypes: Set<String>
        package let values: [TriagePoint: Int]
        /// What is otherwise for a station that can program controllers.
        package let engineeringStation: [TriagePoint: Int]
        /// Whether it is an office, where an asset's value decides.
        package let isOffice: Bool
    }

    /// What a control does to a point.
    package enum Change: Sendable, Hashable { case down, value(Int) }

    /// What a control changes while its proof is fresh.
    package struct Control: Sendable {
        package let id: String
        package let changes: [TriagePoint: Change]
        /// Whether it works only where the attacker must be at the device or have an account on it.
        package let onlyLocalVectors: Bool
    }

    package let file: String
    /// KQL by what it reads.
    package let inputs: [TriageInput: String]
    package let roles: [Role]
    /// By the plain name of the asset's value.
    package let assetValues: [String: [TriagePoint: Int]]
    /// By the plain name of the control.
    package let controls: [String: Control]

    init(yaml: Fields) throws {
        try yaml.only(["kind", "inputs", "roles", "assetValues", "controls"])
        file = yaml.file
        var inputs: [TriageInput: String] = [:]
        for text in try yaml.placedTexts("inputs") {
            guard let input = TriageInput(rawValue: text.name) else {
                throw ContentProblem(text.place, "triage reads no '\(text.name)'")
            }
            inputs[input] = text.text
        }
        for input in TriageInput.allCases where inputs[input] == nil {
            throw yaml.fail("'inputs' has no query for '\(input.rawValue)'", at: "inputs")
        }
        self.inputs = inputs
        roles = try yaml.list("roles").map { role in
            try role.only(["id", "layers", "deviceTypes", "values", "engineeringStation", "isOffice"])
            return Role(
                id: try role.string("id"), layers: Set(try role.strings("layers").map(TriagePoint.plain)),
                deviceTypes: Set(try role.strings("deviceTypes").map(TriagePoint.plain)),
                values: try role.pointValues("values"),
                engineeringStation: try role.pointValues("engineeringStation"),
                isOffice: try role.optionalBool("isOffice") ?? false)
        }
        assetValues = try Dictionary(
            yaml.list("assetValues").map { value in
                try value.only(["id", "values"])
                return (TriagePoint.plain(try value.string("id")), try value.pointValues("values"))
            }
        ) { _, new in new }
        controls = try Dictionary(
            yaml.list("controls").map { control in
                let read = try Self.control(control)
                return (TriagePoint.plain(read.id), read)
            }
        ) { _, new in new }
    }

    private static func control(_ yaml: Fields) throws -> Control {
        try yaml.only(["id", "changes", "vectors"])
        var changes: [TriagePoint: Change] = [:]
        for text in try yaml.placedTexts("changes") {
            guard let point = TriagePoint(rawValue: text.name) else {
                throw ContentProblem(text.place, "there is no point '\(text.name)' of triage")
            }
            if text.text == "down" {
                changes[point] = .down
            } else if let value = point.values.firstIndex(of: text.text) {
                changes[point] = .value(value)
            } else {
                throw ContentProblem(text.place, "\(text.name) has no value '\(text.text)', and it is not 'down'")
            }
        }
        let vectors = try yaml.optionalString("vectors")
        guard vectors == nil || vectors == "local" else {
            throw yaml.fail("'vectors' can only be local", at: "vectors")
        }
        return Control(id: try yaml.string("id"), changes: changes, onlyLocalVectors: vectors != nil)
    }
}

/// The content of triage: models, the tables of derived points, and the derivation.
package struct TriageContent: Sendable {
    /// By id.
    package var tables: [String: DecisionTable] = [:]
    package var derivation: TriageDerivation?

    package init() {}

    /// The tables that give decisions, in the order of their ids.
    package var models: [DecisionTable] { tables.values.filter { $0.gives == nil }.sorted { $0.id < $1.id } }

    /// The table that gives a point's value.
    package func table(for point: TriagePoint) -> DecisionTable? { tables.values.first { $0.gives == point } }

    mutating func add(_ yaml: Fields) throws {
        let kind = try yaml.string("kind")
        switch DecisionTable.Kind(rawValue: kind) {
        case .model, .point:
            let table = try DecisionTable(yaml: yaml)
            tables[table.id] = table
        case .derivation: derivation = try TriageDerivation(yaml: yaml)
        case nil:
            let kinds = DecisionTable.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw yaml.fail("'kind' is one of \(kinds), not '\(kind)'", at: "kind")
        }
    }
}
