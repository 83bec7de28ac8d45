import Content
import KQLEngine
import Tables

/// Tables of events that hold no row of devices that an investigation is about, in the time that it is about.
package struct EventGap: Sendable, Equatable {
    package let tables: [String]
    /// Names; ids where no name is known.
    package let devices: [String]
    /// Ticks.
    package let window: ClosedRange<Int64>

    package init(tables: [String], devices: [String], window: ClosedRange<Int64>) {
        self.tables = tables
        self.devices = devices
        self.window = window
    }

    /// What is not known, as a sentence.
    package var text: String {
        let shown = devices.prefix(5).joined(separator: ", ")
        let more = devices.count > 5 ? " and \(devices.count - 5) more" : ""
        return "no rows of \(tables.joined(separator: ", ")) from \(shown)\(more) between "
            + "\(TextReport.time(window.lowerBound)) and \(TextReport.time(window.upperBound))"
    }
}

/// Finds what events an investigation lacks.
///
/// Events of devices are many, and are collected for those that somebody asks about. Asked for are the devices of the
/// scope, those of the intrusion as far as it is known, and those that it touches: where its devices went and where
/// logons there came from. Where nothing is known yet, the devices with alerts are where it begins.
package struct EventGaps {
    private let provider: any TableProvider
    private let library: ContentLibrary

    /// Devices beyond these are left for the next time.
    private static let devicesMax = 50
    /// Time before the first sign, and after the last.
    private static let before = 3 * Span.day
    private static let after = Span.day
    /// By which intruders go from device to device.
    private static let ports = [22, 135, 139, 445, 3_389, 5_985, 5_986]

    package init(provider: any TableProvider, library: ContentLibrary) {
        self.provider = provider
        self.library = library
    }

    /// - Parameter result: what the investigation of the scope found so far.
    /// - Throws: `QueryError`.
    package func find(_ scope: InvestigationScope, _ result: Investigation) throws -> [EventGap] {
        let estate = try Estate(provider: provider, library: library, window: nil)
        let alerts = try alerts(estate, scope)
        var devices = Set(result.devices.keys)
        if let name = scope.device, let id = estate.devices[name]?.id ?? estate.device(named: name) {
            devices.insert(id)
        }
        if scope.alert != nil || devices.isEmpty { devices.formUnion(alerts.map(\.device)) }
        let signs = result.devices.values + result.marks.map(\.row.time) + result.held.map(\.time)
        let times = signs.isEmpty ? alerts.filter { devices.contains($0.device) }.map(\.time) : signs
        guard let found = try window(estate, times) else { return [] }
        // A side of the scope that is open ends where the signs do.
        let (from, to) = (scope.window?.lowerBound ?? 0, scope.window?.upperBound ?? DateTime.maximum)
        let lower = from > 0 ? from : min(found.lowerBound, to)
        let upper = to < DateTime.maximum ? to : max(found.upperBound, lower)
        let window = lower...upper
        if !result.devices.isEmpty { devices.formUnion(try touched(estate, by: devices, in: window)) }
        let watched = devices.filter { estate.devices[$0]?.hasSensor == true }.sorted().prefix(Self.devicesMax)
        guard !watched.isEmpty else { return [] }
        return try gaps(estate, Array(watched), window)
    }

    /// Devices and times of alerts.
    private func alerts(_ estate: Estate, _ scope: InvestigationScope) throws -> [(device: String, time: Int64)] {
        let only = scope.alert.map { " | where AlertId == \(Estate.literal($0))" } ?? ""
        let rows =
            try estate.ask("AlertEvidence\(only) | summarize Timestamp = max(Timestamp) by DeviceId")
            + estate.ask("MDEAlerts_CL\(only) | summarize Timestamp = max(AlertCreationTime) by DeviceId")
        let known = rows.filter { !$0.text("DeviceId").isEmpty }.compactMap { row in
            row.ticks("Timestamp").map { (device: row.text("DeviceId"), time: $0) }
        }
        let newest = known.sorted { ($1.time, $0.device) < ($0.time, $1.device) }.prefix(Self.devicesMax)
        return Array(newest)
    }

    /// From before the first sign to after the last; the newest week where there is none. Nil without any device.
    private func window(_ estate: Estate, _ signs: [Int64]) throws -> ClosedRange<Int64>? {
        if let first = signs.min(), let last = signs.max() { return first - Self.before...last + Self.after }
        guard let newest = try estate.ask("DeviceInfo | summarize T = max(TimeGenerated)").first?.ticks("T") else {
            return nil
        }
        return newest - 7 * Span.day...newest
    }

    /// The devices to which those of the intrusion went, and from which logons on them came.
    private func touched(_ estate: Estate, by devices: Set<String>, in window: ClosedRange<Int64>) throws -> Set<String>
    {
        let list = devices.sorted().map(Estate.literal).joined(separator: ", ")
        let ports = Self.ports.map(String.init).joined(separator: ", ")
        let time = Self.condition(window)
        let rows =
            try estate.ask(
                "DeviceNetworkEvents | where \(time) and DeviceId in (\(list)) and RemotePort in (\(ports)) "
                    + "| distinct RemoteIP")
            + estate.ask(
                "DeviceLogonEvents | where \(time) and DeviceId in (\(list)) and isnotempty(RemoteIP) "
                    + "and ActionType startswith 'LogonSuccess' | distinct RemoteIP")
        return Set(rows.compactMap { estate.device(at: TraceRow.plain($0.text("RemoteIP"))) })
    }

    private static func condition(_ window: ClosedRange<Int64>) -> String {
        "Timestamp between (datetime(\(DateTime.format(window.lowerBound))) .. "
            + "datetime(\(DateTime.format(window.upperBound))))"
    }

    /// Only devices of which no process is told: one that sends events starts some in days, and may well do nothing
    /// that another table would tell.
    private func gaps(_ estate: Estate, _ devices: [String], _ window: ClosedRange<Int64>) throws -> [EventGap] {
        let list = devices.map(Estate.literal).joined(separator: ", ")
        var missing: [String: [String]] = [:]
        for table in Estate.events.sorted() where library.tables[table] != nil {
            let rows = try estate.ask(
                "\(table) | where \(Self.condition(window)) and DeviceId in (\(list)) | distinct DeviceId")
            let known = Set(rows.map { $0.text("DeviceId") })
            for device in devices where !known.contains(device) { missing[device, default: []].append(table) }
        }
        let silent = missing.filter { $0.value.contains("DeviceProcessEvents") }
        return Dictionary(grouping: silent.keys.sorted()) { silent[$0] ?? [] }.map { tables, devices in
            EventGap(tables: tables, devices: devices.map(estate.name), window: window)
        }.sorted { $0.devices.lexicographicallyPrecedes($1.devices) }
    }
}
