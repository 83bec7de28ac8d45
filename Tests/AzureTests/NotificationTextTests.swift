import Foundation
import Tables
import Testing

@testable import Azure

/// Entries of syslog and messages of mail as they go over the wire; receivers of their own test the way there (Tests/Clients).
@Suite struct NotificationTextTests {
    private static let time: Int64 = DateTime.parse("2026-09-01T02:03:04.1234567Z") ?? 0

    private func line(_ text: String, _ parameters: [(name: String, value: String)] = []) -> String {
        let client = SyslogClient(host: "h", port: 1, transport: .udp, facility: 16, trust: .system)
        let entry = SyslogClient.Entry(severity: 2, time: Self.time, id: "finding", parameters: parameters, text: text)
        return String(decoding: client.line(entry), as: UTF8.self)
    }

    @Test func entriesHaveTheFormOfTheirStandard() {
        let text = line("plain", [("id", #"a"b\c]d"#)])
        #expect(text.hasPrefix("<130>1 2026-09-01T02:03:04.123456Z "))
        #expect(text.hasSuffix(#" vestige - finding [vestige@32473 id="a\"b\\c\]d"] plain"#))
        // What is not plain says that it is UTF-8, and no text begins another entry.
        #expect(line("für\nalle").hasSuffix("] \u{feff}für alle"))
    }

    private func message(_ subject: String, body: String = "x", from: String = "a@b.example") -> String {
        let message = SMTPClient.Message(
            from: from, to: ["c@d.example"], subject: subject, body: body, id: "id1", time: Self.time)
        return String(decoding: MailText.data(message), as: UTF8.self)
    }

    @Test func messagesHoldTheirTextWhateverItIs() throws {
        let text = message("Plain", body: ".\n..\nGrüße 🔒\n" + String(repeating: "long ", count: 100))
        #expect(text.contains("Date: Tue, 01 Sep 2026 02:03:04 +0000\r\n"))
        #expect(text.contains("Message-ID: <id1@"))
        #expect(text.hasSuffix("\r\n.\r\n"))
        let parts = text.components(separatedBy: "\r\n\r\n")
        let body = try #require(parts.last).replacing("\r\n.\r\n", with: "").replacing("\r\n", with: "")
        let decoded = try #require(Data(base64Encoded: body))
        #expect(String(decoding: decoded, as: UTF8.self).hasPrefix(".\r\n..\r\nGrüße 🔒\r\nlong "))
        for line in text.components(separatedBy: "\r\n") { #expect(line.utf8.count <= 998) }
    }

    @Test func noFieldBeginsAnother() {
        let text = message("Hello\r\nBcc: evil@x.example", from: "a@b.example\nX: y")
        #expect(!text.contains("\r\nBcc:") && !text.contains("\nX:"))
    }

    @Test func longSubjectsAreWordsCutBetweenCharacters() throws {
        let subject = String(repeating: "Grüße 🔒 ", count: 20)
        let words = MailText.encoded(subject).components(separatedBy: "\r\n ")
        #expect(words.count > 3)
        var text = ""
        for word in words {
            #expect(word.utf8.count <= 75 && word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
            let data = try #require(Data(base64Encoded: String(word.dropFirst(10).dropLast(2))))
            text += try #require(String(validating: data, as: UTF8.self))
        }
        #expect(text == subject)
    }
}
