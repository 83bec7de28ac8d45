import Content
import Tables

/// Follows an intrusion on each device: up the chain of processes, down to what they started, and across by what they
/// wrote and reached.
package struct GrowStage {
    private let estate: Estate
    private let names: ProgramNames
    private let marks: [String: [Mark]]
    private let habits: Habits
    private var trees: [String: ProcessTree] = [:]
    /// The days on which each shape of a command ran before the intrusion, by device.
    private var shapes: [String: [String: Set<Int64>]] = [:]
    /// On how many devices an address was seen.
    private let spread: [String: Int]

    package init(_ estate: Estate, _ names: ProgramNames, marks: [Mark], habits: Habits) throws {
        self.estate = estate
        self.names = names
        self.habits = habits
        self.marks = Dictionary(grouping: marks, by: \.row.device)
        var spread: [String: Int] = [:]
        for row in try estate.ask(
            "DeviceNetworkEvents | where isnotempty(RemoteIP) | summarize Devices = dcount(DeviceId) by RemoteIP")
        {
            spread[TraceRow.plain(row.text("RemoteIP"))] = Int(row.number("Devices") ?? 0)
        }
        self.spread = spread
    }

    package mutating func tree(_ device: String) throws -> ProcessTree {
        if let tree = trees[device] { return tree }
        let tree = try ProcessTree(estate, device: device)
        trees[device] = tree
        return tree
    }

    /// Takes a seed with what stands around it.
    package mutating func take(_ mark: Mark, into intrusion: inout Intrusion) throws {
        let row = mark.row
        _ = intrusion.take(mark)
        intrusion.touch(row.device, at: row.time)
        let tree = try tree(row.device)
        if row.table == "DeviceLogonEvents" {
            open(row, source: estate.device(at: row.remoteAddress) ?? row.remoteAddress, into: &intrusion)
        } else if let child = row.child {
            add(child, tree, row.device, &intrusion)
        } else if let actor = tree.resolve(row.actor, at: row.time), mayHold(row.actorName) {
            add(actor, tree, row.device, &intrusion)
        }
        if !row.requestAddress.isEmpty, let source = estate.device(at: row.requestAddress), source != row.device {
            // Through a share: the intruder works on the other end.
            intrusion.touch(source, at: row.time)
            intrusion.served.insert(row.device)
            if !row.requestAccount.isEmpty { intrusion.accounts[source, default: []].insert(row.requestAccount) }
        }
        let account = row.child == nil ? row.actorAccount : row.account
        if !account.isEmpty { intrusion.accounts[row.device, default: []].insert(account) }
    }

    /// Whether a process of a name can be the intruder's own.
    private func mayHold(_ name: String) -> Bool {
        !names.hosts.contains(name) && !names.browsers.contains(name) && !name.isEmpty
            && !["httpd", "nginx", "apache2", "java", "java.exe", "sqlservr.exe", "php-fpm", "node", "outlook.exe"]
                .contains(name)
    }

    package func open(_ row: TraceRow, source: String, into intrusion: inout Intrusion) {
        let session = HostileSession(
            device: row.device, account: row.account, from: row.time, until: row.time + 12 * Span.hour, source: source)
        if !intrusion.holds(row.account, on: row.device, at: row.time) { intrusion.sessions.append(session) }
        intrusion.accounts[row.device, default: []].insert(row.account)
        intrusion.touch(row.device, at: row.time)
    }

    /// Adds a process that came from another device.
    package mutating func adopt(_ process: ProcessID, on device: String, _ intrusion: inout Intrusion) {
        guard let tree = try? tree(device) else { return }
        add(process, tree, device, &intrusion)
    }

    /// Adds the process that reached another device at the time of a logon there.
    package mutating func adoptReach(
        from source: String, to device: String, at time: Int64, _ intrusion: inout Intrusion
    ) throws {
        guard estate.devices[source]?.hasSensor == true, let addresses = estate.devices[device]?.addresses else {
            return
        }
        let tree = try tree(source)
        for row in tree.rows
        where row.table == "DeviceNetworkEvents" && addresses.contains(row.remoteAddress)
            && abs(row.time - time) <= 2 * Span.minute
        {
            guard let actor = tree.resolve(row.actor, at: row.time), mayHold(row.actorName) else { continue }
            add(actor, tree, source, &intrusion)
            intrusion.touch(source, at: row.time)
        }
    }

    /// Adds a process, the carriers above it and all below it.
    private func add(_ process: ProcessID, _ tree: ProcessTree, _ device: String, _ intrusion: inout Intrusion) {
        var top = process
        while let birth = tree.births[top], names.isCarrier(birth.actorName, path: birth.actorPath),
            let parent = tree.parent(of: top), parent != top
        {
            top = parent
        }
        var queue = [top]
        var next = 0
        while next < queue.count {
            let current = queue[next]
            next += 1
            guard intrusion.processes.insert(current).inserted || current == top else { continue }
            if let birth = tree.births[current] {
                intrusion.touch(device, at: birth.time)
                if ProgramNames.isOddPlace(birth.path) { intrusion.carry(birth.hash, on: device, at: birth.time) }
                if !birth.account.isEmpty { intrusion.accounts[device, default: []].insert(birth.account) }
            }
            for child in tree.children[current] ?? [] {
                if let id = child.child, !intrusion.processes.contains(id) { queue.append(id) }
            }
        }
    }

    /// Follows everything on the devices of the intrusion until nothing is added.
    package mutating func grow(_ intrusion: inout Intrusion) throws {
        var before = -1
        while before != intrusion.processes.count + intrusion.marks.count {
            before = intrusion.processes.count + intrusion.marks.count
            for device in intrusion.devices.keys.sorted() { try grow(on: device, &intrusion) }
        }
    }

    private mutating func grow(on device: String, _ intrusion: inout Intrusion) throws {
        let tree = try tree(device)
        let first = intrusion.devices[device] ?? .max
        // What its processes wrote and reached.
        for (process, deeds) in tree.deeds where intrusion.processes.contains(process) {
            for deed in deeds {
                if deed.table == "DeviceFileEvents", deed.action != "FileDeleted", ProgramNames.isProgram(deed.path) {
                    intrusion.paths[device, default: []].insert(deed.path)
                    intrusion.carry(deed.hash, on: device, at: deed.time)
                }
                if deed.table == "DeviceNetworkEvents", deed.isPublic, (spread[deed.remoteAddress] ?? 9) <= 2,
                    !deed.remoteAddress.isEmpty
                {
                    intrusion.addresses.insert(deed.remoteAddress)
                }
            }
        }
        let paths = (intrusion.paths[device] ?? []).filter { $0.count > 6 }
        for row in try estate.rows("DeviceProcessEvents", of: device) {
            guard let child = row.child, !intrusion.processes.contains(child), row.time >= first - 10 * Span.minute
            else { continue }
            let command = row.command.lowercased()
            let runsIts =
                paths.contains(row.path)
                || (!row.hash.isEmpty && intrusion.hashes.contains(row.hash) && ProgramNames.isOddPlace(row.path))
                || paths.contains { command.contains($0) }
            let isInSession =
                intrusion.holds(row.account, on: device, at: row.time)
                && !["svchost.exe", "services.exe", "winlogon.exe", "msmpeng.exe", "cron", "crond", "systemd"]
                    .contains(row.actorName)
                && !usual(row, tree, before: first)
            if runsIts || isInSession { add(child, tree, device, &intrusion) }
        }
        for row in tree.rows where row.table == "DeviceNetworkEvents" && intrusion.addresses.contains(row.remoteAddress)
        {
            guard row.time >= first - 10 * Span.minute, let actor = tree.resolve(row.actor, at: row.time),
                mayHold(row.actorName), !intrusion.processes.contains(actor)
            else { continue }
            add(actor, tree, device, &intrusion)
        }
        for mark in marks[device] ?? [] where try belongs(mark, tree, intrusion, since: first) {
            guard intrusion.take(mark) else { continue }
            if mark.row.table == "DeviceLogonEvents" { continue }
            if let child = mark.row.child {
                add(child, tree, device, &intrusion)
            } else if let actor = tree.resolve(mark.row.actor, at: mark.row.time), mayHold(mark.row.actorName) {
                add(actor, tree, device, &intrusion)
            }
        }
    }

    /// Whether the same was run the same way on two days before.
    private mutating func usual(_ row: TraceRow, _ tree: ProcessTree, before time: Int64) -> Bool {
        let key = "\(row.device)|\(row.actorName)|\(MarkStage.shape(row.command))"
        if shapes[row.device] == nil {
            var days: [String: Set<Int64>] = [:]
            for birth in tree.births.values where birth.time < time {
                days["\(birth.device)|\(birth.actorName)|\(MarkStage.shape(birth.command))", default: []]
                    .insert(birth.time / DateTime.ticksPerDay)
            }
            shapes[row.device] = days
        }
        return (shapes[row.device]?[key]?.count ?? 0) >= 2
    }

    /// Whether a mark on a device of the intrusion is part of it.
    private func belongs(_ mark: Mark, _ tree: ProcessTree, _ intrusion: Intrusion, since first: Int64) throws -> Bool {
        let row = mark.row
        if let child = row.child, intrusion.processes.contains(child) { return true }
        if let actor = tree.resolve(row.actor, at: row.time), intrusion.processes.contains(actor) { return true }
        guard mark.hunt.mark != .inside, row.time >= first - 10 * Span.minute else { return false }
        if row.table == "DeviceLogonEvents" { return false }
        let isUsual = habits.isHabit(mark, beginning: intrusion.beginning)
        let account = row.child != nil || row.actorAccount.isEmpty ? row.account : row.actorAccount
        if !isUsual, intrusion.holds(account, on: row.device, at: row.time) { return true }
        if !isUsual, !row.account.isEmpty, intrusion.holds(row.account, on: row.device, at: row.time) { return true }
        if !row.requestAddress.isEmpty, let source = estate.device(at: row.requestAddress),
            let since = intrusion.devices[source], row.time >= since
        {
            let isTheirs = intrusion.accounts[source]?.contains(row.requestAccount) ?? false
            return isTheirs || !isUsual
        }
        guard !isUsual, !mark.wasBlocked else { return false }
        if ["lsass.exe", "svchost.exe", "services.exe", "msmpeng.exe", "system", "wmiprvse.exe", ""].contains(
            row.actorName)
        {
            // The system tells of it in its own name: the intruder's process stands seconds before.
            return intrusion.processes.contains { process in
                process.device == row.device
                    && tree.births[process].map {
                        $0.time - 5 * Span.second <= row.time && row.time <= $0.time + 2 * Span.minute
                    } ?? false
            }
        }
        let soft: Set<String> = ["install", "remote", "account", "audit", "movement", "collection"]
        let isTheirs = intrusion.accounts[row.device]?.contains(account) ?? false
        return isTheirs && account != "system" && account != "root" && !soft.contains(mark.hunt.group)
            && row.time <= first + 48 * Span.hour && mark.hunt.mark != .context
    }
}
