import Azure
import Content
import Foundation
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
    private var choice = SourceEndpoint.Choice()
    private var isPaced = true
    /// Seconds before files that are empty are looked at again.
    private var pendingDelay = 5.0

    /// Connects a configuration's services to the content's sources.
    ///
    /// - Parameters:
    ///   - only: ids of sources to leave the others out; all when empty.
    ///   - choice: devices and time to ask for, instead of the configuration's.
    ///   - devices: how many devices the tenant had when it was asked last.
    ///   - write: takes what goes to standard output.
    package static func open(
        _ configuration: Configuration, library: ContentLibrary, only: [String], environment: [String: String],
        choice: SourceEndpoint.Choice? = nil, devices: Int = 0,
        retry: ServiceClient.RetryPolicy = .init(),
        logger: Logger, write: @escaping @Sendable ([UInt8]) throws -> Void = { _ in }
    ) async throws -> Connections {
        var connections = Connections()
        /// The number of devices of the last run decides, where nothing else does.
        func prefersFiles(_ preference: ExportPreference) -> Bool {
            switch preference {
            case .pages: false
            case .files: true
            case .automatic: devices > ExportPreference.filesAboveDevices
            }
        }
        if let mistake = configuration.mistakes(in: library).first { throw mistake }
        let chosen = try select(library.sources, only, configuration)
        // A name that is misspelt is told of.
        for tenant in configuration.tenants { _ = try select(library.sources, tenant.sources, configuration) }
        var given = SourceEndpoint.Choice()
        (given.devices, given.since) = (configuration.investigation.devices, configuration.investigation.since)
        connections.choice = choice ?? given
        connections.isPaced = retry.isPaced
        if let nothing = configuration.nothingToCollect(library.sources, only: only) { throw nothing }
        let network = Network(configuration, environment: environment, retry: retry, logger: logger)
        let cloud = try await network.client()
        connections.clients.append(cloud)
        connections.pendingDelay = 5 * retry.firstDelay
        var tokens: [String: TokenCache] = [:]
        for tenant in configuration.tenants {
            do {
                var client = cloud
                if let proxy = tenant.proxy {
                    client = try await network.client(proxy: proxy)
                    connections.clients.append(client)
                }
                let cache = try await tenant.tokens(client: client, environment: environment)
                tokens[tenant.name] = cache
                connections.connect(tenant, cache, client, chosen, prefersFiles: prefersFiles(configuration.exports))
            } catch {
                // One tenant that cannot be asked does not keep the others from being asked.
                if configuration.tenants.count == 1, configuration.sensors.isEmpty { throw error }
                connections.failures.append(OperatorError(error, title: "tenant \(tenant.name) cannot be asked"))
            }
        }
        if configuration.tenants.isEmpty { connections.idle += chosen.filter(\.isOfTenant).map(\.id) }
        for source in chosen {
            guard case .web(let request) = source.request else { continue }
            // A list that is not wanted is left out; another place may be named for the others.
            let place = configuration.feeds[source.id] ?? request.address
            if let place {
                connections.endpoints.append(SourceEndpoint(source, .web(WebFeed(client: cloud, place: place))))
            }
        }
        if configuration.sensors.isEmpty { connections.idle += chosen.filter { $0.service == .iotSensor }.map(\.id) }
        if configuration.managers.isEmpty { connections.idle += chosen.filter { $0.service == .iotManager }.map(\.id) }
        let appliances =
            configuration.sensors.map { (SourceDefinition.Service.iotSensor, $0) }
            + configuration.managers.map { (.iotManager, $0) }
        for (service, sensor) in appliances {
            do {
                if sensor.trust == .any {
                    logger.warning("sensor \(sensor.name): any certificate is accepted (trust: any)")
                }
                let http = try await network.client(trust: sensor.trust, proxy: sensor.proxy)
                connections.clients.append(http)
                let secrets = SecretResolver(
                    environment: environment, client: cloud, cloud: configuration.tenant?.cloud ?? .global)
                let token = try await secrets.resolve(sensor.token, "sensors.token of \(sensor.name)")
                let client = SensorClient(client: http, host: sensor.host, token: token)
                for source in chosen where source.service == service {
                    guard let request = source.request.ofAppliance else { continue }
                    connections.endpoints.append(
                        SourceEndpoint(source, .appliance(request, client, name: sensor.name)))
                }
            } catch {
                connections.failures.append(OperatorError(error, title: "sensor \(sensor.name) cannot be asked"))
            }
        }
        for sink in configuration.sinks {
            do {
                let owner = configuration.tenants.first { $0.name == sink.tenant } ?? configuration.tenant
                let context = SinkContext(
                    name: sink.name, library: library, tables: configuration.tables(of: library), owner: owner,
                    tokens: owner.flatMap { tokens[$0.name] }, client: cloud, environment: environment, write: write)
                // A tenant that gives no tokens is told of already.
                if let made = try await sink.kind.make(context) { connections.sinks.append(made) }
            } catch { connections.failures.append(OperatorError(error, title: "sink \(sink.name) cannot be used")) }
        }
        return connections
    }

    /// The sources of one tenant.
    private mutating func connect(
        _ tenant: TenantConfiguration, _ tokens: TokenCache, _ cloud: ServiceClient, _ chosen: [SourceDefinition],
        prefersFiles: Bool
    ) {
        let sources = chosen.filter { $0.isOfTenant && (tenant.sources.isEmpty || tenant.sources.contains($0.id)) }
        guard let host = tenant.endpointHost, let resource = tenant.endpointResource else {
            idle += sources.map(\.id)
            failures.append(
                OperatorError(
                    "tenant \(tenant.name) has nothing to collect",
                    got: "the cloud \(tenant.cloud.rawValue) has no Defender for Endpoint",
                    next:
                        "leave the tenant out, or set 'endpointHost' and 'endpointResource' if Microsoft offers it there by now",
                    isConfiguration: true))
            return
        }
        let client = DefenderClient(
            graph: AuthorizedClient(
                client: cloud, tokens: tokens, audience: tenant.graphResource, addresses: [tenant.graphHost]),
            graphHost: tenant.graphHost,
            endpoint: AuthorizedClient(
                client: cloud, tokens: tokens, audience: resource, addresses: DefenderClient.addresses(of: host)),
            endpointHost: host,
            budgets: DefenderBudgets(isPaced: isPaced && !WebAddress.isLocal(host)))
        let downloader =
            prefersFiles ? ExportDownloader(client: cloud, service: host, pendingDelay: pendingDelay) : nil
        let isMapped = tenant.subscriptions != nil
        if !isMapped { idle += sources.filter { $0.service == .resourceGraph }.map(\.id) }
        let management = tenant.managementHost ?? tenant.cloud.hosts.managementHost
        let graph = ResourceGraphClient(
            client: AuthorizedClient(
                client: cloud, tokens: tokens, audience: tenant.cloud.hosts.managementHost, addresses: [management]),
            host: management,
            subscriptions: tenant.subscriptions ?? [])
        for source in sources {
            let call: SourceEndpoint.Call
            switch source.request {
            case .hunting(let request): call = .hunting(request, client)
            case .rest(let request): call = .rest(request, client, files: downloader)
            case .graph(let request):
                guard isMapped else { continue }
                call = .graph(request, graph)
            case .sensor, .manager, .web: continue
            }
            endpoints.append(SourceEndpoint(source, call, tenant: tenant.name, choice: choice))
        }
    }

    /// The sources that are asked for by name, or the configuration's; those on demand only when they are named.
    private static func select(_ sources: [SourceDefinition], _ only: [String], _ configuration: Configuration) throws
        -> [SourceDefinition]
    {
        let ids = only.isEmpty ? configuration.sourceIDs(of: sources) : only
        return try ids.map { id in
            guard let source = sources.first(where: { $0.id == id }) else {
                let hint = NearMiss.find(id, in: sources.map(\.id)).map { "did you mean \($0)? " } ?? ""
                throw OperatorError(
                    "there is no source \(id)", next: "\(hint)vestige collect --list names them all",
                    isConfiguration: true)
            }
            return source
        }
    }

    package func close() async { for client in clients { await client.shutdown() } }
}

extension SourceRequest {
    /// The call of a sensor or management console.
    fileprivate var ofAppliance: ApplianceRequest? {
        switch self {
        case .sensor(let request), .manager(let request): request
        case .hunting, .rest, .graph, .web: nil
        }
    }
}

extension Configuration {
    /// Why there is nothing to collect from; nil where there is something.
    ///
    /// - Parameter only: ids of sources that the command names.
    package func nothingToCollect(_ library: [SourceDefinition], only: [String] = []) -> OperatorError? {
        guard tenants.isEmpty, sensors.isEmpty, managers.isEmpty, !choosesLists(library, only: only) else { return nil }
        return OperatorError(
            "there is nothing to collect from",
            got: "the configuration names no tenant, no sensor, and no public list under 'sources' or 'feeds'",
            next: "write vestige.yaml (docs/configuration.md), or look at a simulated tenant first: vestige demo",
            isConfiguration: true)
    }
}
