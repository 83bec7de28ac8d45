import Azure
import Content
import Foundation
import Synchronization
import Tables

/// What the kinds of sinks that tell people of findings have in common.
enum Notification {
    static let severity = Setting.word(
        "severity", standard: FindingNotice.Severity.medium, "the mildest findings that are told")
    static let certificate = Setting.text(
        "certificate", standard: "the system's",
        "a file with the certificate of the authority that vouches for the server")

    /// They take one table.
    static let plan = SinkPlan([
        .init(id: "findings", title: "findings", tables: [FindingNotice.table])
    ])

    static func trust(_ certificate: String?) -> ServerTrust {
        certificate.map { .certificate(file: $0, checksHost: true) } ?? .system
    }
}

/// Notices that went out of a batch that did not go out whole: they are not told again with it.
final class ToldNotices: Sendable {
    private let ids = Mutex<Set<String>>([])

    func contains(_ id: String) -> Bool { ids.withLock { $0.contains(id) } }
    func add(_ id: String) { ids.withLock { _ = $0.insert(id) } }
    func forget(_ notices: [FindingNotice]) {
        ids.withLock { ids in for n in notices { ids.remove(n.id) } }
    }
}

/// Settings of a sink of kind `webhook`.
package struct WebhookConfiguration: SinkKind {
    package static let name = "webhook"
    package static let summary =
        "Findings of the rules as JSON to a web address, a post for each incident"

    /// What the receiver understands.
    package enum Form: String, Sendable, CaseIterable {
        /// The whole notice.
        case json
        /// `{"text": …}`, as chat programs take it.
        case text
    }

    private static let address = Setting.address(
        "address", standard: SettingText.required, "where to post")
    private static let token = Setting.secret("token", "where a bearer token is kept")
    private static let key = Setting.secret(
        "key",
        "where the key is kept that bodies are signed with: `X-Vestige-Signature: sha256=…` (HMAC)")
    private static let form = Setting.word(
        "form", standard: Form.json, "`json`, or `text` for chat programs")
    package static let settings: [any SettingDeclaration] = [
        address, token, key, form, Notification.severity,
    ]

    private let address: String
    private let token: SecretReference?
    private let key: SecretReference?
    private let form: Form
    private let severity: FindingNotice.Severity

    package init(reading yaml: Fields) throws {
        address = try yaml.required(Self.address)
        token = try yaml.optional(Self.token)
        key = try yaml.optional(Self.key)
        form = try yaml.optional(Self.form) ?? .json
        severity = try yaml.optional(Notification.severity) ?? .medium
    }

    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan {
        Notification.plan
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        var secrets: [Secret?] = []
        for (reference, name) in [(token, "token"), (key, "key")] {
            if let reference {
                secrets.append(
                    try await context.secrets.resolve(reference, "\(name) of sink \(context.name)"))
            } else {
                secrets.append(nil)
            }
        }
        let client = WebhookClient(
            client: context.client, address: address, token: secrets[0], key: secrets[1])
        return WebhookSink(name: context.name, client: client, form: form, severity: severity)
    }
}

/// A post for each incident.
struct WebhookSink: Sink {
    let name: String
    let client: WebhookClient
    let form: WebhookConfiguration.Form
    let severity: FindingNotice.Severity
    private let told = ToldNotices()

    init(
        name: String, client: WebhookClient, form: WebhookConfiguration.Form,
        severity: FindingNotice.Severity
    ) {
        self.name = name
        self.client = client
        self.form = form
        self.severity = severity
    }

    var plan: SinkPlan { Notification.plan }

    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        var receipt = SinkReceipt()
        let notices = try FindingNotice.notices(batch, least: severity)
        for notice in notices where !told.contains(notice.id) {
            let body: JSON =
                form == .json
                ? notice.json
                : ["text": .string("\(notice.severity.rawValue): \(notice.title)\n\(notice.text)")]
            switch try await client.post(body.bytes, id: notice.id) {
            case .taken: receipt.bytes += body.bytes.count
            case .refused(let reason):
                receipt.refused += notice.rows.map { RefusedRow(row: $0, reason: reason) }
            }
            told.add(notice.id)
        }
        told.forget(notices)
        return receipt
    }
}

/// Settings of a sink of kind `syslog`.
package struct SyslogConfiguration: SinkKind {
    package static let name = "syslog"
    package static let summary =
        "Findings of the rules to a syslog server (RFC 5424), an entry for each"

    private static let host = Setting.text("host", standard: SettingText.required, "the server")
    private static let port = Setting.number(
        "port", in: 1...65_535, standard: "`514`, of TLS `6514`", "its port")
    private static let transport = Setting.word(
        "transport", standard: SyslogClient.Transport.tls, "`udp`, `tcp` with counted octets, or `tls`")
    private static let facility = Setting.number(
        "facility", in: 0...23, standard: "`16`", "the number of the facility; 16 is local0")
    package static let settings: [any SettingDeclaration] = [
        host, port, transport, facility, Notification.certificate, Notification.severity,
    ]

    private let client: SyslogClient
    private let severity: FindingNotice.Severity

    package init(reading yaml: Fields) throws {
        let transport = try yaml.optional(Self.transport) ?? .tls
        client = SyslogClient(
            host: try yaml.required(Self.host),
            port: try yaml.optional(Self.port) ?? (transport == .tls ? 6_514 : 514),
            transport: transport, facility: try yaml.optional(Self.facility) ?? 16,
            trust: Notification.trust(try yaml.optional(Notification.certificate)))
        severity = try yaml.optional(Notification.severity) ?? .medium
    }

    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan {
        Notification.plan
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        SyslogSink(name: context.name, client: client, severity: severity)
    }
}

/// An entry for each finding, those of an incident one after the other.
struct SyslogSink: Sink {
    let name: String
    let client: SyslogClient
    let severity: FindingNotice.Severity

    var plan: SinkPlan { Notification.plan }

    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        let notices = try FindingNotice.notices(batch, least: severity)
        let entries = notices.flatMap { notice in
            notice.findings.map { finding in
                SyslogClient.Entry(
                    severity: finding.severity.syslog, time: finding.time, id: "finding",
                    parameters: [
                        ("id", finding.id), ("rule", finding.rule), ("incident", notice.incident),
                        ("severity", finding.severity.rawValue), ("events", String(finding.events)),
                    ], text: "\(finding.title) \(finding.entities.text)")
            }
        }
        return entries.isEmpty ? SinkReceipt() : SinkReceipt(bytes: try await client.send(entries))
    }
}

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

    var plan: SinkPlan { Notification.plan }

    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        let notices = try FindingNotice.notices(batch, least: severity)
        if notices.isEmpty { return SinkReceipt() }
        let messages = notices.map { notice in
            SMTPClient.Message(
                from: from, to: to, subject: "[Vestige] \(notice.severity.rawValue): \(notice.title)",
                body: notice.text,
                id: notice.id, time: notice.findings.last?.time ?? 0)
        }
        let (bytes, refused) = try await client.send(messages)
        let rows = refused.flatMap { place, reason in
            notices[place].rows.map { RefusedRow(row: $0, reason: reason) }
        }
        return SinkReceipt(bytes: bytes, refused: rows)
    }
}
