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

    /// What became of a message. A receiver in neither list has it.
    package struct Delivery: Sendable {
        /// Bytes of the message, when somebody got it.
        package var bytes = 0
        /// Receivers who never get it, with the server's reason.
        package var refused: [String: String] = [:]
        /// Receivers for whom the server asks to try again later, with its reason.
        package var waiting: [String: String] = [:]
    }

    /// Hands messages over, one connection for all.
    ///
    /// - Parameter onHanded: gets the place of each message, and what became of it, at once: what went out before a
    ///   connection fails is known.
    package func send(
        _ messages: [Message], onHanded: (Int, Delivery) -> Void
    ) async throws(ServiceError) {
        let connection = try await LineConnection.open(
            host, port: port, isEncrypted: security == .tls, trust: trust)
        do throws(ServiceError) {
            try await begin(connection)
            for (place, message) in messages.enumerated() {
                onHanded(place, try await hand(message, connection))
            }
            try? await connection.send(Array("QUIT\r\n".utf8))
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The greeting, encryption and sign-in.
    private func begin(_ connection: LineConnection) async throws(ServiceError) {
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
    }

    /// Hands one message over, to those of its receivers whom the server takes (RFC 5321, section 3.3).
    private func hand(_ message: Message, _ connection: LineConnection) async throws(ServiceError) -> Delivery {
        var delivery = Delivery()
        let sender = try await ask("MAIL FROM:<\(message.from)>", connection)
        if !sender.isTaken {
            delivery.note(sender, for: message.to)
            try await forget(connection)
            return delivery
        }
        var taken: [String] = []
        for address in message.to {
            let answer = try await ask("RCPT TO:<\(address)>", connection)
            if answer.isTaken { taken.append(address) } else { delivery.note(answer, for: [address]) }
        }
        if taken.isEmpty {
            try await forget(connection)
            return delivery
        }
        let ready = try await ask("DATA", connection)
        guard ready.code == 354 else {
            delivery.note(ready, for: taken)
            try await forget(connection)
            return delivery
        }
        let text = MailText.data(message)
        try await connection.send(text)
        let answer = try await reply(connection)
        if answer.isTaken { delivery.bytes = text.count } else { delivery.note(answer, for: taken) }
        return delivery
    }

    /// Leaves a message that nobody gets, so that the next one can begin.
    private func forget(_ connection: LineConnection) async throws(ServiceError) {
        try await command("RSET", 250, connection)
    }

    /// Sends a command about a message. A server that closes the channel (421), or answers what is no answer to it, ends
    /// the connection's use.
    private func ask(_ text: String, _ connection: LineConnection) async throws(ServiceError) -> Reply {
        try await connection.send(Array((text + "\r\n").utf8))
        let answer = try await reply(connection)
        guard answer.code != 421, (200..<600).contains(answer.code) else { throw unexpected(text, answer) }
        return answer
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

    fileprivate struct Reply {
        let code: Int
        /// Without the codes.
        let lines: [String]
        var text: String { "\(code) \(lines.joined(separator: " "))" }
        /// 251: will forward; 252: cannot say, but tries.
        var isTaken: Bool { (250...252).contains(code) }
        var isForGood: Bool { (500..<600).contains(code) }
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

extension SMTPClient.Delivery {
    fileprivate mutating func note(_ answer: SMTPClient.Reply, for addresses: [String]) {
        for address in addresses {
            if answer.isForGood { refused[address] = answer.text } else { waiting[address] = answer.text }
        }
    }
}
