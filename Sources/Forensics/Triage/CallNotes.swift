import Content
import KQLEngine
import Tables

/// What a case that triage opens begins with: why and until when, how the device stood, and what happened on it.
package struct CallNotes {
    private let engine: Engine
    /// Lines of a timeline.
    private static let linesMax = 20

    package init(provider: any TableProvider) { engine = Engine(provider: provider) }

    /// The notes, in the order of reading.
    ///
    /// - Parameters:
    ///   - result: an investigation of the whole estate.
    ///   - time: when the case is opened; ticks.
    /// - Throws: `QueryError`.
    package func texts(_ call: InvestigationCall, _ result: Investigation, at time: Int64) throws -> [String] {
        let device = call.deviceName.isEmpty ? call.device : call.deviceName
        let clock = call.clock.map { ": " + $0.text } ?? "; the hole is closed, a verdict is still owed"
        return [
            "Forensic triage is asked for: \(call.cve) on \(device)\(clock)",
            try posture(call.device, device, at: time), try timeline(call, device, result),
        ]
    }

    private func rows(_ query: String) throws -> [[Value]] { try engine.run(query).primary.rows() }

    private func posture(_ id: String, _ name: String, at time: Int64) throws -> String {
        let known = try rows(
            "ConfigurationAt(datetime(\(DateTime.format(time)))) | where DeviceId == \(Estate.literal(id)) "
                + "| project ConfigurationId, IsCompliant, IsApplicable | order by ConfigurationId asc")
        guard !known.isEmpty else { return "Posture of \(name): no state of a setting is known" }
        let off = known.filter { $0[1] == .bool(false) && $0[2] != .bool(false) }.map(\.[0].text)
        let list = off.isEmpty ? "none is off" : "off are \(off.joined(separator: ", "))"
        return "Posture of \(name) at \(TextReport.time(time)): \(known.count) settings known, \(list)"
    }

    private func timeline(_ call: InvestigationCall, _ name: String, _ result: Investigation) throws -> String {
        var counts: [String] = []
        for table in Estate.events {
            let found = try rows(
                "\(table) | where DeviceId == \(Estate.literal(call.device)) "
                    + "| summarize Rows = count(), First = min(Timestamp), Last = max(Timestamp)")
            guard let row = found.first, case .long(let count) = row[0], count > 0,
                case .datetime(let first) = row[1], case .datetime(let last) = row[2]
            else { continue }
            counts.append("\(count) of \(table) from \(TextReport.time(first)) to \(TextReport.time(last))")
        }
        guard !counts.isEmpty else {
            return
                "Timeline of \(name): no events are there; vestige investigate --device \(name) --fetch asks for them"
        }
        let marks = result.marks.filter { $0.row.device == call.device }
        let lines = marks.prefix(Self.linesMax).map { "\(TextReport.time($0.row.time)) \($0.hunt.title)" }
        let told = lines.isEmpty ? "nothing in them is a mark of an intrusion" : lines.joined(separator: "; ")
        return "Timeline of \(name): \(counts.joined(separator: ", ")); \(told)"
    }
}
