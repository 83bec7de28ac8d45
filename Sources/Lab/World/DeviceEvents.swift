import KQL
import KQLEngine
import Tables

/// The hunting tables of what happened on devices: made when they are asked for, since thirty days of a fleet are many rows. The same
/// device has the same events at the same times, whoever asks.
final class DeviceEvents: TableProvider {
    private let others: MemoryTables
    private let fleet: Fleet
    /// Ticks.
    private let now: Int64
    private let perDay: Int
    /// Where any is played, the other events are those of ordinary days.
    private let scenarios: [PlayedScenario]
    /// Tables go back as far as advanced hunting does.
    private static let days: Int64 = 30

    /// - Parameters:
    ///   - others: the tables of the fleet's state.
    ///   - perDay: events of a device in one table on one day.
    ///   - scenarios: what happens besides.
    init(_ others: MemoryTables, _ fleet: Fleet, now: Int64, perDay: Int, scenarios: [PlayedScenario]) {
        self.scenarios = scenarios
        self.others = others
        self.fleet = fleet
        self.now = now
        self.perDay = perDay
    }

    func schema(ofTable name: String) -> Schema? {
        EventKind.all[name].map(columns) ?? others.schema(ofTable: name)
    }

    /// The columns of a table: a lab that plays nothing keeps its answers short.
    private func columns(_ kind: EventKind) -> Schema { scenarios.isEmpty ? kind.schema : kind.full }

    var tableNames: [String] { others.tableNames + EventKind.all.keys }
    var watchlistAliases: [String] { [] }
    func function(named name: String) -> FunctionDeclaration? { nil }
    var functionNames: [String] { [] }
    func note(ofTable name: String) -> EntityNote { EntityNote() }
    func note(ofFunction name: String) -> EntityNote { EntityNote() }
    func rowCount(ofTable name: String) throws -> Int { try others.rowCount(ofTable: name) }
    func statistics(ofTable name: String) throws -> TableStatistics { try others.statistics(ofTable: name) }

    func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        guard let kind = EventKind.all[table] else { return try others.scan(table, predicates: predicates) }
        var (from, to) = (now - Self.days * DateTime.ticksPerDay, now + 1)
        var only: Set<String>?
        for p in predicates {
            switch (p.column, p.comparison, p.value) {
            case ("Timestamp", .greaterOrEqual, .datetime(let t)), ("Timestamp", .greater, .datetime(let t)):
                from = max(from, t)
            case ("Timestamp", .less, .datetime(let t)): to = min(to, t)
            case ("DeviceId", .equal, .string(let id)): only = [id]
            default: continue
            }
        }
        var machines = fleet.machines.filter { fleet.onboarding($0) == "Onboarded" && only?.contains($0.id) ?? true }[
            ...]
        guard !scenarios.isEmpty else {
            return {
                guard from < to, let machine = machines.popFirst() else { return nil }
                return self.batch(kind, machine, from, to)
            }
        }
        var played = scenarios[...]
        let (schema, workday) = (kind.full, WorkdayEvents(dice: fleet.dice))
        return {
            if let scenario = played.popFirst() {
                return Batch(schema: schema, rows: scenario.rows(table, schema, from: from, to: min(to, self.now + 1)))
            }
            guard let machine = machines.popFirst() else { return nil }
            let rows = workday.rows(table, machine, from: from, to: min(to, self.now + 1))
            return Batch(schema: schema, rows: rows.map { PlayedScenario.row($0, schema) })
        }
    }

    private func batch(_ kind: EventKind, _ machine: Machine, _ from: Int64, _ to: Int64) -> Batch {
        var rows: [[Value]] = []
        let perDay = max(1, perDay / kind.rarity)
        for day in from / DateTime.ticksPerDay...(to - 1) / DateTime.ticksPerDay {
            for n in 0..<perDay
            where kind.rarity == 1
                || fleet.dice.roll(machine.index, kind.number, Int(day), 99) % UInt64(kind.rarity) == 0
            {
                let roll = fleet.dice.roll(machine.index, kind.number, Int(day), n)
                let time = day * DateTime.ticksPerDay + Int64(roll % UInt64(DateTime.ticksPerDay))
                // Some events reach the service later than they happen.
                let delay = Int64(roll >> 48) % 50 == 0 ? Int64(35 * 60) : 0
                guard time >= from, time < to, time + delay * DateTime.ticksPerSecond <= now else { continue }
                rows.append(
                    kind.row(
                        EventOccasion(
                            machine: machine, time: time, number: Int64(day % 100_000) * 1_000 + Int64(n),
                            dice: fleet.dice, roll: roll)))
            }
        }
        return Batch(schema: kind.schema, rows: rows)
    }
}

/// One thing that happens on a device.
struct EventOccasion {
    let machine: Machine
    let time: Int64
    let number: Int64
    let dice: Dice
    let roll: UInt64

