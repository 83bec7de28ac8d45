import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Tables
import Workspace

/// Checks, before anything is collected, what collecting will need: addresses, clocks, tokens, permissions, streams, certificates.
package struct Doctor: Sendable {
    private let configuration: Configuration
    private let library: ContentLibrary
    private let environment: [String: String]
    private let client: ServiceClient
    private let network: Network
    /// Entra refuses assertions, and sensors' times are off, when clocks differ by more; seconds.
    private static let skewMax = 120.0

    /// - Throws: `OperatorError` when the proxy's secret cannot be had.
    package init(
        _ configuration: Configuration, library: ContentLibrary, environment: [String: String], logger: Logger
    ) async throws {
        self.configuration = configuration
        self.library = library
        self.environment = environment
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (2, 0.5)
        network = Network(configuration, environment: environment, retry: retry, logger: logger)
        client = try await network.client()
    }

    /// Runs every check; each finding is also told as soon as it is there.
    package func run(_ tell: @Sendable (Finding) -> Void = { _ in }) async -> [Finding] {
        var findings: [Finding] = []
        func add(_ more: [Finding]) {
            for finding in more { tell(finding) }
            findings += more
        }
        add(local())
        var tokens: [String: TokenCache] = [:]
        for tenant in configuration.tenants {
            let subject = tenant.name.isEmpty ? "tenant" : "tenant \(tenant.name)"
            do {
                let client = try await tenant.proxy == nil ? client : network.client(proxy: tenant.proxy)
                add(await reach(tenant, subject, client))
                let cache = try await tenant.tokens(client: client, environment: environment)
                tokens[tenant.name] = cache
                add(await permissions(tenant, cache, subject))
                if let found = await resources(tenant, cache, subject, client) { add([found]) }
            } catch { add([Finding(subject, "identity", error)]) }
        }
        for sensor in configuration.sensors { add(await check(sensor, "sensor \(sensor.name)", "/api/v1/alerts")) }
        for manager in configuration.managers {
            add(await check(manager, "management console \(manager.name)", "/external/v1/alerts"))
        }
        for sink in configuration.sinks { add(await check(sink, tokens)) }
        await client.shutdown()
        return findings
    }

    private func local() -> [Finding] {
        var findings: [Finding] = []
        do {
            // It is looked at only: collecting makes it.
            let workspace = try Workspace(reading: configuration.workspace)
            var folder = URL(fileURLWithPath: configuration.workspace).deletingLastPathComponent().path
            while !FileManager.default.fileExists(atPath: folder), folder.count > 1 {
                folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path
            }
            for place in [folder, workspace.path] where FileManager.default.fileExists(atPath: place) {
                guard !FileManager.default.isWritableFile(atPath: place) else { continue }
                throw WorkspaceError(
                    "\(place) may not be written to by this user",
                    next: "run as the collector's user, or change its owner")
            }
            let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder))?[.systemFreeSize] as? Int ?? 0
            let isLow = free < 1 << 30
            findings.append(
                Finding(
                    "workspace", "storage", isLow ? .warning : .ok,
                    "\(workspace.path), \(free / 1_000_000_000) GB free",
                    next: isLow ? "free space, or move the workspace to another disk" : nil))
            for line in try ClockHealth(workspace, now: SystemClock.now()).lines {
                findings.append(
                    Finding("workspace", "clock", .warning, line, next: "let a time service set this machine's clock"))
            }
        } catch { findings.append(Finding("workspace", "storage", error)) }
        if let nothing = configuration.nothingToCollect(library.sources) {
            findings.append(Finding("configuration", "sources", nothing))
        }
        return findings
    }

    private func reach(
        _ tenant: TenantConfiguration, _ subject: String, _ client: ServiceClient
    ) async -> [Finding] {
        if case .managed = tenant.identity { return [] }
        do {
            let response = try await client.send(
                ServiceRequest(
                    "GET", "\(tenant.loginHost)/\(tenant.tenantID)/v2.0/.well-known/openid-configuration",
                    timeoutSeconds: 20))
            guard response.status == 200 else {
                return [
                    Finding(
                        subject, "sign-in", .failed,
                        "\(tenant.loginHost) does not know the tenant \(tenant.tenantID) (\(response.status))",
                        next: "check 'tenantId', and that 'cloud' is the one of your tenant")
                ]
            }
            return [Finding(subject, "sign-in", .ok, "\(tenant.loginHost) answers")]
                + [clock(subject, response)].compactMap { $0 }
        } catch { return [Finding(subject, "sign-in", error)] }
    }

    /// How far this machine's clock is from the server's.
    private func clock(_ subject: String, _ response: ServiceResponse) -> Finding? {
        guard let text = response.headers["date"], let there = DateTime.parse(text) else { return nil }
        let skew = Date().timeIntervalSince1970 - Double(there - DateTime.unixEpoch) / Double(DateTime.ticksPerSecond)
        let isFar = skew.magnitude > Self.skewMax
        let detail =
            "this machine is \(String(format: "%.0f", skew.magnitude)) s \(skew < 0 ? "behind" : "ahead of") the server"
        return Finding(
            subject, "clock", isFar ? .failed : .ok, isFar ? detail : "within \(Int(Self.skewMax)) s",
            next: isFar ? "set the clock by NTP" : nil)
    }

    private func permissions(_ tenant: TenantConfiguration, _ tokens: TokenCache, _ subject: String) async -> [Finding]
    {
        var needed: [(audience: String, service: String, roles: [String: [String]])] = []
        func need(_ audience: String?, _ service: String, _ kind: SourceDefinition.Service) {
            guard let audience else { return }
            var roles: [String: [String]] = [:]
            for source in chosen
            where source.service == kind && (tenant.sources.isEmpty || tenant.sources.contains(source.id)) {
                for role in source.permissions { roles[role, default: []].append(source.id) }
            }
            if !roles.isEmpty { needed.append((audience, service, roles)) }
        }
        need(tenant.graphResource, "Microsoft Graph", .graphHunting)
        need(tenant.endpointResource, "WindowsDefenderATP", .defenderEndpoint)
        var findings: [Finding] = []
        for (audience, service, roles) in needed {
            do {
                guard let granted = try await tokens.roles(for: audience) else {
                    findings.append(
                        Finding(
                            subject, "token for \(service)", .warning,
                            "it cannot be looked into; permissions show when sources run"))
                    continue
                }
                findings.append(Finding(subject, "token for \(service)", .ok, "issued"))
                for (role, sources) in roles.sorted(by: { $0.key < $1.key }) {
                    // The right to write includes the right to read.
                    let has = granted.contains(role) || granted.contains(role.replacing(".Read.", with: ".ReadWrite."))
                    findings.append(
                        Finding(
                            subject, "permission \(role)", has ? .ok : .failed,
                            has ? "granted" : "missing, wanted by \(sources.joined(separator: ", "))",
                            next: has
                                ? nil
                                : "App registrations > \(tenant.clientID) > API permissions > Add: \(service), Application permissions, \(role); then Grant admin consent"
                        ))
                }
            } catch { findings.append(Finding(subject, "token for \(service)", error)) }
        }
        return findings
    }

    private var chosen: [SourceDefinition] {
        let ids = Set(configuration.sourceIDs(of: library.sources))
        return library.sources.filter { ids.contains($0.id) }
    }

    /// Whether the subscriptions of a cloud-connected plant may be read.
    private func resources(
        _ tenant: TenantConfiguration, _ tokens: TokenCache, _ subject: String, _ client: ServiceClient
    ) async -> Finding? {
        let sources = chosen.filter { $0.service == .resourceGraph }
        guard let subscriptions = tenant.subscriptions, !sources.isEmpty else { return nil }
        let audience = tenant.cloud.hosts.managementHost
        let graph = ResourceGraphClient(
            client: AuthorizedClient(client: client, tokens: tokens, audience: audience),
            host: tenant.managementHost ?? audience, subscriptions: subscriptions)
        do {
            let permissions = sources.flatMap(\.permissions)
            let answer = try await graph.page(
                "iotsecurityresources | project id | limit 1", skipToken: nil, permissions: permissions)
            let count = (try? JSONReader.parse(answer.body))?.bagValue?["count"]?.longValue ?? 0
            // Resource Graph leaves out what the identity may not read, and says nothing.
            if count > 0 { return Finding(subject, "Azure Resource Graph", .ok, "gives resources of Defender for IoT") }
            return Finding(
                subject, "Azure Resource Graph", .warning, "gives no resources of Defender for IoT",
                next: "give the application the role Security Reader on the subscriptions, or leave out 'subscriptions'"
            )
        } catch { return Finding(subject, "Azure Resource Graph", error) }
    }

    /// - Parameter path: a call that can be made to give nothing.
    private func check(_ sensor: SensorConfiguration, _ subject: String, _ path: String) async -> [Finding] {
        var findings: [Finding] = []
        if sensor.trust == .any {
            findings.append(
                Finding(
                    subject, "certificate", .warning,
                    "any certificate is accepted: whoever stands in between can read the token",
                    next: "save the sensor's certificate and set 'certificate' to the file"))
        }
        do {
            let http = try await network.client(trust: sensor.trust, proxy: sensor.proxy)
            let secrets = SecretResolver(
                environment: environment, client: client, cloud: configuration.tenant?.cloud ?? .global)
            let outcome: Result<ServiceResponse, any Error>
            do {
                let token = try await secrets.resolve(sensor.token, "sensors.token of \(sensor.name)")
                // A window that holds nothing: the least work that proves the token.
                let future = String(Int(Date().timeIntervalSince1970 * 1_000) + 86_400_000)
                outcome = .success(
                    try await SensorClient(client: http, host: sensor.host, token: token).get(
                        path, parameters: [("fromTime", future)]))
            } catch { outcome = .failure(error) }
            await http.shutdown()
            let response = try outcome.get()
            findings.append(Finding(subject, "certificate and token", .ok, "\(sensor.host) answers"))
            if let clock = clock(subject, response) { findings.append(clock) }
        } catch { findings.append(Finding(subject, "certificate and token", error)) }
        return findings
    }

    private func check(_ sink: SinkConfiguration, _ tokens: [String: TokenCache]) async -> [Finding] {
        let subject = "sink \(sink.name)"
        guard case .logsIngestion(let place) = sink.kind else { return [] }
        guard let owner = configuration.tenants.first(where: { $0.name == sink.tenant }) ?? configuration.tenant,
            let cache = tokens[owner.name]
        else {
            return [Finding(subject, "identity", .failed, "its tenant gives no tokens", next: "mend the tenant first")]
        }
        let audience = place.resource.isEmpty ? owner.cloud.hosts.monitorResource : place.resource
        let ingestion = LogsIngestionClient(
            client: AuthorizedClient(client: client, tokens: cache, audience: audience), endpoint: place.endpoint,
            rule: place.rule)
        let names = Set(chosen.map(\.table) + (configuration.writesHealth ? [HealthTable.name] : []))
        let tables = names.sorted().compactMap { library.tables[$0] }
        var findings: [Finding] = []
        if let rule = place.ruleResource {
            let management = AuthorizedClient(client: client, tokens: cache, audience: owner.cloud.hosts.managementHost)
            do {
                let declared = try await DataCollectionRuleClient(
                    client: management, host: place.managementHost ?? owner.cloud.hosts.managementHost
                ).streams(
                    rule)
                findings += tables.map { Self.compare($0, declared["Custom-\($0.name)"], subject) }
            } catch { findings.append(Finding(subject, "data collection rule", error)) }
        }
        for table in tables {
            do {
                try await ingestion.probe(stream: "Custom-\(table.name)")
                findings.append(Finding(subject, "stream Custom-\(table.name)", .ok, "accepts records"))
            } catch {
                findings.append(Finding(subject, "stream Custom-\(table.name)", error))
                // What is wrong with the rule as a whole is wrong with every stream.
                if let known = error as? ServiceError, known.status != 400 { break }
            }
        }
        return findings
    }

    /// Columns that the rule does not declare are dropped without a word, so they are named here.
    private static func compare(_ table: TableDefinition, _ declared: [String: String]?, _ subject: String) -> Finding {
        let check = "columns of Custom-\(table.name)"
        guard let declared else {
            return Finding(
                subject, check, .failed, "the rule does not declare the stream",
                next: "declare the stream with the columns of \(table.name) (docs/configuration.md)")
        }
        let missing = table.sentColumns.filter { declared[$0.name] == nil }
        let wrong = table.sentColumns.filter { column in
            declared[column.name].map { $0 != column.type.streamType } ?? false
        }
        guard missing.isEmpty, wrong.isEmpty else {
            var parts: [String] = []
            if !missing.isEmpty {
                parts.append(
                    "not declared: \(missing.map { "\($0.name): \($0.type.streamType)" }.joined(separator: ", "))")
            }
            if !wrong.isEmpty {
                parts.append(
                    "of another type: \(wrong.map { "\($0.name) should be \($0.type.streamType)" }.joined(separator: ", "))"
                )
            }
            return Finding(
                subject, check, .failed, parts.joined(separator: "; "),
                next: "change the stream's declaration; what it does not declare is dropped silently")
        }
        return Finding(subject, check, .ok, "all \(table.sentColumns.count) are declared")
    }
}

extension ScalarType {
    /// A column's type as a stream declaration spells it
    /// (https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-structure#stream-declarations).
    package var streamType: String {
        switch self {
        case .bool: "boolean"
        case .int, .long, .real, .datetime, .dynamic, .string: name
        case .decimal, .guid, .timespan: "string"
        }
    }
}
