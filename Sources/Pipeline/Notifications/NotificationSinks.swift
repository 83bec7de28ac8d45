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

/// What became of parts of a batch that did not go out whole: they are not told again with it.
final class ToldNotices: Sendable {
    /// By what was told, why it was refused; nil where it was taken.
    private let outcomes = Mutex<[String: String?]>([:])

    func contains(_ id: String) -> Bool { outcomes.withLock { $0[id] != nil } }
    func add(_ id: String, refused reason: String? = nil) { outcomes.withLock { $0[id] = .some(reason) } }
    func refusal(_ id: String) -> String? { outcomes.withLock { $0[id] ?? nil } }
    func forget(_ ids: [String]) {
        outcomes.withLock { outcomes in for id in ids { outcomes[id] = nil } }
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

    package var secrets: [SecretReference] { [token, key].compactMap { $0 } }

    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan {
        Notification.plan
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        var found: [Secret?] = []
        for (reference, name) in [(token, "token"), (key, "key")] {
            if let reference {
                found.append(
                    try await context.secrets.resolve(reference, "\(name) of sink \(context.name)"))
            } else {
                found.append(nil)
            }
        }
        let client = WebhookClient(
            client: context.client, address: address, token: found[0], key: found[1])
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
            case .taken:
                receipt.bytes += body.bytes.count
                told.add(notice.id)
            case .refused(let reason): told.add(notice.id, refused: reason)
            }
        }
        for notice in notices {
            guard let reason = told.refusal(notice.id) else { continue }
            receipt.refused += notice.rows.map { RefusedRow(row: $0, reason: reason) }
        }
        told.forget(notices.map(\.id))
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
