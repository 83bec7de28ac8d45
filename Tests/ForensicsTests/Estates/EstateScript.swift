import Content
import Forensics
import KQL
import KQLEngine
import Tables
import TestKit

/// A small estate written line by line: devices, settings, and what happened on them.
///
/// Times are minutes after the estate's first midnight.
struct EstateScript {
    static let library = ContentLibrary.load(folders: [Repository.root + "/Content"]).library
    static let origin = Int64(DateTime.days(year: 2026, month: 3, day: 2)) * DateTime.ticksPerDay

    private(set) var rows: [String: [[String: Value]]] = [:]
    private var addresses: [String: String] = [:]
    private var report: Int64 = 0
    private var nextProcess: Int64 = 5000

    /// A process that later lines start others from.
    struct Process {
        let device: String
        let id: Int64
        let started: Int64
        let name: String
        let path: String
        let command: String
        let account: String
    }

    static func time(_ minutes: Double) -> Int64 { origin + Int64(minutes * 60) * DateTime.ticksPerSecond }
    /// Minutes of a day and hour.
    static func at(_ day: Int, _ hour: Double) -> Double { Double(day) * 1440 + hour * 60 }

    mutating func add(_ table: String, _ cells: [String: Value]) { rows[table, default: []].append(cells) }

    mutating func remove(_ table: String) { rows[table] = nil }

    /// Moves what a table tells, in minutes; state tables have no event time and stay.
    mutating func shift(_ table: String, by minutes: Double, told: Double = 0) {
        let ticks = Int64(minutes * 60) * DateTime.ticksPerSecond
        let late = Int64(told * 60) * DateTime.ticksPerSecond
        for i in (rows[table] ?? []).indices {
            for name in ["Timestamp", "ProcessCreationTime", "InitiatingProcessCreationTime"] {
                if case .datetime(let time)? = rows[table]?[i][name] { rows[table]?[i][name] = .datetime(time + ticks) }
            }
            if case .datetime(let time)? = rows[table]?[i]["TimeGenerated"] {
                rows[table]?[i]["TimeGenerated"] = .datetime(time + ticks + late)
            }
        }
    }

    mutating func device(_ name: String, _ address: String, os: String = "Windows11", exposed: Bool = false) {
        addresses[name] = address
        let full = name + ".fenwick.example"
        add(
            "DeviceInfo",
            [
                "TimeGenerated": .datetime(Self.time(0)), "Timestamp": .datetime(Self.time(0)),
                "ChangeType": .string("Added"),
                "DeviceId": .string("id-" + name), "DeviceName": .string(full), "OSPlatform": .string(os),
                "OnboardingStatus": .string("Onboarded"), "SensorHealthState": .string("Active"),
                "IsInternetFacing": .bool(exposed),
            ])
        add(
            "DeviceNetworkInfo",
            [
                "TimeGenerated": .datetime(Self.time(0)), "Timestamp": .datetime(Self.time(0)),
                "ChangeType": .string("Added"),
                "DeviceId": .string("id-" + name), "DeviceName": .string(full),
                "IPAddresses": .array([.bag(Bag([("IPAddress", .string(address))]))]),
            ])
    }

    mutating func setting(_ device: String, _ id: String, on: Bool, day: Int = 0) {
        add(
            "DeviceTvmSecureConfigurationAssessment",
            [
                "TimeGenerated": .datetime(Self.time(Double(day) * 1440)),
                "Timestamp": .datetime(Self.time(Double(day) * 1440)),
                "ChangeType": .string("Added"), "DeviceId": .string("id-" + device), "ConfigurationId": .string(id),
                "IsCompliant": .bool(on), "IsApplicable": .bool(true),
            ])
    }

    mutating func flaw(_ device: String, _ cve: String, _ vendor: String, _ product: String, exploited: Bool) {
        add(
            "DeviceTvmSoftwareVulnerabilities",
            [
                "TimeGenerated": .datetime(Self.time(0)), "ChangeType": .string("Added"),
                "DeviceId": .string("id-" + device),
                "CveId": .string(cve), "SoftwareVendor": .string(vendor), "SoftwareName": .string(product),
                "CvssScore": .real(9.8),
            ])
        guard exploited else { return }
        add("KnownExploitedVulnerabilities_CL", ["TimeGenerated": .datetime(Self.time(0)), "CveId": .string(cve)])
    }

