import Azure
import Content

extension TenantConfiguration {
    enum Settings {
        static let name = Setting.text("name", "tells tenants apart when there are several")
        static let tenantID = Setting.text("tenantId", "the directory; not needed for a managed identity")
        static let clientID = Setting.text(
            "clientId", "the application that signs in; not needed for a managed identity")
        static let cloud = Setting.word(
            "cloud", standard: NationalCloud.global,
            "`global`, `gcc`, `gcc-high`, `dod` or `china`: sets all addresses below")
        static let clientSecret = Setting.secret(
            "clientSecret", "where its secret is kept, or one of the next three instead")
        static let certificate = Setting.secret(
            "certificate",
            "where a PEM text with certificate and RSA key is kept: the application signs in with a signed assertion")
        static let federatedTokenFile = Setting.text(
            "federatedTokenFile", standard: "`AZURE_FEDERATED_TOKEN_FILE`",
            "a file with a token of another issuer: workload identity federation")
        static let managedIdentity = Setting.text(
            "managedIdentity",
            "`system`, or the client id of a user-assigned identity: of a virtual machine, App Service, Functions, "
                + "Container Apps or an Arc server")
        static let loginHost = Setting.address("loginHost", standard: "the cloud's", "sign-in")
        static let graphHost = Setting.address("graphHost", standard: "the cloud's", "Microsoft Graph")
        static let graphResource = Setting.address(
            "graphResource", standard: "the cloud's", "the audience of its tokens")
        static let endpointHost = Setting.address(
            "endpointHost", standard: "the cloud's", "Defender for Endpoint API")
        static let endpointResource = Setting.address(
            "endpointResource", standard: "the cloud's", "the audience of its tokens")
        static let subscriptions = Setting.texts(
            "subscriptions",
            "Azure subscriptions with Defender for IoT, or `[all]`: their devices, sensors and alerts are read from "
                + "Resource Graph")
        static let managementHost = Setting.address(
            "managementHost", standard: "the cloud's", "Azure Resource Manager")
        static let sources = Setting.ids(
            "sources", standard: "all", "ids of the only sources that this identity asks for")
        static let proxy = ProxySetting.setting(
            standard: "the configuration's", "the way to the tenant's services, as in `proxy`")
        static let retention = Setting.part(
            "retention",
            "how long its rows are kept, with the settings of `retention`; otherwise as the configuration says")
        static let all: [any SettingDeclaration] = [
            name, tenantID, clientID, cloud, clientSecret, certificate, federatedTokenFile, managedIdentity, loginHost,
            graphHost, graphResource, endpointHost, endpointResource, subscriptions, managementHost, sources,
            proxy, retention,
        ]
    }

    /// - Parameter others: settings that stand among these and are read elsewhere.
    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields, _ environment: [String: String], ignoring others: [any SettingDeclaration] = [])
        throws
    {
        try yaml.only(Settings.all + others)
        let identity = try IdentityConfiguration(reading: yaml, environment)
        // A managed identity knows its tenant and its application.
        let isManaged = if case .managed = identity { true } else { false }
        self.init(
            name: try yaml.optional(Settings.name) ?? "",
            tenantID: isManaged
                ? try yaml.optional(Settings.tenantID) ?? "" : try yaml.required(Settings.tenantID),
            clientID: isManaged
                ? try yaml.optional(Settings.clientID) ?? "" : try yaml.required(Settings.clientID),
            identity: identity, cloud: try yaml.optional(Settings.cloud) ?? .global)
        loginHost = try yaml.optional(Settings.loginHost) ?? loginHost
        graphHost = try yaml.optional(Settings.graphHost) ?? graphHost
        graphResource = try yaml.optional(Settings.graphResource) ?? graphResource
        endpointHost = try yaml.optional(Settings.endpointHost) ?? endpointHost
        endpointResource = try yaml.optional(Settings.endpointResource) ?? endpointResource
        managementHost = try yaml.optional(Settings.managementHost)
        proxy = try yaml.optional(Settings.proxy)
        retention = try yaml.optional(Settings.retention).map { try RetentionPolicy(reading: $0) }
        sources = try yaml.optional(Settings.sources)?.map(\.text) ?? []
        let subscriptions = try yaml.optional(Settings.subscriptions) ?? []
        if !subscriptions.isEmpty { self.subscriptions = subscriptions == ["all"] ? [] : subscriptions }
    }
}

