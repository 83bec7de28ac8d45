import Content
import Tables

/// A session that an intruder holds on a device.
package struct HostileSession: Sendable, Hashable {
    package let device: String
    package let account: String
    package let from: Int64
    package let until: Int64
    /// The device or address that it came from.
    package let source: String
}

/// A movement from one device to another.
package struct Movement: Sendable {
    package let from: String
    package let to: String
    package let time: Int64
    package let technique: String
    package let account: String
    package let how: String
    package let rows: [TraceRow]
}

/// What belongs to the intrusion, as it is found: it only grows.
package struct Intrusion {
    package var processes: Set<ProcessID> = []
    package var sessions: [HostileSession] = []
    /// The first sign on each device, in ticks.
    package var devices: [String: Int64] = [:]
    package var marks: [Mark] = []
    package var movements: [Movement] = []
    /// Rare addresses that its processes reached.
    package var addresses: Set<String> = []
    /// SHA-1 of files that it wrote or ran.
    package var hashes: Set<String> = []
    /// Where and when a file that it carries was first seen.
    package private(set) var sightings: [String: Sighting] = [:]
    /// Paths of what it wrote, by device.
    package var paths: [String: Set<String>] = [:]
    /// Accounts that it works as, by device.
    package var accounts: [String: Set<String>] = [:]
    package var seeds: [Mark] = []
    /// Devices that were only reached through their shares.
    package var served: Set<String> = []
    private var known: Set<String> = []
    private var edges: Set<Edge> = []
    /// Devices that something led to.
    package private(set) var reached: Set<String> = []

    private struct Edge: Hashable {
        let from: String
        let to: String
    }

    package struct Sighting: Sendable {
        package let device: String
        package let time: Int64
    }

    /// How much belongs to it: it only grows.
    package var size: Int { processes.count + marks.count + movements.count + devices.count + sessions.count }

    package var beginning: Int64 { devices.values.min() ?? .max }

    package mutating func touch(_ device: String, at time: Int64) {
        devices[device] = min(devices[device] ?? .max, time)
    }

    /// - Returns: whether the mark is new here.
    package mutating func take(_ mark: Mark) -> Bool {
        let key = "\(mark.hunt.slug)|\(mark.row.table)|\(mark.row.device)|\(mark.row.time)|\(mark.row.report)"
        guard known.insert(key).inserted else { return false }
        marks.append(mark)
        return true
    }

    package mutating func take(_ movement: Movement) -> Bool {
        guard movement.from != movement.to else { return false }
        guard edges.insert(Edge(from: movement.from, to: movement.to)).inserted else { return false }
        reached.insert(movement.to)
        movements.append(movement)
        return true
    }

    /// Whether something led from one device to another.
    package func hasMovement(from: String, to: String) -> Bool { edges.contains(Edge(from: from, to: to)) }

    /// A file that it wrote or ran.
    package mutating func carry(_ hash: String, on device: String, at time: Int64) {
        guard !hash.isEmpty else { return }
        hashes.insert(hash)
        if let known = sightings[hash], known.time <= time { return }
        sightings[hash] = Sighting(device: device, time: time)
    }

    /// Whether a new service is only how a command came to run from afar: it carries the movement and goes again.
    package func isExecution(_ mark: Mark) -> Bool {
        let isService = mark.row.action == "ServiceInstalled" || mark.row.key.lowercased().contains("\\services\\")
        guard isService, mark.hunt.harm == "persistence-added" else { return false }
        return movements.contains {
            $0.to == mark.row.device && $0.technique != "T1021.001" && abs($0.time - mark.row.time) <= 3 * Span.minute
        }
    }

    /// Whether a session of an account was opened on a device in the last two hours.
    package func isFresh(_ account: String, on device: String, at time: Int64) -> Bool {
        sessions.contains {
            $0.device == device && $0.account == account && $0.from <= time && time - $0.from <= 2 * Span.hour
        }
    }

    /// Whether a session of an account is open on a device.
    package func holds(_ account: String, on device: String, at time: Int64) -> Bool {
        sessions.contains {
            $0.device == device && $0.account == account && $0.from - 10 * Span.second <= time && time <= $0.until
        }
    }
}

/// Which names of programs mean what, out of content.
package struct ProgramNames {
    package let interpreters: Set<String>
    package let browsers: Set<String>
    package let readers: Set<String>
    package let remoteTools: Set<String>
    /// Hosts of other people's work: what runs below them says nothing about them.
    package let hosts: Set<String> = [
        "explorer.exe", "services.exe", "svchost.exe", "winlogon.exe", "wininit.exe", "userinit.exe", "lsass.exe",
        "system", "systemd", "init", "launchd", "cron", "crond", "sshd", "taskeng.exe", "taskhostw.exe",
        "wmiprvse.exe", "wsmprovhost.exe", "msmpeng.exe", "mssense.exe", "trustedinstaller.exe", "w3wp.exe",
        "dllhost.exe",
        "runtimebroker.exe", "csrss.exe", "smss.exe", "spoolsv.exe", "login", "su", "sudo", "dockerd",
        "containerd-shim",
        "atd", "anacron", "finder", "dock", "terminal", "windowsterminal.exe", "xpcproxy", "gnome-shell",
    ]

    package init(_ estate: Estate) throws {
        interpreters = try estate.names("Interpreters")
        browsers = try estate.names("Browsers")
        readers = try estate.names("DocumentReaders")
        remoteTools = try estate.names("RemoteAccessTools")
    }

    /// Whether a program does what others tell it, or lies where none belongs: its parent is asked for too.
    package func isCarrier(_ name: String, path: String) -> Bool {
        if hosts.contains(name) || browsers.contains(name) || readers.contains(name) || remoteTools.contains(name) {
            return false
        }
        return interpreters.contains(name) || Self.isOddPlace(path)
    }

    /// Whether a path lies where users and programs without rights can write.
    package static func isOddPlace(_ path: String) -> Bool {
        let odd = [
            "\\temp\\", "\\tmp\\", "\\appdata\\", "\\perflogs\\", "\\users\\public\\", "\\downloads\\",
            "\\programdata\\",
            "\\$recycle.bin\\", "/tmp/", "/dev/shm/", "/users/shared/", "/downloads/", "/volumes/",
        ]
        let trusted = ["\\microsoft\\", "\\package cache\\", "\\windowsapps\\", "\\windows defender\\"]
        return odd.contains { path.contains($0) } && !trusted.contains { path.contains($0) }
    }

    /// Whether a path ends as something that runs.
    package static func isProgram(_ path: String) -> Bool {
        let name = path.split(whereSeparator: { $0 == "\\" || $0 == "/" }).last.map(String.init) ?? path
        guard let dot = name.lastIndex(of: ".") else { return path.hasPrefix("/") }
        let ending = name[name.index(after: dot)...]
        return [
            "exe", "dll", "sys", "ps1", "bat", "cmd", "vbs", "js", "jse", "hta", "wsf", "sh", "py", "pl", "scr", "com",
            "cpl",
            "msi", "jar", "elf", "so", "bin", "dat", "plist", "service", "aspx", "asp", "jsp", "php", "ashx", "lnk",
            "command",
        ].contains(String(ending))
    }
}
