import Tables

/// One simulated OT device, as a sensor knows it.
struct OTDevice: Sendable {
    let id: Int
    let name: String
    let type: String
    let vendor: String?
    let os: String?
    let address: String
    let mac: String
    let protocols: [String]
    let model: String?
    let firmware: String?
    /// The level of the Purdue model, 0 to 4: not in the sensor's answers, but it decides who talks to whom.
    let level: Int
    /// Whether it is a scenario's: nothing about it is left to chance.
    var isScripted = false
}

/// The plant that a Defender for IoT sensor watches.
struct Plant: Sendable {
    let dice: Dice
    let devices: [OTDevice]
    /// Where any is played, the plant does nothing of its own that changes a controller.
    let scenarios: [PlayedScenario]

    init(count: Int, seed: UInt64, scenarios: [PlayedScenario] = []) {
        self.scenarios = scenarios
        let dice = Dice(seed: seed ^ 0x07)
        self.dice = dice
        typealias Kind = (
            type: String, vendor: String?, os: String?, protocols: [String], model: String?, firmware: String?,
            level: Int
        )
        let kinds: [(Int, Kind)] = [
            (34, ("PLC", "SIEMENS AG", nil, ["Siemens S7", "Profinet DCP"], "6ES7 315-2EH14-0AB0", "3.2.14", 1)),
            (48, ("PLC", "ROCKWELL AUTOMATION", nil, ["EtherNet/IP"], "1756-L71/B", "20.011", 1)),
            (58, ("RTU", "SCHNEIDER ELECTRIC", nil, ["MODBUS", "DNP3"], "SCADAPack 474", "2.8.1", 1)),
            (66, ("IED", "ABB OY", nil, ["GOOSE", "MMS"], "REF615", "5.1.20", 1)),
            (78, ("HMI", "SIEMENS AG", "Windows 10 64", ["Siemens S7", "SMB"], nil, nil, 2)),
            (
                84,
                (
                    "Engineering Station", "DELL INC.", "Windows 10 64", ["Siemens S7", "EtherNet/IP", "SMB"], nil, nil,
                    3
                )
            ),
            (89, ("Historian", "HEWLETT PACKARD", "Windows Server 2016", ["OPC UA", "TDS"], nil, nil, 3)),
            (93, ("Switch", "CISCO SYSTEMS", nil, ["SNMP", "LLDP"], "IE-3300-8T2S", "17.9.4", 2)),
            (96, ("Server", "DELL INC.", "Windows Server 2012 R2", ["SMB", "RPC"], nil, nil, 3)),
            (98, ("Workstation", nil, "Windows 7 64", ["SMB", "HTTP"], nil, nil, 3)),
            (100, ("Domain Controller", "VMWARE", "Windows Server 2019", ["DNS", "SMB"], nil, nil, 3)),
        ]
        let areas = ["BOILER", "TURBINE", "MIXING", "PACKING", "WATER", "SUBSTATION"]
        let drawn = (0..<count).map { i in
            let p = dice.percent(i, 1)
            let kind = kinds.first { p < $0.0 }?.1 ?? kinds[0].1
            let area = dice.pick(areas, i, 2)
            let short =
                [
                    "Engineering Station": "EWS", "Historian": "HIST", "Switch": "SW", "Server": "SRV",
                    "Workstation": "OWS", "Domain Controller": "DC",
                ][kind.type]
                ?? kind.type
            let mac = (0..<3).map { Hex.string(dice.roll(i, 5, $0) & 255, width: 2) }.joined(separator: ":")
            return OTDevice(
                id: i + 1,
                name: dice.percent(i, 3) < 88
                    ? "\(short)-\(area)-\(Digits.padded(i, 3))" : "10.40.\(i / 250).\(i % 250 + 2)",
                type: kind.type, vendor: kind.vendor, os: kind.os, address: "10.40.\(i / 250).\(i % 250 + 2)",
                mac: "00:1b:1b:\(mac)",
                protocols: kind.protocols, model: kind.model, firmware: kind.firmware, level: kind.level)
        }
        let scripted = scenarios.flatMap(\.scenario.plant).enumerated().map { i, device in
            OTDevice(
                id: count + i + 1, name: device.name, type: device.type, vendor: device.vendor,
                os: device.firmware == nil ? "Windows 10 64" : nil, address: device.address,
                mac: "00:1b:1b:5c:\(Hex.string(UInt64(i / 256), width: 2)):\(Hex.string(UInt64(i % 256), width: 2))",
                protocols: device.protocols, model: device.model, firmware: device.firmware,
                level: device.firmware == nil ? 3 : 1, isScripted: true)
        }
        devices = drawn + scripted
    }

    private func isAuthorized(_ d: OTDevice, _ day: Int) -> Bool {
        if d.isScripted { return true }
        var value = dice.percent(d.id, 10) < 96
        if day > 0 { for k in 1...day where dice.roll(d.id, 11, k) % 1000 < 8 { value.toggle() } }
        return value
    }

