import Forensics
import Tables
import Testing

/// Whole investigations over estates that were written without looking at how hunts are made.
@Suite struct InvestigationTests {
    private func harm(_ result: Investigation) -> Set<String> {
        Set(result.harm.map { "\(short(result, $0.device)) \($0.what)" })
    }

    private func causes(_ result: Investigation) -> Set<String> {
        Set(result.causes.map { "\(short(result, $0.device)) \($0.control)" })
    }

    private func short(_ result: Investigation, _ device: String) -> String {
        result.name(device).split(separator: ".").count == 4
            ? result.name(device) : String(result.name(device).prefix { $0 != "." })
    }

    @Test func aFlawOfAServerIsTheCauseAndNoOther() throws {
        let result = try Intrusions.wiki().investigate()
        #expect(result.verdict == .intrusion)
        let entry = try #require(result.entry)
        #expect(short(result, entry.device) == "web" && entry.vector == "exploit-public-app")
        #expect(causes(result).contains("web CVE-2023-22527"))
        #expect(!causes(result).contains("web CVE-2024-0001"))
        #expect(harm(result).isSuperset(of: ["web resource-hijacked", "web persistence-added"]))
        #expect(Set(result.devices.keys) == ["id-web"])
    }

    @Test func aPastedCommandIsFoundOnAMac() throws {
        let result = try Intrusions.paste().investigate()
        #expect(result.verdict == .intrusion && result.entry?.vector == "user-execution")
        #expect(
            harm(result).isSuperset(of: ["mac1 credentials-stolen", "mac1 persistence-added", "mac1 data-exfiltrated"]))
        #expect(Set(result.devices.keys) == ["id-mac1"])
    }

    @Test func anIntruderIsFollowedFromMailToServers() throws {
        let result = try Intrusions.encryptionFound.get()
        #expect(result.verdict == .intrusion && result.entry?.vector == "phishing")
        #expect(result.movements.map { [$0.from, $0.to] } == [["id-desk3", "id-files"]])
        #expect(
            harm(result).isSuperset(of: [
                "desk3 credentials-stolen", "files files-encrypted", "files recovery-inhibited",
                "files protection-disabled",
            ]))
        let found = causes(result)
        #expect(found.isSuperset(of: ["desk3 scid-2501", "desk3 scid-2509", "files scid-2508", "files scid-2003"]))
        #expect(!found.contains("ledger scid-2508"))
    }

    @Test func aSessionPastTheJumpHostIsTheWayIntoThePlant() throws {
        let result = try Intrusions.plantNight().investigate()
        let entry = try #require(result.entry)
        #expect(entry.device == "id-eng1" && entry.vector == "vendor-access")
        #expect(harm(result) == ["PLC-7 plc-mode-changed", "PLC-7 plc-program-changed", "PLC-7 ot-data-collected"])
        #expect(causes(result).isSuperset(of: ["eng1 ot.remote_access", "PLC-7 ot.keyswitch"]))
        #expect(result.movements.map(\.to) == ["iot:10.50.1.7"])
    }

    @Test func aControllerThatTheInternetReachesIsItsOwnEntry() throws {
        let result = try Intrusions.openController().investigate()
        #expect(result.entry?.vector == "internet-exposed-controller")
        #expect(causes(result).contains("PUMP net.exposed"))
        #expect(harm(result) == ["PUMP plc-mode-changed", "PUMP plc-program-changed"])
    }

    @Test func whatWasStoppedIsNoIntrusion() throws {
        let result = try Intrusions.stopped().investigate()
        #expect(result.verdict == .prevented && result.held.map(\.control) == ["scid-2501"])
        #expect(result.entry == nil && result.causes.isEmpty && result.harm.isEmpty)
    }

    @Test func workIsLeftInPeace() throws {
        let result = try Intrusions.nothing().investigate()
        #expect(result.verdict == .none && result.marks.isEmpty)
        #expect(!result.setAside.isEmpty)
    }

    @Test func theSameQuestionGivesTheSameBytes() throws {
        let script = Intrusions.encryption()
        #expect(Answer.json(try script.investigate()).text == Answer.json(try Intrusions.encryptionFound.get()).text)
    }

    @Test(arguments: [
        "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceLogonEvents", "DeviceEvents",
        "DeviceInfo",
        "DeviceTvmSecureConfigurationAssessment",
    ])
    func aMissingTableAddsNothingAndIsNamed(_ table: String) throws {
        let script = Intrusions.encryption()
        let whole = causes(try Intrusions.encryptionFound.get())
        let result = try script.investigate(without: [table])
        #expect(causes(result).subtracting(whole).filter { !$0.contains("none-effective") } == [])
        #expect(result.unknowns.contains("no rows of \(table)"))
    }

    @Test func lateRowsAndSkewedClocksMoveTheEntryLittle() throws {
        var script = Intrusions.encryption()
        let before = try #require(try Intrusions.encryptionFound.get().entry).time
        for table in ["DeviceProcessEvents", "DeviceNetworkEvents"] { script.shift(table, by: 0, told: 1440) }
        script.shift("DeviceNetworkEvents", by: 9)
        let after = try #require(try script.investigate().entry).time
        #expect(abs(after - before) <= 10 * Span.minute)
    }

    /// A wrong name must not read like good news.
    @Test func whatTheScopeNamesMustBeThere() throws {
        let provider = Intrusions.wiki().provider()
        let investigator = Investigator(provider: provider, library: EstateScript.library)
        #expect(throws: ScopeError.noDevice("wbe")) { try investigator.run(InvestigationScope(device: "wbe")) }
        for alert in ["da0", "a\"b\nc"] {
            #expect(throws: ScopeError.noAlert(alert)) { try investigator.run(InvestigationScope(alert: alert)) }
        }
        #expect(try investigator.run(InvestigationScope(device: "web")).verdict == .intrusion)
    }

    @Test func withoutRowsNothingIsKnown() throws {
        let missing = Set(EstateScript.library.tables.keys)
        #expect(try Intrusions.wiki().investigate(without: missing).verdict == .unknown)
    }
}
