import Azure
import Content
import Logging
import Pipeline
import Tables
import TestKit
import Testing

/// Configurations without a tenant or a sensor: public lists alone are something to collect.
@Suite(.serialized) struct ListsOnlyTests {
    private static func configuration(_ lab: RunningLab, _ yaml: String) throws -> Configuration {
        try FolderWriter.write(yaml, to: lab.folder + "/vestige.yaml")
        return try Configuration.load(file: lab.folder + "/vestige.yaml", environment: [:])
    }

    private static func findings(_ configuration: Configuration) async throws -> [Finding] {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let doctor = try await Doctor(
            configuration, library: Repository.library(), environment: [:], logger: logger)
        return await doctor.run()
    }

    @Test(arguments: ["sources: [cisa-kev]\n", "", "sources: [cisa-kev, mde-alerts]\n"])
    func aListAloneIsCollected(_ sources: String) async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let configuration = try Self.configuration(
                lab,
                """
                workspace: \(lab.folder)/lists.vestige
                \(sources)feeds:
                  cisa-kev: \(lab.cloud)/feeds/known_exploited_vulnerabilities.json
                  first-epss: off
                  nvd-modified: off
                  msrc-updates: off

                """)
            let only = sources.isEmpty ? ["cisa-kev"] : []
            let rig = try await Rig(lab, configuration, only: only)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(try rig.query("KnownExploitedVulnerabilities_CL | count")[0][0].longValue ?? 0 > 0)
            #expect(try await !Self.findings(configuration).contains { $0.subject == "configuration" })
        }
    }

    @Test(arguments: ["", "feeds: {cisa-kev: off}\nsources: [cisa-kev]\n", "sources: [mde-alerts]\n"])
    func nothingToCollectIsAnErrorEverywhere(_ yaml: String) async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let configuration = try Self.configuration(lab, "workspace: \(lab.folder)/none.vestige\n" + yaml)
            do {
                _ = try await Rig(lab, configuration)
                Issue.record("there is nothing to collect from")
            } catch let error as OperatorError {
                #expect(error.isConfiguration && error.title.contains("nothing to collect from"))
            }
            #expect(
                try await Self.findings(configuration).contains {
                    $0.subject == "configuration" && $0.outcome == .failed
                })
        }
    }

    @Test func aListThatMovedIsFollowed() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let target = lab.cloud + "/feeds/known_exploited_vulnerabilities.json"
            try await WireServer.use { _, _ in
                .answer(301, headers: [("Location", target)])
            } _: { server in
                var configuration = Configuration()
                configuration.workspace = lab.folder + "/moved.vestige"
                configuration.sources = ["cisa-kev"]
                configuration.feeds = ["cisa-kev": server.address + "/kev.json"]
                let rig = try await Rig(lab, configuration)
                #expect((await rig.run()).failures.map(\.rendered) == [])
                #expect(try rig.query("KnownExploitedVulnerabilities_CL | count")[0][0].longValue ?? 0 > 0)
            }
        }
    }

    @Test func everythingGoesThroughTheConfiguredProxyButWhatIsExcepted() async throws {
        try await RunningLab.use(devices: 5, otDevices: 3) { lab in
            let port = Int(lab.cloud.split(separator: ":").last ?? "") ?? 0
            try await WireServer.use { _, _ in
                .tunnel(host: "127.0.0.1", port: port)
            } _: { proxy in
                var server = ProxyConfiguration(proxy: try Proxy(proxy.address))
                server.includesLoopback = true
                var configuration = lab.configuration
                configuration.sinks = []
                configuration.proxy = .server(server)
                configuration.sensors[0].proxy = .direct
                let rig = try await Rig(lab, configuration, only: ["mde-machines", "iot-devices"])
                #expect((await rig.run()).failures.map(\.rendered) == [])
                // Neither the sensor nor a token was seen there.
                #expect(!proxy.requests.isEmpty)
                #expect(
                    proxy.requests.allSatisfy { $0.target == "127.0.0.1:\(port)" && $0.header("Authorization") == nil })
                // A tenant may go a way of its own.
                let before = proxy.requests.count
                configuration.workspace += "2"
                configuration.tenant?.proxy = .direct
                let direct = try await Rig(lab, configuration, only: ["mde-machines"])
                #expect((await direct.run()).failures.map(\.rendered) == [])
                #expect(proxy.requests.count == before)
            }
        }
    }

    @Test(arguments: [
        ("proxy: http://user:pass@proxy.example:3128\n", "must not hold a password"),
        ("proxy: {address: proxy.example:3128, user: u, password: hunter2}\n", "not the secret itself"),
        ("proxy: https://proxy.example\n", "not supported"),
        ("proxy: {address: proxy.example:3128, exept: [a]}\n", "exept"),
    ])
    func aProxyThatCannotBeUsedIsRefused(_ yaml: String, _ words: String) async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            do {
                _ = try Self.configuration(lab, yaml)
                Issue.record("\(yaml) was taken")
            } catch let error as OperatorError {
                #expect(error.isConfiguration && error.rendered.contains(words), "\(error.rendered)")
                #expect(!error.rendered.contains("hunter2") && !error.rendered.contains("user:pass"))
            }
        }
    }
}
