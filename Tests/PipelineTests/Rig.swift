import Azure
import Content
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Workspace

/// A collector over a running lab.
struct Rig {
    let workspace: Workspace
    let library: ContentLibrary
    let connections: Connections
    let collector: Collector

    init(
        _ lab: RunningLab, _ configuration: Configuration? = nil, only: [String] = [],
        library: ContentLibrary = Repository.library(),
        choice: SourceEndpoint.Choice? = nil
    ) async throws {
        let configuration = configuration ?? lab.configuration
        self.library = library
        lab.declareStreams(library)
        workspace = try Workspace(path: configuration.workspace)
        for table in library.tables.values { try workspace.declare(table.name, table.schema) }
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (3, 0.05)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        connections = try await Connections.open(
            configuration, library: library, only: only, environment: [:], choice: choice, retry: retry, logger: logger)
        let clock = lab.lab.clock
        collector = Collector(
            workspace: workspace, library: library, sinks: connections.sinks, keyframeDays: configuration.keyframeDays
        ) { clock.now }
    }

    func run() async -> CollectReport { await collector.run(connections.endpoints) }

    func query(_ text: String) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: library.functionDeclarations)).run(text).primary
            .rows()
    }
}
