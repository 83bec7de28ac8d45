import Azure
import Content
import Foundation
import Tables

extension Configuration {
    /// Reads a configuration file, then what the environment overrides:
    /// `VESTIGE_WORKSPACE`, `VESTIGE_TENANT_ID`, `VESTIGE_CLIENT_ID`, `VESTIGE_CLIENT_SECRET`; and the variables that Azure's platforms
    /// set for workload identity, `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE`.
    ///
    /// - Parameter file: nil for the environment alone.
    /// - Throws: `OperatorError` with `isConfiguration`.
    package static func load(file: String?, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if let file {
            guard FileManager.default.fileExists(atPath: file) else {
                throw OperatorError(
                    "there is no configuration file \(file)",
                    next: "name one with --config, or try the product without: vestige demo", isConfiguration: true)
            }
            do { try configuration.read(try Fields(file: file), environment) } catch let problem as ContentProblem {
                throw OperatorError(
                    "the configuration cannot be used", got: problem.description,
                    next: "correct the line; docs/configuration.md lists every setting",
                    isConfiguration: true)
            }
        }
        configuration.apply(environment)
        return configuration
    }

    private mutating func read(_ yaml: Fields, _ environment: [String: String]) throws {
        try yaml.only([
            "workspace", "content", "keyframeDays", "tenant", "tenants", "sensors", "managers", "sinks", "sources",
            "externaldata", "locations", "spoolMB",
            "metrics",
            "health", "investigate", "feeds", "proxy",
            "exports", "schedules",
        ])
        workspace = try yaml.optionalString("workspace") ?? workspace
        content = try yaml.strings("content")
        sources = try yaml.strings("sources")
        if let external = try yaml.optionalFields("externaldata") {
            try external.only(["files", "hosts"])
            allowsExternalFiles = try external.optionalBool("files") ?? false
            externalHosts = try external.strings("hosts")
            if let wrong = externalHosts.first(where: { $0.contains("/") }) {
                throw external.fail(
                    "'hosts' takes names such as raw.githubusercontent.com, not \"\(wrong.prefix(80))\"")
            }
        }
        locations = try yaml.optionalString("locations")
        keyframeDays = try yaml.optionalInt("keyframeDays") ?? keyframeDays
        for (id, text) in try yaml.texts("schedules") {
            guard let schedule = Schedule(text) else {
                throw yaml.fail(
                    "'schedules.\(id)' must be a time such as 15m (10s at least) or a cron line such as \"0 */6 * * *\", not \"\(text.prefix(40))\""
                )
            }
            schedules[id] = schedule
        }
        for (id, place) in try yaml.texts("feeds") {
            guard place != "off" else {
                feeds.updateValue(nil, forKey: id)
                continue
            }
            feeds[id] = place.hasPrefix("file:") ? String(place.dropFirst(5)) : place
        }
        switch try yaml.optionalString("exports") ?? "automatic" {
        case "automatic": exports = .automatic
        case "pages": exports = .pages
        case "files": exports = .files
        case let word: throw yaml.fail("'exports' must be automatic, pages or files, not \"\(word.prefix(40))\"")
        }
        if let part = try yaml.optionalFields("investigate") {
            try part.only(["sources", "devices", "since"])
            investigation.sources = try part.strings("sources")
            investigation.devices = try part.strings("devices")
            guard investigation.devices.count <= Investigation.devicesMax else {
                throw part.fail("'devices' takes \(Investigation.devicesMax) at most; leave it out for all devices")
            }
            if let text = try part.optionalString("since") {
                guard let ticks = TimeSpan.parse(text), ticks > 0, ticks <= 30 * DateTime.ticksPerDay else {
                    throw part.fail("'since' must be a duration such as 7d, 30d at most, not \"\(text.prefix(40))\"")
                }
                investigation.since = Int(ticks / DateTime.ticksPerSecond)
            }
        }
        proxy = try ProxySetting.read(yaml) ?? proxy
        metrics = try yaml.optionalString("metrics") ?? metrics
        writesHealth = try yaml.optionalBool("health") ?? writesHealth
        if let megabytes = try yaml.optionalInt("spoolMB") {
            guard megabytes > 0 else { throw yaml.fail("'spoolMB' must be above zero") }
            spoolBytesMax = megabytes << 20
        }
        guard (1...365).contains(keyframeDays) else { throw yaml.fail("'keyframeDays' must be between 1 and 365") }
        let one = try yaml.optionalFields("tenant").map { [$0] } ?? []
        let several = try yaml.list("tenants")
        guard one.isEmpty || several.isEmpty else { throw yaml.fail("write 'tenant' or 'tenants', not both") }
        tenants = try (one + several).map { try Self.tenant($0, environment) }
        if !several.isEmpty, let nameless = several.first(where: { (try? $0.optionalString("name")) == nil }) {
            throw nameless.fail("each of 'tenants' needs a 'name'")
        }
        sensors = try yaml.list("sensors").map(Self.sensor)
        managers = try yaml.list("managers").map(Self.sensor)
        sinks = try yaml.list("sinks").map(Self.sink)
        for names in [tenants.map(\.name), (sensors + managers).map(\.name), sinks.map(\.name)]
        where Set(names).count < names.count {
            throw yaml.fail("two tenants, sensors or sinks have the same name")
        }
        if let lost = sinks.first(where: { sink in !sink.tenant.isEmpty && !tenants.contains { $0.name == sink.tenant }
        }) {
            throw yaml.fail("sink \(lost.name) names the tenant \"\(lost.tenant)\", which is not there")
        }
    }

