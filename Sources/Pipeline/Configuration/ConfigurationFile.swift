import Azure
import Content
import Foundation
import Tables

extension Configuration {
    /// Reads a configuration file, then what the environment overrides:
    /// `VESTIGE_WORKSPACE`, `VESTIGE_TENANT_ID`, `VESTIGE_CLIENT_ID`, `VESTIGE_CLIENT_SECRET`.
    ///
    /// - Parameter file: nil for the environment alone.
    /// - Throws: `OperatorError` with `isConfiguration`.
    package static func load(file: String?, environment: [String: String]) throws -> Configuration {
        var configuration = Configuration()
        if let file {
            guard FileManager.default.fileExists(atPath: file) else {
                throw OperatorError(
                    "there is no configuration file \(file)", next: "name one with --config, or try the product without: vestige demo", isConfiguration: true)
            }
            do { try configuration.read(try Fields(file: file)) } catch let problem as ContentProblem {
                throw OperatorError(
                    "the configuration cannot be used", got: problem.description, next: "correct the line; docs/configuration.md lists every setting",
                    isConfiguration: true)
            }
        }
        configuration.apply(environment)
        return configuration
    }

    private mutating func read(_ yaml: Fields) throws {
        try yaml.only(["workspace", "content", "keyframeDays", "tenant", "sensors", "sinks", "sources", "externaldata", "locations"])
        workspace = try yaml.optionalString("workspace") ?? workspace
        content = try yaml.strings("content")
        sources = try yaml.strings("sources")
        if let external = try yaml.optionalFields("externaldata") {
            try external.only(["files", "hosts"])
            allowsExternalFiles = try external.optionalBool("files") ?? false
            externalHosts = try external.strings("hosts")
            if let wrong = externalHosts.first(where: { $0.contains("/") }) {
                throw external.fail("'hosts' takes names such as raw.githubusercontent.com, not \"\(wrong.prefix(80))\"")
            }
        }
        locations = try yaml.optionalString("locations")
        keyframeDays = try yaml.optionalInt("keyframeDays") ?? keyframeDays
        guard (1...365).contains(keyframeDays) else { throw yaml.fail("'keyframeDays' must be between 1 and 365") }
        tenant = try yaml.optionalFields("tenant").map(Self.tenant)
        sensors = try yaml.list("sensors").map(Self.sensor)
        sinks = try yaml.list("sinks").map(Self.sink)
        for names in [sensors.map(\.name), sinks.map(\.name)] where Set(names).count < names.count {
            throw yaml.fail("two sensors or sinks have the same name")
        }
    }

    private static func tenant(_ yaml: Fields) throws -> TenantConfiguration {
        try yaml.only([
            "tenantId", "clientId", "clientSecret", "loginHost", "graphHost", "graphResource", "endpointHost", "endpointResource",
        ])
        var tenant = TenantConfiguration(
            tenantID: try yaml.string("tenantId"), clientID: try yaml.string("clientId"), clientSecret: try secret(yaml, "clientSecret"))
        tenant.loginHost = try address(yaml, "loginHost") ?? tenant.loginHost
        tenant.graphHost = try address(yaml, "graphHost") ?? tenant.graphHost
        tenant.graphResource = try address(yaml, "graphResource") ?? tenant.graphResource
        tenant.endpointHost = try address(yaml, "endpointHost") ?? tenant.endpointHost
        tenant.endpointResource = try address(yaml, "endpointResource") ?? tenant.endpointResource
        return tenant
    }

