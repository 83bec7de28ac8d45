import Content
import KQL
import Tables

/// How protection stood on the devices of an intrusion, and who else has the same gaps, for a case's summary.
struct PostureReader {
    private let estate: Estate
    private let result: Investigation
    private let states: ControlStates

    /// Changes of a device that a picture can show.
    private static let changesMax = 200

    init(_ estate: Estate, _ result: Investigation) throws {
        self.estate = estate
        self.result = result
        states = try ControlStates(estate, devices: result.devices.keys.sorted())
    }

    /// The gaps of the intrusion, each once.
    private var controls: [String] {
        var seen: Set<String> = []
        return result.causes.map(\.control).filter { seen.insert($0).inserted }
    }

    private static func isFlaw(_ control: String) -> Bool { control.uppercased().hasPrefix("CVE-") }

    /// The state of the intrusion's gaps and of the antivirus on each device, whenever one of them changed.
    func posture() -> [CaseSummary.Posture] {
        // Whether the antivirus worked is asked first in every case.
        let watched = Set(controls + ["av.mode", "scid-2003", "scid-2012", "scid-91"]).sorted()
        return result.devices.keys.sorted().flatMap { device in
            changes(of: watched, on: device).prefix(Self.changesMax)
        }
    }

    private func changes(of controls: [String], on device: String) -> [CaseSummary.Posture] {
        // By time: whether a control was off from then on; nil where it went out of sight.
        var events: [(time: Int64, control: String, isOff: Bool?)] = []
        for control in controls {
            if Self.isFlaw(control) {
                events += states.history(ofFlaw: control.uppercased(), on: device).map {
                    ($0.known, control, $0.isOpen)
                }
            } else {
                events += states.history(of: control, on: device).map { ($0.known, control, $0.state?.isOff) }
            }
        }
        events.sort { ($0.time, $0.control) < ($1.time, $1.control) }
        var now: [String: Bool] = [:]
        var found: [CaseSummary.Posture] = []
        for (i, event) in events.enumerated() {
            now[event.control] = event.isOff
            if i + 1 < events.count, events[i + 1].time == event.time { continue }
            let off = now.filter(\.value).keys.sorted()
            let on = now.filter { !$0.value }.keys.sorted()
            if let last = found.last, last.off == off, last.on == on { continue }
            found.append(CaseSummary.Posture(device: device, from: event.time, off: off, on: on))
        }
        return found
    }

    /// The devices outside the intrusion that have its gaps too, as the newest rows tell.
    ///
    /// - Throws: `QueryError`.
    func gaps() throws -> [CaseSummary.Gap] {
        try controls.compactMap { control in
            guard let query = query(control) else { return nil }
            let others = Set(try estate.ask(query).map { $0.text("DeviceId") }).subtracting(result.devices.keys)
            let sorted = others.filter { !$0.isEmpty }.sorted { a, b in
                let (x, y) = (isExposed(a) ? 0 : 1, isExposed(b) ? 0 : 1)
                return (x, estate.name(a), a) < (y, estate.name(b), b)
            }
            let title = estate.library.controls.first { $0.id == control }?.title
            return CaseSummary.Gap(
                control: control, title: title ?? control,
                devices: sorted.prefix(CaseSummary.Gap.devicesMax).map { estate.name($0) }, count: sorted.count,
                query: query)
        }
    }

    private func isExposed(_ device: String) -> Bool { estate.devices[device]?.isInternetFacing == true }

    /// KQL that gives every device on which a control is off now; nil where no table tells.
    private func query(_ control: String) -> String? {
        if Self.isFlaw(control) {
            return """
                DeviceTvmSoftwareVulnerabilities
                | where CveId =~ \(KQLLiteral.string(control))
                | summarize arg_max(TimeGenerated, ChangeType) by DeviceId, SoftwareVendor, SoftwareName
                | where ChangeType != "Removed"
                | distinct DeviceId
                """
        }
        guard let known = estate.library.controls.first(where: { $0.id == control }) else { return nil }
        switch known.reading {
        case .configuration:
            return """
                DeviceTvmSecureConfigurationAssessment
                | where ConfigurationId == \(KQLLiteral.string(control))
                | summarize arg_max(TimeGenerated, ChangeType, IsCompliant, IsApplicable) by DeviceId
                | where ChangeType != "Removed" and IsCompliant == false and not(IsApplicable == false)
                | distinct DeviceId
                """
        case .query:
            return known.state.map {
                """
                \($0.trimmingSuffix(while: \.isWhitespace))
                | summarize arg_max(TimeGenerated, ChangeType, IsOff) by DeviceId
                | where ChangeType != "Removed" and IsOff == true
                | distinct DeviceId
                """
            }
        case .vulnerability, .exclusion, .organisation: return nil
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isDropped(last) { text.removeLast() }
        return String(text)
    }
}
