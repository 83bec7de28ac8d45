import Azure
import Content
import KQL
import Logging
import Tables

/// The services that a configuration names, ready to be called.
package struct Connections: Sendable {
    package var endpoints: [SourceEndpoint] = []
    package var sinks: [any Sink] = []
    /// Sources that cannot be called, with the reason.
    package var failures: [OperatorError] = []
    /// Sources whose service is not configured.
    package var idle: [String] = []
    private var clients: [ServiceClient] = []

    /// Connects a configuration's services to the content's sources.
    ///
    /// - Parameter only: ids of sources to leave the others out; all when empty.
    package static func open(
        _ configuration: Configuration, library: ContentLibrary, only: [String], environment: [String: String], retry: ServiceClient.RetryPolicy = .init(),
        logger: Logger
    ) throws -> Connections {
        var connections = Connections()
        let chosen = try select(library.sources, only.isEmpty ? configuration.sources : only)
        guard configuration.tenant != nil || !configuration.sensors.isEmpty else {
            throw OperatorError(
                "there is nothing to collect from", got: "the configuration names no tenant and no sensor",
                next: "write vestige.yaml (docs/configuration.md), or look at a simulated tenant first: vestige demo", isConfiguration: true)
        }
        let cloud = try ServiceClient(retry: retry, logger: logger)
        connections.clients.append(cloud)
        var tokens: TokenCache?
        if let tenant = configuration.tenant {
            let cache = TokenCache(
                client: cloud,
                credential: EntraCredential(
                    loginHost: tenant.loginHost, tenant: tenant.tenantID, client: tenant.clientID,
                    secret: try tenant.clientSecret.resolve("tenant.clientSecret", environment: environment)))
            tokens = cache
            let client = DefenderClient(
                graph: AuthorizedClient(client: cloud, tokens: cache, audience: tenant.graphResource), graphHost: tenant.graphHost,
                endpoint: AuthorizedClient(client: cloud, tokens: cache, audience: tenant.endpointResource), endpointHost: tenant.endpointHost)
            for source in chosen where source.service != .iotSensor { connections.endpoints.append(SourceEndpoint(source, .defender(client))) }
        } else {
            connections.idle += chosen.filter { $0.service != .iotSensor }.map(\.id)
        }
        if configuration.sensors.isEmpty { connections.idle += chosen.filter { $0.service == .iotSensor }.map(\.id) }
        for sensor in configuration.sensors {
            do {
                if sensor.trust == .any { logger.warning("sensor \(sensor.name): any certificate is accepted (trust: any)") }
                let http = try ServiceClient(trust: sensor.trust, retry: retry, logger: logger)
                connections.clients.append(http)
                let token = try sensor.token.resolve("sensors.token of \(sensor.name)", environment: environment)
                let client = SensorClient(client: http, host: sensor.host, token: token)
                for source in chosen where source.service == .iotSensor {
                    connections.endpoints.append(SourceEndpoint(source, .sensor(client, name: sensor.name)))
                }
            } catch { connections.failures.append(OperatorError(error, title: "sensor \(sensor.name) cannot be asked")) }
        }
        for sink in configuration.sinks {
            guard let tokens else {
                throw OperatorError(
                    "sink \(sink.name) cannot be used", got: "there is no 'tenant' in the configuration",
                    next: "add 'tenant': its application signs in to the sink", isConfiguration: true)
            }
            let client = AuthorizedClient(client: cloud, tokens: tokens, audience: sink.resource)
            connections.sinks.append(LogsIngestionSink(name: sink.name, client: LogsIngestionClient(client: client, endpoint: sink.endpoint, rule: sink.rule)))
        }
        return connections
    }

    private static func select(_ sources: [SourceDefinition], _ ids: [String]) throws -> [SourceDefinition] {
        if ids.isEmpty { return sources }
        return try ids.map { id in
            guard let source = sources.first(where: { $0.id == id }) else {
                let hint = NearMiss.find(id, in: sources.map(\.id)).map { "did you mean \($0)? " } ?? ""
                throw OperatorError("there is no source \(id)", next: "\(hint)vestige collect --list names them all", isConfiguration: true)
            }
            return source
        }
    }

    package func close() async { for client in clients { await client.shutdown() } }
}
