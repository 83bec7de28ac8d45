import Tables

/// Writes a scenario's steps out: each row with its columns, as the tenant's tables have them.
struct ScenarioWriter {
    private(set) var cast: ScenarioCast
    private(set) var used: [(table: String, column: String, text: String?, place: String)] = []
    private var rows: [JSON] = []
    private var events: [JSON] = []
    private var alerts: [JSON] = []
    private var processes: [String: Process] = [:]
    private var lastProcess: Int64 = 4_000

    /// A program that runs on a device.
    private struct Process {
        let device: String
        let number: Int64
        let started: Int64
        let path: String
        let command: String
        let account: String
        let hash: String
        var parent: (name: String, number: Int64, started: Int64)?

        var name: String { path.split { $0 == "\\" || $0 == "/" }.last.map(String.init) ?? path }
    }

    init(_ cast: ScenarioCast) { self.cast = cast }

    func script(name: String, begins: Int) -> JSON {
        [
            "name": .string(name), "begins": .integer(Int64(begins)), "devices": .array(cast.told),
            "plant": .array(cast.plant), "rows": .array(rows), "sensorEvents": .array(events),
            "sensorAlerts": .array(alerts),
        ]
    }

    /// A program that runs since before the scenario.
    mutating func run(_ fields: Fields) throws {
        try fields.only(["id", "device", "path", "command", "account"])
        let device = try cast.member(fields)
        let path = try fields.string("path")
        lastProcess += 4
        let process = Process(
            device: device.id, number: lastProcess, started: -40 * 86_400_000, path: path,
            command: try fields.optionalString("command") ?? path,
            account: try fields.optionalString("account") ?? "system", hash: Self.hash(path))
        guard processes.updateValue(process, forKey: try fields.string("id")) == nil else {
            throw fields.fail("this program is there twice", at: "id")
        }
    }

    mutating func step(_ fields: Fields) throws {
        try fields.only([
            "at", "device", "by", "starts", "path", "command", "account", "sha1", "table", "columns", "setting",
            "complies", "sensor", "sensorAlert", "severity", "engine", "title", "content", "times", "every",
        ])
        let first = try ScenarioTime.read(fields, "at")
        let times = try fields.optionalInt("times") ?? 1
        guard (1...500).contains(times) else { throw fields.fail("'times' is 1 to 500", at: "times") }
        let every = times > 1 ? try ScenarioTime.span(fields, "every") : 0
        let kinds = ["starts", "table", "setting", "sensor", "sensorAlert"].filter(fields.has)
        guard let kind = kinds.first, kinds.count == 1 else {
            throw fields.fail("a step has one of 'starts', 'table', 'setting', 'sensor' and 'sensorAlert'")
        }
        for i in 0..<times {
            let at = first + Int64(i) * every
            switch kind {
            case "starts": try start(fields, at, number: i + 1)
            case "table": try row(fields, at, number: i + 1)
            case "setting": try turn(fields, at)
            default: try plant(fields, at, number: i + 1)
            }
        }
    }

    private mutating func turn(_ fields: Fields, _ at: Int64) throws {
        let device = try cast.member(fields)
        let turn: JSON = [
            "at": .integer(at), "setting": .string(try fields.string("setting")),
            "complies": .bool(try fields.optionalBool("complies") ?? true),
        ]
        cast.turns[device.id, default: []].append(turn)
    }

    private mutating func plant(_ fields: Fields, _ at: Int64, number: Int) throws {
        let content = try cast.filled(try fields.string("content"), number: number, fields)
        let severity = try fields.optionalString("severity")
        if fields.has("sensor") {
            events.append([
                "at": .integer(at), "type": .string(try fields.string("sensor")),
                "title": .string(try fields.string("title")), "severity": .string(severity ?? "ALERT"),
                "content": .string(content),
            ])
        } else {
            alerts.append([
                "at": .integer(at), "title": .string(try fields.string("sensorAlert")),
                "severity": .string(severity ?? "Major"), "message": .string(content),
                "engine": .string(try fields.optionalString("engine") ?? "Policy Violation"),
            ])
        }
    }

    private func process(_ fields: Fields) throws -> Process {
        let name = try fields.string("by")
        guard let process = processes[name] else {
            throw fields.fail("'\(name)' runs nowhere: name a program of 'running', or of a step before", at: "by")
        }
        return process
    }

