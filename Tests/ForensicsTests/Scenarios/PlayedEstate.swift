import Azure
import Content
import Forensics
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Workspace

/// What a lab's scenario brought into a workspace through collect, over real HTTP.
struct PlayedEstate {
    let scenario: ScenarioDefinition
    let workspace: Workspace
    let library: ContentLibrary

    /// Noon of the lab's last day.
    static let standing =
        Int64(DateTime.days(year: 2026, month: 9, day: 18)) * DateTime.ticksPerDay + DateTime.ticksPerDay / 2
    /// The lab's days before; the sensor's timeline goes back three, so that it is asked every other day.
    static let days = 6

    static let states = [
        "mde-devices", "mde-machines", "mde-secure-configuration", "mde-software-vulnerabilities",
        "mde-alerts", "mde-antivirus-health", "mde-baselines", "cisa-kev", "iot-devices", "iot-events", "iot-alerts",
    ]

    /// Plays a scenario for some days, collecting on the way.
    ///
    /// - Parameter events: whether the events of devices are collected too.
    static func play<R: Sendable>(
        _ id: String, events: Bool = true, _ body: @Sendable (PlayedEstate, RunningLab) async throws -> R
    ) async throws -> R {
        let library = Repository.library()
        guard let definition = library.scenarios.first(where: { $0.id == id }) else {
            preconditionFailure("there is no scenario \(id)")
        }
        let scenario = try Repository.scenario(id)
        return try await RunningLab.use(
            devices: 6, otDevices: 6, standing: standing,
            configure: { options in (options.startDaysAgo, options.scenarios) = (days, [scenario]) },
            { lab in
                var configuration = lab.configuration
                configuration.sinks = []
                let workspace = try Workspace(path: configuration.workspace)
                for table in library.tables.values { try workspace.declare(table.name, table.schema) }
                let sources = states + (events ? library.sources.filter { $0.window != nil }.map(\.id) : [])
                var logger = Logger(label: "test")
                logger.logLevel = .critical
                let connections = try await Connections.open(
                    configuration, library: library, only: sources, environment: [:], logger: logger)
                let clock = lab.lab.clock
                let collector = Collector(workspace: workspace, library: library, sinks: []) { clock.now }
                for day in stride(from: 0, through: days, by: 2) {
                    if day > 0 { clock.advance(days: 2) }
                    let report = await collector.run(connections.endpoints)
                    if let failure = report.failures.first { throw failure }
                }
                await connections.close()
                return try await body(
                    PlayedEstate(scenario: definition, workspace: workspace, library: library), lab)
            })
    }

    func provider() throws -> WorkspaceProvider {
        try WorkspaceProvider(
            workspace, functions: library.functionDeclarations, notes: library.notes, others: library.watchlistTables,
            declared: library.tables.mapValues(\.schema))
    }

    func investigate(_ scope: InvestigationScope = InvestigationScope()) throws -> Forensics.Investigation {
        try Investigator(provider: provider(), library: library).run(scope)
    }

    /// The scenario's name of a device that an investigation names.
    func short(_ result: Forensics.Investigation, _ device: String) -> String {
        let name = String(result.name(device).prefix { $0 != "." })
        return scenario.names.first { $0.value.lowercased() == name.lowercased() }?.key ?? name
    }
}
