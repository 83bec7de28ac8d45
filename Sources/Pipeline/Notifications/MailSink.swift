import Azure
import Content
import Foundation
import Tables

/// Settings of a sink of kind `mail`.
package struct MailConfiguration: SinkKind {
    package static let name = "mail"
    package static let summary = "Findings of the rules by mail (SMTP), a message for each incident"

    private static let host = Setting.text("host", standard: SettingText.required, "the mail server")
    private static let port = Setting.number(
        "port", in: 1...65_535, standard: "`587`, of `tls` `465`, of `none` `25`", "its port")
    private static let security = Setting.word(
        "security", standard: ChannelSecurity.starttls, "`starttls`, `tls` from the start, or `none`")
    private static let user = Setting.text("user", "who signs in; nobody when not given")
    private static let password = Setting.secret("password", "where the password is kept")
    private static let from = Setting.text(
        "from", standard: SettingText.required, "the sender's address")
    private static let to = Setting.names(
        "to", standard: SettingText.required, "the receivers' addresses")
    package static let settings: [any SettingDeclaration] = [
        host, port, security, user, password, from, to, Notification.certificate, Notification.severity,
    ]

    private let host: String
    private let port: Int
    private let security: ChannelSecurity
    private let user: String?
    private let password: SecretReference?
    private let from: String
    private let to: [String]
    private let certificate: String?
    private let severity: FindingNotice.Severity

    package init(reading yaml: Fields) throws {
        host = try yaml.required(Self.host)
        security = try yaml.optional(Self.security) ?? .starttls
        let usual = [ChannelSecurity.starttls: 587, .tls: 465, .none: 25]
        port = try yaml.optional(Self.port) ?? usual[security] ?? 587
        user = try yaml.optional(Self.user)
        password = try yaml.optional(Self.password)
        guard (user == nil) == (password == nil) else {
            throw yaml.fail("'user' and 'password' go together")
        }
        from = try yaml.required(Self.from)
        to = try yaml.required(Self.to)
        certificate = try yaml.optional(Notification.certificate)
        severity = try yaml.optional(Notification.severity) ?? .medium
        guard !to.isEmpty else { throw yaml.fail("'to' names nobody", at: Self.to.name) }
        for address in [from] + to where address.wholeMatch(of: /[^\s<>@,;:"]+@[^\s<>@,;:"]+/) == nil {
            throw yaml.fail(
                "\"\(address.prefix(60))\" is no mail address", at: address == from ? "from" : "to")
        }
    }

    package var secrets: [SecretReference] { [password].compactMap { $0 } }

    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan {
        Notification.plan
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        var login: SMTPClient.Login?
        if let user, let password {
            let secret = try await context.secrets.resolve(password, "password of sink \(context.name)")
            login = SMTPClient.Login(user: user, password: secret)
        }
        let client = SMTPClient(
            host: host, port: port, security: security, login: login,
            trust: Notification.trust(certificate))
        return MailSink(name: context.name, client: client, from: from, to: to, severity: severity)
    }
}

/// A message for each incident.
struct MailSink: Sink {
    let name: String
    let client: SMTPClient
    let from: String
    let to: [String]
    let severity: FindingNotice.Severity
    private let told = ToldNotices()

    init(name: String, client: SMTPClient, from: String, to: [String], severity: FindingNotice.Severity) {
        self.name = name
        self.client = client
        self.from = from
        self.to = to
        self.severity = severity
    }

    var plan: SinkPlan { Notification.plan }

    /// Each receiver gets each notice once: those who have it are left out when others have to wait.
    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        let notices = try FindingNotice.notices(batch, least: severity)
        let messages = notices.compactMap(message)
        var receipt = SinkReceipt()
        var waiting: [String: String] = [:]
        if !messages.isEmpty {
            try await client.send(messages.map(\.message)) { place, delivery in
                receipt.bytes += delivery.bytes
                waiting.merge(delivery.waiting) { $1 }
                let (notice, message) = messages[place]
                for address in message.to where delivery.waiting[address] == nil {
                    told.add(Self.key(notice, address), refused: delivery.refused[address])
                }
            }
        }
        if let first = waiting.min(by: { $0.key < $1.key }) {
            throw ServiceError(
                tried: "mail to \(waiting.keys.sorted().joined(separator: ", "))", got: first.value,
                next: "it is tried again with the next run; others have their mail", isRetryable: true)
        }
        for notice in notices {
            let refusals = to.compactMap { address in
                told.refusal(Self.key(notice, address)).map { "\(address): \($0)" }
            }
            if refusals.isEmpty { continue }
            receipt.refused += notice.rows.map {
                RefusedRow(row: $0, reason: "not told to \(refusals.joined(separator: "; "))")
            }
        }
        told.forget(notices.flatMap { notice in to.map { Self.key(notice, $0) } })
        return receipt
    }

    /// The message to those who do not have it yet; nil when all have.
    private func message(_ notice: FindingNotice) -> (notice: FindingNotice, message: SMTPClient.Message)? {
        let receivers = to.filter { !told.contains(Self.key(notice, $0)) }
        if receivers.isEmpty { return nil }
        return (
            notice,
            SMTPClient.Message(
                from: from, to: receivers, subject: "[Vestige] \(notice.severity.rawValue): \(notice.title)",
                body: notice.text, id: notice.id, time: notice.time)
        )
    }

    private static func key(_ notice: FindingNotice, _ address: String) -> String { "\(notice.id) \(address)" }
}