    private static func sensor(_ yaml: Fields) throws -> SensorConfiguration {
        try yaml.only(["name", "host", "token", "trust", "certificate", "checkHost"])
        let certificate = try yaml.optionalString("certificate")
        let trust: ServerTrust
        switch (try yaml.optionalString("trust") ?? (certificate == nil ? "system" : "certificate"), certificate) {
        case ("system", nil): trust = .system
        case ("certificate", let file?): trust = .certificate(file: file, checksHost: try yaml.optionalBool("checkHost") ?? true)
        case ("certificate", nil): throw yaml.fail("'trust: certificate' needs 'certificate', a file")
        case ("any", nil): trust = .any
        default: throw yaml.fail("'trust' must be system, certificate or any; 'certificate' goes only with trust: certificate")
        }
        guard let host = try address(yaml, "host") else { throw yaml.fail("'host' is missing: https:// and the sensor's address") }
        return SensorConfiguration(name: try yaml.string("name"), host: host, token: try secret(yaml, "token"), trust: trust)
    }

    private static func sink(_ yaml: Fields) throws -> SinkConfiguration {
        try yaml.only(["name", "kind", "endpoint", "rule", "resource"])
        let kind = try yaml.string("kind")
        guard kind == "logs-ingestion" else { throw yaml.fail("'kind' must be logs-ingestion, not \"\(kind)\"") }
        guard let endpoint = try address(yaml, "endpoint") else { throw yaml.fail("'endpoint' is missing") }
        return SinkConfiguration(
            name: try yaml.string("name"), endpoint: endpoint, rule: try yaml.string("rule"),
            resource: try address(yaml, "resource") ?? "https://monitor.azure.com")
    }

    /// A web address without the slash at its end.
    private static func address(_ yaml: Fields, _ name: String) throws -> String? {
        guard var text = try yaml.optionalString(name) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), let host = URLComponents(string: text)?.host, !host.isEmpty else {
            throw yaml.fail("'\(name)' must be a web address such as https://example.org, not \"\(text.prefix(80))\"")
        }
        let isLocal = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(URLComponents(string: text)?.host ?? "")
        guard text.hasPrefix("https://") || isLocal else { throw yaml.fail("'\(name)' must begin with https://: secrets are not sent in the clear") }
        return text
    }

    private static func secret(_ yaml: Fields, _ name: String) throws -> SecretReference {
        let text = try yaml.string(name)
        if text.hasPrefix("env:") { return .environment(String(text.dropFirst(4))) }
        if text.hasPrefix("file:") { return .file(String(text.dropFirst(5))) }
        // The text itself may be the secret: it is not repeated.
        throw yaml.fail("'\(name)' must say where the secret is kept, env:NAME or file:PATH, not the secret itself")
    }

    private mutating func apply(_ environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("VESTIGE_WORKSPACE") { workspace = path }
        if tenant == nil, let id = value("VESTIGE_TENANT_ID"), let client = value("VESTIGE_CLIENT_ID") {
            tenant = TenantConfiguration(tenantID: id, clientID: client, clientSecret: .environment("VESTIGE_CLIENT_SECRET"))
        }
        if let id = value("VESTIGE_TENANT_ID") { tenant?.tenantID = id }
        if let client = value("VESTIGE_CLIENT_ID") { tenant?.clientID = client }
        if value("VESTIGE_CLIENT_SECRET") != nil { tenant?.clientSecret = .environment("VESTIGE_CLIENT_SECRET") }
    }
}

extension SecretReference {
    /// The secret itself.
    ///
    /// - Parameter setting: the setting that points here, for the message.
    package func resolve(_ setting: String, environment: [String: String]) throws -> Secret {
        switch self {
        case .value(let secret): return secret
        case .environment(let name):
            guard let text = environment[name], !text.isEmpty else {
                throw OperatorError(
                    "the secret for '\(setting)' is missing", got: "the environment has no variable \(name)", next: "export \(name)=…", isConfiguration: true)
            }
            return Secret(text)
        case .file(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                throw OperatorError(
                    "the secret for '\(setting)' is missing", got: "the file \(path) cannot be read",
                    next: "write the secret into \(path), readable by this user only", isConfiguration: true)
            }
            let text = String(decoding: data, as: UTF8.self).trimmed
            guard !text.isEmpty else { throw OperatorError("the secret for '\(setting)' is missing", got: "the file \(path) is empty", isConfiguration: true) }
            return Secret(text)
        }
    }
}
