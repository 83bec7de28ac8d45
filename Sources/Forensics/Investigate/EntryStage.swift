import Content
import Tables

/// Finds where, when and how somebody came in.
package struct EntryStage {
    private let estate: Estate
    private let names: ProgramNames
    private let intrusion: Intrusion
    private let plant: PlantStage

    package init(_ estate: Estate, _ names: ProgramNames, _ intrusion: Intrusion, _ plant: PlantStage) {
        self.estate = estate
        self.names = names
        self.intrusion = intrusion
        self.plant = plant
    }

    /// The techniques that a way in goes by, under every name that analysts give it.
    static let techniques: [String: [String]] = [
        "exploit-public-app": ["T1190"],
        "exposed-remote-service": ["T1133", "T1110", "T1078", "T1021"],
        "phishing": ["T1566.001", "T1566.002", "T1204.002"],
        "user-execution": ["T1204.002", "T1204.004", "T1189"],
        "valid-account": ["T1078", "T1078.002", "T1021"], "removable-media": ["T1091", "T0847"],
        "vendor-access": ["T0822", "T0886", "T1199", "T1133", "T1219"],
        "internet-exposed-controller": ["T0883", "T0819"],
        "supply-chain": ["T1195.002", "T0862"], "other": ["T1078", "T1189"],
    ]

    /// - Throws: `QueryError`.
    package func entry(_ way: PlantEntry?) throws -> Entry? {
        let targets = Set(intrusion.movements.map(\.to)).union(intrusion.served)
        let roots = intrusion.devices.filter { !targets.contains($0.key) }
        guard
            let root = (roots.isEmpty ? intrusion.devices : roots).min(by: {
                ($0.value, $0.key) < ($1.value, $1.key)
            })
        else { return nil }
        if let way, way.device == root.key || way.isPublic {
            let vector =
                way.isPublic
                ? "internet-exposed-controller"
                : way.isStation || way.isNewAsset ? "vendor-access" : "valid-account"
            return make(way.device, way.time, vector, [], [way.row])
        }
        let marks = intrusion.marks.filter { $0.row.device == root.key && $0.hunt.mark != .context }
            .sorted { ($0.row.time, $0.hunt.slug) < ($1.row.time, $1.hunt.slug) }
        guard let first = marks.first else {
            let first = intrusion.movements.filter { $0.from == root.key }.min { $0.time < $1.time }
            let rows = first?.rows.map(\.reference) ?? []
            // An appliance is broken into; somebody's own notebook brings a valid account.
            let isAppliance = estate.devices[root.key].map { !$0.hasSensor } ?? false
            let isPlant = first.map { plant.isPlantHost($0.to) } ?? false
            let isRelayed = first?.technique == "T1557.001"
            let vector =
                isPlant
                ? "vendor-access"
                : isAppliance ? "exploit-public-app" : isRelayed ? "other" : "valid-account"
            return make(root.key, root.value, vector, isRelayed ? ["T1557.001", "T1200"] : [], rows)
        }
        if let update = try updated(first) {
            return make(root.key, update.time, "supply-chain", [], [update.reference, first.row.reference])
        }
        let near = marks.filter { $0.row.time <= max(first.row.time, root.value) + 2 * Span.hour }
        let leads = near.filter { $0.hunt.entry != nil }
        let early = leads.filter { $0.row.time <= (leads.first?.row.time ?? 0) + 20 * Span.minute }
        let telling = early.min { Self.rank($0) < Self.rank($1) }
        var vector = try telling?.hunt.entry ?? guess(first)
        if vector == "user-execution" || vector == "phishing", let telling {
            vector = try cameByMail(telling) ? "phishing" : cameBySync(telling) ? "other" : vector
        }
        return make(
            root.key, min(root.value, first.row.time), vector,
            telling?.hunt.techniques ?? first.hunt.techniques,
            near.prefix(5).map(\.row.reference))
    }

    /// The start of the program above a mark's process, where the program's own updater started it: what the maker sent
    /// works for the intruder.
    private func updated(_ mark: Mark) throws -> TraceRow? {
        let tree = try ProcessTree(estate, device: mark.row.device)
        var process = tree.resolve(mark.row.actor, at: mark.row.time)
        for _ in 0..<6 {
            guard let current = process, let birth = tree.births[current] else { return nil }
            let isInstalled = ["\\program files", "/opt/", "/applications/"].contains { birth.path.contains($0) }
            if isInstalled, birth.actorName.contains("updat"),
                names.interpreters.contains(mark.row.actorName)
                    || names.interpreters.contains(mark.row.file.lowercased())
            {
                return birth
            }
            process = tree.parent(of: current)
        }
        return nil
    }

    /// The more closely a mark tells the way in, the lower.
    private static func rank(_ mark: Mark) -> Int {
        let order = [
            "removable-media", "exploit-public-app", "exposed-remote-service", "supply-chain", "phishing",
            "vendor-access",
            "user-execution", "valid-account",
        ]
        let place = mark.hunt.entry.flatMap { order.firstIndex(of: $0) } ?? order.count
        return place * 2 + (mark.hunt.mark == .strong ? 0 : 1)
    }

    private func make(
        _ device: String, _ time: Int64, _ vector: String, _ techniques: [String],
        _ rows: [RowReference]
    )
        -> Entry
    {
        let known = Self.techniques[vector] ?? []
        return Entry(
            device: device, time: time,
            techniques: techniques + known.filter { !techniques.contains($0) },
            vector: vector,
            rows: rows)
    }

    /// Whether what was opened came with a mail, or a mail led to it.
    private func cameByMail(_ mark: Mark) throws -> Bool {
        let row = mark.row
        let mailers = [
            "outlook.exe", "olk.exe", "hxoutlook.exe", "thunderbird.exe", "mail", "microsoft outlook", "teams.exe",
            "ms-teams.exe", "slack.exe",
        ]
        if mailers.contains(row.actorName) || mailers.contains(row.actorParentName) { return true }
        let events = try estate.rows("DeviceEvents", of: row.device)
        let isLed = events.contains {
            $0.action == "BrowserLaunchedToOpenUrl" && mailers.contains($0.actorName) && $0.time <= row.time
                && row.time - $0.time <= 15 * Span.minute
        }
        let stores = ["content.outlook", "mail downloads", "com.apple.mail", "com.microsoft.outlook"]
        let texts = [row.actorCommand, row.command, row.path].map { $0.lowercased() }
        return isLed || texts.contains { text in stores.contains { text.contains($0) } }
    }

    /// Whether what was opened was put there by a program that keeps folders alike.
    private func cameBySync(_ mark: Mark) -> Bool {
        let texts = [mark.row.actorCommand, mark.row.command, mark.row.path].map { $0.lowercased() }
        let folders = ["\\onedrive - ", "\\onedrive\\", "\\dropbox\\", "\\google drive\\", "/dropbox/"]
        return texts.contains { text in folders.contains { text.contains($0) } }
    }

    /// Whether the device took a connection from the internet right before, from an address that did not come before.
    private func reachedFromOutside(_ row: TraceRow) throws -> Bool {
        let rows = try estate.rows("DeviceNetworkEvents", of: row.device)
        return Self.inbound(rows, before: row.time) != nil
    }

    /// The connection from the internet that a device took in the ten minutes before a time, from an address that was
    /// not there on another day.
    static func inbound(_ rows: [TraceRow], before time: Int64) -> TraceRow? {
        let taken = rows.filter { $0.action == "InboundConnectionAccepted" && $0.isPublic }
        return taken.last { row in
            row.time <= time + 5 * Span.second && time - row.time <= 10 * Span.minute
                && !taken.contains { $0.remoteAddress == row.remoteAddress && row.time - $0.time > 12 * Span.hour }
        }
    }

    /// A way in where no hunt names one: by what stands above the first process.
    private func guess(_ mark: Mark) throws -> String {
        let row = mark.row
        if names.remoteTools.contains(row.actorName) { return "vendor-access" }
        if names.readers.contains(row.actorName) { return "phishing" }
        if names.browsers.contains(row.actorName) { return "user-execution" }
        let opened = ["\\downloads\\", "/downloads/", "/volumes/"]
        if opened.contains(where: { row.path.contains($0) || row.actorPath.contains($0) }) { return "user-execution" }
        if try reachedFromOutside(row) { return "exposed-remote-service" }
        if intrusion.sessions.contains(where: { $0.device == row.device }) { return "valid-account" }
        if row.actorName.contains("updat") { return "supply-chain" }
        if ["sshd", "bash", "sh", "zsh"].contains(row.actorName) { return "valid-account" }
        return "other"
    }
}
