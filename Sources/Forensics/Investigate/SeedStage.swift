import Content
import Tables

/// Where an intrusion is first seen: strong marks, and weak ones that say different things of one chain.
package struct SeedStage {
    private let estate: Estate
    private let names: ProgramNames
    private var trees: [String: ProcessTree] = [:]

    package init(_ estate: Estate, _ names: ProgramNames) {
        self.estate = estate
        self.names = names
    }

    /// What a group of weak marks weighs, in tenths of one that only intruders make: what administrators and installers
    /// do too weighs half. Whole numbers, so that a sum does not depend on its order.
    private static func weight(_ mark: Mark) -> Int {
        switch mark.hunt.group {
        case "install", "remote", "account", "discovery", "collection": 5
        case "audit": 4
        case "movement", "execution", "stealth", "ia-attachment-script", "ex-encoded-shell", "pe-webroot-page": 7
        case "ia-odd-hour", "impair", "network", "credential", "exfiltration", "impact", "detection", "persistence": 10
        default: 8
        }
    }

    /// The marks that stand alone or together, in order of time.
    package mutating func seeds(_ marks: [Mark], _ habits: Habits, beginning: Int64) throws -> [Mark] {
        let fresh = marks.filter {
            $0.hunt.mark != .context && !$0.wasBlocked && !habits.isHabit($0, beginning: beginning)
        }
        var found: [Mark] = []
        for mark in fresh where mark.hunt.mark == .strong {
            if try !isManagement(mark.row) { found.append(mark) }
        }
        var chains: [String: [Mark]] = [:]
        for mark in fresh where mark.hunt.mark == .weak {
            if try isManagement(mark.row) { continue }
            for key in try chainKeys(mark) { chains[key, default: []].append(mark) }
        }
        for (key, chain) in chains.sorted(by: { $0.key < $1.key }) {
            let isTree = key.hasPrefix("tree")
            let reach = isTree ? 24 * Span.hour : Span.hour
            for (i, first) in chain.enumerated() {
                let near = chain[i...].prefix { $0.row.time - first.row.time <= reach }
                var weights: [String: Int] = [:]
                for mark in near { weights[mark.hunt.group] = max(weights[mark.hunt.group] ?? 0, Self.weight(mark)) }
                let sum = weights.values.reduce(0, +)
                // Taken, moved and carried off by one account: nobody does the three within the hour by chance.
                let isTheft = weights["exfiltration"] != nil && weights.count >= 3 && sum >= 21
                if weights.count >= 2, sum >= (isTree ? 19 : 24) || isTheft { found += near }
            }
        }
        var seen: Set<RowReference> = []
        return found.sorted { ($0.row.time, $0.row.device, $0.hunt.slug) < ($1.row.time, $1.row.device, $1.hunt.slug) }
            .filter { seen.insert($0.row.reference).inserted }
    }

    private static let agents: Set<String> = [
        "ccmexec.exe", "monitoringhost.exe", "healthservice.exe",
        "microsoft.management.services.intunewindowsagent.exe",
        "agentexecutor.exe", "puppet.exe", "ruby.exe", "salt-minion.exe", "chef-client", "ansible-playbook", "puppet",
        "salt-minion", "gpscript.exe", "trustedinstaller.exe", "tiworker.exe", "dpkg", "apt-get", "rpm", "dnf", "yum",
        "pdqdeployrunner.exe", "taniumclient.exe", "besclient.exe", "wuauclt.exe", "usoclient.exe", "unattended-upgr",
    ]
    private static let folders = ["\\windows\\", "\\program files", "/usr/", "/opt/"]

    /// Whether configuration management did it, from its own folder: itself, or a script that it started.
    private mutating func isManagement(_ row: TraceRow) throws -> Bool {
        func isAgent(_ name: String, _ path: String) -> Bool {
            Self.agents.contains(name) && Self.folders.contains { path.contains($0) }
        }
        if isAgent(row.actorName, row.actorPath) { return true }
        if trees[row.device] == nil { trees[row.device] = try ProcessTree(estate, device: row.device) }
        guard let tree = trees[row.device] else { return false }
        var process = tree.resolve(row.actor, at: row.time)
        for _ in 0..<6 {
            guard let current = process, let birth = tree.births[current] else { break }
            if isAgent(birth.actorName, birth.actorPath) { return true }
            process = tree.parent(of: current)
        }
        return false
    }

    private mutating func chainKeys(_ mark: Mark) throws -> [String] {
        let row = mark.row
        let who = row.account.isEmpty ? row.actorAccount : row.account
        let isPerson = !["system", "root", "local service", "network service", ""].contains(who)
        var keys = isPerson ? ["account|\(row.device)|\(who)"] : []
        if trees[row.device] == nil { trees[row.device] = try ProcessTree(estate, device: row.device) }
        if let tree = trees[row.device], let process = row.child ?? tree.resolve(row.actor, at: row.time) {
            var root = process
            var name = row.child != nil ? row.file.lowercased() : row.actorName
            if names.hosts.contains(name) { return keys }
            while let birth = tree.births[root], names.isCarrier(birth.actorName, path: birth.actorPath),
                let parent = tree.parent(of: root), parent != root
            {
                root = parent
                name = birth.actorName
            }
            keys.append("tree|\(row.device)|\(root.id)|\(root.started)")
        }
        return keys
    }
}
