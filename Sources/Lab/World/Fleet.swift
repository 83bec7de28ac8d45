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

    var controls: [Control] { Controls.of(family: family) }
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

    init(count: Int, seed: UInt64) {
        let dice = Dice(seed: seed)
        self.dice = dice
        machines = (0..<count).map { i in
            let kind = dice.percent(i, 10)
            let platform: (name: String, family: String, version: String, os: String, build: Int64?, server: Bool)
            switch kind {
            case 0..<38: platform = ("Windows11", "Windows", "23H2", "10.0.22631.4317", 22631, false)
            case 38..<58: platform = ("Windows10", "Windows", "22H2", "10.0.19045.5011", 19045, false)
            case 58..<68: platform = ("WindowsServer2019", "Windows", "1809", "10.0.17763.6414", 17763, true)
            case 68..<74: platform = ("WindowsServer2016", "Windows", "1607", "10.0.14393.7428", 14393, true)
            case 74..<76: platform = ("Windows7", "Windows", "6.1", "6.1.7601.24214", 7601, false)
            case 76..<86: platform = ("macOS", "macOS", "14.7", "14.7", 23, false)
            case 86..<93: platform = ("Ubuntu", "Linux", "22.4", "22.4", nil, true)
            case 93..<97: platform = ("RedHatEnterpriseLinux", "Linux", "9.4", "9.4", nil, true)
            case 97..<99: platform = ("Android", "Android", "14.0", "14.0", nil, false)
            default: platform = ("iOS", "iOS", "17.6", "17.6", nil, false)
            }
            let group = platform.server ? "Datacenter" : dice.pick(Self.groups, i, 11)
            let site = ["lis", "osl", "muc", "sgp", "aus"][Int(dice.roll(i, 12) % 5)]
            let role =
                platform.server
                ? ["sql", "app", "dc", "file", "web"][Int(dice.roll(i, 13) % 5)]
                : platform.family == "macOS" ? "mac" : platform.family == "Windows" ? "ws" : "mob"
            return Machine(
                index: i, id: dice.deviceID(i), name: "\(site)-\(role)-\(Digits.padded(i, 4)).contoso.example",
                osPlatform: platform.name,
                family: platform.family, version: platform.version, osVersion: platform.os, build: platform.build,
                group: group,
                groupID: Int64((Self.groups.firstIndex(of: group) ?? 0) + 10), user: dice.pick(Self.users, i, 14),
                isServer: platform.server, address: "10.\(20 + i / 60_000).\(i / 250 % 240).\(i % 250 + 2)")
        }
    }

    /// Whether a device meets a control on a day: some 1 in 100 answers change every day.
    func complies(_ machine: Machine, _ control: Int, day: Int) -> Bool {
        var value = dice.percent(machine.index, 1000 + control) < machine.controls[control].compliance
        if day > 0 { for d in 1...day where dice.roll(machine.index, 2000 + control, d) % 100 < 1 { value.toggle() } }
        return value
    }

    /// Whether a control applies to a device at all.
    func applies(_ machine: Machine, _ control: Int) -> Bool {
        let name = machine.controls[control].subcategory
        if machine.osPlatform == "Windows7", name == "Attack Surface Reduction" || name == "Credential protection" {
            return false
        }
        return dice.percent(machine.index, 3000 + control) >= 3
    }

    func vulnerabilities(_ machine: Machine, day: Int) -> [Vulnerability] {
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
        let p = (dice.percent(machine.index, 21) + (dice.roll(machine.index, 22, day) % 100 < 1 ? 50 : 0)) % 100
        switch p {
        case 0..<91: return "Active"
        case 91..<95: return "Inactive"
        case 95..<98: return "ImpairedCommunication"
        default: return "NoSensorData"
        }
    }

    func onboarding(_ machine: Machine) -> String {
        let p = dice.percent(machine.index, 23)
        return p < 94 ? "Onboarded" : p < 98 ? "CanBeOnboarded" : "Unsupported"
    }

    /// How many days the security intelligence lags behind.
    func signatureAgeDays(_ machine: Machine, day: Int) -> Int {
        let control = machine.controls.firstIndex { $0.name.contains("definitions") }
        let isCurrent = control.map { complies(machine, $0, day: day) } ?? true
        return isCurrent ? Int(dice.roll(machine.index, 24, day) % 2) : 8 + Int(dice.roll(machine.index, 25) % 40)
    }
}