extension IdentityConfiguration {
    /// - Throws: `ContentProblem` when there is none, or more than one.
    fileprivate init(reading yaml: Fields, _ environment: [String: String]) throws {
        typealias S = TenantConfiguration.Settings
        var found: [IdentityConfiguration] = []
        if let secret = try yaml.optional(S.clientSecret) { found.append(.secret(secret)) }
        if let certificate = try yaml.optional(S.certificate) { found.append(.certificate(certificate)) }
        if let file = try yaml.optional(S.federatedTokenFile) { found.append(.federated(tokenFile: file)) }
        if let id = try yaml.optional(S.managedIdentity) {
            found.append(.managed(clientID: id == "system" ? nil : id))
        }
        if found.isEmpty, let file = environment["AZURE_FEDERATED_TOKEN_FILE"], !file.isEmpty {
            found.append(.federated(tokenFile: file))
        }
        if found.isEmpty, environment["VESTIGE_CLIENT_SECRET"]?.isEmpty == false {
            found.append(.secret(.environment("VESTIGE_CLIENT_SECRET")))
        }
        guard found.count == 1 else {
            let ways = [S.clientSecret.name, S.certificate.name, S.federatedTokenFile.name, S.managedIdentity.name]
            throw yaml.fail(
                "a tenant needs one of \(ways.map { "'\($0)'" }.joined(separator: ", ")), not \(found.count)")
        }
        self = found[0]
    }
}

extension SensorConfiguration {
    enum Settings {
        static let name = Setting.text("name", standard: SettingText.required, "what the sensor is called")
        static let host = Setting.address("host", standard: SettingText.required, "its address")
        static let token = Setting.secret(
            "token", standard: SettingText.required, "where its access token is kept")
        static let trust = Setting.word(
            "trust", standard: Trust.system,
            "`system`, `certificate` or `any` (any certificate; said at every start)")
        static let certificate = Setting.text(
            "certificate", "PEM file that is the only anchor; sets `trust: certificate`")
        static let checkHost = Setting.flag(
            "checkHost", standard: "`true`", "`false` when the sensor's certificate names no host")
        static let proxy = ProxySetting.setting(
            standard: "the configuration's", "the way to the sensor, as in `proxy`")
        static let all: [any SettingDeclaration] = [name, host, token, trust, certificate, checkHost, proxy]
    }

    enum Trust: String, CaseIterable { case system, certificate, any }

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields) throws {
        try yaml.only(Settings.all)
        let certificate = try yaml.optional(Settings.certificate)
        let wanted = try yaml.optional(Settings.trust) ?? (certificate == nil ? .system : .certificate)
        let trust: ServerTrust
        switch (wanted, certificate) {
        case (.system, nil): trust = .system
        case (.any, nil): trust = .any
        case (.certificate, let file?):
            trust = .certificate(file: file, checksHost: try yaml.optional(Settings.checkHost) ?? true)
        case (.certificate, nil):
            throw yaml.fail("'trust: certificate' needs 'certificate', a file", at: Settings.trust.name)
        default: throw yaml.fail("'certificate' goes only with trust: certificate", at: Settings.certificate.name)
        }
        self.init(
            name: try yaml.required(Settings.name), host: try yaml.required(Settings.host),
            token: try yaml.required(Settings.token), trust: trust)
        proxy = try yaml.optional(Settings.proxy)
    }
}
