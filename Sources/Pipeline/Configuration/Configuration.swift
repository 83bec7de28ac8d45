import Azure
import Tables

/// Which tenant is asked, by which application.
package struct TenantConfiguration: Sendable {
    package var tenantID: String
    package var clientID: String
    package var clientSecret: SecretReference
    package var loginHost = "https://login.microsoftonline.com"
    package var graphHost = "https://graph.microsoft.com"
    package var graphResource = "https://graph.microsoft.com"
    package var endpointHost = "https://api.security.microsoft.com"
    package var endpointResource = "https://api.securitycenter.microsoft.com"

    package init(tenantID: String, clientID: String, clientSecret: SecretReference) {
        self.tenantID = tenantID
        self.clientID = clientID
        self.clientSecret = clientSecret
    }
}

/// An OT sensor.
package struct SensorConfiguration: Sendable {
    package var name: String
    package var host: String
    package var token: SecretReference
    package var trust: ServerTrust

    package init(name: String, host: String, token: SecretReference, trust: ServerTrust) {
        self.name = name
        self.host = host
        self.token = token
        self.trust = trust
    }
}

/// Where rows go besides the workspace.
package struct SinkConfiguration: Sendable {
    package var name: String
    package var endpoint: String
    package var rule: String
    package var resource: String

    package init(name: String, endpoint: String, rule: String, resource: String = "https://monitor.azure.com") {
        self.name = name
        self.endpoint = endpoint
        self.rule = rule
        self.resource = resource
    }
}

/// What `vestige.yaml` and the environment say.
package struct Configuration: Sendable {
    package var workspace = "vestige.db"
    /// Folders of content laid over the built-in one.
    package var content: [String] = []
    /// Whether `vestige query` may read files of this machine with `externaldata`.
    package var allowsExternalFiles = false
    /// Hosts that `externaldata` may fetch from: `name`, `*.suffix`, or `*` for any public name.
    package var externalHosts: [String] = []
    /// A database in MaxMind's format, for `geo_info_from_ip_address`.
    package var locations: String?
    /// A full copy of every state goes out once in so many days.
    package var keyframeDays = 7
    package var tenant: TenantConfiguration?
    package var sensors: [SensorConfiguration] = []
    package var sinks: [SinkConfiguration] = []
    /// Sources to run; all when empty.
    package var sources: [String] = []

    package init() {}
}

/// A place where a secret is kept: `env:NAME` or `file:PATH`.
package enum SecretReference: Sendable {
    case environment(String)
    case file(String)
    /// Given by the program itself, as the demo does.
    case value(Secret)
}
