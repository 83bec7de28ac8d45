import Azure
import Content
import Tables

/// Which tenant is asked, by whom, and in which cloud.
package struct TenantConfiguration: Sendable {
    /// Tells tenants apart when there are several; empty for the only one.
    package var name: String
    package var tenantID: String
    package var clientID: String
    package var identity: IdentityConfiguration
    package var cloud = NationalCloud.global
    package var loginHost: String
    package var graphHost: String
    package var graphResource: String
    /// Nil in a cloud without Defender for Endpoint.
    package var endpointHost: String?
    package var endpointResource: String?
    /// Azure Resource Manager; the cloud's own when nil.
    package var managementHost: String?
    /// Subscriptions with Defender for IoT; all that the identity may read when empty, none when nil.
    package var subscriptions: [String]?
    /// Ids of the only sources that this identity asks for; all when empty.
    package var sources: [String] = []
    /// The way to the tenant's services; nil for the configuration's.
    package var proxy: ProxySetting?
    /// How long its rows are kept; nil for what the configuration says.
    package var retention: RetentionPolicy?

    /// A tenant with the addresses of its cloud.
    package init(
        name: String = "", tenantID: String, clientID: String, identity: IdentityConfiguration,
        cloud: NationalCloud = .global
    ) {
        self.name = name
        self.tenantID = tenantID
        self.clientID = clientID
        self.identity = identity
        self.cloud = cloud
        let hosts = cloud.hosts
        loginHost = hosts.login
        graphHost = hosts.graph
        graphResource = hosts.graph
        endpointHost = hosts.endpoint
        endpointResource = hosts.endpointResource
    }
}

/// How a tenant signs in.
package enum IdentityConfiguration: Sendable {
    case secret(SecretReference)
    /// A PEM text with certificate and key.
    case certificate(SecretReference)
    /// A file with a token of another issuer.
    case federated(tokenFile: String)
    /// The machine's or app's own identity; a client id names a user-assigned one.
    case managed(clientID: String?)
}

/// How the exports of Defender that come in pages and as files are fetched.
package enum ExportPreference: String, Sendable, CaseIterable {
    /// Files once there are so many devices that pages would be slow.
    case automatic
    case pages
    case files

    /// Microsoft advises files above 100,000 devices; pages are slow long before.
    package static let filesAboveDevices = 20_000
}

/// Sources that run only when somebody chose to: events of devices, and what is asked of each device by itself.
package struct Investigation: Sendable, Equatable {
    /// Their ids; none when empty.
    package var sources: [String] = []
    /// Ids or names of devices; all devices when empty.
    package var devices: [String] = []
    /// Seconds that the first run looks back; nil for what each source says.
    package var since: Int?
    package static let devicesMax = 500

    package init() {}
}

/// An OT sensor.
package struct SensorConfiguration: Sendable {
    package var name: String
    package var host: String
    package var token: SecretReference
    package var trust: ServerTrust
    /// The way to the sensor; nil for the configuration's.
    package var proxy: ProxySetting?

    package init(name: String, host: String, token: SecretReference, trust: ServerTrust) {
        self.name = name
        self.host = host
        self.token = token
        self.trust = trust
    }
}

/// What `vestige.yaml` and the environment say.
package struct Configuration: Sendable {
    package var workspace = "vestige.db"
    /// Folders of content laid over the built-in one.
    package var content: [String] = []
    /// Whether `vestige query` may read files of this machine with `externaldata`.
    package var allowsExternalFiles = false
    /// Hosts that `externaldata` may fetch from.
    package var externalHosts: [AllowedHost] = []
    /// A database in MaxMind's format, for `geo_info_from_ip_address`.
    package var locations: String?
    /// A full copy of every state goes out once in so many days.
    package var keyframeDays = 7
    package var tenants: [TenantConfiguration] = []
    /// Other places of public lists, by the id of their source: an https address or a file; nil for a list that is not
    /// wanted.
    package var feeds: [String: String?] = [:]
    /// The way to all services that have no setting of their own.
    package var proxy = ProxySetting.environment
    /// How large exports are fetched.
    package var exports = ExportPreference.automatic
    package var sensors: [SensorConfiguration] = []
    /// Management consoles, each of which stands for several sensors.
    package var managers: [SensorConfiguration] = []
    package var sinks: [SinkConfiguration] = []
    /// Bytes that may wait for any one sink; above, collecting pauses until the sink has taken some.
    package var spoolBytesMax = 10 << 30
    /// Where metrics are served while collecting on schedule, `HOST:PORT`; nil for nowhere.
    package var metrics: String?
    /// Where `vestige serve` listens, and who may ask it.
    package var server = ServeConfiguration()
    /// Whether a row for every run and delivery goes into `VestigeHealth_CL`.
    package var writesHealth = true
    /// Whether the content's rules run after each collect.
    package var runsRules = true
    /// When sources run, by their ids; others run at their content's interval.
    package var schedules: [String: Schedule] = [:]
    /// How long rows are kept in the workspace.
    package var retention = RetentionPolicy()
    /// How evidence is kept.
    package var evidence = EvidenceConfiguration()
    /// What is asked for beyond the regular feeds, about devices that somebody looks into.
    package var investigation = Investigation()
    /// Sources to run; all when empty.
    package var sources: [String] = []
    /// What the configuration's secrets are now, as far as they lie on this machine: so every program that reads it
    /// knows what must not be repeated, also one that uses none of them.
    var heldSecrets: [Secret] = []
    /// Ids of sources that the file names, with their places, for telling of those that there are not.
    var namedSources: [NamedSource] = []

    package init() {}

    /// The tables that its sources fill, and those of health and of the rules.
    package func tables(of library: ContentLibrary) -> [TableDefinition] {
        let ids = Set(sourceIDs(of: library.sources))
        var names = Set(library.sources.filter { ids.contains($0.id) }.map(\.table))
        if writesHealth { names.insert(HealthTable.name) }
        if server.isAudited { names.insert(AuditIntake.table) }
        if runsRules, library.hasRules { names.insert("VestigeFindings_CL") }
        return names.sorted().compactMap { library.tables[$0] }
    }

    /// The ids of the sources that run: the configured ones or all regular ones, and those on demand that are asked
    /// for.
    package func sourceIDs(of library: [SourceDefinition]) -> [String] {
        // A list that is given a place of its own is wanted.
        let regular =
            sources.isEmpty
            ? library.filter { !$0.isOnDemand || $0.service == .web && (feeds[$0.id] ?? nil) != nil }.map(\.id)
            : sources
        return regular + investigation.sources.filter { !regular.contains($0) }
    }

    /// Whether somebody chose public lists: they need neither a tenant nor a sensor, but nobody asks for them unbidden.
    ///
    /// - Parameter only: ids of sources that the command names.
    package func choosesLists(_ library: [SourceDefinition], only: [String] = []) -> Bool {
        guard !sources.isEmpty || !feeds.isEmpty || !only.isEmpty else { return false }
        let ids = Set(only.isEmpty ? sourceIDs(of: library) : only)
        return library.contains { source in
            guard case .web = source.request, ids.contains(source.id) else { return false }
            return feeds[source.id].map { $0 != nil } ?? true
        }
    }

    /// The first tenant, or the only one.
    package var tenant: TenantConfiguration? {
        get { tenants.first }
        set {
            if let newValue { tenants = [newValue] + tenants.dropFirst() } else { tenants = Array(tenants.dropFirst()) }
        }
    }
}
