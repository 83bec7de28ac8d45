import Content
import Tables

/// Finds where an intruder went: each movement is a session or a process that came to run on another device.
package struct MovementStage {
    let estate: Estate
    let names: ProgramNames
    let marks: [String: [Mark]]
    let habits: Habits

    package init(_ estate: Estate, _ names: ProgramNames, marks: [Mark], habits: Habits) {
        self.estate = estate
        self.names = names
        self.marks = Dictionary(grouping: marks, by: \.row.device)
        self.habits = habits
    }

    /// What ran on the other device, and by which way.
    struct Landing {
        var technique = ""
        var rows: [TraceRow] = []
    }

    /// Adds the movements from the devices of the intrusion to others.
    ///
    /// - Returns: whether any was added.
    package func move(_ intrusion: inout Intrusion, _ grow: inout GrowStage) throws -> Bool {
        var isChanged = false
        for from in intrusion.devices.keys.sorted() {
            guard let since = intrusion.devices[from], intrusion.devices.count < 400 else { continue }
            let logons = try estate.logons(from: from)
            let known = Set(
                try estate.rows("DeviceLogonEvents", of: from).filter { $0.time < intrusion.beginning }.map(
                    \.account))
            for logon in logons where logon.time >= since - Span.minute {
                guard !intrusion.hasMovement(from: from, to: logon.device) else { continue }
                let days = Set(
                    logons.filter {
                        $0.account == logon.account && $0.device == logon.device
                            && $0.time < intrusion.beginning
                    }.map { $0.time / DateTime.ticksPerDay })
                let reaches = try link(from, to: logon, intrusion, &grow)
                let landing = try landing(logon, intrusion)
                let isDesk = logon.logonType.lowercased() == "remoteinteractive"
                let isHeld = intrusion.holds(logon.account, on: from, at: logon.time)
                let isStolen =
                    !known.contains(logon.account) && !logon.account.hasSuffix("$") && !logon.account.isEmpty
                let isTheirs =
                    isHeld || intrusion.accounts[from]?.contains(logon.account) ?? false || isStolen
                let isNew = days.isEmpty
                // Another account's rights over the other device's shares are all that a thief of files needs.
                let isShare = reaches && logon.isLocalAdmin == true && logon.logonType.lowercased() == "network"
                let accepts =
                    (reaches && (isDesk || !landing.rows.isEmpty))
                    || (isDesk && isNew && (isHeld || isStolen || !landing.rows.isEmpty))
                    || (isDesk && isHeld && intrusion.isFresh(logon.account, on: from, at: logon.time))
                    || (days.count < 3 && isTheirs && !landing.rows.isEmpty) || (isNew && isStolen && isShare)
                guard accepts else { continue }
                let movement = Movement(
                    from: from, to: logon.device, time: logon.time,
                    technique: isDesk
                        ? "T1021.001"
                        : landing.technique.isEmpty ? isShare ? "T1021.002" : "T1021" : landing.technique,
                    account: logon.account, how: isDesk ? "remote desktop" : "remote execution",
                    rows: [logon] + landing.rows.prefix(3))
                guard intrusion.take(movement) else { continue }
                isChanged = true
                grow.open(logon, source: from, into: &intrusion)
                for row in landing.rows {
                    if let child = row.child { grow.adopt(child, on: row.device, &intrusion) }
                }
            }
        }
        return isChanged
    }

    /// Whether a process of the intrusion reached the other device at the time of a logon there.
    private func link(
        _ from: String, to logon: TraceRow, _ intrusion: Intrusion, _ grow: inout GrowStage
    ) throws
        -> Bool
    {
        guard let target = estate.devices[logon.device] else { return false }
        let tree = try grow.tree(from)
        let short = target.shortName.lowercased()
        for (process, deeds) in tree.deeds where intrusion.processes.contains(process) {
            if deeds.contains(where: {
                $0.table == "DeviceNetworkEvents" && target.addresses.contains($0.remoteAddress)
                    && abs($0.time - logon.time) <= 5 * Span.minute
            }) {
                return true
            }
        }
        return intrusion.processes.contains { process in
            guard process.device == from, let birth = tree.births[process],
                abs(birth.time - logon.time) <= 10 * Span.minute
            else { return false }
            let command = birth.command.lowercased()
            return (short.count > 3 && command.contains(short))
                || target.addresses.contains { command.contains($0) }
        }
    }

    /// What began to run on the other device because of a logon.
    func landing(_ logon: TraceRow, _ intrusion: Intrusion) throws -> Landing {
        var landing = Landing()
        let span = (logon.time - Span.minute)...(logon.time + 20 * Span.minute)
        for row in try estate.rows("DeviceProcessEvents", of: logon.device)
        where span.contains(row.time) {
            guard row.child != nil else { continue }
            let isTheirs = row.account == logon.account
            let way: String? =
                switch row.actorName {
                case "wsmprovhost.exe", "winrshost.exe": isTheirs ? "T1021.006" : nil
                case "wmiprvse.exe":
                    isTheirs || names.interpreters.contains(row.file.lowercased()) ? "T1047" : nil
                case "services.exe":
                    try ProgramNames.isOddPlace(row.path) || names.interpreters.contains(row.file.lowercased())
                        || row.file.lowercased().contains("psexe") || isNewService(row, after: logon)
                        ? "T1569.002" : nil
                case "psexesvc.exe", "paexec.exe": "T1569.002"
                case "sshd": isTheirs ? "T1021.004" : nil
                case "svchost.exe":
                    isTheirs
                        && (ProgramNames.isOddPlace(row.path)
                            || names.interpreters.contains(row.file.lowercased()))
                        ? "T1053.005" : nil
                case "mmc.exe", "dllhost.exe":
                    isTheirs && names.interpreters.contains(row.file.lowercased()) ? "T1021.003" : nil
                default: nil
                }
            guard let way, !isHabit(row, intrusion) else { continue }
            if landing.technique.isEmpty { landing.technique = way }
            landing.rows.append(row)
        }
        if landing.rows.isEmpty {
            for mark in marks[logon.device] ?? []
            where span.contains(mark.row.time) && mark.hunt.mark != .context {
                let who = [mark.row.account, mark.row.actorAccount, mark.row.requestAccount]
                let isService =
                    mark.row.action == "ServiceInstalled"
                    && abs(mark.row.time - logon.time) <= 3 * Span.minute
                guard who.contains(logon.account) || mark.hunt.group == "movement" || isService,
                    mark.row.table != "DeviceLogonEvents",
                    !habits.isHabit(mark, beginning: intrusion.beginning)
                else { continue }
                landing.rows.append(mark.row)
                if landing.technique.isEmpty {
                    landing.technique =
                        mark.row.table == "DeviceFileEvents" ? "T1021.002" : mark.hunt.techniques.first ?? ""
                }
            }
        }
        return landing
    }

    /// Whether a service runs for the first time, right after a logon from elsewhere: it was sent with that logon.
    private func isNewService(_ row: TraceRow, after logon: TraceRow) throws -> Bool {
        guard row.time >= logon.time - 5 * Span.second, row.time - logon.time <= Span.minute,
            logon.logonType.lowercased() == "network", !row.path.contains("\\program files")
        else { return false }
        return try !estate.rows("DeviceProcessEvents", of: row.device).contains {
            $0.path == row.path && $0.time < row.time - Span.minute
        }
    }

    /// Whether the same was run the same way on three days before.
    private func isHabit(_ row: TraceRow, _ intrusion: Intrusion) -> Bool {
        guard let rows = try? estate.rows("DeviceProcessEvents", of: row.device) else { return false }
        let shape = MarkStage.shape(row.command)
        let days = Set(
            rows.filter {
                $0.actorName == row.actorName && $0.time < intrusion.beginning
                    && MarkStage.shape($0.command) == shape
            }.map { $0.time / DateTime.ticksPerDay })
        return days.count >= 3
    }
}