    func pick<T>(_ items: [T], _ salt: UInt64) -> T {
        items[Int(ByteHash.mix(roll ^ salt &* 0x9E37_79B9_7F4A_7C15) % UInt64(items.count))]
    }
    func hex(_ digits: Int, _ salt: UInt64) -> String {
        var text = ""
        var k = salt
        while text.count < digits {
            text += Hex.string(ByteHash.mix(roll ^ k &* 0xD6E8_FEB8_6659_FD93), width: 16)
            k += 101
        }
        return String(text.prefix(digits))
    }
}

/// A table of events: its columns and how a row of it looks.
struct EventKind: Sendable {
    let number: Int
    /// One device in so many has events of this kind on a day.
    let rarity: Int
    let schema: Schema
    /// With the columns that only scenarios fill.
    private(set) var full: Schema
    private let values: @Sendable (EventOccasion) -> [Value]

    /// Every table begins with these.
    private static let common: [(String, ScalarType)] = [
        ("Timestamp", .datetime), ("DeviceId", .string), ("DeviceName", .string), ("ActionType", .string),
        ("ReportId", .long),
    ]
    private static let initiator: [(String, ScalarType)] = [
        ("InitiatingProcessFileName", .string), ("InitiatingProcessId", .long),
        ("InitiatingProcessCommandLine", .string),
        ("InitiatingProcessAccountName", .string), ("InitiatingProcessSHA1", .string),
    ]
    private static let programs = [
        "chrome.exe", "powershell.exe", "outlook.exe", "svchost.exe", "excel.exe", "cmd.exe", "msiexec.exe",
        "teams.exe",
    ]

    private init(
        _ number: Int, rarity: Int = 1, _ columns: [(String, ScalarType)],
        _ values: @escaping @Sendable (EventOccasion) -> [Value]
    ) {
        self.number = number
        self.rarity = rarity
        schema = Schema(columns.map { ColumnSpec($0.0, $0.1) })
        full = schema
        self.values = values
    }

    func row(_ o: EventOccasion) -> [Value] { values(o) }

    private static func start(_ o: EventOccasion, _ action: String) -> [Value] {
        [.datetime(o.time), .string(o.machine.id), .string(o.machine.name), .string(action), .long(o.number)]
    }

    private static func initiator(_ o: EventOccasion) -> [Value] {
        let program = o.pick(programs, 7)
        return [
            .string(program), .long(Int64(o.roll >> 20 & 0xFFFF)), .string("\"\(program)\" /run"),
            .string(o.machine.user), .string(o.hex(40, 8)),
        ]
    }

    static let all = Dictionary(
        uniqueKeysWithValues: drawn.map { name, kind in
            var kind = kind
            let more = EventColumns.more[name] ?? []
            kind.full = Schema(kind.schema.columns + more.map { ColumnSpec($0.0, $0.1) })
            return (name, kind)
        })

