import Forensics
import Tables
import Testing

/// How an intrusion came to each device, where no rows of the device before tell.
@Suite struct MovementTests {
    private static let powershell = #"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"#

    private func desks(_ names: [String]) -> EstateScript {
        var script = EstateScript()
        for (i, name) in names.enumerated() { script.device(name, "10.7.3.\(i + 1)") }
        script.quiet(servers: [], clients: names, days: 14)
        return script
    }

    /// A notebook that sends nothing is where somebody came from.
    @Test func aStrangeNotebookIsTheEntry() throws {
        var script = desks(["app", "desk"])
        let t = EstateScript.at(9, 21)
        script.logon("app", t, "ext.moss", "RemoteInteractive", from: "10.7.88.4")
        let shell = script.start(
            t + 4, below: script.host("app", "explorer.exe", #"C:\Windows\explorer.exe"#, account: "ext.moss"),
            #"C:\Windows\System32\cmd.exe"#, "cmd.exe", as: "ext.moss")
        script.start(t + 6, below: shell, #"C:\Windows\System32\reg.exe"#, #"reg save HKLM\SAM C:\Windows\Temp\s"#)
        let result = try script.investigate()
        #expect(result.entry.map { result.name($0.device) } == "10.7.88.4")
        #expect(result.entry?.vector == "valid-account")
        #expect(result.movements.map(\.to) == ["id-app"])
        #expect(result.causes.contains { $0.control == "id.mfa" && result.name($0.device) == "10.7.88.4" })
    }

    /// Without addresses of devices nobody can say that one is strange.
    @Test func withoutAddressesNobodyIsAStranger() throws {
        var script = desks(["app", "desk"])
        let t = EstateScript.at(9, 21)
        script.logon("app", t, "ext.moss", "RemoteInteractive", from: "10.7.88.4")
        let shell = script.start(
            t + 4, below: script.host("app", "explorer.exe", #"C:\Windows\explorer.exe"#, account: "ext.moss"),
            #"C:\Windows\System32\cmd.exe"#, "cmd.exe", as: "ext.moss")
        script.start(t + 6, below: shell, #"C:\Windows\System32\reg.exe"#, #"reg save HKLM\SAM C:\Windows\Temp\s"#)
        let result = try script.investigate(without: ["DeviceNetworkInfo"])
        #expect(result.entry?.device == "id-app")
    }

    /// A file that the intruder put on a share runs on another device.
    @Test func aFileOnAShareLeadsToWhoRunsIt() throws {
        var script = desks(["desk1", "desk2", "desk3"])
        let t = EstateScript.at(8, 11)
        let word = script.host(
            "desk1", "WINWORD.EXE", #"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"#,
            account: "user.desk1")
        let shell = script.start(
            t, below: word, Self.powershell,
            "powershell -nop -w hidden -enc SQBFAFgAIAAoAG4AZQB3AC0AbwBiAGoAZQBjAHQAKQA=")
        script.start(t + 1, below: shell, #"C:\Users\Public\tool.exe"#, "tool.exe", hash: "aa11")
        let explorer = script.host("desk2", "explorer.exe", #"C:\Windows\explorer.exe"#, account: "user.desk2")
        script.start(t + 500, below: explorer, #"\\files\tools\tool.exe"#, "tool.exe", hash: "aa11")
        let result = try script.investigate()
        #expect(result.movements.map { [$0.from, $0.to, $0.technique] } == [["id-desk1", "id-desk2", "T1080"]])
        #expect(result.devices["id-desk3"] == nil)
    }

    /// A service that carries one command from elsewhere is how it ran, and stays for nothing.
    @Test func aServiceThatCarriesACommandIsNoPersistence() throws {
        var script = desks(["desk1", "files"])
        let t = EstateScript.at(8, 11)
        let word = script.host(
            "desk1", "WINWORD.EXE", #"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"#,
            account: "user.desk1")
        let shell = script.start(
            t, below: word, Self.powershell,
            "powershell -nop -w hidden -enc SQBFAFgAIAAoAG4AZQB3AC0AbwBiAGoAZQBjAHQAKQA=")
        script.connect(t + 20, by: shell, "10.7.3.2", 445, isPublic: false)
        script.logon("files", t + 20.1, "adm.finch", "Network", from: "10.7.3.1")
        let services = script.host("files", "services.exe", #"C:\Windows\System32\services.exe"#)
        script.tell(t + 20.2, by: services, "ServiceInstalled", file: "zz.exe", [("ServiceName", .string("zz"))])
        let carrier = script.start(t + 20.3, below: services, #"C:\Windows\zz.exe"#, #"C:\Windows\zz.exe"#)
        script.start(t + 20.4, below: carrier, #"C:\Windows\System32\cmd.exe"#, "cmd.exe /c whoami")
        let result = try script.investigate()
        #expect(result.movements.map { [$0.from, $0.to] } == [["id-desk1", "id-files"]])
        #expect(!result.harm.contains { $0.what == "persistence-added" })
    }

    /// What a controller refused is an attempt, not an act.
    @Test func whatAControllerRefusedDidNotHappen() throws {
        var script = desks(["desk"])
        script.plantDevice("PLC-3", "10.50.1.3", "PLC")
        let t = EstateScript.at(8, 22)
        script.plant(t, "SRTP_CHANGE_LEVEL_FAILED", "Host 10.50.1.99 failed to change the access level of 10.50.1.3.")
        script.plant(t + 1, "PROGRAM_DEVICE", "Controller 10.50.1.3 rejected a program of 10.50.1.99.")
        let result = try script.investigate()
        #expect(result.verdict == .prevented && result.harm.isEmpty && result.causes.isEmpty)
        #expect(Set(result.held.map(\.control)) == ["ot.auth"])
    }

    /// A device is known by the name that it has now, and found by the one that it had.
    @Test func aRenamedDeviceKeepsItsStory() throws {
        var script = desks(["pc-7"])
        script.add(
            "DeviceInfo",
            [
                "TimeGenerated": .datetime(EstateScript.time(EstateScript.at(5, 0))), "ChangeType": .string("Changed"),
                "DeviceId": .string("id-pc-7"), "DeviceName": .string("till-2.fenwick.example"),
                "OnboardingStatus": .string("Onboarded"),
            ])
        let t = EstateScript.at(9, 3)
        let shell = script.start(
            t, below: script.host("pc-7", "WINWORD.EXE", #"C:\Program Files\Office\WINWORD.EXE"#), Self.powershell,
            "powershell -nop -w hidden -enc SQBFAFgAIAAoAG4AZQB3AC0AbwBiAGoAZQBjAHQAKQA=")
        script.start(t + 2, below: shell, #"C:\Windows\System32\reg.exe"#, #"reg save HKLM\SAM C:\Windows\Temp\s"#)
        let result = try script.investigate()
        #expect(result.entry.map { result.name($0.device) } == "till-2.fenwick.example")
        let provider = script.provider()
        let asked = try Investigator(provider: provider, library: EstateScript.library)
            .run(InvestigationScope(device: "pc-7"))
        #expect(asked.verdict == .intrusion)
    }
}
