import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Tables
import Workspace

/// Checks, before anything is collected, what collecting will need: addresses, clocks, tokens, permissions, lists,
/// sinks, certificates.
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
        for source in chosen where source.service == .web {
            if let finding = await PublicListCheck(client: client).run(source, configuration) { add([finding]) }
        }
        for sink in configuration.sinks { add(await check(sink, tokens)) }
        await client.shutdown()
        return findings
    }

    private func check(_ sink: SinkConfiguration, _ tokens: [String: TokenCache]) async -> [Finding] {
        let owner = configuration.tenants.first { $0.name == sink.tenant } ?? configuration.tenant
        let tables = configuration.tables(of: library)
        let context = SinkContext(
            name: sink.name, library: library, tables: tables, owner: owner,
            tokens: owner.flatMap { tokens[$0.name] }, client: client, environment: environment, write: { _ in })
        // A plan that cannot be made is among the configuration's mistakes.
        guard let plan = try? sink.kind.plan(library) else { return [] }
        var findings = await sink.kind.check(context)
        let unsent = plan.unsent(of: tables.map(\.name))
        if !unsent.isEmpty {
            findings.append(
                Finding(
                    "sink \(sink.name)", "tables", .ok,
                    "not sent, by decision, since no rule names them: \(unsent.joined(separator: ", "))"))
        }
        return findings
    }

    private func local() -> [Finding] {
        var findings = configuration.mistakes(in: library).map { Finding("configuration", "names", $0) }
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
            client: AuthorizedClient(
                client: client, tokens: tokens, audience: audience,
                addresses: [tenant.managementHost ?? audience]),
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
}