    private static func tenant(_ yaml: Fields, _ environment: [String: String]) throws -> TenantConfiguration {
        try yaml.only([
            "name", "tenantId", "clientId", "clientSecret", "certificate", "federatedTokenFile", "managedIdentity",
            "cloud", "loginHost", "graphHost",
            "graphResource", "endpointHost", "endpointResource", "managementHost", "subscriptions", "sources", "proxy",
        ])
        let word = try yaml.optionalString("cloud") ?? "global"
        guard let cloud = NationalCloud(rawValue: word) else {
            throw yaml.fail(
                "'cloud' must be \(NationalCloud.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(word.prefix(40))\""
            )
        }
        let identity = try identity(yaml, environment)
        // A managed identity knows its tenant and its application.
        let isManaged = if case .managed = identity { true } else { false }
        var tenant = TenantConfiguration(
            name: try yaml.optionalString("name") ?? "",
            tenantID: isManaged ? try yaml.optionalString("tenantId") ?? "" : try yaml.string("tenantId"),
            clientID: isManaged ? try yaml.optionalString("clientId") ?? "" : try yaml.string("clientId"),
            identity: identity, cloud: cloud)
        tenant.loginHost = try address(yaml, "loginHost") ?? tenant.loginHost
        tenant.graphHost = try address(yaml, "graphHost") ?? tenant.graphHost
        tenant.graphResource = try address(yaml, "graphResource") ?? tenant.graphResource
        tenant.endpointHost = try address(yaml, "endpointHost") ?? tenant.endpointHost
        tenant.endpointResource = try address(yaml, "endpointResource") ?? tenant.endpointResource
        tenant.managementHost = try address(yaml, "managementHost")
        tenant.sources = try yaml.strings("sources")
        tenant.proxy = try ProxySetting.read(yaml)
        let subscriptions = try yaml.strings("subscriptions")
        if !subscriptions.isEmpty { tenant.subscriptions = subscriptions == ["all"] ? [] : subscriptions }
        return tenant
    }

    private static func identity(_ yaml: Fields, _ environment: [String: String]) throws -> IdentityConfiguration {
        var found: [IdentityConfiguration] = []
        if try yaml.optionalString("clientSecret") != nil { found.append(.secret(try secret(yaml, "clientSecret"))) }
        if try yaml.optionalString("certificate") != nil { found.append(.certificate(try secret(yaml, "certificate"))) }
        if let file = try yaml.optionalString("federatedTokenFile") { found.append(.federated(tokenFile: file)) }
        if let id = try yaml.optionalString("managedIdentity") {
            found.append(.managed(clientID: id == "system" ? nil : id))
        }
        if found.isEmpty, let file = environment["AZURE_FEDERATED_TOKEN_FILE"], !file.isEmpty {
            found.append(.federated(tokenFile: file))
        }
        if found.isEmpty, environment["VESTIGE_CLIENT_SECRET"]?.isEmpty == false {
            found.append(.secret(.environment("VESTIGE_CLIENT_SECRET")))
        }
        guard found.count == 1 else {
            throw yaml.fail(
                "a tenant needs one of 'clientSecret', 'certificate', 'federatedTokenFile' and 'managedIdentity', not \(found.count)"
            )
        }
        return found[0]
    }

    private static func sensor(_ yaml: Fields) throws -> SensorConfiguration {
        try yaml.only(["name", "host", "token", "trust", "certificate", "checkHost", "proxy"])
        let certificate = try yaml.optionalString("certificate")
        let trust: ServerTrust
        switch (try yaml.optionalString("trust") ?? (certificate == nil ? "system" : "certificate"), certificate) {
        case ("system", nil): trust = .system
        case ("certificate", let file?):
            trust = .certificate(file: file, checksHost: try yaml.optionalBool("checkHost") ?? true)
        case ("certificate", nil): throw yaml.fail("'trust: certificate' needs 'certificate', a file")
        case ("any", nil): trust = .any
        default:
            throw yaml.fail(
                "'trust' must be system, certificate or any; 'certificate' goes only with trust: certificate")
        }
        guard let host = try address(yaml, "host") else {
            throw yaml.fail("'host' is missing: https:// and the sensor's address")
        }
        var sensor = SensorConfiguration(
            name: try yaml.string("name"), host: host, token: try secret(yaml, "token"), trust: trust)
        sensor.proxy = try ProxySetting.read(yaml)
        return sensor
    }

