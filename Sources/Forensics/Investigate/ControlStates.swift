import Content
import Tables

/// What a control's state was at a minute, and how that is known.
package struct ControlState: Sendable {
    package let isOff: Bool
    /// Ticks; when it was observed.
    package let observed: Int64
    package let shown: String
    package let table: String
}

/// The states of controls on the devices of an intrusion, from the workspace's history.
package struct ControlStates {
    private struct Entry {
        let known: Int64
        let state: ControlState?
    }

    private var entries: [String: [Entry]] = [:]
    /// CVEs of a device with when each was known and when it went.
    private var vulnerabilities: [String: [(known: Int64, row: ResultRow, isGone: Bool)]] = [:]
    private var exploited: Set<String> = []
    /// Programs that show which product they belong to.
    private var products: [(product: String, pattern: String)] = []

    package init(_ estate: Estate, devices: [String]) throws {
        let list = devices.isEmpty ? "''" : devices.map(Estate.literal).joined(separator: ", ")
        for row in try estate.ask(
            "DeviceTvmSecureConfigurationAssessment | where DeviceId in (\(list)) | order by TimeGenerated asc")
        {
            var isOff = row.flag("IsCompliant") == false
            let context = row.text("Context").lowercased()
            // What the device itself says is in force beats the verdict on it.
            if context.contains("\"audit\"") || context.contains("\"off\"") || context.contains("\"warn\"") {
                isOff = true
            }
            if context.contains("\"block\"") { isOff = false }
            let isUnknown = row.flag("IsApplicable") == false || row.text("ChangeType") == "Removed"
            let state =
                isUnknown || row.flag("IsCompliant") == nil
                ? nil
                : ControlState(
                    isOff: isOff, observed: row.time, shown: context.isEmpty ? "compliant: \(!isOff)" : context,
                    table: "DeviceTvmSecureConfigurationAssessment")
            add(row.text("DeviceId"), row.text("ConfigurationId"), row.ticks("TimeGenerated") ?? row.time, state)
        }
        for control in estate.library.controls {
            guard let query = control.state else { continue }
            for row in try estate.ask("\(query)\n| where DeviceId in (\(list)) | order by TimeGenerated asc") {
                let isUnknown = row.text("ChangeType") == "Removed"
                let state =
                    isUnknown
                    ? nil
                    : ControlState(
                        isOff: row.flag("IsOff") == true, observed: row.time, shown: row.text("Shown"),
                        table: String(query.prefix { !$0.isWhitespace }))
                add(row.text("DeviceId"), control.id, row.ticks("TimeGenerated") ?? row.time, state)
            }
        }
        for row in try estate.ask(
            "DeviceTvmSoftwareVulnerabilities | where DeviceId in (\(list)) | order by TimeGenerated asc")
        {
            vulnerabilities[row.text("DeviceId"), default: []].append(
                (row.ticks("TimeGenerated") ?? row.time, row, row.text("ChangeType") == "Removed"))
        }
        exploited = Set(try estate.ask("KnownExploitedVulnerabilities_CL | distinct CveId").map { $0.text("CveId") })
        products = try estate.ask("ProductPrograms()").map { ($0.text("Product"), $0.text("Pattern")) }
    }

    private mutating func add(_ device: String, _ control: String, _ known: Int64, _ state: ControlState?) {
        entries[device + "|" + control, default: []].append(Entry(known: known, state: state))
    }

    /// The state that was known at a time.
    ///
    /// - Returns: nil where nothing was known by then: unknown is not off.
    package func state(of control: String, on device: String, at time: Int64) -> ControlState? {
        entries[device + "|" + control]?.last { $0.known <= time }?.state
    }

    /// Every state of a control that became known on a device, in order; nil from when it was out of sight.
    package func history(of control: String, on device: String) -> [(known: Int64, state: ControlState?)] {
        (entries[device + "|" + control] ?? []).map { ($0.known, $0.state) }
    }

    /// When a flaw was found on a device, and when it went.
    package func history(ofFlaw cve: String, on device: String) -> [(known: Int64, isOpen: Bool)] {
        (vulnerabilities[device] ?? []).filter { $0.row.text("CveId").uppercased() == cve }.map {
            ($0.known, !$0.isGone)
        }
    }

    /// The open vulnerability of the product that a program belongs to: the exploited ones first.
    ///
    /// - Parameter text: name, path and command line of the program, in small letters.
    package func vulnerability(of text: String, on device: String, at time: Int64) -> (cve: String, row: ResultRow)? {
        var open: [String: ResultRow] = [:]
        for entry in vulnerabilities[device] ?? [] where entry.known <= time {
            let cve = entry.row.text("CveId")
            open[cve] = entry.isGone ? nil : entry.row
        }
        let matching = open.filter { _, row in owns(row, text) }
        return matching.sorted { a, b in
            let first = (exploited.contains(a.key) ? 1 : 0, Self.score(a.value), a.key)
            let second = (exploited.contains(b.key) ? 1 : 0, Self.score(b.value), b.key)
            return first > second
        }.first.map { ($0.key, $0.value) }
    }

    /// The row by which a vulnerability was open on a device at a time.
    package func vulnerability(_ cve: String, on device: String, at time: Int64) -> ResultRow? {
        let last = vulnerabilities[device]?.last { $0.known <= time && $0.row.text("CveId") == cve }
        return last.flatMap { $0.isGone ? nil : $0.row }
    }

    /// Every open vulnerability of a device that is known to be exploited.
    package func exploitedVulnerabilities(on device: String, at time: Int64) -> [String] {
        var open: Set<String> = []
        for entry in vulnerabilities[device] ?? [] where entry.known <= time {
            let cve = entry.row.text("CveId")
            if entry.isGone { open.remove(cve) } else if exploited.contains(cve) { open.insert(cve) }
        }
        return open.sorted()
    }

    private static func score(_ row: ResultRow) -> Double { row.value("CvssScore").doubleValue ?? 0 }

    private func owns(_ row: ResultRow, _ text: String) -> Bool {
        let product = row.text("SoftwareName").lowercased()
        let vendor = row.text("SoftwareVendor").lowercased()
        if let known = products.first(where: { product.contains($0.product) || vendor + " " + product == $0.product }) {
            return known.pattern.split(separator: "|").contains { text.contains($0) }
        }
        let words = product.split { !$0.isLetter && !$0.isNumber }.map(String.init).filter { $0.count >= 4 }
        let generic: Set<String> = [
            "server", "service", "windows", "microsoft", "client", "agent", "enterprise", "standard",
        ]
        return words.contains { !generic.contains($0) && text.contains($0) }
    }
}
