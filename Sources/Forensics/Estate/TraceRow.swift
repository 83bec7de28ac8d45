import Tables

/// A process of a device: ids come back, so the time of its start belongs to it.
package struct ProcessID: Hashable, Sendable, Comparable {
    package let device: String
    package let id: Int64
    /// Ticks; 0 where no row tells.
    package let started: Int64

    package static func < (a: ProcessID, b: ProcessID) -> Bool {
        (a.device, a.started, a.id) < (b.device, b.started, b.id)
    }
}

/// One row of an event table, in the words that all stages share.
package struct TraceRow: Sendable {
    package let table: String
    package let device: String
    package let deviceName: String
    /// Ticks; when it happened, not when it was told.
    package let time: Int64
    package let report: Int64
    package let action: String
    /// Who did it: for a logon who came, for a new process as whom it runs.
    package let account: String
    package let accountDomain: String
    /// Whether the account administers the device that it came to; nil when no row tells.
    package let isLocalAdmin: Bool?
    package let actor: ProcessID?
    package let actorName: String
    package let actorPath: String
    package let actorCommand: String
    package let actorAccount: String
    package let actorParentName: String
    package let actorParent: ProcessID?
    /// The process that was made; nil for other events.
    package let child: ProcessID?
    package let file: String
    package let path: String
    package let command: String
    package let hash: String
    package let actorHash: String
    package let remoteAddress: String
    package let remotePort: Int64
    package let localPort: Int64
    package let remoteURL: String
    package let remoteKind: String
    package let remoteDevice: String
    package let logonType: String
    package let key: String
    package let valueName: String
    package let valueData: String
    package let previousFile: String
    package let origin: String
    package let requestAddress: String
    package let requestAccount: String
    package let fields: Value

    package init(_ row: ResultRow, table: String) {
        self.table = table
        device = row.text("DeviceId")
        deviceName = row.text("DeviceName").lowercased()
        time = row.time
        report = row.number("ReportId") ?? 0
        action = row.text("ActionType")
        account = row.text("AccountName").lowercased()
        accountDomain = row.text("AccountDomain").lowercased()
        isLocalAdmin = row.flag("IsLocalAdmin")
        actorName = row.text("InitiatingProcessFileName").lowercased()
        actorPath = row.text("InitiatingProcessFolderPath").lowercased()
        actorCommand = row.text("InitiatingProcessCommandLine")
        actorAccount = row.text("InitiatingProcessAccountName").lowercased()
        actorParentName = row.text("InitiatingProcessParentFileName").lowercased()
        let device = device
        func process(_ id: String, _ started: String) -> ProcessID? {
            guard let number = row.number(id), number != 0 || row.ticks(started) != nil else { return nil }
            return ProcessID(device: device, id: number, started: row.ticks(started) ?? 0)
        }
        actor = process("InitiatingProcessId", "InitiatingProcessCreationTime")
        actorParent = process("InitiatingProcessParentId", "InitiatingProcessParentCreationTime")
        child =
            table == "DeviceProcessEvents"
            ? process("ProcessId", "ProcessCreationTime").map {
                $0.started == 0 ? ProcessID(device: device, id: $0.id, started: row.time) : $0
            } : nil
        file = row.text("FileName")
        path = row.text("FolderPath").lowercased()
        command = row.text("ProcessCommandLine")
        hash = row.text("SHA1").lowercased()
        actorHash = row.text("InitiatingProcessSHA1").lowercased()
        remoteAddress = Self.plain(row.text("RemoteIP"))
        remotePort = row.number("RemotePort") ?? 0
        localPort = row.number("LocalPort") ?? 0
        remoteURL = row.text("RemoteUrl").lowercased()
        remoteKind = row.text("RemoteIPType")
        remoteDevice = row.text("RemoteDeviceName").lowercased()
        logonType = row.text("LogonType")
        key = row.text("RegistryKey")
        valueName = row.text("RegistryValueName")
        valueData = row.text("RegistryValueData")
        previousFile = row.text("PreviousFileName")
        origin = row.text("FileOriginUrl")
        requestAddress = Self.plain(row.text("RequestSourceIP"))
        requestAccount = row.text("RequestAccountName").lowercased()
        fields = row.value("AdditionalFields")
    }

    /// An address without the prefix of one that is told in the newer family.
    static func plain(_ address: String) -> String {
        address.lowercased().hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address
    }

    /// What is known under a name in AdditionalFields; empty when nothing is.
    package func field(_ name: String) -> String { fields.bagValue?[name]?.text ?? "" }

    /// What can be found again: table, device, time and number.
    package var reference: RowReference {
        RowReference(table: table, device: device, time: time, report: report)
    }

    package var isPublic: Bool { Address.isPublic(remoteAddress, kind: remoteKind) }
}

/// Where a row stands in the workspace.
package struct RowReference: Hashable, Sendable, Comparable {
    package let table: String
    package let device: String
    package let time: Int64
    package let report: Int64

    package init(table: String, device: String, time: Int64, report: Int64) {
        self.table = table
        self.device = device
        self.time = time
        self.report = report
    }

    package static func < (a: RowReference, b: RowReference) -> Bool {
        (a.time, a.table, a.device, a.report) < (b.time, b.table, b.device, b.report)
    }
}

/// A row of a query's result, by column name.
package struct ResultRow: Sendable {
    let places: [String: Int]
    package let values: [Value]

    package func value(_ name: String) -> Value { places[name].map { values[$0] } ?? .null }
    package func text(_ name: String) -> String {
        let value = value(name)
        return value.isNull ? "" : value.text
    }
    package func number(_ name: String) -> Int64? { value(name).longValue }
    package func flag(_ name: String) -> Bool? { value(name).boolValue }
    package func ticks(_ name: String) -> Int64? {
        if case .datetime(let ticks) = value(name) { ticks } else { nil }
    }
    /// When it happened; where no row tells, when it was told.
    package var time: Int64 {
        ticks("Timestamp") ?? ticks("EventTime") ?? ticks("AlertTime") ?? ticks("TimeGenerated") ?? 0
    }
    /// The texts of a list, of a list of objects under a name, or a single text.
    package func list(_ name: String, member: String? = nil) -> [String] {
        switch value(name) {
        case .array(let items):
            items.compactMap { item in member.flatMap { item.bagValue?[$0]?.text } ?? item.stringValue }
        case .string(let text): text.isEmpty ? [] : [text]
        default: []
        }
    }
}

/// Ranges of addresses.
package enum Address {
    package static func parts(_ text: String) -> [Int]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 4 else { return nil }
        let numbers = parts.compactMap { $0 }
        return numbers.count == 4 && numbers.allSatisfy { (0...255).contains($0) } ? numbers : nil
    }

    /// Whether an address belongs to the internet: by the sensor's word, and by its range where it gave none.
    package static func isPublic(_ text: String, kind: String = "") -> Bool {
        if kind == "Public" { return true }
        guard kind.isEmpty || kind == "FourToSixMapping", let p = parts(text) else { return false }
        switch (p[0], p[1]) {
        case (10, _), (127, _), (0, _), (192, 168), (169, 254), (100, 64...127): return false
        case (172, 16...31): return false
        case (224..., _): return false
        default: return true
        }
    }

    /// The network of 256 addresses that an address lies in.
    package static func subnet(_ text: String) -> String {
        parts(text).map { "\($0[0]).\($0[1]).\($0[2])" } ?? text
    }
}
