import KQL
import KQLEngine
import Tables

/// What devices send on an ordinary day: the same few programs do the same things at about the same times, so that what
/// a scenario does stands out from it as it would from a real fleet.
///
/// Events that are drawn at random hold a little of everything, intrusions too.
struct WorkdayEvents: Sendable {
    let dice: Dice

    /// A program of a device's day.
    private struct Program {
        let path: String
        let command: String
        let parent: String
        let account: String
        /// Minutes after midnight.
        let minute: Int

        var name: String { path.split { $0 == "\\" || $0 == "/" }.last.map(String.init) ?? path }
        var parentName: String { parent.split { $0 == "\\" || $0 == "/" }.last.map(String.init) ?? parent }
    }

    private static func programs(_ m: Machine) -> [Program] {
        let windows = #"C:\Windows\System32\"#
        switch (m.family, m.isServer) {
        case ("Windows", false):
            let shell = #"C:\Windows\explorer.exe"#
            let office = #"C:\Program Files\Microsoft Office\root\Office16\"#
            return [
                Program(
                    path: office + "OUTLOOK.EXE", command: "\"\(office)OUTLOOK.EXE\"", parent: shell,
                    account: m.user, minute: 8 * 60 + 5),
                Program(
                    path: #"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"#,
                    command: "msedge.exe --profile-directory=Default", parent: shell, account: m.user,
                    minute: 8 * 60 + 20),
                Program(
                    path: windows + "svchost.exe", command: "svchost.exe -k netsvcs -p -s BITS",
                    parent: windows + "services.exe", account: "system", minute: 12 * 60),
            ]
        case ("Windows", true):
            return [
                Program(
                    path: windows + "svchost.exe", command: "svchost.exe -k netsvcs -p -s wuauserv",
                    parent: windows + "services.exe", account: "system", minute: 4 * 60),
                Program(
                    path: windows + "taskhostw.exe", command: "taskhostw.exe", parent: windows + "svchost.exe",
                    account: "system", minute: 6 * 60),
            ]
        case ("Linux", _):
            return [
                Program(
                    path: "/usr/sbin/logrotate", command: "/usr/sbin/logrotate /etc/logrotate.conf",
                    parent: "/usr/lib/systemd/systemd", account: "root", minute: 15)
            ]
        case ("macOS", _):
            return [
                Program(
                    path: "/Applications/Safari.app/Contents/MacOS/Safari",
                    command: "/Applications/Safari.app/Contents/MacOS/Safari", parent: "/sbin/launchd",
                    account: m.user, minute: 9 * 60)
            ]
        default: return []
        }
    }

    /// The rows of a table for a device from a time to another; ticks.
    func rows(_ table: String, _ m: Machine, from: Int64, to: Int64) -> [[String: Value]] {
        guard from < to else { return [] }
        var rows: [[String: Value]] = []
        for day in from / DateTime.ticksPerDay...(to - 1) / DateTime.ticksPerDay {
            for (n, cells) in ofDay(table, m, day).enumerated() {
                guard case .datetime(let time)? = cells["Timestamp"], time >= from, time < to else { continue }
                var row = cells
                row["DeviceId"] = .string(m.id)
                row["DeviceName"] = .string(m.name)
                row["ReportId"] = .long(day % 100_000 * 1_000 + Int64(n))
                rows.append(row)
            }
        }
        return rows
    }

    private func ofDay(_ table: String, _ m: Machine, _ day: Int64) -> [[String: Value]] {
        let programs = Self.programs(m)
        func time(_ program: Program, after seconds: Int64 = 0) -> Int64 {
            let late = Int64(dice.roll(m.index, program.minute, Int(day)) % 1_200)
            return day * DateTime.ticksPerDay
                + (Int64(program.minute) * 60 + late + seconds) * DateTime.ticksPerSecond
        }
        func process(_ program: Program) -> Int64 {
            2_000 + Int64(dice.roll(m.index, program.minute, Int(day)) % 30_000)
        }
        /// The columns of what a program did after its start.
        func deed(_ program: Program, _ action: String, after seconds: Int64) -> [String: Value] {
            [
                "Timestamp": .datetime(time(program, after: seconds)), "ActionType": .string(action),
                "InitiatingProcessFileName": .string(program.name.lowercased()),
                "InitiatingProcessFolderPath": .string(program.path.lowercased()),
                "InitiatingProcessCommandLine": .string(program.command),
                "InitiatingProcessId": .long(process(program)),
                "InitiatingProcessCreationTime": .datetime(time(program)),
                "InitiatingProcessAccountName": .string(program.account),
                "InitiatingProcessParentFileName": .string(program.parentName.lowercased()),
            ]
        }
        switch table {
        case "DeviceProcessEvents":
            return programs.map { program in
                [
                    "Timestamp": .datetime(time(program)), "ActionType": .string("ProcessCreated"),
                    "FileName": .string(program.name), "FolderPath": .string(program.path),
                    "ProcessId": .long(process(program)), "ProcessCreationTime": .datetime(time(program)),
                    "ProcessCommandLine": .string(program.command), "AccountName": .string(program.account),
                    "InitiatingProcessFileName": .string(program.parentName.lowercased()),
                    "InitiatingProcessFolderPath": .string(program.parent.lowercased()),
                    "InitiatingProcessCommandLine": .string(program.parent), "InitiatingProcessId": .long(700),
                    "InitiatingProcessCreationTime": .datetime(day * DateTime.ticksPerDay),
                    "InitiatingProcessAccountName": .string(program.account),
                ]
            }
        case "DeviceNetworkEvents":
            return programs.map { program in
                deed(program, "ConnectionSuccess", after: 30).merging([
                    "RemoteIP": .string("198.51.100.\(program.minute % 7 + 10)"), "RemotePort": .long(443),
                    "RemoteUrl": .string("updates.contoso.example"), "RemoteIPType": .string("Public"),
                    "LocalIP": .string(m.address), "Protocol": .string("Tcp"),
                ]) { _, new in new }
            }
        case "DeviceFileEvents" where m.family == "Windows" && !m.isServer:
            return programs.prefix(1).map { program in
                deed(program, "FileModified", after: 900).merging([
                    "FileName": .string("\(m.user).ost"),
                    "FolderPath": .string(#"C:\Users\\#(m.user)\AppData\Local\Microsoft\Outlook\\#(m.user).ost"#),
                ]) { _, new in new }
            }
        case "DeviceLogonEvents" where !programs.isEmpty && !m.isServer:
            return [
                [
                    "Timestamp": .datetime(day * DateTime.ticksPerDay + 8 * 3_600 * DateTime.ticksPerSecond),
                    "ActionType": .string("LogonSuccess"), "LogonType": .string("Interactive"),
                    "AccountName": .string(m.user), "AccountDomain": .string("contoso"),
                    "IsLocalAdmin": .bool(false),
                ]
            ]
        case "DeviceImageLoadEvents" where m.family == "Windows":
            return programs.prefix(1).map { program in
                deed(program, "ImageLoaded", after: 1).merging([
                    "FileName": .string("kernel32.dll"),
                    "FolderPath": .string(#"C:\Windows\System32\kernel32.dll"#),
                ]) { _, new in new }
            }
        case "DeviceEvents" where m.family == "Windows":
            return programs.suffix(1).map { deed($0, "AntivirusScanCompleted", after: 600) }
        default: return []
        }
    }
}