    private func firmware(_ d: OTDevice, _ day: Int) -> String? {
        guard let base = d.firmware else { return nil }
        if d.isScripted { return base }
        var updates = 0
        if day > 0 { for k in 1...day where dice.roll(d.id, 12, k) % 1000 < 6 { updates += 1 } }
        return updates == 0 ? base : "\(base).\(updates)"
    }

    func deviceRows(day: Int, authorized: Bool?) -> [Value] {
        devices.filter { authorized == nil || isAuthorized($0, day) == authorized }.map { d in
            var bag = Bag()
            bag["id"] = .long(Int64(d.id))
            bag["name"] = .string(d.name)
            bag["type"] = .string(d.type)
            bag["ipAddresses"] = .array([.string(d.address)])
            bag["macAddresses"] = .array([.string(d.mac)])
            bag["vendor"] = d.vendor.map { .string($0) } ?? .null
            bag["operatingSystem"] = d.os.map { .string($0) } ?? .null
            bag["engineeringStation"] = .bool(d.type == "Engineering Station")
            bag["authorized"] = .bool(isAuthorized(d, day))
            bag["scanner"] = .bool(false)
            bag["hasDynamicAddress"] = .bool(d.level == 3)
            bag["protocols"] = .array(
                d.protocols.enumerated().map { i, p in
                    .bag(Bag([("id", .long(Int64(i + 2))), ("name", .string(p)), ("addresses", .array([]))]))
                })
            bag["firmware"] = .array(
                firmware(d, day).map { version in
                    [
                        .bag(
                            Bag([
                                ("address", .string(d.address)), ("moduleAddress", .string("Rack 0, Slot 2")),
                                ("serial", .string("S C-\(String(dice.deviceID(d.id).prefix(8)).uppercased())")),
                                ("model", .string(d.model ?? "N/A")),
                                ("firmwareVersion", .string(version)), ("additionalData", .string("N/A")),
                                ("rack", .string("0")), ("slot", .string("2")),
                            ]))
                    ]
                } ?? [])
            return .bag(bag)
        }
    }

    func connectionRows(now: Int64) -> [Value] {
        devices.filter { $0.level == 1 }.compactMap { plc in
            guard let peer = devices.first(where: { $0.level >= 2 && $0.id % 7 == plc.id % 7 && $0.os != nil }) else {
                return nil
            }
            let seen = (now - DateTime.unixEpoch) / 10_000
            return .bag(
                Bag([
                    ("firstDeviceId", .long(Int64(peer.id))), ("secondDeviceId", .long(Int64(plc.id))),
                    ("lastSeen", .long(seen - Int64(dice.roll(plc.id, 20) % 600_000))),
                    ("discovered", .long(1_767_225_600_000 + Int64(dice.roll(plc.id, 21) % 100) * 86_400_000)),
                    (
                        "ports",
                        .array([
                            .long(plc.protocols[0] == "MODBUS" ? 502 : plc.protocols[0] == "EtherNet/IP" ? 44818 : 102)
                        ])
                    ),
                    (
                        "protocols",
                        .array([
                            .bag(
                                Bag([
                                    ("name", .string(plc.protocols[0].lowercased())),
                                    ("commands", .array([.string("Read"), .string("Write")])),
                                ]))
                        ])
                    ),
                ]))
        }
    }

    /// Events of the minutes before `now`, newest first; about one every six minutes.
    func eventRows(now: Int64, minutes: Int, type: String?) -> [Value] {
        if !scenarios.isEmpty { return playedEventRows(now: now, minutes: minutes, type: type) }
        let kinds: [(String, String, String)] = [
            ("DEVICE_CONNECTION_CREATED", "Device Connection Detected", "INFO"),
            ("PROGRAM_DEVICE", "PLC Programming", "ALERT"),
            ("REMOTE_ACCESS", "Remote Access Connection Established", "NOTICE"),
            ("FIRMWARE_UPDATE", "Firmware Update", "NOTICE"),
            ("USER_LOGIN", "User Login Attempt", "INFO"), ("FILE_TRANSFER", "File Transfer Detected", "INFO"),
            ("PLC_OPERATING_MODE_CHANGED", "PLC Operating Mode Change Detected", "ALERT"),
            ("BACK_TO_NORMAL", "Back to Normal", "INFO"),
            ("ALERT_REPORTED", "Alert Detected", "ALERT"), ("DEVICE_CREATE", "Device Detected", "NOTICE"),
        ]
        let slot: Int64 = 6 * 60 * DateTime.ticksPerSecond
        let first = (now - Int64(minutes) * 600_000_000) / slot + 1
        let last = now / slot
        var out: [Value] = []
        for s in stride(from: last, through: max(first, last - 5_000), by: -1) {
            let k = Int(s % 1_000_000_007)
            let kind = kinds[
                Int(dice.roll(k, 30) % 100) < 70
                    ? [0, 4, 5, 7][Int(dice.roll(k, 31) % 4)] : Int(dice.roll(k, 32) % UInt64(kinds.count))]
            if let type, type != kind.0 { continue }
            let a = devices[Int(dice.roll(k, 33) % UInt64(max(devices.count, 1)))]
            let b = devices[Int(dice.roll(k, 34) % UInt64(max(devices.count, 1)))]
            let time = s * slot + Int64(dice.roll(k, 35) % 300) * DateTime.ticksPerSecond
            if time > now { continue }
            out.append(
                .bag(
                    Bag([
                        ("timestamp", .long((time - DateTime.unixEpoch) / 10_000)), ("title", .string(kind.1)),
                        ("severity", .string(kind.2)),
                        ("owner", .null),
                        ("content", .string("\(kind.1): \(a.address) (\(a.name)) and \(b.address) (\(b.name))")),
                        ("type", .string(kind.0)),
                    ])))
        }
        return out
    }

