import Azure
import Foundation
import Logging
import Pipeline
import Tables
import TestKit
import Testing

/// Every way to come by tokens, against the lab's Entra, metadata service, App Service, Arc agent and Key Vault.
@Suite(.serialized) struct IdentityTests {
    private static let graph = "https://graph.microsoft.com"

    private func client() throws -> ServiceClient {
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (2, 0.02)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ServiceClient(retry: retry, logger: logger)
    }

    /// The roles in a token that the lab gave for this identity.
    private func roles(
        _ lab: RunningLab, _ identity: IdentityConfiguration, environment: [String: String] = [:],
        audience: String = Self.graph
    ) async throws -> Set<String>? {
        let client = try client()
        defer { Task { await client.shutdown() } }
        var tenant = try #require(lab.configuration.tenant)
        tenant.identity = identity
        return try await tenant.tokens(client: client, environment: environment).roles(for: audience)
    }

    private func failure(_ body: () async throws -> Set<String>?) async -> String {
        do { return "it worked: \(String(describing: try await body()))" } catch {
            return OperatorError(error, title: "test").rendered
        }
    }

    @Test func aCertificateSignsIn() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let pem = try await lab.lab.makeClientCertificate()
            let found1 = try await roles(lab, .certificate(.value(Secret(pem))))
            #expect(found1?.contains("ThreatHunting.Read.All") == true)
            let stranger = try await lab.lab.makeClientCertificate(uploads: false)
            let text = await failure { try await roles(lab, .certificate(.value(Secret(stranger)))) }
            let thumbprint = try await ClientCertificate(pem: stranger).portalThumbprint
            #expect(text.contains("AADSTS700027") && text.contains("thumbprint there must be \(thumbprint)"), "\(text)")
            #expect(
                await failure { try await roles(lab, .certificate(.value(Secret("no pem")))) }.contains(
                    "BEGIN CERTIFICATE"))
        }
    }

    @Test func aFederatedTokenSignsInAndIsReadAnew() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let file = lab.folder + "/token"
            try FolderWriter.write("old-and-worthless", to: file)
            let worthless = await failure { try await roles(lab, .federated(tokenFile: file)) }
            #expect(worthless.contains("AADSTS50027"), "\(worthless)")
            try FolderWriter.write(try await lab.lab.federatedToken(), to: file)
            let found2 = try await roles(lab, .federated(tokenFile: file))
            #expect(found2?.isEmpty == false)
            try FolderWriter.write(try await lab.lab.federatedToken(audience: "api://somebody-else"), to: file)
            #expect(
                await failure { try await roles(lab, .federated(tokenFile: file)) }.contains(
                    "compare issuer, subject and audience"))
            #expect(
                await failure { try await roles(lab, .federated(tokenFile: lab.folder + "/none")) }.contains(
                    "missing or empty"))
        }
    }

    @Test func managedIdentitiesOfThreeHosts() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let machine = ["AZURE_POD_IDENTITY_AUTHORITY_HOST": lab.cloud]
            let found3 = try await roles(lab, .managed(clientID: nil), environment: machine)
            #expect(found3?.contains("ThreatHunting.Read.All") == true)
            let app = [
                "IDENTITY_ENDPOINT": lab.cloud + "/msi/token", "IDENTITY_HEADER": lab.lab.options.identity.appHeader,
            ]
            let found4 = try await roles(lab, .managed(clientID: "some-user-assigned"), environment: app)
            #expect(found4?.isEmpty == false)
            let text = await failure {
                try await roles(lab, .managed(clientID: nil), environment: machine, audience: "https://nobody.example")
            }
            #expect(text.contains("AADSTS50001") && text.contains("assign a managed identity"), "\(text)")
        }
    }

    /// The agent names a file; only one of its own folder is read and shown to it.
    @Test func theArcAgentMayNotAskForAnyFile() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let folder = lab.folder + "/tokens"
            try FolderWriter.write("proof-of-file", to: folder + "/a.key")
            lab.lab.startArcAgent(keyFile: folder + "/a.key")
            let client = try client()
            let own = ManagedIdentity(
                client: client, host: .arc(endpoint: lab.cloud + "/arc/token", tokenFolder: folder), clientID: nil)
            #expect(
                try await TokenCache(client: client, source: .managedIdentity(own)).roles(for: Self.graph)?.isEmpty
                    == false)
            let other = ManagedIdentity(
                client: client, host: .arc(endpoint: lab.cloud + "/arc/token", tokenFolder: lab.folder), clientID: nil)
            await #expect(throws: ServiceError.self) {
                try await TokenCache(client: client, source: .managedIdentity(other)).token(for: Self.graph)
            }
            await client.shutdown()
        }
    }

    @Test func aSecretComesFromKeyVault() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let machine = ["AZURE_POD_IDENTITY_AUTHORITY_HOST": lab.cloud]
            let found5 = try await roles(
                lab, .secret(.keyVault(try KeyVaultAddress(lab.cloud + "/secrets/client"))), environment: machine)
            #expect(found5?.isEmpty == false)
            let text = await failure {
                try await roles(
                    lab, .secret(.keyVault(try KeyVaultAddress(lab.cloud + "/secrets/none"))), environment: machine)
            }
            #expect(text.contains("SecretNotFound") && text.contains("check the secret's name"), "\(text)")
        }
    }

    @Test func aSecretThatOthersMayReadIsRefused() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let file = lab.folder + "/secret"
            try FolderWriter.write(lab.lab.options.identity.secret, to: file)
            let found6 = try await roles(lab, .secret(.file(file)))
            #expect(found6?.isEmpty == false)
            for mode in [0o640, 0o604] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                let text = await failure { try await roles(lab, .secret(.file(file))) }
                #expect(
                    text.contains("chmod 600 \(file)") && !text.contains(lab.lab.options.identity.secret), "\(text)")
            }
        }
    }

    /// Many calls that need a token at once make one request for it.
    @Test func oneRefreshAtATime() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let client = try client()
            let tenant = try #require(lab.configuration.tenant)
            let cache = try await tenant.tokens(client: client, environment: [:])
            let texts = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await cache.token(for: Self.graph).text } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(texts.count == 1)
            await client.shutdown()
        }
    }

    @Test(arguments: NationalCloud.allCases) func oneWordNamesACloud(_ cloud: NationalCloud) async throws {
        let file = try TemporaryFolder.make() + "/vestige.yaml"
        defer { TemporaryFolder.remove((file as NSString).deletingLastPathComponent) }
        try FolderWriter.write(
            "tenant: {tenantId: t, clientId: c, clientSecret: \"env:S\", cloud: \(cloud.rawValue)}\n", to: file)
        let tenant = try #require(try Configuration.load(file: file, environment: [:]).tenant)
        #expect(tenant.loginHost == cloud.hosts.login && tenant.endpointHost == cloud.hosts.endpoint)
        #expect((tenant.endpointHost == nil) == (cloud == .china))
    }

    @Test(arguments: [
        ("tenant: {tenantId: t, clientId: c}", "not 0"),
        ("tenant: {tenantId: t, clientId: c, clientSecret: \"env:S\", managedIdentity: system}", "not 2"),
        ("tenant: {tenantId: t, clientId: c, clientSecret: \"env:S\", cloud: mars}", "'cloud' must be global"),
        ("tenants: [{tenantId: t, clientId: c, clientSecret: \"env:S\"}]", "needs a 'name'"),
        (
            "tenants: [{name: a, tenantId: t, clientId: c, clientSecret: \"env:S\"}, {name: a, tenantId: t, clientId: c, clientSecret: \"env:S\"}]",
            "same name"
        ),
        (
            "tenant: {managedIdentity: system}\nsinks: [{name: s, kind: logs-ingestion, endpoint: \"https://e\", rule: r, tenant: x}]",
            "names the tenant \"x\""
        ),
    ]) func aMistakeInTheTenantIsTold(_ yaml: String, _ message: String) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(yaml + "\n", to: folder + "/vestige.yaml")
        do {
            _ = try Configuration.load(file: folder + "/vestige.yaml", environment: [:])
            Issue.record("it was accepted")
        } catch let error as OperatorError { #expect(error.rendered.contains(message), "\(error.rendered)") }
    }
}

