import Content
import Tables

/// Where a device of an intrusion was reached from.
extension MovementStage {
    /// Adds what led to the devices of the intrusion that nothing leads to yet: a logon from a device that is no part
    /// of it so far, or a push by the tool that manages them.
    ///
    /// - Returns: whether any was added.
    package func origins(_ intrusion: inout Intrusion, _ grow: inout GrowStage) throws -> Bool {
        var isChanged = false
        for (device, first) in intrusion.devices.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
            guard !intrusion.reached.contains(device), estate.devices[device]?.hasSensor == true else { continue }
            if try pushed(to: device, since: first, &intrusion, &grow) {
                isChanged = true
                continue
            }
            let logons = try estate.rows("DeviceLogonEvents", of: device)
            for logon in logons where logon.action.hasPrefix("LogonSuccess") {
                let isDesk = logon.logonType.lowercased() == "remoteinteractive"
                guard logon.time >= first - (isDesk ? 4 * Span.hour : 30 * Span.minute),
                    logon.time <= first + Span.minute,
                    !logon.remoteAddress.isEmpty, !logon.isPublic,
                    !(estate.devices[device]?.addresses.contains(logon.remoteAddress) ?? false),
                    logon.remoteAddress != "127.0.0.1", logon.remoteAddress != "::1"
                else { continue }
                let landing = try landing(logon, intrusion)
                let isTheirs = intrusion.accounts[device]?.contains(logon.account) ?? false
                let source = source(at: logon.remoteAddress, named: logon.remoteDevice)
                // A desk that a device nobody knows opened, never seen before, was open when it began.
                let isStranger = isDesk && source.map(Estate.isOutsider) == true
                guard isTheirs || isStranger || !landing.rows.isEmpty else { continue }
                // What never ran on a logon of this kind before is no part of the usual one.
                let isExecution = landing.rows.contains { $0.table == "DeviceProcessEvents" }
                guard isExecution || !isUsual(logon, among: logons) else { continue }
                guard isTheirs || isStranger || logon.time >= first - 30 * Span.minute else { continue }
                guard let source, source != device, intrusion.devices[source] == nil else { continue }
                let relayed = try relayed(logon, by: source)
                let technique =
                    isDesk
                    ? "T1021.001"
                    : relayed != nil ? "T1557.001" : landing.technique.isEmpty ? "T1021" : landing.technique
                let movement = Movement(
                    from: source, to: device, time: logon.time, technique: technique, account: logon.account,
                    how: relayed == nil ? "logon" : "logon that was passed on",
                    rows: [logon] + (relayed.map { [$0] } ?? []))
                guard intrusion.take(movement) else { continue }
                isChanged = true
                intrusion.touch(source, at: min(logon.time, first))
                grow.open(logon, source: source, into: &intrusion)
                try grow.adoptReach(from: source, to: device, at: logon.time, &intrusion)
                for row in landing.rows {
                    if let child = row.child { grow.adopt(child, on: row.device, &intrusion) }
                }
                break
            }
        }
        return isChanged
    }

    /// The device that a logon came from. One that no inventory holds is called by the name that it gave, or by its
    /// address: a supplier's notebook sends nothing, and is still where somebody came from.
    package func source(at address: String, named name: String) -> String? {
        if let known = estate.device(at: address) ?? estate.device(named: name) { return known }
        guard estate.knowsAddresses else { return nil }
        return Estate.outsider(name.isEmpty ? address : name)
    }

    /// The connection by which somebody was made to log on to a strange device, which passed the logon on at once.
    private func relayed(_ logon: TraceRow, by source: String) throws -> TraceRow? {
        guard Estate.isOutsider(source), logon.logonType.lowercased() == "network" else { return nil }
        return try estate.reaches(logon.remoteAddress).last {
            $0.device != logon.device && $0.time <= logon.time + Span.second && logon.time - $0.time <= Span.minute
        }
    }

    /// Whether the same account came the same way on another day, at about that time of the day.
    func isUsual(_ logon: TraceRow, among logons: [TraceRow]) -> Bool {
        logons.contains {
            $0.account == logon.account && $0.remoteAddress == logon.remoteAddress
                && $0.action.hasPrefix("LogonSuccess") && $0.time < logon.time - 12 * Span.hour
                && Span.ofDay($0.time, logon.time) <= 4 * Span.hour
        }
    }

    /// A push: what began on the device stands below the agent of a management tool whose server is a device of the
    /// intrusion, or below a script of the directory's policy.
    private func pushed(
        to device: String, since first: Int64, _ intrusion: inout Intrusion, _ grow: inout GrowStage
    ) throws -> Bool {
        let tree = try grow.tree(device)
        let births = intrusion.processes.filter { $0.device == device }.compactMap { tree.births[$0] }
        guard let begin = births.min(by: { ($0.time, $0.report) < ($1.time, $1.report) }) else { return false }
        if names.remoteTools.contains(begin.actorName) {
            let contact = tree.rows.last {
                $0.table == "DeviceNetworkEvents" && $0.actorName == begin.actorName
                    && $0.time <= begin.time + Span.minute
                    && begin.time - $0.time <= Span.day && !$0.isPublic
                    && estate.device(at: $0.remoteAddress).map { $0 != device && intrusion.devices[$0] != nil } == true
            }
            guard let contact, let server = estate.device(at: contact.remoteAddress),
                (intrusion.devices[server] ?? .max) <= begin.time
            else { return false }
            return intrusion.take(
                Movement(
                    from: server, to: device, time: begin.time, technique: "T1072", account: begin.account,
                    how: "software deployment", rows: [begin, contact]))
        }
        let isPolicy = births.contains { $0.command.lowercased().contains("\\sysvol\\") }
        guard isPolicy else { return false }
        let controllers = try estate.directoryServers()
        guard
            let controller = intrusion.devices.filter({ controllers.contains($0.key) && $0.value < begin.time })
                .min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key, controller != device
        else { return false }
        return intrusion.take(
            Movement(
                from: controller, to: device, time: begin.time, technique: "T1484.001", account: begin.account,
                how: "policy of the directory", rows: [begin]))
    }

    /// Adds devices on which a file of the intrusion ran that no device ran before: it was sent, or lay on a share.
    ///
    /// - Returns: whether any was added.
    package func spread(_ intrusion: inout Intrusion, _ grow: inout GrowStage) throws -> Bool {
        var isChanged = false
        let runs = try estate.runs(of: intrusion.hashes.sorted())
        // What ran before is the estate's own program, whoever copies it.
        let own = Set(runs.filter { $0.time < intrusion.beginning - Span.hour }.map(\.hash))
        for row in runs where !own.contains(row.hash) {
            guard let child = row.child, !intrusion.processes.contains(child),
                let sighting = intrusion.sightings[row.hash], sighting.device != row.device,
                row.time >= sighting.time, row.time >= intrusion.beginning
            else { continue }
            let isShared = row.path.hasPrefix("\\\\") || row.actorCommand.hasPrefix("\\\\")
            grow.adopt(child, on: row.device, &intrusion)
            isChanged = true
            let isDesk = ["explorer.exe", "finder", "dock"].contains(row.actorName)
            if try pushed(to: row.device, since: row.time, &intrusion, &grow) { continue }
            guard isShared || isDesk else { continue }
            _ = intrusion.take(
                Movement(
                    from: sighting.device, to: row.device, time: row.time, technique: "T1080", account: row.account,
                    how: "file on a share", rows: [row]))
        }
        return isChanged
    }
}