    private mutating func event(_ device: String, _ minutes: Double, _ action: String, by actor: Process?) -> [String:
        Value]
    {
        report += 1
        var cells: [String: Value] = [
            "Timestamp": .datetime(Self.time(minutes)), "TimeGenerated": .datetime(Self.time(minutes + 1)),
            "DeviceId": .string("id-" + device), "DeviceName": .string(device + ".fenwick.example"),
            "ActionType": .string(action), "ReportId": .long(report),
        ]
        if let actor {
            cells["InitiatingProcessFileName"] = .string(actor.name.lowercased())
            cells["InitiatingProcessFolderPath"] = .string(actor.path.lowercased())
            cells["InitiatingProcessCommandLine"] = .string(actor.command)
            cells["InitiatingProcessId"] = .long(actor.id)
            cells["InitiatingProcessCreationTime"] = .datetime(actor.started)
            cells["InitiatingProcessAccountName"] = .string(actor.account)
        }
        return cells
    }

    /// A process that was there before the estate's first day.
    func host(_ device: String, _ name: String, _ path: String, account: String = "system", command: String = "")
        -> Process
    {
        Process(
            device: device, id: Int64(100 + name.utf8.reduce(0) { $0 + Int($1) }),
            started: Self.origin - DateTime.ticksPerDay,
            name: name, path: path, command: command.isEmpty ? path : command, account: account)
    }

    @discardableResult
    mutating func start(
        _ minutes: Double, below parent: Process, _ path: String, _ command: String, as account: String? = nil,
        hash: String = "", original: String = ""
    ) -> Process {
        nextProcess += 4
        let name = path.split(whereSeparator: { $0 == "\\" || $0 == "/" }).last.map(String.init) ?? path
        let process = Process(
            device: parent.device, id: nextProcess, started: Self.time(minutes), name: name, path: path,
            command: command,
            account: account ?? parent.account)
        var cells = event(parent.device, minutes, "ProcessCreated", by: parent)
        cells["FileName"] = .string(name)
        cells["FolderPath"] = .string(path)
        cells["ProcessCommandLine"] = .string(command)
        cells["ProcessId"] = .long(process.id)
        cells["ProcessCreationTime"] = .datetime(process.started)
        cells["AccountName"] = .string(process.account)
        cells["SHA1"] = .string(hash)
        cells["ProcessVersionInfoOriginalFileName"] = .string(original)
        add("DeviceProcessEvents", cells)
        return process
    }

    mutating func write(
        _ minutes: Double, by actor: Process, _ path: String, _ action: String = "FileCreated", before: String = ""
    ) {
        var cells = event(actor.device, minutes, action, by: actor)
        cells["FileName"] = .string(
            path.split(whereSeparator: { $0 == "\\" || $0 == "/" }).last.map(String.init) ?? path)
        cells["FolderPath"] = .string(path)
        cells["PreviousFileName"] = .string(before)
        add("DeviceFileEvents", cells)
    }

    mutating func connect(
        _ minutes: Double, by actor: Process, _ address: String, _ port: Int64, isPublic: Bool, url: String = ""
    ) {
        var cells = event(actor.device, minutes, "ConnectionSuccess", by: actor)
        cells["RemoteIP"] = .string(address)
        cells["RemotePort"] = .long(port)
        cells["RemoteUrl"] = .string(url)
        cells["RemoteIPType"] = .string(isPublic ? "Public" : "Private")
        add("DeviceNetworkEvents", cells)
    }

    mutating func value(_ minutes: Double, by actor: Process, _ key: String, _ name: String, _ data: String) {
        var cells = event(actor.device, minutes, "RegistryValueSet", by: actor)
        cells["RegistryKey"] = .string(key)
        cells["RegistryValueName"] = .string(name)
        cells["RegistryValueData"] = .string(data)
        add("DeviceRegistryEvents", cells)
    }