/// `vestige doctor` over the lab: everything there, then one thing after the other missing.
@Suite(.serialized) struct DoctorTests {
    private func findings(_ configuration: Configuration) async throws -> [Finding] {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return await (try await Doctor(configuration, library: Repository.library(), environment: [:], logger: logger))
            .run()
    }

    private func configuration(_ lab: RunningLab) -> Configuration {
        var configuration = lab.configuration
        var rules = lab.rules
        for i in rules.indices {
            let name = rules[i].tables?.first ?? "none"
            rules[i].ruleResource =
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/dataCollectionRules/\(name)"
        }
        configuration.sinks[0].kind = LogsIngestionConfiguration(rules: rules)
        // Where Azure Resource Manager is, is said once.
        configuration.tenant?.managementHost = lab.cloud
        return configuration
    }

    @Test func nothingIsMissing() async throws {
        try await RunningLab.use(devices: 5) { lab in
            lab.declareStreams(Repository.library())
            var configuration = configuration(lab)
            configuration.managers = [configuration.sensors[0]]
            configuration.managers[0].name = "console"
            configuration.tenant?.managementHost = lab.cloud
            configuration.tenant?.subscriptions = []
            let found = try await findings(configuration)
            #expect(found.filter { $0.outcome != .ok }.map { "\($0.subject): \($0.check): \($0.detail)" } == [])
            for check in [
                "storage", "sign-in", "clock", "permission ThreatHunting.Read.All", "certificate and token",
                "stream Custom-DeviceInfo_CL",
                "columns of Custom-DeviceInfo_CL", "streams", "address", "Azure Resource Graph",
                "stream Custom-VestigeHealth_CL",
            ] {
                #expect(found.contains { $0.check == check }, "\(check)")
            }
            #expect(found.contains { $0.subject == "management console console" })
            // What runs on demand only needs no permission until somebody demands it.
            #expect(!found.contains { $0.check == "permission User.Read.All" })
            configuration.investigation.sources = ["mde-logon-users"]
            #expect(try await findings(configuration).contains { $0.check == "permission User.Read.All" })
        }
    }

    @Test func whatIsMissingIsNamedWithWhatToGrant() async throws {
        try await RunningLab.use(devices: 5) { lab in
            try lab.lab.declare(
                rule: "posture", id: "dcr-posture",
                streams: ["Custom-DeviceInfo_CL": ["TimeGenerated": "datetime", "DeviceId": "long"]])
            _ = try await lab.control("POST", "/lab/roles/withhold", "[\"Machine.Read.All\"]")
            var broken = configuration(lab)
            broken.sensors[0].token = .value(Secret("wrong"))
            let failed = try await findings(broken).filter { $0.outcome == .failed }
            let role = try #require(failed.first { $0.check == "permission Machine.Read.All" })
            #expect(role.next?.contains("WindowsDefenderATP, Application permissions, Machine.Read.All") == true)
            #expect(
                failed.contains {
                    $0.check == "certificate and token" && $0.detail.contains("does not accept the access token")
                })
            let columns = try #require(failed.first { $0.check == "columns of Custom-DeviceInfo_CL" })
            #expect(
                columns.detail.contains("OSPlatform: string") && columns.detail.contains("DeviceId should be string"))
            #expect(failed.contains { $0.check == "stream Custom-MDEMachines_CL" })
        }
    }
}
