import Tables

/// One simulated IT machine; what does not change from day to day.
struct Machine: Sendable {
    let index: Int
    let id: String
    let name: String
    /// `Windows10`, `WindowsServer2019`, `macOS`, `Ubuntu`, …: as `/api/machines` says it.
    let osPlatform: String
    /// `Windows`, `macOS`, `Linux`, `Android`, `iOS`.
    let family: String
    let version: String
    let osVersion: String
    let build: Int64?
    let group: String
    let groupID: Int64
    let user: String
    let isServer: Bool
    let address: String
    /// Whether the internet reaches it.
    let isExposed: Bool
    /// What a scenario says of the machine; nil for machines of no scenario.
    var script: MachineScript?

    var controls: [Control] { Controls.of(family: family) }
}

/// What a scenario says of a machine: nothing about it is left to chance.
struct MachineScript: Sendable {
    let off: Set<String>
    /// Settings by the lab's first day on which they stand so.
    let turns: [(day: Int, setting: String, complies: Bool)]
    let vulnerabilities: [String]
    let policies: [Scenario.Policy]
    let signatureAgeDays: Int

    func complies(_ setting: String, day: Int) -> Bool {
        turns.last { $0.setting == setting && $0.day <= day }?.complies ?? !off.contains(setting)
    }
}

/// The machines and what is true of them on each day since the lab started.
struct Fleet: Sendable {
    let dice: Dice
    let machines: [Machine]

    private static let groups = ["Headquarters", "Finance", "Engineering", "Plant Floor", "Datacenter", "Field Sales"]
    private static let users = [
        "amara.okafor", "jonas.weber", "priya.nair", "mateo.silva", "ingrid.larsen", "kenji.sato", "lucia.romano",
        "tom.baker",
        "fatima.zahra", "pavel.novak", "chloe.martin", "diego.alvarez", "hana.kim", "olu.adeyemi", "sara.lindqvist",
        "wei.chen",
    ]

    /// - Parameter scripted: the machines of scenarios.
    init(count: Int, seed: UInt64, scripted: [Machine] = []) {
        let dice = Dice(seed: seed)
        self.dice = dice
        let drawn = (0..<count).map { i in
            let platform = Platform.of(percent: dice.percent(i, 10))
            let group = platform.isServer ? "Datacenter" : dice.pick(Self.groups, i, 11)
            let site = ["lis", "osl", "muc", "sgp", "aus"][Int(dice.roll(i, 12) % 5)]
            let role =
                platform.isServer
                ? ["sql", "app", "dc", "file", "web"][Int(dice.roll(i, 13) % 5)]
                : platform.family == "macOS" ? "mac" : platform.family == "Windows" ? "ws" : "mob"
            return Machine(
                index: i, id: dice.deviceID(i), name: "\(site)-\(role)-\(Digits.padded(i, 4)).contoso.example",
                osPlatform: platform.name,
                family: platform.family, version: platform.version, osVersion: platform.osVersion,
                build: platform.build,
                group: group,
                groupID: Int64((Self.groups.firstIndex(of: group) ?? 0) + 10), user: dice.pick(Self.users, i, 14),
                isServer: platform.isServer, address: "10.\(20 + i / 60_000).\(i / 250 % 240).\(i % 250 + 2)",
                isExposed: platform.isServer && i % 9 == 0)
        }
        machines = drawn + scripted
    }

    /// The machine of a scenario's device.
    ///
    /// - Parameter day: the lab's first day that begins at or after a time of the scenario.
    static func scripted(
        _ device: Scenario.Device, index: Int, seed: UInt64, day: (Int64) -> Int
    ) -> Machine {
        guard let platform = Platform.named(device.platform) else {
            preconditionFailure("a scenario's platforms were looked at when it was read")
        }
        let group = platform.isServer ? "Datacenter" : "Headquarters"
        var machine = Machine(
            index: index, id: Dice(seed: seed).deviceID(index), name: device.name + ".contoso.example",
            osPlatform: platform.name, family: platform.family, version: platform.version,
            osVersion: platform.osVersion, build: platform.build, group: group,
            groupID: Int64((groups.firstIndex(of: group) ?? 0) + 10), user: device.user, isServer: platform.isServer,
            address: device.address, isExposed: device.isExposed)
        machine.script = MachineScript(
            off: device.off, turns: device.turns.map { (day($0.at), $0.setting, $0.complies) },
            vulnerabilities: device.vulnerabilities, policies: device.policies,
            signatureAgeDays: device.signatureAgeDays)
        return machine
    }

