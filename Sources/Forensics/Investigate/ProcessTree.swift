import Tables

/// The processes of a device: who started whom, and what each wrote and reached.
package struct ProcessTree {
    package private(set) var children: [ProcessID: [TraceRow]] = [:]
    package private(set) var births: [ProcessID: TraceRow] = [:]
    /// Every row by the process that did it.
    package private(set) var deeds: [ProcessID: [TraceRow]] = [:]
    /// All rows of the device but those of logons, in order of time.
    package private(set) var rows: [TraceRow] = []
    private var starts: [Int64: [Int64]] = [:]
    private let device: String

    package init(_ estate: Estate, device: String) throws {
        self.device = device
        let processes = try estate.rows("DeviceProcessEvents", of: device)
        for row in processes { if let child = row.child { starts[child.id, default: []].append(child.started) } }
        for (id, times) in starts { starts[id] = times.sorted() }
        for row in processes {
            guard let child = row.child else { continue }
            if births[child] == nil { births[child] = row }
            if let parent = resolve(row.actor, at: row.time) { children[parent, default: []].append(row) }
        }
        for table in Estate.events where table != "DeviceLogonEvents" && table != "DeviceImageLoadEvents" {
            rows += try estate.rows(table, of: device)
        }
        rows.sort { ($0.time, $0.table, $0.report) < ($1.time, $1.table, $1.report) }
        for row in rows {
            if let actor = resolve(row.actor, at: row.time) { deeds[actor, default: []].append(row) }
        }
    }

    /// The process that a row means, where its start is not told, or told a little off.
    package func resolve(_ process: ProcessID?, at time: Int64) -> ProcessID? {
        guard let process else { return nil }
        guard let known = starts[process.id] else { return process }
        if process.started != 0 {
            if let same = known.first(where: { abs($0 - process.started) <= 2 * Span.second }) {
                return ProcessID(device: device, id: process.id, started: same)
            }
            return process
        }
        let best = known.last { $0 <= time + 2 * Span.second }
        return ProcessID(device: device, id: process.id, started: best ?? 0)
    }

    /// The process that started another; nil where no row tells.
    package func parent(of process: ProcessID) -> ProcessID? {
        births[process].flatMap { resolve($0.actor, at: $0.time) }
    }
}
