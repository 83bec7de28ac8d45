import KQL
import KQLEngine
import Tables
import Testing

@testable import vestige

@Suite struct PromptTests {
    @Test func theBufferEditsOverLines() {
        var buffer = LineBuffer("DeviceInfo\n| take 5")
        #expect(buffer.offset == 19)
        let movedUp = buffer.moveUp()
        buffer.insert("X")
        #expect(buffer.text == "DeviceInXfo\n| take 5")
        let movedPastTop = buffer.moveUp()
        let movedDown = buffer.moveDown()
        #expect(movedUp && !movedPastTop && movedDown)
        buffer.moveToLineEnd()
        buffer.deleteWordBackward()
        #expect(buffer.text == "DeviceInXfo\n| take ")
        buffer.deleteToLineStart()
        #expect(buffer.text == "DeviceInXfo\n")
        buffer.deleteBackward()
        buffer.moveWordLeft()
        buffer.deleteToLineEnd()
        #expect(buffer.isEmpty)
        buffer.insert("é😀x")
        buffer.moveLeft()
        buffer.deleteBackward()
        #expect(buffer.text == "éx" && buffer.offset == 2)
    }

    @Test func keysAreReadFromBytesInAnyPieces() {
        let bytes = Array("a\u{1B}[A\u{1B}[1;5D\u{7F}é\r\u{1B}\r\u{1B}[200~x\r\ny\u{1B}[201~\u{1B}[3~\t".utf8)
        let expected: [Key] = [
            .text("a"), .up, .wordLeft, .backspace, .text("é"), .enter, .newline, .text("x\ny"), .delete, .tab,
        ]
        var whole = KeyDecoder()
        let atOnce = whole.feed(bytes, isIdle: false)
        #expect(atOnce == expected)
        var pieces = KeyDecoder()
        let bitByBit = bytes.flatMap { pieces.feed([$0], isIdle: false) }
        #expect(bitByBit == expected)
        var escape = KeyDecoder()
        let early = escape.feed([27], isIdle: false)
        let late = escape.feed([], isIdle: true)
        #expect(early.isEmpty && late == [.escape])
    }

    @Test(arguments: [
        ("DeviceInfo", true), ("DeviceInfo |", false), ("DeviceInfo | where (a", false),
        ("DeviceInfo | where ) a", true), ("let x = 1;", false),
        ("let x = 1; print x;", true),
        ("let x = 1", false), (".show tables", true), ("DeviceInfo | where a ==", false),
        ("DeviceInfo | where a ==\n", true), ("print 'a", true),
    ]) func enterRunsOnlyWhatIsWhole(_ text: String, _ isComplete: Bool) {
        #expect(QueryEnd.isComplete(text) == isComplete)
    }

    private func completions(_ text: String) -> [String] {
        let tables = MemoryTables()
        tables.set(
            "DeviceInfo", schema: Schema([("DeviceId", .string), ("DeviceName", .string), ("odd name", .long)]),
            batches: [])
        tables.set("Alerts", schema: Schema([("Severity", .string)]), batches: [])
        return Completer(catalog: tables).complete(text, at: text.utf8.count).items.map(\.text)
    }

    @Test func completionKnowsThePlace() {
        #expect(completions("Dev") == ["DeviceInfo"])
        #expect(completions("DeviceInfo | proj").starts(with: ["project", "project-away"]))
        #expect(completions("DeviceInfo | project-r") == ["project-rename", "project-reorder"])
        #expect(completions("DeviceInfo | where Dev") == ["DeviceId", "DeviceName"])
        #expect(completions("DeviceInfo | extend Devil = 1 | where Dev") == ["DeviceId", "DeviceName", "Devil"])
        #expect(completions("DeviceInfo | project a = DeviceName | where Dev").isEmpty)
        #expect(completions("DeviceInfo | summarize dcount(Dev") == ["DeviceId", "DeviceName"])
        #expect(completions("let n = 5; Alerts | join kind=inner (Dev") == ["DeviceInfo"])
        #expect(completions("Alerts | join kind=inner (DeviceInfo | where Dev") == ["DeviceId", "DeviceName"])
        #expect(completions("let needle = 'x'; DeviceInfo | where DeviceName has nee") == ["needle"])
        #expect(completions("DeviceInfo | where ").contains("['odd name']"))
        #expect(completions("DeviceInfo | evaluate bag") == ["bag_unpack"])
        #expect(completions("DeviceInfo | render time") == ["timechart"])
        #expect(completions("DeviceInfo | where DeviceName == 'Dev").isEmpty)
        #expect(completions("DeviceInfo | summarize arg_m") == ["arg_max", "arg_min"])
    }
}
