import Content
import KQL
import KQLEngine
import Tables

/// A device as an investigation knows it.
package struct EstateDevice: Sendable {
    package let id: String
    package var name: String
    /// What it was called before.
    package var formerNames: Set<String> = []
    package var addresses: Set<String> = []
    /// Whether an agent on it tells what happens there.
    package var hasSensor = false
    package var isInternetFacing = false
    package var platform = ""
    package var role = ""
    /// Whether the plant's sensors know it as a controller.
    package var isController = false
    package var isStation = false
    package var zone = ""
    /// What the plant's sensors call it; empty for devices that they do not see.
    package var plantRole = ""

    /// Whether the plant's safety depends on it, by what it is called.
    package var isSafety: Bool {
        let words = plantRole.split { !$0.isLetter }
        return words.contains {
            ["safety", "sis", "tricon", "triconex", "hima", "failsafe", "esd"].contains($0)
        }
    }

    /// Whether a name is one that it has or had, with or without its domain.
    package func isCalled(_ other: String) -> Bool {
        formerNames.union([name]).contains { $0 == other || $0.prefix { $0 != "." } == other }
    }

    package mutating func rename(_ new: String) {
        guard !new.isEmpty, new != name else { return }
        if !name.isEmpty { formerNames.insert(name) }
        name = new
    }

    package var shortName: String { name.split(separator: ".").first.map(String.init) ?? name }
}