    private static let drawn: [String: EventKind] = [
        "DeviceProcessEvents": EventKind(
            1,
            common + [
                ("FileName", .string), ("FolderPath", .string), ("SHA1", .string), ("SHA256", .string),
                ("ProcessId", .long), ("ProcessCommandLine", .string),
                ("ProcessCreationTime", .datetime), ("AccountName", .string), ("AdditionalFields", .string),
            ] + initiator
        ) { o in
            let program = o.pick(programs, 1)
            return start(o, "ProcessCreated") + [
                .string(program), .string("C:\\Windows\\System32\\\(program)"), .string(o.hex(40, 2)),
                .string(o.hex(64, 3)),
                .long(Int64(o.roll >> 30 & 0xFFFF)),
                .string("\(program) -k \"\(o.hex(8, 4))\""), .datetime(o.time - 1), .string(o.machine.user),
                .string(""),
            ] + initiator(o)
        },
        "DeviceNetworkEvents": EventKind(
            2,
            common + [
                ("RemoteIP", .string), ("RemotePort", .long), ("RemoteUrl", .string), ("LocalIP", .string),
                ("Protocol", .string),
            ] + initiator
        ) { o in
            start(o, o.pick(["ConnectionSuccess", "ConnectionFailed"], 1)) + [
                .string("198.51.100.\(o.roll >> 8 & 0xFF)"), .long(o.pick([443, 80, 445, 3_389], 2)),
                .string(o.pick(["login.example", "cdn.example", ""], 3)),
                .string(o.machine.address), .string("Tcp"),
            ] + initiator(o)
        },
        "DeviceFileEvents": EventKind(
            3,
            common + [
                ("FileName", .string), ("FolderPath", .string), ("SHA1", .string), ("SHA256", .string),
                ("FileSize", .long),
            ] + initiator
        ) { o in
            let name = o.pick(["report.docx", "invoice.xlsm", "setup.exe", "notes.txt"], 1)
            return start(o, o.pick(["FileCreated", "FileModified", "FileDeleted"], 2)) + [
                .string(name), .string("C:\\Users\\\(o.machine.user)\\Downloads\\\(name)"), .string(o.hex(40, 3)),
                .string(o.hex(64, 4)),
                .long(Int64(o.roll >> 40 & 0xF_FFFF)),
            ] + initiator(o)
        },
        "DeviceRegistryEvents": EventKind(
            4,
            common + [
                ("RegistryKey", .string), ("RegistryValueName", .string), ("RegistryValueData", .string),
                ("RegistryValueType", .string),
            ] + initiator
        ) { o in
            start(o, "RegistryValueSet") + [
                .string("HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\\(o.pick(["Microsoft", "Example"], 1))"),
                .string(o.pick(["Enabled", "Start"], 2)),
                .string(o.pick(["0", "1"], 3)), .string("Dword"),
            ] + initiator(o)
        },
        "DeviceLogonEvents": EventKind(
            5,
            common + [
                ("LogonType", .string), ("AccountName", .string), ("AccountDomain", .string), ("RemoteIP", .string),
                ("IsLocalAdmin", .bool),
            ] + initiator
        ) { o in
            start(o, o.pick(["LogonSuccess", "LogonSuccess", "LogonFailed"], 1)) + [
                .string(o.pick(["Interactive", "Network", "RemoteInteractive"], 2)), .string(o.machine.user),
                .string("CONTOSO"),
                .string("10.20.1.\(o.roll & 0xFF)"), .bool(o.roll & 1 == 0),
            ] + initiator(o)
        },
        "DeviceImageLoadEvents": EventKind(
            6,
            common + [("FileName", .string), ("FolderPath", .string), ("SHA1", .string), ("SHA256", .string)]
                + initiator
        ) { o in
            start(o, "ImageLoaded") + [
                .string(o.pick(["amsi.dll", "kernel32.dll", "vaultcli.dll"], 1)), .string("C:\\Windows\\System32"),
                .string(o.hex(40, 2)),
                .string(o.hex(64, 3)),
            ] + initiator(o)
        },
        "DeviceEvents": EventKind(
            7, common + [("FileName", .string), ("FolderPath", .string), ("AdditionalFields", .string)] + initiator
        ) { o in
            start(
                o,
                o.pick(
                    ["AntivirusDetection", "AsrOfficeChildProcessBlocked", "UsbDriveMounted", "ScheduledTaskCreated"], 1
                )) + [
                    .string(o.pick(programs, 2)), .string("C:\\Temp"), .string("{\"ThreatName\":\"\(o.hex(6, 3))\"}"),
                ] + initiator(o)
        },
        "DeviceFileCertificateInfo": EventKind(
            8,
            [
                ("Timestamp", .datetime), ("DeviceId", .string), ("DeviceName", .string), ("SHA1", .string),
                ("IsSigned", .bool), ("Signer", .string),
                ("Issuer", .string), ("IsTrusted", .bool), ("ReportId", .long),
            ]
        ) { o in
            [
                .datetime(o.time), .string(o.machine.id), .string(o.machine.name), .string(o.hex(40, 1)), .bool(true),
                .string("Example Software"),
                .string("Example CA"), .bool(o.roll & 3 != 0), .long(o.number),
            ]
        },
        "AlertInfo": EventKind(
            9, rarity: 20,
            [
                ("Timestamp", .datetime), ("AlertId", .string), ("Title", .string), ("Category", .string),
                ("Severity", .string), ("ServiceSource", .string),
                ("DetectionSource", .string), ("AttackTechniques", .string),
            ]
        ) { o in
            [
                .datetime(o.time), .string("da\(o.hex(16, 90))"),
                .string(o.pick(["Suspicious PowerShell command line", "Credential dumping tool"], 1)),
                .string(o.pick(["Execution", "CredentialAccess"], 1)), .string(o.pick(["Low", "Medium", "High"], 2)),
                .string("Microsoft Defender for Endpoint"), .string("EDR"), .string("[\"PowerShell (T1059.001)\"]"),
            ]
        },
        "AlertEvidence": EventKind(
            // The same number as the alerts': each alert has its evidence.
            9, rarity: 20,
            [
                ("Timestamp", .datetime), ("AlertId", .string), ("EntityType", .string), ("EvidenceRole", .string),
                ("DeviceId", .string),
                ("DeviceName", .string),
                ("FileName", .string), ("SHA1", .string), ("AccountName", .string),
            ]
        ) { o in
            [
                .datetime(o.time), .string("da\(o.hex(16, 90))"), .string("File"), .string("Related"),
                .string(o.machine.id), .string(o.machine.name),
                .string(o.pick(programs, 3)), .string(o.hex(40, 4)), .string(o.machine.user),
            ]
        },
    ]
}