    mutating func logon(
        _ device: String, _ minutes: Double, _ account: String, _ type: String, from address: String = "",
        succeeds: Bool = true, domain: String = "fenwick"
    ) {
        var cells = event(device, minutes, succeeds ? "LogonSuccess" : "LogonFailed", by: nil)
        cells["AccountName"] = .string(account)
        cells["AccountDomain"] = .string(domain)
        cells["LogonType"] = .string(type)
        cells["RemoteIP"] = .string(address)
        cells["RemoteIPType"] = .string(address.isEmpty ? "" : Address.isPublic(address) ? "Public" : "Private")
        add("DeviceLogonEvents", cells)
    }

    mutating func tell(
        _ minutes: Double, by actor: Process, _ action: String, file: String = "", account: String = "",
        _ fields: [(String, Value)] = []
    ) {
        var cells = event(actor.device, minutes, action, by: actor)
        cells["FileName"] = .string(file)
        cells["AccountName"] = .string(account)
        cells["AdditionalFields"] = .bag(Bag(fields))
        add("DeviceEvents", cells)
    }

    mutating func plantDevice(_ name: String, _ address: String, _ type: String, station: Bool = false) {
        add(
            "IoTDevices_CL",
            [
                "TimeGenerated": .datetime(Self.time(0)), "ChangeType": .string("Added"), "SensorName": .string("s1"),
                "DeviceName": .string(name), "DeviceType": .string(type), "IpAddress": .string(address),
                "IsEngineeringStation": .bool(station), "IsAuthorized": .bool(true),
            ])
    }

    mutating func plant(_ minutes: Double, _ type: String, _ content: String) {
        add(
            "IoTEvents_CL",
            [
                "TimeGenerated": .datetime(Self.time(minutes + 1)), "EventTime": .datetime(Self.time(minutes)),
                "SensorName": .string("s1"), "EventType": .string(type), "EventTitle": .string(type),
                "Content": .string(content),
            ])
    }

    /// Three weeks of what every estate does: backup, agents, administrators' rounds, restarts after updates.
    mutating func quiet(servers: [String], clients: [String], days: Int = 21) {
        for day in 0..<days {
            for server in servers {
                let backup = host(server, "CopyKeeper.exe", #"C:\Program Files\CopyKeeper\CopyKeeper.exe"#)
                start(
                    Self.at(day, 1.5), below: backup, #"C:\Windows\System32\vssadmin.exe"#,
                    "vssadmin delete shadows /for=d: /oldest /quiet")
                tell(
                    Self.at(day, 1.6), by: backup, "OpenProcessApiCall", file: "lsass.exe",
                    [("DesiredAccess", .long(5136))])
                logon(server, Self.at(day, 9.2), "adm.finch", "RemoteInteractive", from: "10.9.1.99")
            }
            for client in clients {
                let agent = host(client, "inventory.exe", #"C:\Program Files\Inventory\inventory.exe"#)
                start(
                    Self.at(day, 7), below: agent, #"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"#,
                    "powershell.exe -NoProfile -EncodedCommand RwBlAHQALQBXAG0AaQBPAGIAagBlAGMAdAA=")
                logon(client, Self.at(day, 8), "user." + client, "Interactive")
            }
        }
    }

    /// The estate as an investigation reads it.
    func provider(without missing: Set<String> = []) -> MemoryTables {
        let tables = MemoryTables()
        for table in Self.library.tables.values {
            let schema = TypeColumn.added(to: table.schema)
            let batch = Batch(
                schema: schema,
                rows: missing.contains(table.name)
                    ? [] : (rows[table.name] ?? []).map { cells in schema.names.map { cells[$0] ?? .null } })
            tables.set(table.name, schema: schema, batches: [batch])
        }
        for (name, declaration) in Self.library.functionDeclarations { tables.setFunction(name, declaration) }
        return tables
    }

    func investigate(without missing: Set<String> = []) throws -> Investigation {
        try Investigator(provider: provider(without: missing), library: Self.library).run()
    }
}