/// The workspace as the stages ask it: devices, and the rows of events of those that matter.
package final class Estate {
    package let engine: Engine
    package let library: ContentLibrary
    package private(set) var devices: [String: EstateDevice] = [:]
    private var byAddress: [String: String] = [:]
    private var byName: [String: String] = [:]
    private var bySensorID: [String: String] = [:]
    /// Tables that hold no row: what they would tell is not known.
    package private(set) var silent: Set<String> = []
    /// Ticks.
    package let window: ClosedRange<Int64>
    private var loaded: [String: [TraceRow]] = [:]
    private var servers: Set<String>?

    static let events = [
        "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents",
        "DeviceLogonEvents",
        "DeviceEvents", "DeviceImageLoadEvents",
    ]

    /// - Parameter window: ticks; all that there is when nil.
    package init(provider: any TableProvider, library: ContentLibrary, window: ClosedRange<Int64>?)
        throws
    {
        engine = Engine(provider: provider)
        self.library = library
        self.window = window ?? 0...DateTime.maximum
        for table in library.tables.keys where try provider.rowCount(ofTable: table) == 0 { silent.insert(table) }
        try readDevices()
        try readPlant()
    }

    /// Runs a query; rows by column name.
    ///
    /// - Throws: `QueryError`.
    package func ask(_ text: String) throws -> [ResultRow] {
        var options = QueryOptions()
        options.rowCountMax = nil
        let table = try engine.run(text, options: options).primary
        var places: [String: Int] = [:]
        for (i, name) in table.schema.names.enumerated() where places[name] == nil { places[name] = i }
        return try table.rows().map { ResultRow(places: places, values: $0) }
    }

    /// The names that a function of the content lists, in small letters.
    package func names(_ function: String) throws -> Set<String> {
        Set(try ask("print Names = \(function)()").first?.list("Names").map { $0.lowercased() } ?? [])
    }

    private func readDevices() throws {
        for row in try ask("DeviceInfo | order by TimeGenerated asc") {
            let id = row.text("DeviceId")
            guard !id.isEmpty else { continue }
            var device = devices[id] ?? EstateDevice(id: id, name: row.text("DeviceName").lowercased())
            device.rename(row.text("DeviceName").lowercased())
            device.hasSensor =
                row.text("OnboardingStatus").isEmpty || row.text("OnboardingStatus") == "Onboarded"
            device.isInternetFacing = device.isInternetFacing || row.flag("IsInternetFacing") == true
            device.platform = row.text("OSPlatform")
            device.role = row.text("DeviceType")
            devices[id] = device
        }
        for row in try ask("MDEMachines_CL | order by TimeGenerated asc") {
            let id = row.text("MachineId")
            guard !id.isEmpty else { continue }
            var device =
                devices[id] ?? EstateDevice(id: id, name: row.text("ComputerDnsName").lowercased())
            device.addresses.formUnion(row.list("IpAddresses", member: "ipAddress"))
            device.addresses.formUnion(row.list("LastIpAddress"))
            devices[id] = device
        }
        for row in try ask("DeviceNetworkInfo | order by TimeGenerated asc") {
            let id = row.text("DeviceId")
            devices[id, default: EstateDevice(id: id, name: row.text("DeviceName").lowercased())]
                .addresses
                .formUnion(row.list("IPAddresses", member: "IPAddress"))
        }
        for table in Self.events where !silent.contains(table) {
            for row in try ask("\(table) | summarize take_any(DeviceName) by DeviceId") {
                let id = row.text("DeviceId")
                if devices[id] == nil {
                    devices[id] = EstateDevice(id: id, name: row.text("DeviceName").lowercased())
                }
                devices[id]?.hasSensor = true
            }
        }
        if devices.values.allSatisfy({ $0.addresses.isEmpty }) {
            for row in try ask(
                "DeviceNetworkEvents | where isnotempty(LocalIP) | summarize Count = count() by DeviceId, LocalIP"
            ) {
                devices[row.text("DeviceId")]?.addresses.insert(row.text("LocalIP"))
            }
        }
        for device in devices.values.sorted(by: { $0.id < $1.id }) { index(device) }
    }

    private func index(_ device: EstateDevice) {
        for address in device.addresses where !address.isEmpty { byAddress[address] = device.id }
        for name in device.formerNames.union([device.name]) {
            byName[name] = device.id
            byName[String(name.prefix { $0 != "." }).lowercased()] = device.id
        }
    }

    private func readPlant() throws {
        for row in try ask("IoTDevices_CL | order by TimeGenerated asc") {
            let address = row.text("IpAddress")
            guard !address.isEmpty else { continue }
            let id = byAddress[address] ?? "iot:\(address)"
            var device = devices[id] ?? EstateDevice(id: id, name: row.text("DeviceName"))
            device.addresses.insert(address)
            device.addresses.formUnion(row.list("IpAddresses"))
            device.isStation = device.isStation || row.flag("IsEngineeringStation") == true
            let role = row.text("DeviceType")
            let controllers = ["plc", "rtu", "controller", "ied", "safety", "i/o", "relay", "drive"]
            device.isController =
                controllers.contains { role.lowercased().contains($0) }
                && !role.lowercased().contains("domain")
            device.plantRole = [role, row.text("Model"), row.text("DeviceName")].joined(separator: " ")
                .lowercased()
            if device.role.isEmpty { device.role = role }
            if let number = row.number("DeviceId") {
                bySensorID["\(row.text("SensorName"))|\(number)"] = address
            }
            devices[id] = device
            index(device)
        }
        for row in try ask("IoTManagedDevices_CL | order by TimeGenerated asc") {
            for address in row.list("IpAddresses") {
                if let id = byAddress[address] { devices[id]?.zone = row.text("ZoneName") }
            }
        }
    }

    /// The device that holds an address.
    package func device(at address: String) -> String? { address.isEmpty ? nil : byAddress[address] }

    /// The address of a device by the number that a sensor gives it.
    package func address(ofSensor sensor: String, number: Int64?) -> String {
        number.flatMap { bySensorID["\(sensor)|\($0)"] } ?? ""
    }

    /// The device of a name, with or without its domain.
    package func device(named name: String) -> String? {
        let name = name.lowercased()
        return name.isEmpty
            ? nil : byName[name] ?? byName[name.split(separator: ".").first.map(String.init) ?? name]
    }

    package func name(_ id: String) -> String {
        let name = devices[id]?.name ?? ""
        return name.isEmpty ? String(id.trimmingPrefix("iot:")) : name
    }

    /// All rows of an event table for a device, in order of time.
    package func rows(_ table: String, of device: String) throws -> [TraceRow] {
        let key = table + "\u{0}" + device
        if let known = loaded[key] { return known }
        let rows = try ask("\(table) | where DeviceId == \(Self.literal(device))")
            .map { TraceRow($0, table: table) }.filter { window.contains($0.time) }
            .sorted { ($0.time, $0.report) < ($1.time, $1.report) }
        loaded[key] = rows
        return rows
    }

    /// Successful logons anywhere that came from one of a device's addresses, or name it.
    package func logons(from device: String) throws -> [TraceRow] {
        let key = "logons\u{0}" + device
        if let known = loaded[key] { return known }
        guard let holder = devices[device] else { return [] }
        let addresses = holder.addresses.filter { !$0.isEmpty && $0 != "127.0.0.1" }.sorted().map(
            Self.literal)
        let names = [holder.name, holder.shortName].filter { !$0.isEmpty }.map(Self.literal)
        let list = addresses.isEmpty ? "'-'" : addresses.joined(separator: ", ")
        let called = names.isEmpty ? "'-'" : names.joined(separator: ", ")
        let rows = try ask(
            """
            DeviceLogonEvents
            | where ActionType startswith "LogonSuccess"
            | where replace_string(RemoteIP, "::ffff:", "") in (\(list)) or RemoteDeviceName in~ (\(called))
            """
        ).map { TraceRow($0, table: "DeviceLogonEvents") }.filter {
            window.contains($0.time) && $0.device != device
        }
        .sorted { ($0.time, $0.device, $0.report) < ($1.time, $1.device, $1.report) }
        loaded[key] = rows
        return rows
    }

    /// The id of a device that no inventory holds.
    package static func outsider(_ name: String) -> String { "out:" + name }

    package static func isOutsider(_ id: String) -> Bool { id.hasPrefix("out:") }

    /// Connections of all devices to an address, in order of time.
    package func reaches(_ address: String) throws -> [TraceRow] {
        let key = "reaches\u{0}" + address
        if let known = loaded[key] { return known }
        let rows = try ask(
            "DeviceNetworkEvents | where RemoteIP == \(Self.literal(address)) and ActionType startswith \"ConnectionSuccess\""
        ).map { TraceRow($0, table: "DeviceNetworkEvents") }.filter { window.contains($0.time) }
            .sorted { ($0.time, $0.device, $0.report) < ($1.time, $1.device, $1.report) }
        loaded[key] = rows
        return rows
    }

    /// Whether addresses of devices are known: without them nobody can say that one belongs to none.
    package var knowsAddresses: Bool { byAddress.count * 2 >= devices.count }

    /// New processes of files, by SHA-1, in order of time.
    package func runs(of hashes: [String]) throws -> [TraceRow] {
        guard !hashes.isEmpty else { return [] }
        let key = "runs\u{0}" + hashes.joined(separator: ",")
        if let known = loaded[key] { return known }
        let rows = try ask(
            "DeviceProcessEvents | where SHA1 in~ (\(hashes.map(Self.literal).joined(separator: ", ")))"
        ).map { TraceRow($0, table: "DeviceProcessEvents") }.filter { window.contains($0.time) }
            .sorted { ($0.time, $0.device, $0.report) < ($1.time, $1.device, $1.report) }
        loaded[key] = rows
        return rows
    }

    /// The devices that serve the directory: what others ask for tickets (port 88) or entries (389).
    package func directoryServers() throws -> Set<String> {
        if let servers { return servers }
        let rows = try ask(
            """
            DeviceNetworkEvents
            | where RemotePort in (88, 389, 636) and ActionType startswith "ConnectionSuccess"
            | summarize Devices = dcount(DeviceId) by RemoteIP
            | where Devices >= 2
            """)
        var found = Set(rows.compactMap { device(at: TraceRow.plain($0.text("RemoteIP"))) })
        for row in try ask(
            """
            union DeviceProcessEvents, DeviceLogonEvents, DeviceFileEvents
            | where InitiatingProcessFileName in~ ("ntds.exe", "dfsrs.exe", "ntdsutil.exe") or FileName =~ "ntdsutil.exe"
            | distinct DeviceId
            """)
        {
            found.insert(row.text("DeviceId"))
        }
        servers = found
        return found
    }

    /// A text as a literal of KQL.
    package static func literal(_ text: String) -> String { KQLLiteral.string(text) }
}
