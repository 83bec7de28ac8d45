import ArgumentParser
import Content
import Foundation
import Lab
import Logging
import Pipeline
import ServiceLifecycle
import Tables

struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "A simulated tenant and plant over real HTTP, for trying things out.",
        subcommands: [Serve.self, List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the scenarios that the lab can play.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let library = try Session.content(try options.configuration()).0
            options.console.warn(leftOut: library.scenarioProblems)
            var table = TextTable(["scenario", "ends as", "what happens"], numbers: [false, false, false])
            for one in library.scenarios { table.append([one.id, one.truth.verdict, one.title]) }
            Console.out(table.rendered(width: Console.outputWidth))
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "serve", abstract: "Starts the simulated tenant and the simulated OT sensor.",
            discussion: """
                vestige lab serve --devices 200 --ot-devices 50 --seed 7
                vestige lab serve --scenario macro-to-ransomware --start-days-ago 4
                Writes a configuration for it with --write-config, so that: vestige collect --once --config lab.yaml
                """)

        @Option(help: "IT devices.") var devices = 2_000
        @Option(help: "OT devices.") var otDevices = 300
        @Option(help: "The same seed gives the same world.") var seed: UInt64 = 1
        @Option(help: "Port of the tenant; 0 for any free one.") var port = 8_331
        @Option(help: "Port of the sensor (TLS); 0 for any free one.") var sensorPort = 8_332
        @Option(
            help:
                "A second port of the tenant, over TLS with the sensor's certificate, for clients that insist on it; 0 for any free one."
        )
        var tlsPort: Int?
        @Option(help: "Days that the lab's clock starts in the past; POST /lab/clock/advance?days=1 moves it.")
        var startDaysAgo = 0
        @Option(help: "Seconds that a token lives.") var tokenLifetime = 3_599
        @Flag(help: "Hunting answers as the page documents them, without the marks that tenants receive.")
        var documentedHunting = false
        @Option(
            help: ArgumentHelp("Write a configuration and the sensor's certificate for this lab.", valueName: "file"))
        var writeConfig: String?
        @Option(
            help: ArgumentHelp(
                "What happens in the tenant and the plant, ending today: names between commas (vestige lab list).",
                valueName: "names"))
        var scenario = ""
        @OptionGroup var talk: TalkOptions

        func validate() throws {
            guard (0...1_000_000).contains(devices), (1...100_000).contains(otDevices) else {
                throw ValidationError("--devices is at most 1000000, --ot-devices between 1 and 100000")
            }
        }

        func run() async throws {
            var options = LabOptions()
            options.devices = devices
            options.otDevices = otDevices
            options.seed = seed
            options.port = port
            options.sensorPort = sensorPort
            options.tlsPort = tlsPort
            options.startDaysAgo = startDaysAgo
            options.tokenLifetimeSeconds = tokenLifetime
            options.huntingForm = documentedHunting ? .documented : .captured
            let library = try Session.content(Configuration()).0
            options.scenarios = try LabScenarios.named(scenario, in: library)
            let lab = try await Lab(options)
            let rules = try LabConfiguration.declareRules(of: library, to: lab)
            let logger = Logs.make(talk.console, level: .warning)
            let console = talk.console
            let ports = AsyncStream.makeStream(of: (Bool, Int).self)
            let services = try lab.services(
                logger: logger, onCloud: { ports.continuation.yield((true, $0)) },
                onSensor: { ports.continuation.yield((false, $0)) },
                onTLS: { console.say("tenant  https://127.0.0.1:\($0)  the sensor's certificate") })
            let group = ServiceGroup(
                configuration: .init(
                    services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                tasks.addTask {
                    var cloud: Int?
                    var sensor: Int?
                    for await (isCloud, port) in ports.stream {
                        if isCloud { cloud = port } else { sensor = port }
                        guard let cloud, let sensor else { continue }
                        if let writeConfig {
                            try LabConfiguration.write(
                                writeConfig, lab: lab, rules: rules, cloudPort: cloud, sensorPort: sensor)
                        }
                        console.say("tenant  http://127.0.0.1:\(cloud)   \(devices) devices, seed \(seed)")
                        console.say(
                            "sensor  https://127.0.0.1:\(sensor)  \(otDevices) devices, self-signed certificate")
                        if let writeConfig { console.say("config  \(writeConfig)") }
                        return
                    }
                }
                try await tasks.next()
                try await tasks.next()
            }
        }
    }
}

/// A configuration that collects from a lab.
enum LabConfiguration {
    /// A data collection rule of the lab, and the group of tables that goes by it.
    struct Rule: Sendable {
        let group: String
        let id: String

