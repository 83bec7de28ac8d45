import Forensics
import Tables
import Testing

/// Cases prove themselves: each changed byte is found, and the object is named in which it stands.
@Suite struct CaseTests {
    private func openCase() throws -> CaseFile {
        let script = Intrusions.encryption()
        var file = CaseFile(id: "bill", opened: EstateScript.time(0))
        try CaseBuilder(provider: script.provider()).add(
            try Intrusions.encryptionFound.get(), to: &file, now: EstateScript.time(1), author: "test")
        return file
    }

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
        try CaseBuilder(provider: script.provider()).add(
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

    @Test func otherToolsGetWhatTheyRead() throws {
        let file = try openCase()
        let lines = CaseExport.text(file, as: .timesketch).text.split(separator: "\n")
        #expect(lines.count == file.claims.count)
        let first = try JSON(parsing: try #require(lines.first))
        let time = try #require(first["datetime"]?.string.flatMap { DateTime.parse($0) })
        #expect(first["timestamp"]?.integer == (time - DateTime.unixEpoch) / 10)
        let layer = try JSON(parsing: CaseExport.text(file, as: .navigator).text)
        #expect(layer["techniques"]?.array?.contains { $0["techniqueID"]?.string == "T1486" } == true)
        let flow = try JSON(parsing: CaseExport.text(file, as: .attackFlow).text)
        let objects = try #require(flow["objects"]?.array)
        let ids = Set(objects.compactMap { $0["id"]?.string })
        #expect(objects[0]["type"]?.string == "attack-flow" && ids.count == objects.count)
        for object in objects {
            for effect in object["effect_refs"]?.array?.compactMap(\.string) ?? [] { #expect(ids.contains(effect)) }
        }
        let table = CaseExport.text(file, as: .csv).text
        #expect(table.split(separator: "\r\n").count == file.claims.count + 1)
    }
}
