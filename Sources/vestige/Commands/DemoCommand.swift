import ArgumentParser
import Azure
import Forensics
import Foundation
import KQLEngine
import Lab
import Logging
import Pipeline
import ServiceLifecycle
import Tables
import Workbench
import Workspace

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The whole thing with a simulated tenant: collects a week of its life and shows it in a browser.",
        discussion: "Needs no account and no configuration. Everything stays on this machine.")

    @Option(help: "IT devices.") var devices = 2_000
    @Option(help: "OT devices.") var otDevices = 300
    @Option(help: "The same seed gives the same world.") var seed: UInt64 = 1
    @Option(help: "Days of history.") var days = 7
    @Option(help: "The workspace; it is made anew.") var workspace = "demo.vestige"
    @Option(help: "Address and port of the workbench.") var listen = "127.0.0.1:8321"
    @Option(
        help: ArgumentHelp(
            "What happens in the tenant and the plant: names between commas (vestige lab list), or none.",
            valueName: "names"))
    var scenario = "vendor-access,stopped-attempt"
    @Flag(help: "Collect, then end.") var noServe = false
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        guard (1...60).contains(days), (1...200_000).contains(devices), (1...20_000).contains(otDevices) else {
            throw ValidationError("--days is 1 to 60, --devices 1 to 200000, --ot-devices 1 to 20000")
        }
    }

    func run() async throws {
        let console = talk.console
        let logger = Logs.make(console, level: .warning)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: workspace + suffix) }
        var options = LabOptions()
        (options.devices, options.otDevices, options.seed, options.startDaysAgo) = (devices, otDevices, seed, days - 1)
        (options.port, options.sensorPort) = (0, 0)
        options.scenarios = try LabScenarios.named(scenario, in: try Session.content(Configuration()).0)
        let lab = try await Lab(options)
        let ports = AsyncStream.makeStream(of: (Bool, Int).self)
        let labServices = try lab.services(
            logger: logger, onCloud: { ports.continuation.yield((true, $0)) },
            onSensor: { ports.continuation.yield((false, $0)) })
        let labGroup = ServiceGroup(
            configuration: .init(services: labServices.map { .init(service: $0) }, logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await labGroup.run() }
            var cloud: Int?
            var sensor: Int?
            for await (isCloud, port) in ports.stream {
                if isCloud { cloud = port } else { sensor = port }
                if cloud != nil, sensor != nil { break }
            }
            try await collectAndServe(lab, cloud ?? 0, sensor ?? 0, console, logger)
            await labGroup.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func collectAndServe(_ lab: Lab, _ cloud: Int, _ sensor: Int, _ console: Console, _ logger: Logger)
        async throws
    {
        console.say(
            "simulated tenant with \(Human.count(devices)) devices, simulated plant with \(Human.count(otDevices))")
        let certificate = FileManager.default.temporaryDirectory.appendingPathComponent(
            "vestige-lab-\(UUID().uuidString.prefix(8)).pem"
        ).path
        try lab.sensorCertificate.write(toFile: certificate, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: certificate) }
        var configuration = configuration(lab, cloud, sensor, certificate)
        let library = try Session.content(configuration).0
        let rules = try LabConfiguration.declareRules(of: library, to: lab)
        // Without a scenario the events of devices are noise that nobody looks at.
        if !lab.options.scenarios.isEmpty {
            configuration.investigation.sources = library.sources.filter { $0.window != nil }.map(\.id)
        }
        configuration.sinks = [LabConfiguration.sink(rules, endpoint: "http://127.0.0.1:\(cloud)")]
        let session = try Session.open(configuration, console: console, for: .writing)
        let connections = try await Connections.open(
            session.configuration, library: session.library, only: [], environment: [:], logger: logger)
        let clock = lab.clock
        let collector = Collector(workspace: session.workspace, library: session.library, sinks: connections.sinks) {
            clock.now
        }
        let started = ContinuousClock.now
        for day in 1...days {
            if day > 1 { clock.advance(days: 1) }
            let progress = CollectProgressLine(console)
            let report = await collector.run(connections.endpoints) { progress.show($0) }
            progress.clear()
            let read = report.sources.reduce(0) { $0 + $1.counts.read }
            let kept = report.sources.reduce(0) { $0 + $1.counts.kept }
            console.say(
                "day \(day) of \(days)  \(Human.count(read)) rows read, \(Human.count(kept)) new or changed, \(Human.count(report.sinks.reduce(0) { $0 + $1.rows })) sent to the simulated Sentinel"
            )
            for failure in report.failures { console.fail(failure.rendered) }
            if !report.failures.isEmpty { throw ExitCode(1) }
        }
        let waiting = try session.workspace.outboxSizes().values.reduce(0) { $0 + $1.rows }
        console.say(
            waiting == 0
                ? "the simulated Sentinel has taken everything by \(rules.count) data collection rules; nothing waits"
                : "\(Human.count(waiting)) rows wait for the simulated Sentinel")
        console.say(
            "collected in \(Human.seconds((ContinuousClock.now - started).seconds)); the workspace \(workspace) has \(Human.bytes(session.workspace.sizeBytes))"
        )
        defer { Task { await connections.close() } }
        if !lab.options.scenarios.isEmpty { try investigate(session, console) }
        if noServe { return }
        let server = WorkbenchServer(
            try ServeCommand.address(listen), workspace: session.workspace, library: session.library)
        let file = workspace
        let service = server.service(logger: logger) { port in
            console.say("\nopen   http://127.0.0.1:\(port)/")
            if !scenario.isEmpty, scenario != "none" {
                console.say("see    http://127.0.0.1:\(port)/investigations")
            }
            console.say(
                "ask    vestige query --workspace \(file) 'AgentHealthStatusWindows | summarize count() by RealtimeProtection'"
            )
            console.say("stop   Ctrl-C")
        }
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: service), .init(service: server.queryEnd)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }

    /// Ends with what an investigation finds in what was collected.
    private func investigate(_ session: Session, _ console: Console) throws {
        let started = ContinuousClock.now
        let result = try InvestigateCommand.investigate(session, session.provider(), InvestigationScope())
        console.say(DemoInvestigation.text(result, seconds: (ContinuousClock.now - started).seconds))
        console.say("  all of it         vestige investigate --workspace \(workspace)")
    }

    private func configuration(_ lab: Lab, _ cloud: Int, _ sensor: Int, _ certificate: String) -> Configuration {
        let identity = lab.options.identity
        let tenant = "http://127.0.0.1:\(cloud)"
        var configuration = Configuration()
        configuration.workspace = workspace
        configuration.tenant = TenantConfiguration(
            tenantID: identity.tenant, clientID: identity.client, identity: .secret(.value(Secret(identity.secret))))
        configuration.tenant?.loginHost = tenant
        configuration.tenant?.graphHost = tenant
        configuration.tenant?.endpointHost = tenant
        configuration.sensors = [
            SensorConfiguration(
                name: "plant", host: "https://127.0.0.1:\(sensor)", token: .value(Secret(identity.sensorToken)),
                trust: .certificate(file: certificate, checksHost: true))
        ]
        configuration.tenant?.managementHost = tenant
        configuration.tenant?.subscriptions = []
        configuration.feeds = [
            "cisa-kev": "\(tenant)/feeds/known_exploited_vulnerabilities.json",
            "first-epss": "\(tenant)/feeds/epss_scores-current.csv.gz",
            "nvd-modified": "\(tenant)/feeds/nvdcve-2.0-modified.json.gz",
            "msrc-updates": "\(tenant)/feeds/cvrf/2026-Feb",
        ]
        return configuration
    }
}
