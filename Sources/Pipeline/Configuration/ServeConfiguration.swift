import Azure
import Content
import Foundation

/// Where `vestige serve` listens, and who may ask it.
package struct ServeConfiguration: Sendable {
    /// `HOST:PORT`; nil for what the command line says.
    package var listen: String?
    /// The address that browsers use, without a slash at its end; nil for the one that is listened on.
    package var address: String?
    package var tls: TLS?
    package var entra: Entra?
    /// The file of local accounts and API tokens; nil for the one beside the workspace.
    package var accounts: String?
    /// The audit file; nil for the one beside the workspace.
    package var audit: String?
    /// Whether every request is written to standard error.
    package var hasAccessLog = false
    /// Minutes without a request after which a session ends.
    package var idleMinutes = 60
    /// Hours after which a session ends whatever happens.
    package var sessionHours = 12

    package init() {}

    /// Whether the configuration lets others than this machine in, or names the audit file.
    var isAudited: Bool { tls != nil || address != nil || audit != nil }

    /// Files of the server's certificate chain and its key, PEM.
    package struct TLS: Sendable, Equatable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The app registration by which people and programs sign in.
    package struct Entra: Sendable {
        /// Directory, application, and how the application proves itself.
        package var registration: TenantConfiguration
        /// The Application ID URI that access tokens of version 1 are for; nil for `api://` and the client id.
        package var audience: String?
        /// The delegated permission that a person's access token must hold.
        package var scope = "user_impersonation"

        package init(registration: TenantConfiguration) { self.registration = registration }
    }
}

extension ServeConfiguration {
    enum Settings {
        static let listen = Setting.text(
            "listen", standard: "`127.0.0.1:8321`",
            "address and port of `vestige serve`; any address but this machine's needs `tls` and somebody who may "
                + "sign in ([team.md](team.md))")
        static let address = Setting.address(
            "address", standard: "the one listened on",
            "the address that browsers use, where it is another: behind a proxy, or by a name")
        static let tls = Setting.part("tls", "the server's certificate")
        static let entra = Setting.part("entra", "sign-in with Microsoft Entra ID")
        static let accounts = Setting.text(
            "accounts", standard: "the workspace's name and `.accounts`",
            "the file of local accounts and API tokens, which `vestige user` and `vestige token` write")
        static let audit = Setting.text(
            "audit", standard: "the workspace's name and `.audit`",
            "where it is written who asked what; `collect` takes it into `VestigeAudit_CL`. Written when people sign "
                + "in, and where this is set")
        static let accessLog = Setting.flag(
            "accessLog", standard: "`false`", "a line on standard error for every request, as `--access-log` does")
        static let idleMinutes = Setting.number(
            "idleMinutes", in: 1...1_440, standard: "`60`", "a session ends after so many minutes without a request")
        static let sessionHours = Setting.number(
            "sessionHours", in: 1...168, standard: "`12`", "a session ends after so many hours whatever happens")
        static let all: [any SettingDeclaration] = [
            listen, address, tls, entra, accounts, audit, accessLog, idleMinutes, sessionHours,
        ]
    }

    enum TLSSettings {
        static let certificate = Setting.text(
            "certificate", standard: SettingText.required,
            "PEM file of the server's certificate and those above it; read again when it changes, and on SIGHUP")
        static let key = Setting.text(
            "key", standard: SettingText.required, "PEM file of its private key, which others must not be able to read")
        static let all: [any SettingDeclaration] = [certificate, key]
    }

    enum EntraSettings {
        private typealias Tenant = TenantConfiguration.Settings
        static let audience = Setting.text(
            "audience", standard: "`api://` and the client id",
            "the Application ID URI that programs ask tokens for")
        static let scope = Setting.text(
            "scope", standard: "`user_impersonation`", "the delegated permission that a person's program must have")
        /// Those that a tenant has too, and read in the same way.
        static let shared: [any SettingDeclaration] = [
            Tenant.tenantID, Tenant.clientID, Tenant.cloud, Tenant.clientSecret, Tenant.certificate,
            Tenant.federatedTokenFile, Tenant.loginHost,
        ]
        static let own: [any SettingDeclaration] = [audience, scope]
        static let all = shared + own
    }

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields, _ environment: [String: String]) throws {
        try yaml.only(Settings.all)
        listen = try yaml.optional(Settings.listen)
        address = try yaml.optional(Settings.address)
        if let address, URLComponents(string: address)?.path.isEmpty != true {
            throw yaml.fail(
                "'server.address' is a scheme, a host and a port, without a path", at: Settings.address.name)
        }
        if let part = try yaml.optional(Settings.tls) {
            try part.only(TLSSettings.all)
            tls = TLS(
                certificate: try part.required(TLSSettings.certificate), key: try part.required(TLSSettings.key))
        }
        if let part = try yaml.optional(Settings.entra) { entra = try Entra(reading: part, environment) }
        accounts = try yaml.optional(Settings.accounts)
        audit = try yaml.optional(Settings.audit)
        hasAccessLog = try yaml.optional(Settings.accessLog) ?? false
        idleMinutes = try yaml.optional(Settings.idleMinutes) ?? idleMinutes
        sessionHours = try yaml.optional(Settings.sessionHours) ?? sessionHours
    }
}

extension ServeConfiguration.Entra {
    /// - Throws: `ContentProblem`.
    fileprivate init(reading yaml: Fields, _ environment: [String: String]) throws {
        typealias S = ServeConfiguration.EntraSettings
        try yaml.only(S.all)
        self.init(registration: try TenantConfiguration(reading: yaml, environment, ignoring: S.own))
        audience = try yaml.optional(S.audience)
        scope = try yaml.optional(S.scope) ?? scope
        let common: Set = ["common", "organizations", "consumers"]
        if common.contains(registration.tenantID.lowercased()) {
            throw yaml.fail(
                "'server.entra.tenantId' must be one directory: anybody's account could sign in by "
                    + "\"\(registration.tenantID)\"", at: TenantConfiguration.Settings.tenantID.name)
        }
        guard UUID(uuidString: registration.tenantID) != nil else {
            throw yaml.fail(
                "'server.entra.tenantId' must be the directory's id, which its tokens name, not a domain",
                at: TenantConfiguration.Settings.tenantID.name)
        }
    }
}

extension Configuration {
    /// The file of local accounts and API tokens.
    package var accountsFile: String { server.accounts ?? workspace + ".accounts" }
    /// The file of who asked what.
    package var auditFile: String { server.audit ?? workspace + ".audit" }
}
