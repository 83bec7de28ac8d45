import Foundation
import Tables

/// Messages as they go over the wire (RFC 5322, RFC 2045).
enum MailText {
    /// The machine's name, as far as it can stand in a greeting.
    static var ownName: String {
        let name = ProcessInfo.processInfo.hostName.filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || ".-".contains($0))
        }
        return name.isEmpty ? "localhost" : name
    }

    /// A message with its header, dots doubled and the end marked.
    static func data(_ message: SMTPClient.Message) -> [UInt8] {
        var lines = [
            "From: \(header(message.from))", "To: \(message.to.map(header).joined(separator: ", "))",
            "Subject: \(encoded(message.subject))", "Date: \(date(message.time))",
            "Message-ID: <\(message.id)@\(ownName)>", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64", "Auto-Submitted: auto-generated", "",
        ]
        let text = Data(message.body.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8)
        lines += text.base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        .split(separator: "\r\n").map(String.init)
        return Array((lines.joined(separator: "\r\n") + "\r\n.\r\n").utf8)
    }

    /// A text for a header field: nothing in it can begin another field.
    private static func header(_ text: String) -> String {
        text.filter { !$0.isNewline && $0 != "\0" }
    }

    /// An unstructured field (RFC 2047): words of 45 bytes at most, cut between characters.
    static func encoded(_ text: String) -> String {
        let plain = header(text)
        if plain.allSatisfy({ $0.isASCII }) && plain.utf8.count < 900 { return plain }
        var words: [String] = []
        var word = ""
        for character in plain {
            if word.utf8.count + character.utf8.count > 45 {
                words.append(word)
                word = ""
            }
            word.append(character)
        }
        words.append(word)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(
            separator: "\r\n ")
    }

    private static func date(_ ticks: Int64) -> String {
        let text = DateTime.format(ticks)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard let month = Int(text.dropFirst(5).prefix(2)) else {
            preconditionFailure("a time has a month")
        }
        let day = text.dropFirst(8).prefix(2)
        return
            "\(days[DateTime.dayOfWeek(ticks)]), \(day) \(months[month - 1]) \(text.prefix(4)) \(text.dropFirst(11).prefix(8)) +0000"
    }
}