    private static let cves: [(id: String, vendor: String?, score: String, vector: String, text: String)] = [
        ("CVE-2019-13945", "SIEMENS AG", "6.8", "PHYSICAL", "Access through a service interface during boot."),
        ("CVE-2020-15782", "SIEMENS AG", "9.8", "NETWORK", "Memory protection bypass lets code run on the controller."),
        ("CVE-2022-38465", "SIEMENS AG", "9.3", "NETWORK", "A global private key can be read from a controller."),
        (
            "CVE-2021-22681", "ROCKWELL AUTOMATION", "9.8", "NETWORK",
            "A key shared by controllers and software lets others log in."
        ),
        (
            "CVE-2022-1161", "ROCKWELL AUTOMATION", "10.0", "NETWORK",
            "Program text and compiled program can differ unnoticed."
        ),
        ("CVE-2021-22779", "SCHNEIDER ELECTRIC", "9.8", "NETWORK", "Authentication over Modbus can be passed by."),
        ("CVE-2021-22278", "ABB OY", "6.7", "LOCAL", "An update package's signature is not checked fully."),
        ("CVE-2023-20198", "CISCO SYSTEMS", "10.0", "NETWORK", "The web interface lets strangers create accounts."),
        ("CVE-2017-0144", nil, "8.8", "NETWORK", "SMB version 1 server: remote code execution."),
        ("CVE-2019-0708", nil, "9.8", "NETWORK", "Remote desktop services: remote code execution before logon."),
        ("CVE-2020-1472", nil, "5.5", "NETWORK", "Netlogon: privileges raised on a domain controller."),
    ]

    func cveRows(day: Int, top: Int, address: String?) -> [Value] {
        var out: [(Double, Value)] = []
        for d in devices where !d.isScripted && (address == nil || d.address == address) {
            var own: [(Double, Value)] = []
            for (k, c) in Plant.cves.enumerated() {
                if let vendor = c.vendor {
                    guard d.vendor == vendor, d.firmware != nil else { continue }
                } else {
                    guard
                        d.os?.contains("Windows 7") == true || d.os?.contains("2012") == true
                            || d.os?.contains("2016") == true
                    else { continue }
                }
                var present = dice.percent(d.id, 40 + k) < 55
                if day > 0 { for x in 1...day where dice.roll(d.id, 60 + k, x) % 1000 < 10 { present.toggle() } }
                guard present else { continue }
                own.append(
                    (
                        Double(c.score) ?? 0,
                        .bag(
                            Bag([
                                ("cveId", .string(c.id)), ("ipAddress", .string(d.address)),
                                ("score", .string(c.score)), ("attackVector", .string(c.vector)),
                                ("description", .string(c.text)),
                            ]))
                    ))
            }
            out += own.sorted { $0.0 > $1.0 }.prefix(top)
        }
        return out.sorted { $0.0 > $1.0 }.map(\.1)
    }

    func alertRows(now: Int64, from: Int64?, to: Int64?) -> [Value] {
        if !scenarios.isEmpty { return playedAlertRows(now: now, from: from, to: to) }
        let hour: Int64 = 36_000_000_000
        let titles = [
            ("Unauthorized PLC Programming", "Policy Violation", "Critical"),
            ("Internet Access Detected", "Policy Violation", "Major"),
            ("Modbus Exception", "Operational", "Minor"), ("Illegal Function Code", "Protocol Violation", "Warning"),
            ("Suspicion of Malicious Activity", "Malware", "Critical"), ("Address Scan Detected", "Anomaly", "Major"),
        ]
        return (0..<72).compactMap { i in
            let slot = now / hour / 5 * 5 - Int64(i) * 5
            let k = Int(slot % 1_000_000)
            let t = titles[Int(dice.roll(k, 70) % UInt64(titles.count))]
            let ms = (slot * hour - DateTime.unixEpoch) / 10_000
            if let from, ms < from { return nil }
            if let to, ms >= to { return nil }
            let a = devices[Int(dice.roll(k, 71) % UInt64(max(1, devices.count)))]
            return .bag(
                Bag([
                    ("id", .long(slot % 100_000)), ("time", .long(ms)), ("title", .string(t.0)),
                    ("message", .string("\(t.0) at \(a.address).")),
                    ("severity", .string(t.2)), ("engine", .string(t.1)), ("sourceDevice", .long(Int64(a.id))),
                    ("destinationDevice", .null),
                    ("additionalInformation", .null),
                ]))
        }
    }
}
