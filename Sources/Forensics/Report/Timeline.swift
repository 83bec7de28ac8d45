import Content
import KQLEngine
import Tables

/// What happened on a device, and what the state of a control on it was.
package struct Timeline {
    /// One row, with what the hunts say of it.
    package struct Line: Sendable {
        package let row: TraceRow
        package let hunts: [String]

        package var text: String {
            let what =
                row.command.isEmpty ? row.path.isEmpty ? row.key + " " + row.remoteAddress : row.path : row.command
            let told = hunts.isEmpty ? "" : "  <- " + hunts.joined(separator: ", ")
            return "\(TextReport.time(row.time))  \(row.deviceName)  \(row.action)  \(row.account)  \(what)\(told)"
        }

        package var json: JSON {
            [
                "time": .string(DateTime.format(row.time)), "device": .string(row.deviceName),
                "table": .string(row.table),
                "action": .string(row.action), "account": .string(row.account), "actor": .string(row.actorName),
                "command": .string(row.command), "path": .string(row.path), "reportId": .integer(row.report),
                "hunts": .array(hunts.map { .string($0) }),
            ]
        }
    }

    /// The state of a control with its source.
    package struct Reason: Sendable {
        package let text: String
        package let json: JSON
    }

    private let estate: Estate

    package init(provider: any TableProvider, library: ContentLibrary, window: ClosedRange<Int64>?) throws {
        estate = try Estate(provider: provider, library: library, window: window)
    }

    /// What the hunts say of the rows, for `lines`. Running all of them is the longest part of a timeline.
    package func marks() -> [Mark] { MarkStage(estate).marks }

    /// The id of a device by id, name or address.
    package func device(_ text: String) -> String? {
        estate.devices[text]?.id ?? estate.device(named: text) ?? estate.device(at: text)
    }

    /// The rows of a device in order of time.
    package func lines(of device: String, _ marks: [Mark]) throws -> [Line] {
        var told: [RowReference: [String]] = [:]
        for mark in marks where mark.row.device == device {
            told[mark.row.reference, default: []].append(mark.hunt.slug)
        }
        var rows: [TraceRow] = []
        for table in Estate.events { rows += try estate.rows(table, of: device) }
        rows.sort { ($0.time, $0.table, $0.report) < ($1.time, $1.table, $1.report) }
        return rows.map { Line(row: $0, hunts: told[$0.reference] ?? []) }
    }

    /// - Returns: nil when no control and no flaw is called so.
    package func why(_ control: String, on device: String, at time: Int64) throws -> Reason? {
        let states = try ControlStates(estate, devices: [device])
        let name = estate.name(device)
        if control.uppercased().hasPrefix("CVE-") {
            let cve = control.uppercased()
            let row = states.vulnerability(cve, on: device, at: time)
            var text = "\(cve) was not known to be open on \(name)"
            if let row {
                let product = ["SoftwareVendor", "SoftwareName", "SoftwareVersion"].map(row.text).joined(separator: " ")
                let since = row.ticks("TimeGenerated").map(TextReport.time) ?? "a time that no row tells"
                text = "\(cve) was open on \(name): \(product), known since \(since)"
            }
            return Reason(
                text: text,
                json: [
                    "device": .string(name), "control": .string(cve), "open": .bool(row != nil), "text": .string(text),
                ])
        }
        guard let known = estate.library.controls.first(where: { $0.id == control.lowercased() }) else { return nil }
        var text: String
        var json: [(String, JSON)] = [("device", .string(name)), ("control", .string(known.id))]
        if let state = states.state(of: known.id, on: device, at: time) {
            text = "\(known.id) (\(known.title)) was \(Self.told(state)) on \(name): \(Self.source(state))"
            json += Self.members(state)
        } else {
            text = "\(known.id) (\(known.title)) on \(name): not known at that time; unknown is not off"
            json.append(("state", "unknown"))
            if let gap = known.gap { text += "\nwhat would show a gap: \(gap)" }
        }
        // Another control of the same gap tells what this one's row does not.
        var others: [JSON] = []
        for other in estate.library.controls where known.sameAs.contains(other.id) || other.sameAs.contains(known.id) {
            guard let state = states.state(of: other.id, on: device, at: time) else { continue }
            text += "\n\(other.id) (\(other.title)), which closes the same gap, was \(Self.told(state)): "
            text += Self.source(state)
            others.append(.object(JSON.Members([("control", .string(other.id))] + Self.members(state))))
        }
        if !others.isEmpty { json.append(("sameGap", .array(others))) }
        if let gap = known.gap { json.append(("gap", .string(gap))) }
        if let rule = known.rule {
            text += "\nit is the attack surface reduction rule \(rule)"
            json.append(("rule", .string(rule)))
        }
        return Reason(text: text, json: .object(JSON.Members(json)))
    }

    private static func told(_ state: ControlState) -> String { state.isOff ? "OFF" : "on" }

    private static func source(_ state: ControlState) -> String {
        "\(state.shown), observed \(TextReport.time(state.observed)) in \(state.table)"
    }

    private static func members(_ state: ControlState) -> [(String, JSON)] {
        [
            ("state", state.isOff ? "off" : "on"), ("shown", .string(state.shown)),
            ("observed", .string(DateTime.format(state.observed))), ("table", .string(state.table)),
        ]
    }
}
