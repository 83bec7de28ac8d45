import Foundation
import NIOCore
import Tables

/// Hands messages to a mail server: SMTP (RFC 5321) with STARTTLS (RFC 3207) or TLS from the start (RFC 8314), and AUTH
/// (RFC 4954) by PLAIN or LOGIN.
package struct SMTPClient: Sendable {
    package struct Login: Sendable {
        package let user: String
        package let password: Secret

        package init(user: String, password: Secret) {
            self.user = user
            self.password = password
        }
    }

    /// A message of text; every field is UTF-8.
    package struct Message: Sendable {
        package let from: String
        package let to: [String]
        package let subject: String
        package let body: String
        /// What stands before the `@` of its id: the same message has the same one.
        package let id: String
        /// When it was written; ticks.
        package let time: Int64

        package init(from: String, to: [String], subject: String, body: String, id: String, time: Int64) {
            self.from = from
            self.to = to
            self.subject = subject
            self.body = body
            self.id = id
            self.time = time
        }
    }

    private let host: String
    private let port: Int
    private let security: ChannelSecurity
    private let login: Login?
    private let trust: ServerTrust

    package init(
        host: String, port: Int, security: ChannelSecurity, login: Login?, trust: ServerTrust
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.login = login
        self.trust = trust
    }

    /// Hands messages over, one connection for all.
    ///
    /// - Returns: bytes of the messages, and those that the server refused for good, by their place with the reason.
    package func send(_ messages: [Message]) async throws(ServiceError) -> (
        bytes: Int, refused: [Int: String]
    ) {
        let connection = try await LineConnection.open(
            host, port: port, isEncrypted: security == .tls, trust: trust)
        do throws(ServiceError) {
            let sent = try await send(messages, over: connection)
            await connection.close()
            return sent
        } catch {
            await connection.close()
            throw error
        }
    }

    private func send(_ messages: [Message], over connection: LineConnection)
        async throws(ServiceError) -> (
            bytes: Int, refused: [Int: String]
        )
    {
        try await expect(220, try await reply(connection), "the greeting")
        var extensions = try await greet(connection)
        if security == .starttls {
            guard extensions.contains(where: { $0.uppercased() == "STARTTLS" }) else {
                throw trouble(
                    "STARTTLS", "the server does not offer encryption",
                    next: "set 'security: tls' with its port, or have the server offer STARTTLS")
            }
            try await command("STARTTLS", 220, connection)
            try await connection.encrypt()
            extensions = try await greet(connection)
        }
        if let login { try await authenticate(login, extensions, connection) }
        var bytes = 0
        var refused: [Int: String] = [:]
        for (i, message) in messages.enumerated() {
            if let reason = try await hand(message, connection, &bytes) { refused[i] = reason }
        }
        try? await connection.send(Array("QUIT\r\n".utf8))
        return (bytes, refused)
    }

    /// Hands one message over.
    ///
    /// - Returns: why the server refuses it for good; nil when it took it.
    private func hand(_ message: Message, _ connection: LineConnection, _ bytes: inout Int)
        async throws(ServiceError)
        -> String?
    {
        try await command("MAIL FROM:<\(message.from)>", 250, connection)
        for address in message.to { try await command("RCPT TO:<\(address)>", 250, connection) }
        try await command("DATA", 354, connection)
        let text = MailText.data(message)
        try await connection.send(text)
        let answer = try await reply(connection)
        if answer.code == 250 {
            bytes += text.count
            return nil
        }
        guard (500..<600).contains(answer.code) else { throw unexpected("the message", answer) }
        return answer.text
    }

    private func greet(_ connection: LineConnection) async throws(ServiceError) -> [String] {
        try await connection.send(Array("EHLO \(MailText.ownName)\r\n".utf8))
        let answer = try await reply(connection)
        try await expect(250, answer, "EHLO")
        return Array(answer.lines.dropFirst())
    }

    private func authenticate(_ login: Login, _ extensions: [String], _ connection: LineConnection)
        async throws(ServiceError)
    {
        let isLoopback = ["127.0.0.1", "::1", "localhost"].contains(host)
        guard security != .none || isLoopback else {
            throw trouble(
                "AUTH", "a password is not sent in the clear", next: "set 'security' to starttls or tls")
        }
        let ways = extensions.first { $0.uppercased().hasPrefix("AUTH") }?.uppercased() ?? ""
        if ways.contains("PLAIN") {
            let text = Data("\u{0}\(login.user)\u{0}\(login.password.text)".utf8).base64EncodedString()
            try await authenticated("AUTH PLAIN \(text)", connection)
        } else if ways.contains("LOGIN") {
            try await command("AUTH LOGIN", 334, connection)
            try await command(
                Data(login.user.utf8).base64EncodedString(), 334, connection, shown: "the user's name")
            try await authenticated(Data(login.password.text.utf8).base64EncodedString(), connection)
        } else {
            throw trouble(
                "AUTH", "the server takes no password here (\(ways.isEmpty ? "no AUTH" : ways))",
                next: "leave 'user' out, or use the port for submission (587 or 465)")
        }
    }

    private func authenticated(_ text: String, _ connection: LineConnection)
        async throws(ServiceError)
    {
        try await connection.send(Array((text + "\r\n").utf8))
        let answer = try await reply(connection)
        guard answer.code == 235 else {
            throw trouble(
                "AUTH", answer.text, next: "check 'user' and the secret that 'password' points to",
                isRetryable: (400..<500).contains(answer.code))
        }
    }

    private func command(
        _ text: String, _ code: Int, _ connection: LineConnection, shown: String? = nil
    )
        async throws(ServiceError)
    {
        try await connection.send(Array((text + "\r\n").utf8))
        try await expect(code, try await reply(connection), shown ?? text)
    }

    private func expect(_ code: Int, _ answer: Reply, _ what: String) async throws(ServiceError) {
        // 251: will forward.
        guard answer.code == code || code == 250 && answer.code == 251 else {
            throw unexpected(what, answer)
        }
    }

    private struct Reply {
        let code: Int
        /// Without the codes.
        let lines: [String]
        var text: String { "\(code) \(lines.joined(separator: " "))" }
    }

    private func reply(_ connection: LineConnection) async throws(ServiceError) -> Reply {
        var lines: [String] = []
        while true {
            let line = try await connection.line()
            guard let code = Int(line.prefix(3)), line.count >= 3, lines.count < 100 else {
                throw trouble(
                    "reading an answer", "\"\(line.prefix(80))\" is no answer of SMTP",
                    next: "check host and port")
            }
            lines.append(String(line.dropFirst(4)))
            if line.dropFirst(3).first != "-" { return Reply(code: code, lines: lines) }
        }
    }

    private func unexpected(_ what: String, _ answer: Reply) -> ServiceError {
        trouble(
            what, answer.text,
            next: answer.code < 500
                ? "it is tried again with the next run"
                : "check 'from', 'to' and whether the server relays for this machine",
            isRetryable: (400..<500).contains(answer.code))
    }

    private func trouble(_ what: String, _ got: String, next: String, isRetryable: Bool = false)
        -> ServiceError
    {
        ServiceError(
            tried: "\(what) at \(host):\(port)", got: String(got.prefix(300)), next: next,
            isRetryable: isRetryable)
    }
}

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
