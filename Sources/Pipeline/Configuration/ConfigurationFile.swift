import Azure
import Content
import Foundation
import Tables

extension Configuration {
    /// Reads a configuration file, then what the environment overrides:
    /// `VESTIGE_WORKSPACE`, `VESTIGE_TENANT_ID`, `VESTIGE_CLIENT_ID`, `VESTIGE_CLIENT_SECRET`; and the variables that
    /// Azure's platforms
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
        configuration.heldSecrets = configuration.secretReferences.compactMap { $0.known(environment) }
        return configuration
    }

    private mutating func read(_ yaml: Fields, _ environment: [String: String]) throws {
        typealias S = ConfigurationSettings
        try yaml.only(S.all)
        workspace = try yaml.optional(S.workspace) ?? workspace
        content = try yaml.optional(S.content) ?? []
        if let ids = try yaml.optional(S.sources) { sources = named("sources", ids, \.text) }
        if let external = try yaml.optional(S.externalData) {
            try external.only(S.ExternalData.all)
            allowsExternalFiles = try external.optional(S.ExternalData.files) ?? false
            externalHosts = try external.optional(S.ExternalData.hosts) ?? []
        }
        locations = try yaml.optional(S.locations)
        keyframeDays = try yaml.optional(S.keyframeDays) ?? keyframeDays
        let times = try yaml.optional(S.schedules) ?? []
        for (time, id) in zip(times, named("schedules", times, \.name)) {
            guard let schedule = Schedule(time.text) else {
                throw ContentProblem(
                    time.place,
                    "'schedules.\(id)' must be a time such as 15m (10s at least) or a cron line such as "
                        + "\"0 */6 * * *\", not \"\(time.text.prefix(40))\"")
            }
            schedules[id] = schedule
        }
        let places = try yaml.optional(S.feeds) ?? []
        for (place, id) in zip(places, named("feeds", places, \.name)) {
            let isFile = place.text.hasPrefix("file:")
            let target: String? = place.text == "off" ? nil : isFile ? String(place.text.dropFirst(5)) : place.text
            feeds.updateValue(target, forKey: id)
        }
        exports = try yaml.optional(S.exports) ?? exports
        if let part = try yaml.optional(S.investigate) {
            try part.only(S.Investigate.all)
            if let ids = try part.optional(S.Investigate.sources) {
                investigation.sources = named("investigate.sources", ids, \.text)
            }
            investigation.devices = try part.optional(S.Investigate.devices) ?? []
            investigation.since = try part.optional(S.Investigate.since)
        }
        if let part = try yaml.optional(S.retention) { retention = try RetentionPolicy(reading: part) }
        if let part = try yaml.optional(S.evidence) { evidence = try EvidenceConfiguration(reading: part) }
        proxy = try yaml.optional(S.proxy) ?? proxy
        metrics = try yaml.optional(S.metrics) ?? metrics
        if let part = try yaml.optional(S.server) { server = try ServeConfiguration(reading: part, environment) }
        writesHealth = try yaml.optional(S.health) ?? writesHealth
        runsRules = try yaml.optional(S.rules) ?? runsRules
        if let megabytes = try yaml.optional(S.spool) { spoolBytesMax = megabytes << 20 }
        try readServices(yaml, environment)
    }

    private mutating func readServices(_ yaml: Fields, _ environment: [String: String]) throws {
        typealias S = ConfigurationSettings
        let one = try yaml.optional(S.tenant).map { [$0] } ?? []
        let several = try yaml.optional(S.tenants) ?? []
        guard one.isEmpty || several.isEmpty else {
            throw yaml.fail("write 'tenant' or 'tenants', not both", at: S.tenants.name)
        }
        tenants = try (one + several).map { part in
            let tenant = try TenantConfiguration(reading: part, environment)
            _ = named("tenant.sources", try part.optional(TenantConfiguration.Settings.sources) ?? [], \.text)
            return tenant
        }
        if let nameless = several.first(where: { !$0.has(TenantConfiguration.Settings.name.name) }) {
            throw nameless.fail("each of 'tenants' needs a 'name'")
        }
        sensors = try (yaml.optional(S.sensors) ?? []).map(SensorConfiguration.init(reading:))
        managers = try (yaml.optional(S.managers) ?? []).map(SensorConfiguration.init(reading:))
        let parts = try yaml.optional(S.sinks) ?? []
        sinks = try parts.map(SinkConfiguration.init(reading:))
        for names in [tenants.map(\.name), (sensors + managers).map(\.name), sinks.map(\.name)] {
            guard let twice = names.enumerated().first(where: { names[..<$0].contains($1) }) else { continue }
            throw yaml.fail("two tenants, sensors or sinks have the same name: \"\(twice.element)\"")
        }
        for (sink, part) in zip(sinks, parts) where !sink.tenant.isEmpty {
            guard !tenants.contains(where: { $0.name == sink.tenant }) else { continue }
            throw part.fail(
                "sink \(sink.name) names the tenant \"\(sink.tenant)\", which is not there",
                at: SinkConfiguration.tenantSetting.name)
        }
    }

    /// Keeps the places of ids of sources.
    ///
    /// - Returns: the ids.
    private mutating func named(
        _ setting: String, _ texts: [Fields.PlacedText], _ id: KeyPath<Fields.PlacedText, String>
    ) -> [String] {
        namedSources += texts.map { NamedSource(setting: setting, id: $0[keyPath: id], place: $0.place) }
        return texts.map { $0[keyPath: id] }
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
