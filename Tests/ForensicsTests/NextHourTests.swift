import Forensics
import Tables
import Testing

/// What to do in the next hour follows from the claims, and names them.
@Suite struct NextHourTests {
    private func file(_ claims: [Claim], plant: Set<String> = [], verdict: Investigation.Verdict = .intrusion)
        -> CaseFile
    {
        var file = CaseFile(id: "c", opened: EstateScript.time(0))
        for claim in claims { file.add(.claim, id: claim.id, body: claim.json, now: 0, actor: "t", action: "state") }
        let names = Set(claims.map(\.subject) + claims.filter { $0.kind == .movement }.map(\.object))
        var summary = CaseSummary(
            verdict: verdict,
            devices: names.sorted().map {
                CaseSummary.Device(id: $0, name: $0, firstSign: EstateScript.time(1), isPlant: plant.contains($0))
            })
        summary.gaps = [
            CaseSummary.Gap(control: "scid-2508", title: "A rule", devices: ["x"], count: 7, query: "print 1")
        ]
        file.add(.summary, id: "s", body: summary.json, now: 0, actor: "t", action: "state")
        return file
    }

    private func claim(
        _ kind: Claim.Kind, _ subject: String, _ object: String, facts: [Claim.Fact: String] = [:]
    ) -> Claim {
        Claim(
            kind, subject: subject, object: object, techniques: ["T1"], time: EstateScript.time(2), because: "",
            supports: ["r"], facts: facts)
    }

    private var intrusion: [Claim] {
        [
            claim(.entry, "desk", "phishing"),
            claim(.movement, "desk", "files", facts: [.account: "adm.finch"]),
            claim(.movement, "files", "plc-1"),
            claim(.harm, "files", "files-encrypted"), claim(.harm, "desk", "persistence-added"),
            claim(.harm, "plc-1", "plc-program-changed"),
            claim(.cause, "desk", "scid-2508", facts: [.proof: "would-have-blocked"]),
            claim(.cause, "files", "scid-2003", facts: [.proof: "would-have-limited"]),
        ]
    }

    @Test func everyStepHasItsReason() {
        let steps = CaseStory(file(intrusion, plant: ["plc-1"])).nextHour
        #expect(
            steps.map(\.kind) == [.isolate, .askPlant, .accounts, .remove, .backups, .close, .keep])
        #expect(steps.allSatisfy { !$0.because.isEmpty })
        #expect(steps[0].text.hasPrefix("desk, files from"))
        #expect(!steps[0].text.contains("plc-1") && steps[1].text.hasPrefix("plc-1"))
        #expect(steps[2].text.hasPrefix("adm.finch:"))
        #expect(steps[5].text == "scid-2508 on desk; 7 more have the gap")
    }

    /// What people rejected asks for nothing.
    @Test func whatWasRejectedAsksForNothing() throws {
        var file = file(intrusion)
        for claim in intrusion where claim.kind == .movement || claim.object == "files-encrypted" {
            let isThere = file.judge(claim.id, .rejected, reason: "backup", now: 3, actor: "wren")
            #expect(isThere)
        }
        let kinds = CaseStory(file).nextHour.map(\.kind)
        #expect(!kinds.contains(.accounts) && !kinds.contains(.backups) && kinds.contains(.remove))
    }

    @Test func aQuietEstateAsksForNothing() {
        #expect(CaseStory(file([], verdict: .none)).nextHour.isEmpty)
        #expect(CaseStory(file([], verdict: .unknown)).nextHour.map(\.kind) == [.look])
        let held = [claim(.prevented, "desk", "av.mode")]
        #expect(CaseStory(file(held, verdict: .prevented)).nextHour.map(\.kind) == [.look])
    }

    /// A case that an earlier version wrote is read all the same, and says what it lacks.
    @Test func aCaseWithoutASummaryIsRead() {
        var file = CaseFile(id: "old", opened: 0)
        let claim = claim(.harm, "desk", "defaced")
        file.add(.claim, id: claim.id, body: claim.json, now: 0, actor: "t", action: "state")
        file.add(.claim, id: "later", body: ["id": "later", "kind": "guess"], now: 0, actor: "t", action: "state")
        let story = CaseStory(file)
        #expect(story.summary.verdict == .intrusion && story.unread == 1)
        #expect(story.summary.unknowns.contains { $0.contains("no summary") })
    }
}