    /// Whether a device meets a control on a day: some 1 in 100 answers change every day.
    func complies(_ machine: Machine, _ control: Int, day: Int) -> Bool {
        if let script = machine.script { return script.complies(machine.controls[control].id, day: day) }
        var value = dice.percent(machine.index, 1000 + control) < machine.controls[control].compliance
        if day > 0 { for d in 1...day where dice.roll(machine.index, 2000 + control, d) % 100 < 1 { value.toggle() } }
        return value
    }

    /// Whether a control applies to a device at all.
    func applies(_ machine: Machine, _ control: Int) -> Bool {
        if machine.script != nil { return true }
        let name = machine.controls[control].subcategory
        if machine.osPlatform == "Windows7", name == "Attack Surface Reduction" || name == "Credential protection" {
            return false
        }
        return dice.percent(machine.index, 3000 + control) >= 3
    }

    func vulnerabilities(_ machine: Machine, day: Int) -> [Vulnerability] {
        if let script = machine.script {
            return Vulnerabilities.all.filter { script.vulnerabilities.contains($0.id) }
        }
        var out: [Vulnerability] = []
        for (k, v) in Vulnerabilities.all.enumerated() where v.platforms.contains(machine.family) {
            if v.vendor == "microsoft", v.product.hasPrefix("windows"), !Self.runs(v.product, machine) { continue }
            var present = dice.percent(machine.index, 4000 + k) < (machine.isServer ? 45 : 38)
            if day > 0 { for d in 1...day where dice.roll(machine.index, 5000 + k, d) % 100 < 2 { present.toggle() } }
            if present { out.append(v) }
        }
        return out
    }

    private static func runs(_ product: String, _ machine: Machine) -> Bool {
        let names = [
            "Windows11": "windows_11", "Windows10": "windows_10", "WindowsServer2019": "windows_server_2019",
            "WindowsServer2016": "windows_server_2016", "Windows7": "windows_7",
        ]
        return names[machine.osPlatform] == product
    }

    /// `Active`, `Inactive`, …
    func health(_ machine: Machine, day: Int) -> String {
        if machine.script != nil { return "Active" }
        let p = (dice.percent(machine.index, 21) + (dice.roll(machine.index, 22, day) % 100 < 1 ? 50 : 0)) % 100
        switch p {
        case 0..<91: return "Active"
        case 91..<95: return "Inactive"
        case 95..<98: return "ImpairedCommunication"
        default: return "NoSensorData"
        }
    }

    func onboarding(_ machine: Machine) -> String {
        if machine.script != nil { return "Onboarded" }
        let p = dice.percent(machine.index, 23)
        return p < 94 ? "Onboarded" : p < 98 ? "CanBeOnboarded" : "Unsupported"
    }

    /// Whether the antivirus stands in active mode.
    func hasActiveAntivirus(_ machine: Machine) -> Bool {
        machine.script != nil || dice.percent(machine.index, 50) < 93
    }

    /// How many days the security intelligence lags behind.
    func signatureAgeDays(_ machine: Machine, day: Int) -> Int {
        if let script = machine.script { return script.signatureAgeDays }
        let control = machine.controls.firstIndex { $0.name.contains("definitions") }
        let isCurrent = control.map { complies(machine, $0, day: day) } ?? true
        return isCurrent ? Int(dice.roll(machine.index, 24, day) % 2) : 8 + Int(dice.roll(machine.index, 25) % 40)
    }
}
