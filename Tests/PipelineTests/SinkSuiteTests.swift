import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Pipeline
import Synchronization
import Tables
import TestKit
import Testing
import Workspace

/// What every kind of sink does: it sends rows, says when it is refused, tries again, and acknowledges only what was
/// taken.
///
/// A kind that is added needs its arrangement here; a test fails until it has one.
@Suite(.serialized) struct SinkSuiteTests {
    /// One kind in a test's surroundings.
    private struct Arrangement {
        let kind: any SinkKind
        /// The rows that arrived, of a table that is called `Things` in the workspace.
        let arrived: () async throws -> [Bag]
        /// Makes the place refuse what comes next; nil for one that cannot.
        let refuse: (() async throws -> Void)?
        let relent: () async throws -> Void
    }

    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("SourceName", .string), ("RowId", .string), ("Title", .string),
        ("Bag", .dynamic),
    ])

    private static func batch(_ rows: Range<Int>) -> Batch {
        Batch(
            schema: schema,
            rows: rows.map {
                [
                    .datetime(638_000_000_000_000_000 + Int64($0)), .string("s"), .string("id\($0)"),
                    .string("ü \"\($0)\"\n"), .bag(Bag([("k", .array([.long(Int64($0)), .null]))])),
                ]
            })
    }

    private static func lines(_ folder: String) throws -> [Bag] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().flatMap { file in
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file))
            return try [UInt8](data).split(separator: 10).compactMap { try JSONReader.parse(Array($0)).bagValue }
        }
    }

    /// What is written to standard output.
    private final class Written: Sendable {
        private let kept = Mutex<[UInt8]>([])
        func append(_ bytes: [UInt8]) { kept.withLock { $0 += bytes } }
        var records: [Bag] {
            get throws {
                try kept.withLock { $0 }.split(separator: 10).compactMap { try JSONReader.parse(Array($0)).bagValue }
            }
        }
    }

    private static func arrange(_ name: String, _ lab: RunningLab, _ written: Written) -> Arrangement? {
        let identity = lab.lab.options.identity
        func faults(_ path: String) -> () async throws -> Void {
            { _ = try await lab.control("POST", "/lab/faults", #"{"path":"\#(path)","times":99,"status":403}"#) }
        }
        func clear() async throws { _ = try await lab.control("POST", "/lab/faults/clear") }
        func bags(_ stream: String) -> () async throws -> [Bag] {
            { try await lab.records(stream).compactMap(\.bagValue) }
        }
        switch name {
        case LogsIngestionConfiguration.name:
            let rule = LogsIngestionConfiguration.Rule(endpoint: lab.cloud, rule: identity.dataCollectionRule)
            return Arrangement(
                kind: LogsIngestionConfiguration(rules: [rule]), arrived: bags("Custom-Things_CL"),
                refuse: faults("dataCollectionRules"), relent: clear)
        case KustoConfiguration.name:
            return Arrangement(
                kind: KustoConfiguration(cluster: lab.cloud, database: "Forensics"), arrived: bags("Kusto-Things"),
                refuse: faults("/v1/rest/ingest"), relent: clear)
        case DataCollectorConfiguration.name:
            return Arrangement(
                kind: DataCollectorConfiguration(
                    workspaceID: identity.workspace, key: .value(Secret(identity.workspaceKey)), endpoint: lab.cloud),
                arrived: bags("Legacy-Things"), refuse: faults("/api/logs"), relent: clear)
        case FilesConfiguration.name:
            let folder = lab.folder + "/out"
            return Arrangement(
                kind: FilesConfiguration(folder: folder, format: .ndjson), arrived: { try lines(folder) },
                refuse: {
                    // A file stands where the folder was.
                    try? FileManager.default.moveItem(atPath: folder, toPath: folder + ".aside")
                    try FolderWriter.write("in the way", to: folder)
                },
                relent: {
                    try FileManager.default.removeItem(atPath: folder)
                    try? FileManager.default.moveItem(atPath: folder + ".aside", toPath: folder)
                })
        case OutputConfiguration.name:
            return Arrangement(
                kind: OutputConfiguration(), arrived: { try written.records }, refuse: nil, relent: {})
        default: return nil
        }
    }

    private static let names = SinkKinds.all.map { $0.name }
    /// Kinds that tell people of findings and take no other table; they meet real receivers in Tests/Clients.
    private static let notifying: Set = [WebhookConfiguration.name, SyslogConfiguration.name, MailConfiguration.name]

    @Test(arguments: names.filter { !notifying.contains($0) }) func everyKindDeliversAndAcknowledgesWhatWasTaken(
        _ name: String
    ) async throws {
        try await RunningLab.use(devices: 5) { lab in
            lab.lab.declare(clusterTables: ["Things"])
            try lab.lab.declare(streams: [
                "Custom-Things_CL": [
                    "TimeGenerated": "datetime", "SourceName": "string", "RowId": "string", "OriginalTitle": "string",
                    "Bag": "dynamic", "ObservedTime": "datetime",
                ]
            ])
            let written = Written()
            let arrangement = try #require(Self.arrange(name, lab, written), "\(name) has no arrangement here")
            var configuration = lab.configuration
            configuration.sinks = [SinkConfiguration(name: "sink", kind: arrangement.kind)]
            var retry = ServiceClient.RetryPolicy()
            (retry.attempts, retry.firstDelay) = (2, 0.02)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let open = try await Connections.open(
                configuration, library: Repository.library(), only: ["mde-machines"], environment: [:], retry: retry,
                logger: logger, write: { written.append($0) })
            let workspace = try Workspace(path: lab.folder + "/suite.vestige")
            try workspace.declare("Things", Self.schema)
            func add(_ rows: Range<Int>) throws {
                try workspace.append(Self.batch(rows), to: "Things", run: "r", now: 1, sinks: ["sink"])
            }
            let collector = Collector(workspace: workspace, library: Repository.library(), sinks: open.sinks)
            func ids() async throws -> [String] { try await arrangement.arrived().map { $0["RowId"]?.text ?? "" } }

            try add(0..<3)
            let first = await collector.run([])
            #expect(first.failures.map(\.rendered) == [])
            #expect(first.sinks[0].rows == 3 && first.sinks[0].rowsBySource == ["s": 3] && first.sinks[0].bytes > 0)
            #expect(try await ids() == ["id0", "id1", "id2"])
            #expect(try workspace.outboxCounts().isEmpty)
            // Every value as it was, under the name that it has there.
            let row = try #require(try await arrangement.arrived().dropFirst().first)
            #expect((row["Title"] ?? row["OriginalTitle"]) == .string("ü \"1\"\n"))
            #expect(row["Bag"] == .bag(Bag([("k", .array([.long(1), .null]))])))

            if let refuse = arrangement.refuse {
                try await refuse()
                try add(3..<5)
                let second = await collector.run([])
                #expect(second.failures.count == 1 && second.failures[0].safe?.contains("outbox") == true)
                #expect(second.sinks[0].rows == 0)
                #expect(try workspace.outboxSizes()["sink"]?.rows == 2)
                try await arrangement.relent()
                let third = await collector.run([])
                #expect(third.failures.map(\.rendered) == [] && third.sinks[0].rows == 2)
                #expect(try await ids() == ["id0", "id1", "id2", "id3", "id4"])
            }
            #expect(try workspace.outboxCounts().isEmpty)
            // Nothing is sent twice when there is nothing new.
            let last = await collector.run([])
            #expect(last.sinks[0].rows == 0 && last.sinks[0].bytes == 0)
            await open.close()
        }
    }

    /// Kinds and their settings have names of their own, and every one is explained.
    @Test func everyKindIsDeclaredWhole() {
        #expect(Set(Self.names).count == Self.names.count)
        for kind in SinkKinds.all {
            let names = (SinkConfiguration.settings + kind.settings).map(\.name)
            #expect(Set(names).count == names.count, "\(kind.name)")
            #expect(kind.settings.allSatisfy { !$0.meaning.isEmpty } && !kind.summary.isEmpty)
        }
    }
}