    private static func sink(_ yaml: Fields) throws -> SinkConfiguration {
        let name = try yaml.string("name")
        let common: Set<String> = ["name", "kind", "tenant"]
        func required(_ field: String) throws -> String {
            guard let text = try address(yaml, field) else { throw yaml.fail("'\(field)' is missing") }
            return text
        }
        let kind: SinkConfiguration.Kind
        switch try yaml.string("kind") {
        case "logs-ingestion":
            try yaml.only(common.union(["endpoint", "rule", "resource", "ruleResource", "managementHost"]))
            kind = .logsIngestion(
                LogsIngestionConfiguration(
                    endpoint: try required("endpoint"), rule: try yaml.string("rule"),
                    resource: try address(yaml, "resource") ?? "",
                    ruleResource: try yaml.optionalString("ruleResource"),
                    managementHost: try address(yaml, "managementHost")))
        case "kusto":
            try yaml.only(common.union(["cluster", "database", "resource", "ingestion"]))
            let word = try yaml.optionalString("ingestion") ?? "automatic"
            guard let ingestion = KustoSink.Ingestion(rawValue: word) else {
                throw yaml.fail("'ingestion' must be automatic, streaming or queued, not \"\(word.prefix(40))\"")
            }
            kind = .kusto(
                cluster: try required("cluster"), database: try yaml.string("database"),
                resource: try address(yaml, "resource") ?? "", ingestion: ingestion)
        case "data-collector":
            try yaml.only(common.union(["workspaceId", "key", "endpoint"]))
            kind = .dataCollector(
                workspaceID: try yaml.string("workspaceId"), key: try secret(yaml, "key"),
                endpoint: try address(yaml, "endpoint"))
        case "files":
            try yaml.only(common.union(["folder", "format", "rotateAtMB", "keepFiles"]))
            let word = try yaml.optionalString("format") ?? "ndjson"
            guard let format = FileSink.Format(rawValue: word) else {
                throw yaml.fail("'format' must be ndjson or csv, not \"\(word.prefix(40))\"")
            }
            let megabytes = try yaml.optionalInt("rotateAtMB") ?? 100
            let kept = try yaml.optionalInt("keepFiles")
            guard megabytes > 0, kept ?? 1 > 0 else {
                throw yaml.fail("'rotateAtMB' and 'keepFiles' must be above zero")
            }
            kind = .files(
                folder: try yaml.string("folder"), format: format, rotatesAtBytes: megabytes << 20, filesMax: kept)
        case "output":
            try yaml.only(common)
            kind = .output
        case let word:
            throw yaml.fail(
                "'kind' must be logs-ingestion, kusto, data-collector, files or output, not \"\(word.prefix(40))\"")
        }
        return SinkConfiguration(name: name, kind: kind, tenant: try yaml.optionalString("tenant") ?? "")
    }

    /// A web address without the slash at its end.
    private static func address(_ yaml: Fields, _ name: String) throws -> String? {
        guard var text = try yaml.optionalString(name) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), let host = URLComponents(string: text)?.host,
            !host.isEmpty
        else {
            throw yaml.fail("'\(name)' must be a web address such as https://example.org, not \"\(text.prefix(80))\"")
        }
        let isLocal = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(URLComponents(string: text)?.host ?? "")
        guard text.hasPrefix("https://") || isLocal else {
            throw yaml.fail("'\(name)' must begin with https://: secrets are not sent in the clear")
        }
        return text
    }

    private static func secret(_ yaml: Fields, _ name: String) throws -> SecretReference {
        let text = try yaml.string(name)
        if let reference = SecretReference(text) { return reference }
        // The text itself may be the secret: it is not repeated.
        throw yaml.fail(
            "'\(name)' must say where the secret is kept, env:NAME, file:PATH or keyvault:https://VAULT/secrets/NAME, not the secret itself"
        )
    }

    private mutating func apply(_ environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("VESTIGE_WORKSPACE") { workspace = path }
        func tenantID() -> String? { value("VESTIGE_TENANT_ID") ?? value("AZURE_TENANT_ID") }
        func clientID() -> String? { value("VESTIGE_CLIENT_ID") ?? value("AZURE_CLIENT_ID") }
        if tenants.isEmpty, let id = tenantID(), let client = clientID() {
            if value("VESTIGE_CLIENT_SECRET") != nil {
                tenants = [
                    TenantConfiguration(
                        tenantID: id, clientID: client, identity: .secret(.environment("VESTIGE_CLIENT_SECRET")))
                ]
            } else if let file = value("AZURE_FEDERATED_TOKEN_FILE") {
                tenants = [TenantConfiguration(tenantID: id, clientID: client, identity: .federated(tokenFile: file))]
            }
        }
        // With several tenants the variables could mean any of them.
        guard tenants.count == 1 else { return }
        if let id = value("VESTIGE_TENANT_ID") { tenant?.tenantID = id }
        if let client = value("VESTIGE_CLIENT_ID") { tenant?.clientID = client }
        if value("VESTIGE_CLIENT_SECRET") != nil { tenant?.identity = .secret(.environment("VESTIGE_CLIENT_SECRET")) }
    }
}