    private mutating func start(_ fields: Fields, _ at: Int64, number: Int) throws {
        let parent = try process(fields)
        let path = try cast.filled(try fields.string("path"), number: number, fields)
        let command = try fields.optionalString("command").map { try cast.filled($0, number: number, fields) } ?? path
        let account = try fields.optionalString("account") ?? parent.account
        lastProcess += 4
        let process = Process(
            device: parent.device, number: lastProcess, started: at, path: path, command: command, account: account,
            hash: try fields.optionalString("sha1") ?? Self.hash(path),
            parent: (parent.name, parent.number, parent.started))
        processes[try fields.string("starts")] = process
        var cells: [String: String] = [
            "ActionType": "ProcessCreated", "FileName": process.name, "FolderPath": path, "SHA1": process.hash,
            "ProcessId": String(process.number), "ProcessCommandLine": command, "AccountName": account,
            "AccountDomain": Self.domain(of: account),
        ]
        var times = ["ProcessCreationTime": at]
        Self.act(parent, &cells, &times)
        try finish(fields, "DeviceProcessEvents", parent.device, at, number, cells, times)
    }

    private mutating func row(_ fields: Fields, _ at: Int64, number: Int) throws {
        let table = try fields.string("table")
        var cells: [String: String] = [:]
        var times: [String: Int64] = [:]
        var device: String?
        if fields.has("by") {
            let actor = try process(fields)
            device = actor.device
            Self.act(actor, &cells, &times)
        } else if fields.has("device") {
            device = try cast.member(fields).id
        }
        if let device, cast.members[device]?.hasAgent != true {
            throw fields.fail("'\(device)' has no agent that could send rows of \(table)")
        }
        let own = device.flatMap { cast.members[$0] }
        switch table {
        case "DeviceNetworkEvents":
            cells["ActionType"] = "ConnectionSuccess"
            cells["Protocol"] = "Tcp"
            cells["LocalIP"] = own?.address
        case "DeviceLogonEvents":
            cells["ActionType"] = "LogonSuccess"
            cells["AccountDomain"] = "contoso"
        default: break
        }
        try finish(fields, table, device, at, number, cells, times)
    }

    /// Adds a row with the columns that the step itself names.
    private mutating func finish(
        _ fields: Fields, _ table: String, _ device: String?, _ at: Int64, _ number: Int, _ made: [String: String],
        _ times: [String: Int64]
    ) throws {
        var cells = made
        for column in try fields.placedTexts("columns") {
            cells[column.name] = try cast.filled(column.text, number: number, fields)
            if number == 1 { used.append((table, column.name, cells[column.name], column.place)) }
        }
        if number == 1 {
            let place = fields.place(of: "at")
            for column in made.keys.sorted() { used.append((table, column, made[column], place)) }
            for column in times.keys.sorted() { used.append((table, column, nil, place)) }
        }
        if let address = cells["RemoteIP"], !address.isEmpty, cells["RemoteIPType"] == nil,
            ["DeviceNetworkEvents", "DeviceLogonEvents"].contains(table)
        {
            cells["RemoteIPType"] = Self.isPrivate(address) ? "Private" : "Public"
        }
        var row: JSON.Members = ["table": .string(table), "at": .integer(at)]
        if let device { row["device"] = .string(device) }
        row["columns"] = .object(JSON.Members(cells.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        row["times"] = .object(JSON.Members(times.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }))
        rows.append(.object(row))
    }

    /// The columns of what a program did.
    private static func act(_ actor: Process, _ cells: inout [String: String], _ times: inout [String: Int64]) {
        cells["InitiatingProcessFileName"] = actor.name.lowercased()
        cells["InitiatingProcessFolderPath"] = actor.path.lowercased()
        cells["InitiatingProcessCommandLine"] = actor.command
        cells["InitiatingProcessId"] = String(actor.number)
        cells["InitiatingProcessAccountName"] = actor.account
        cells["InitiatingProcessSHA1"] = actor.hash
        times["InitiatingProcessCreationTime"] = actor.started
        guard let parent = actor.parent else { return }
        cells["InitiatingProcessParentFileName"] = parent.name.lowercased()
        cells["InitiatingProcessParentId"] = String(parent.number)
        times["InitiatingProcessParentCreationTime"] = parent.started
    }

    private static func domain(of account: String) -> String {
        ["system", "local service", "network service"].contains(account) ? "nt authority" : "contoso"
    }

    private static func isPrivate(_ address: String) -> Bool {
        address.hasPrefix("10.") || address.hasPrefix("192.168.")
            || address.firstMatch(of: /^172\.(1[6-9]|2\d|3[01])\./) != nil
    }

    /// A program's SHA-1, made up of its path: the same file has the same everywhere.
    private static func hash(_ path: String) -> String {
        var text = path.lowercased()
        var out = ""
        while out.count < 40 {
            out += Hex.string(text.withUTF8 { ByteHash.hash($0) }, width: 16)
            text += "."
        }
        return String(out.prefix(40))
    }
}
