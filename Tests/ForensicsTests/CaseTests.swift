import Forensics
import KQLEngine
import Tables
import TestKit
import Testing

/// Cases prove themselves: each changed byte is found, and the object is named in which it stands.
@Suite struct CaseTests {
    /// The case of `Intrusions.encryption()`; it is asked for often.
    static let bill: Result<CaseFile, any Error> = Result {
        let script = Intrusions.encryption()
        var file = CaseFile(id: "bill", opened: EstateScript.time(0))
        try CaseBuilder(provider: script.provider(), library: EstateScript.library).add(
            try Intrusions.encryptionFound.get(), to: &file, now: EstateScript.time(1), author: "test")
        return file
    }

    private func openCase() throws -> CaseFile { try Self.bill.get() }

    @Test func everyClaimHasRowsThatAreThere() throws {
        let file = try openCase()
        let rows = Set(file.objects.filter { $0.kind == .row }.map(\.id))
        #expect(file.claims.count > 10)
        for claim in file.claims {
            let supports = claim.body["supports"]?.array?.compactMap(\.string) ?? []
            #expect(!supports.isEmpty && supports.allSatisfy(rows.contains))
        }
    }

    @Test func aSecondRunAddsNothing() throws {
        var file = try openCase()
        let before = file.objects.count
        let script = Intrusions.encryption()
        try CaseBuilder(provider: script.provider(), library: EstateScript.library).add(
            try Intrusions.encryptionFound.get(), to: &file, now: EstateScript.time(9), author: "test")
        #expect(file.objects.count == before)
    }

    @Test func peopleRejectAndNothingGoes() throws {
        var file = try openCase()
        let claim = try #require(file.claims.first)
        let isTaken = file.judge(
            claim.id, .rejected, reason: "an agreed test", now: EstateScript.time(3), actor: "wren")
        let isTakenOfNone = file.judge("none", .confirmed, reason: "", now: 0, actor: "wren")
        #expect(isTaken && !isTakenOfNone)
        #expect(file.status(of: claim.id) == .rejected && file.claims.contains { $0.id == claim.id })
        #expect(CaseVerifier.verify(file.encoded()) == [])
    }

    @Test func everyChangedByteIsNamed() throws {
        let bytes = try openCase().encoded()
        #expect(CaseVerifier.verify(bytes) == [])
        var lines: [Range<Int>] = []
        var start = 0
        for (i, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(start..<(i + 1))
            start = i + 1
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            var changed = bytes
            changed[place] = changed[place] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            let damage = CaseVerifier.verify(changed)
            let line = try #require(lines.firstIndex { $0.contains(place) })
            #expect(!damage.isEmpty, "byte \(place)")
            if line > 0, line < lines.count - 1, place != lines[line].upperBound - 1 {
                #expect(
                    damage.count == 1 && !["header", "list"].contains(damage[0].object), "byte \(place): \(damage)")
            }
        }
    }

    /// What is read back is what was written, and the same id comes of it.
    @Test func claimsAreReadBack() throws {
        let file = try openCase()
        #expect(file.statements.count == file.claims.count)
        for claim in file.statements {
            let again = Claim(
                claim.kind, subject: claim.subject, object: claim.object, techniques: claim.techniques,
                time: claim.time, because: claim.because, supports: claim.supports, facts: claim.facts)
            #expect(again == claim)
        }
        #expect(Claim(["id": "1", "kind": "guess", "subject": "a", "object": "b"]) == nil)
    }

    /// The query of a claim finds the claim's rows and no others.
    @Test func theQueryOfAClaimFindsItsRows() throws {
        let story = CaseStory(try openCase())
        let engine = Engine(provider: Intrusions.encryption().provider())
        for kind in [Claim.Kind.harm, .entry, .technique] {
            let item = try #require(story.items(kind).first)
            let texts = EvidenceQuery.texts(item.rows)
            #expect(!texts.isEmpty)
            let found = try texts.reduce(0) { try $0 + engine.run($1).primary.rows().count }
            #expect(found == item.claim.supports.count, "\(texts)")
        }
    }

    /// A control that was off on a server is told so for that server, and not for the one on which it was on.
    @Test func protectionIsToldByDevice() throws {
        let summary = try #require(try openCase().summary)
        #expect(summary.verdict == .intrusion && !summary.devices.isEmpty)
        let files = summary.posture.filter { $0.device == "id-files" }
        #expect(files.contains { $0.off.contains("scid-2508") || $0.off.contains("scid-2003") })
        #expect(!summary.posture.contains { $0.device == "id-ledger" && $0.off.contains("scid-2508") })
        #expect(CaseSummary(summary.json) == summary)
        for gap in summary.gaps { #expect(gap.count >= gap.devices.count && !gap.query.isEmpty) }
    }

    /// Who else has the gap: devices that the intruder never saw, exposed ones first; not those that were healed.
    @Test func whoElseHasTheGap() throws {
        var script = Intrusions.encryption()
        script.device("kiosk", "10.9.2.90", exposed: true)
        script.device("annex", "10.9.2.91")
        script.device("healed", "10.9.2.92")
        for name in ["kiosk", "annex", "healed"] { script.setting(name, "scid-2508", on: false) }
        script.setting("healed", "scid-2508", on: true, day: 3)
        var file = CaseFile(id: "gap", opened: 0)
        var result = try Intrusions.encryptionFound.get()
        result.causes = result.causes.filter { $0.control == "scid-2508" }
        try #require(!result.causes.isEmpty)
        try CaseBuilder(provider: script.provider(), library: EstateScript.library).add(
            result, to: &file, now: 0, author: "test")
        let gap = try #require(file.summary?.gaps.first)
        #expect(gap.devices.map { $0.prefix { $0 != "." } } == ["kiosk", "annex"] && gap.count == 2)
    }

    /// What no row proves is no claim; it is told among what is not known.
    @Test func whatNoRowProvesIsNotClaimed() throws {
        var result = try Intrusions.encryptionFound.get()
        let ghost = RowReference(table: "DeviceEvents", device: "id-nobody", time: EstateScript.time(5), report: 99)
        var harm = try #require(result.harm.first)
        harm.rows = [ghost]
        result.harm = [harm]
        var file = CaseFile(id: "ghost", opened: 0)
        try CaseBuilder(provider: Intrusions.encryption().provider(), library: EstateScript.library).add(
            result, to: &file, now: 0, author: "test")
        #expect(!file.statements.contains { $0.kind == .harm })
        #expect(file.summary?.unknowns.contains { $0.contains("no row proves: harm") } == true)
    }

    /// Two that write at once both stand in the ledger.
    @Test func aFolderKeepsEveryWord() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let cases = CaseFolder(workspace: folder + "/w.vestige")
        try cases.update("bill", new: CaseFile(id: "bill", opened: 0)) {
            $0.take(try Self.bill.get(), now: 1, actor: "t")
        }
        await withTaskGroup(of: Void.self) { tasks in
            for i in 0..<8 {
                tasks.addTask { try? cases.update("bill") { $0.note("note \(i)", now: Int64(i), actor: "wren") } }
            }
        }
        let file = try cases.read("bill")
        #expect(try file.notes.count == 8 && cases.names() == ["bill"])
        #expect(CaseVerifier.verify(file.encoded()) == [])
        #expect(throws: CaseFolderError.self) { try cases.read("../bill") }
        #expect(throws: CaseFolderError.self) { try cases.read("none") }
        #expect(throws: CaseFolderError.self) {
            try cases.judge("bill", "", .confirmed, reason: "", now: 0, actor: "wren")
        }
    }
}
