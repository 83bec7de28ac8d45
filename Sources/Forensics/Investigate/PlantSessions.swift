import Tables

/// A session into a plant's station that did not come the usual way, or that worked with a tool of nobody's.
package struct OddSession: Sendable {
    package let time: Int64
    /// An address.
    package let from: String
    package let logon: TraceRow?
}

/// Who worked at a plant's station when it acted on a controller.
extension PlantStage {
    /// The last session into a station before an act that did not come the usual way.
    package func oddSession(to station: String, before time: Int64) throws -> OddSession? {
        let near = (time - 90 * Span.minute)...time
        var found: OddSession?
        let known = sessions.filter { $0.to == station }
        let logons = try desks(station)
        for session in known where near.contains(session.time) {
            if !isUsual(session.from, at: session.time, among: known.filter { $0.from == session.from }.map(\.time)) {
                let logon = logons.first { abs($0.time - session.time) <= 3 * Span.minute }
                found = OddSession(time: session.time, from: session.from, logon: logon)
            }
        }
        for logon in logons where near.contains(logon.time) {
            let times = logons.filter { $0.remoteAddress == logon.remoteAddress }.map(\.time)
            if !isUsual(logon.remoteAddress, at: logon.time, among: times) {
                found = found ?? OddSession(time: logon.time, from: logon.remoteAddress, logon: logon)
            }
        }
        return found
    }

    /// The session in which somebody acted on a controller with a program that has no place on the station: it was
    /// never used before, and lies where no program is installed.
    package func foreignTool(_ act: PlantAct) throws -> (tool: TraceRow, session: OddSession?)? {
        guard let device = estate.device(at: act.actor) else { return nil }
        let rows = try estate.rows("DeviceNetworkEvents", of: device)
        let reaches = rows.filter {
            $0.remoteAddress == act.target && $0.time <= act.time + 2 * Span.minute
                && act.time - $0.time <= 10 * Span.minute
        }
        let installed = ["\\program files", "\\windows\\system32\\", "/usr/", "/opt/"]
        let foreign = reaches.first { row in
            !row.actorPath.isEmpty && !installed.contains { row.actorPath.contains($0) }
                && !rows.contains {
                    $0.actorPath == row.actorPath && $0.time < row.time - 12 * Span.hour
                }
        }
        guard let foreign, reaches.allSatisfy({ $0.actorPath == foreign.actorPath }) else { return nil }
        let logon = try desks(act.actor).last {
            $0.time <= act.time && act.time - $0.time <= 12 * Span.hour
        }
        return (foreign, logon.map { OddSession(time: $0.time, from: $0.remoteAddress, logon: $0) })
    }

    /// Remote sessions at the desk of a station, in order of time.
    private func desks(_ station: String) throws -> [TraceRow] {
        guard let device = estate.device(at: station) else { return [] }
        return try estate.rows("DeviceLogonEvents", of: device).filter {
            $0.action.hasPrefix("LogonSuccess") && $0.logonType.lowercased() == "remoteinteractive"
                && !$0.remoteAddress.isEmpty
        }
    }

    /// Whether sessions from an address are the plant's way: it was used on another day, or it is a host that is there
    /// for it. An address of the internet is anybody's: it is usual at the hour at which it comes again and again.
    private func isUsual(_ address: String, at time: Int64, among times: [Int64]) -> Bool {
        if Address.isPublic(address) {
            let others = Set(
                times.filter { abs($0 - time) > 12 * Span.hour && Span.ofDay($0, time) <= 2 * Span.hour }
                    .map { $0 / DateTime.ticksPerDay })
            return others.count >= 2
        }
        return Set(times.map { $0 / DateTime.ticksPerDay }).count >= 2 || isWayIn(address)
    }

    /// Whether an address leads into the plant day by day, or belongs to a host that is there for it.
    private func isWayIn(_ address: String) -> Bool {
        let days = Set(sessions.filter { $0.from == address }.map { $0.time / DateTime.ticksPerDay })
        if days.count >= 2 { return true }
        let name = estate.device(at: address).map { estate.name($0).lowercased() } ?? ""
        return ["jump", "bastion", "paw", "rdgw", "terminal"].contains { name.contains($0) }
    }

    /// The hosts that belong to the plant or lead into it: the sensors know them, or saw sessions go there.
    package func isPlantHost(_ id: String) -> Bool {
        guard let device = estate.devices[id] else { return id.hasPrefix("iot:") }
        if !device.plantRole.isEmpty || !device.zone.isEmpty { return true }
        return device.addresses.contains { address in
            isWayIn(address) || sessions.contains { $0.to == address }
        }
    }

    /// Whether somebody sat at the station, or came to it by the usual way, shortly before.
    func hasUsualSession(_ station: String, _ act: PlantAct) throws -> Bool? {
        guard let device = estate.device(at: station) else { return nil }
        let logons = try estate.rows("DeviceLogonEvents", of: device)
        let desk = act.what == "plc-firmware-changed" ? 12 * Span.hour : 4 * Span.hour
        let remote = sessions.filter {
            $0.to == station && $0.time <= act.time && act.time - $0.time <= desk
        }
        if !remote.isEmpty { return true }
        guard
            logons.contains(where: {
                ["remoteinteractive", "interactive"].contains($0.logonType.lowercased())
            })
        else {
            return nil
        }
        return logons.contains {
            guard $0.action.hasPrefix("LogonSuccess"), $0.time <= act.time else { return false }
            switch $0.logonType.lowercased() {
            case "remoteinteractive": return act.time - $0.time <= desk
            case "interactive", "unlock", "cachedinteractive": return act.time - $0.time <= 14 * Span.hour
            default: return false
            }
        }
    }
}
