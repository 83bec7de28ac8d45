import Azure
import Content
import Tables

/// A kind of sink: its name and its settings, how it is made, what a doctor looks at, and what the documentation says.
///
/// A value holds the settings of one sink. To add a kind: a client in `Azure` where a service is called, a file in
/// `Sinks/Kinds` with the settings and the sink, and its name in `SinkKinds.all`.
package protocol SinkKind: Sendable {
    /// As `kind` in the configuration names it.
    static var name: String { get }
    /// One sentence for the documentation.
    static var summary: String { get }
    /// Its settings besides those that every sink has.
    static var settings: [any SettingDeclaration] { get }

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields) throws

    /// Where the secrets among its settings are kept.
    var secrets: [SecretReference] { get }

    /// Which tables go there.
    ///
    /// - Throws: `OperatorError` for tables that the content does not have, or more than the service takes.
    func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan

    /// The sink, ready to be sent to; nil when the tenant that it signs in to gives no tokens, which is told already.
    func make(_ context: SinkContext) async throws -> (any Sink)?

    /// What a doctor finds.
    func check(_ context: SinkContext) async -> [Finding]
}

extension SinkKind {
    package var secrets: [SecretReference] { [] }
    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan { .everything }
    package func check(_ context: SinkContext) async -> [Finding] { [] }
}

/// The kinds that there are, in the order in which they are documented.
package enum SinkKinds {
    package static let all: [any SinkKind.Type] = [
        LogsIngestionConfiguration.self, KustoConfiguration.self, FilesConfiguration.self, OutputConfiguration.self,
        DataCollectorConfiguration.self, WebhookConfiguration.self, SyslogConfiguration.self, MailConfiguration.self,
    ]
}

/// What a sink is made from besides its settings.
package struct SinkContext: Sendable {
    /// The sink's own name.
    let name: String
    let library: ContentLibrary
    /// Tables that sources fill, as far as the configuration runs them.
    let tables: [TableDefinition]
    /// Whose identity signs in; nil where the configuration names no tenant.
    let owner: TenantConfiguration?
    /// Its tokens; nil where it gives none.
    let tokens: TokenCache?
    let client: ServiceClient
    let environment: [String: String]
    /// Takes what goes to standard output.
    let write: @Sendable ([UInt8]) throws -> Void

    /// The tenant and its tokens; nil when it gives none.
    func signedIn() throws -> (owner: TenantConfiguration, tokens: TokenCache)? {
        guard let owner else {
            throw OperatorError(
                "sink \(name) cannot be used", got: "there is no 'tenant' in the configuration",
                next: "add 'tenant': its application signs in to the sink", isConfiguration: true)
        }
        return tokens.map { (owner, $0) }
    }

    var secrets: SecretResolver {
        SecretResolver(environment: environment, client: client, cloud: owner?.cloud ?? .global)
    }
}

/// Where rows go besides the workspace.
package struct SinkConfiguration: Sendable {
    package var name: String
    package var kind: any SinkKind
    /// The tenant whose identity signs in; the first one when empty.
    package var tenant = ""

    package init(name: String, kind: any SinkKind, tenant: String = "") {
        self.name = name
        self.kind = kind
        self.tenant = tenant
    }

    static let nameSetting = Setting.text(
        "name", standard: SettingText.required, "what the sink is called in reports")
    static let kindSetting = Setting.text(
        "kind", standard: SettingText.required, "where rows go; each kind has settings of its own, below")
    static let tenantSetting = Setting.text(
        "tenant", standard: "the first", "the tenant whose identity signs in")
    /// What every sink has.
    package static let settings: [any SettingDeclaration] = [nameSetting, kindSetting, tenantSetting]

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields) throws {
        name = try yaml.required(Self.nameSetting)
        tenant = try yaml.optional(Self.tenantSetting) ?? ""
        let word = try yaml.required(Self.kindSetting)
        guard let kind = SinkKinds.all.first(where: { $0.name == word }) else {
            let names = SinkKinds.all.map { $0.name }
            throw yaml.fail(
                "'kind' must be \(names.dropLast().joined(separator: ", ")) or \(names[names.count - 1]), "
                    + "not \"\(word.prefix(40))\"", at: Self.kindSetting.name)
        }
        try yaml.only(Self.settings + kind.settings)
        self.kind = try kind.init(reading: yaml)
    }
}