        /// The rule's address in the lab's Azure Resource Manager.
        var resource: String {
            "/subscriptions/lab/resourceGroups/lab/providers/Microsoft.Insights/dataCollectionRules/\(group)"
        }
    }

    /// Makes a data collection rule in the lab for each group of tables, and one for those that nobody sends by
    /// default.
    ///
    /// - Returns: the rules of the groups, the one with the most tables first.
    static func declareRules(of library: ContentLibrary, to lab: Lab) throws -> [Rule] {
        func streams(_ tables: [String]) -> [String: [String: String]] {
            Dictionary(tables.compactMap { library.tables[$0]?.sent }.map { ($0.stream, $0.declaration) }) { one, _ in
                one
            }
        }
        lab.declare(clusterTables: Set(library.tables.keys))
        let groups = library.ruleGroups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let rules = try groups.enumerated().map { i, group in
            let id = i == 0 ? lab.options.identity.dataCollectionRule : nil
            return Rule(group: group.key, id: try lab.declare(rule: group.key, id: id, streams: streams(group.value)))
        }
        let others = library.tables.values.filter { $0.rule == nil }.map(\.name).sorted()
        for start in stride(from: 0, to: others.count, by: LogAnalytics.streamsPerRule) {
            let part = others[start..<min(others.count, start + LogAnalytics.streamsPerRule)]
            try lab.declare(rule: "others-\(start / LogAnalytics.streamsPerRule + 1)", streams: streams(Array(part)))
        }
        return rules
    }

    /// A sink that sends every group of tables to its rule.
    static func sink(_ rules: [Rule], endpoint: String) -> SinkConfiguration {
        SinkConfiguration(
            name: "sentinel",
            kind: LogsIngestionConfiguration(
                rules: rules.map {
                    LogsIngestionConfiguration.Rule(
                        endpoint: endpoint, rule: $0.id, tables: [$0.group], ruleResource: $0.resource,
                        managementHost: endpoint)
                }))
    }

    static func write(_ file: String, lab: Lab, rules: [Rule], cloudPort: Int, sensorPort: Int) throws {
        let identity = lab.options.identity
        let folder = (file as NSString).deletingLastPathComponent
        func path(_ name: String) -> String { folder.isEmpty ? name : folder + "/" + name }
        let certificate = path("lab-sensor.pem")
        let secret = path("lab-client-secret")
        let token = path("lab-sensor-token")
        let list = rules.map {
            "      - {rule: \($0.id), tables: \($0.group), ruleResource: \"\($0.resource)\"}"
        }.joined(separator: "\n")
        let text = """
            # A simulated tenant and sensor. The secrets are the lab's own and open nothing else.
            workspace: \(path("lab.vestige"))
            tenant:
              tenantId: \(identity.tenant)
              clientId: \(identity.client)
              clientSecret: file:\(secret)
              loginHost: http://127.0.0.1:\(cloudPort)
              graphHost: http://127.0.0.1:\(cloudPort)
              endpointHost: http://127.0.0.1:\(cloudPort)
              managementHost: http://127.0.0.1:\(cloudPort)
              subscriptions: [all]
            feeds:
              cisa-kev: http://127.0.0.1:\(cloudPort)/feeds/known_exploited_vulnerabilities.json
              first-epss: http://127.0.0.1:\(cloudPort)/feeds/epss_scores-current.csv.gz
              nvd-modified: http://127.0.0.1:\(cloudPort)/feeds/nvdcve-2.0-modified.json.gz
              msrc-updates: http://127.0.0.1:\(cloudPort)/feeds/cvrf/2026-Feb
            sensors:
              - name: plant
                host: https://127.0.0.1:\(sensorPort)
                token: file:\(token)
                certificate: \(certificate)
            # A management console over the same plant; its alerts are the sensor's over again.
            # managers:
            #   - {name: console, host: "https://127.0.0.1:\(sensorPort)", token: "file:\(token)", certificate: "\(certificate)"}
            sinks:
              - name: sentinel
                kind: logs-ingestion
                endpoint: http://127.0.0.1:\(cloudPort)
                rules:
            \(list)

            """
        try lab.sensorCertificate.write(toFile: certificate, atomically: true, encoding: .utf8)
        for (file, text) in [(secret, identity.secret), (token, identity.sensorToken)] {
            // A secret's file is its owner's alone from the start.
            try? FileManager.default.removeItem(atPath: file)
            guard
                FileManager.default.createFile(
                    atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else {
                throw OperatorError("the file \(file) cannot be written", next: "check the folder and its permissions")
            }
        }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}
