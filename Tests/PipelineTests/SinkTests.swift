import Azure
import Foundation
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// What each kind of sink gets, and what happens when it does not take it.
@Suite(.serialized) struct SinkTests {
    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("RowId", .string), ("Text", .string), ("Number", .long), ("Bag", .dynamic),
    ])

    private func batch(_ rows: Int, text: (Int) -> String = { "row \($0)" }) -> Batch {
        Batch(
            schema: Self.schema,
            rows: (0..<rows).map {
                [
                    .datetime(638_000_000_000_000_000), .string("id\($0)"), .string(text($0)), .long(Int64($0)),
                    .bag(Bag([("k", .long(Int64($0)))])),
                ]
            })
    }

    private func connections(_ lab: RunningLab, _ kinds: [(String, any SinkKind)]) async throws -> Connections {
        var configuration = lab.configuration
        configuration.sinks = kinds.map { SinkConfiguration(name: $0.0, kind: $0.1) }
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (2, 0.02)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try await Connections.open(
            configuration, library: Repository.library(), only: [], environment: [:], retry: retry, logger: logger)
    }

    private func logsIngestion(_ lab: RunningLab) -> LogsIngestionConfiguration {
        LogsIngestionConfiguration(rules: [
            LogsIngestionConfiguration.Rule(
                endpoint: lab.cloud, rule: lab.lab.options.identity.dataCollectionRule)
        ])
    }

    private func declare(_ lab: RunningLab) throws {
        lab.lab.declare(clusterTables: ["T_CL"])
        try lab.lab.declare(streams: [
            "Custom-T_CL": [
                "TimeGenerated": "datetime", "RowId": "string", "Text": "string", "Number": "long", "Bag": "dynamic",
                "ObservedTime": "datetime",
            ]
        ])
    }

    @Test func kustoGetsEveryRow() async throws {
        try await RunningLab.use(devices: 5) { lab in
            try declare(lab)
            let open = try await connections(
                lab, [("adx", KustoConfiguration(cluster: lab.cloud, database: "Forensics"))])
            // More than one request's worth.
            _ = try await open.sinks[0].send(
                batch(4_000) { String(repeating: "x", count: 1_500) + "\($0)" }, table: "T_CL")
            #expect(try await lab.received()["Kusto-T_CL"] == 4_000)
            await #expect(throws: ServiceError.self) { try await open.sinks[0].send(batch(1), table: "Nowhere_CL") }
            await open.close()
        }
    }

    /// By way of the cluster's storage and its queue; what is queued twice is ingested once.
    @Test func kustoGetsWhatIsQueued() async throws {
        try await RunningLab.use(devices: 5) { lab in
            try declare(lab)
            let kind = KustoConfiguration(cluster: lab.cloud, database: "Forensics", ingestion: .queued)
            let open = try await connections(lab, [("adx", kind)])
            let rows = batch(4_000) { String(repeating: "x", count: 1_500) + "\($0)" }
            let receipt = try await open.sinks[0].send(rows, table: "T_CL")
            #expect(receipt.bytes > 1_000 && receipt.bytes < 1_000_000)
            #expect(try await lab.received()["Kusto-T_CL"] == 4_000)
            // The answer was lost, so that it is sent again.
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"kusto-queue","times":1,"losesAnswer":true}"#)
            _ = try await open.sinks[0].send(rows, table: "T_CL")
            #expect(try await lab.received()["Kusto-T_CL"] == 4_000)
            let ids = Set(try await lab.records("Kusto-T_CL").map { $0.bagValue?["RowId"]?.text ?? "" })
            #expect(ids.count == 4_000)
            // A permission that ended is asked for again with the next run.
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"kusto-temp","times":1,"status":403}"#)
            await #expect(throws: ServiceError.self) { try await open.sinks[0].send(batch(3), table: "T_CL") }
            _ = try await open.sinks[0].send(batch(3), table: "T_CL")
            #expect(try await lab.received()["Kusto-T_CL"] == 4_003)
            await open.close()
            for (cluster, endpoint) in [
                ("https://c.westeurope.kusto.windows.net", "https://ingest-c.westeurope.kusto.windows.net"),
                ("http://127.0.0.1:8331", "http://127.0.0.1:8331"),
                ("https://ingest-c.kusto.windows.net", "https://ingest-c.kusto.windows.net"),
            ] { #expect(KustoQueueClient.endpoint(of: cluster) == endpoint) }
        }
    }

    @Test func theOldInterfaceIsSigned() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let identity = lab.lab.options.identity
            func kind(_ key: String) -> DataCollectorConfiguration {
                DataCollectorConfiguration(
                    workspaceID: identity.workspace, key: .value(Secret(key)), endpoint: lab.cloud)
            }
            let open = try await connections(lab, [("old", kind(identity.workspaceKey)), ("wrong", kind("d3Jvbmc="))])
            _ = try await open.sinks[0].send(batch(3) { "ä \"\($0)\"\n" }, table: "T_CL")
            #expect(try await lab.received()["Legacy-T"] == 3)
            await #expect(throws: ServiceError.self) { try await open.sinks[1].send(batch(1), table: "T_CL") }
            await open.close()
        }
    }

    @Test func theRowsOwnTimeTravelsInAColumnOfItsOwn() async throws {
        try await RunningLab.use(devices: 5) { lab in
            try declare(lab)
            let open = try await connections(lab, [("sentinel", logsIngestion(lab))])
            _ = try await open.sinks[0].send(batch(1), table: "T_CL")
            let record = try #require(try await lab.records("Custom-T_CL").first?.bagValue)
            // The service rewrites a time that is older than two days.
            #expect(record["TimeGenerated"]?.text != record["ObservedTime"]?.text)
            #expect(record["ObservedTime"]?.text == DateTime.format(638_000_000_000_000_000))
            await open.close()
        }
    }

    /// A row that the service refuses does not keep the others back, and is kept with the reason.
    @Test func aPoisonedRowGoesToTheDeadLetters() async throws {
        try await RunningLab.use(devices: 5) { lab in
            try declare(lab)
            _ = try await lab.control("POST", "/lab/poison", "\"poison\"")
            let open = try await connections(lab, [("sentinel", logsIngestion(lab))])
            let workspace = try Workspace(path: lab.folder + "/sinks.vestige")
            try workspace.declare("T_CL", Self.schema)
            try workspace.stage(
                batch(101) { $0 == 37 || $0 == 99 ? "poison" : "fine" }, of: "s", started: 1, progress: ""
            ) { _ in [] }
            let record = RunRecord(
                id: "r", source: "s", started: 1, ended: 2, rowsRead: 0, rowsChanged: 0, bytes: 0, error: nil)
            try workspace.publish(record, to: "T_CL", checkpoint: "", sinks: ["sentinel"])
            let report = await Collector(workspace: workspace, library: Repository.library(), sinks: open.sinks).run([])
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sinks[0].rows == 99 && report.sinks[0].refused == 2)
            #expect(try await lab.received()["Custom-T_CL"] == 99)
            #expect(try workspace.outboxCounts().isEmpty)
            let letters = try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(
                "VestigeDeadLetters_CL | project SinkName, TargetTable, N = tolong(Record.Number) | order by N asc"
            ).primary.rows()
            #expect(
                letters == [
                    [.string("sentinel"), .string("T_CL"), .long(37)],
                    [.string("sentinel"), .string("T_CL"), .long(99)],
                ])
            await open.close()
        }
    }

    @Test func filesTurnOverAndGoOn() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for format in FileSink.Format.allCases {
            let place = "\(folder)/\(format.rawValue)"
            var rows = 0
            for _ in 0..<3 {
                // A new program each time.
                let sink = FileSink(name: "files", folder: place, format: format, rotatesAtBytes: 4_000, filesMax: nil)
                for _ in 0..<2 {
                    _ = try await sink.send(batch(20) { "a,\"b\"\n\($0)" }, table: "T_CL")
                    rows += 20
                }
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
            #expect(files.count > 1)
            var found = 0
            for file in files {
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(place)/\(file)")))
                found += format == .csv ? CSV.records(bytes).count - 1 : bytes.split(separator: 10).count
            }
            #expect(found == rows, "\(format.rawValue)")
        }
        let few = FileSink(name: "files", folder: folder + "/few", format: .ndjson, rotatesAtBytes: 100, filesMax: 2)
        for _ in 0..<6 { _ = try await few.send(batch(5), table: "T_CL") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/few").count <= 3)
    }

    /// Names of files sort in the order in which they were begun, also within one second and behind names of a clock
    /// that was ahead.
    @Test func namesOfFilesSortInTheOrderOfWriting() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
        func numbers() throws -> [Int64] {
            try names().flatMap { name in
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
                return try [UInt8](data).split(separator: 10).compactMap {
                    try JSONReader.parse(Array($0)).bagValue?["Number"]?.longValue
                }
            }
        }
        func send(_ numbers: Range<Int>, keeping filesMax: Int? = nil) async throws {
            let sink = FileSink(
                name: "files", folder: folder, format: .ndjson, rotatesAtBytes: 100, filesMax: filesMax)
            for n in numbers { _ = try await sink.send(batch(n + 1).slice(n..<n + 1), table: "T_CL") }
        }
        // More than ten in a second.
        try await send(0..<25)
        #expect(try names().count == 25 && numbers() == Array(0..<25))
        // The clock goes back, or was ahead.
        try FolderWriter.write(
            "{\"Number\":25}\n" + String(repeating: " ", count: 100), to: folder + "/T_CL-29991231T235959-000000.ndjson"
        )
        try await send(26..<29)
        #expect(try names().suffix(3).allSatisfy { $0.hasPrefix("T_CL-29991231T235959-") })
        // What is removed is what was written first; other tables' files are left alone.
        try FolderWriter.write("{}\n", to: folder + "/T_CL2-20200101T000000.ndjson")
        try await send(29..<30, keeping: 4)
        #expect(try names().count == 5 && names().contains("T_CL2-20200101T000000.ndjson"))
        // Half a line, of a program that was ended in the middle of it, is not written on.
        let half = folder + "/U_CL-20200101T000000.ndjson"
        try FolderWriter.write("{\"Number\":1}\n{\"Num", to: half)
        let sink = FileSink(name: "files", folder: folder, format: .ndjson, rotatesAtBytes: 9_000, filesMax: nil)
        _ = try await sink.send(batch(1), table: "U_CL")
        #expect(try String(contentsOfFile: half, encoding: .utf8).hasSuffix("{\"Num"))
    }

    /// One sink that is down neither stops the other nor loses anything; when too much waits for it, collecting pauses aloud.
    @Test func aDeadSinkFillsItsSpoolAndThenCollectingPauses() async throws {
        try await RunningLab.use { lab in
            let library = Repository.library()
            lab.declareStreams(library)
            let open = try await connections(
                lab,
                [
                    ("dead", KustoConfiguration(cluster: "http://127.0.0.1:1", database: "Forensics")),
                    (
                        "files",
                        FilesConfiguration(folder: lab.folder + "/out", format: .ndjson, rotatesAtBytes: 1 << 20)
                    ),
                ])
            let workspace = try Workspace(path: lab.folder + "/spool.vestige")
            for table in library.tables.values { try workspace.declare(table.name, table.schema) }
            let clock = lab.lab.clock
            func run(_ limit: Int) async -> CollectReport {
                await Collector(workspace: workspace, library: library, sinks: open.sinks, spoolBytesMax: limit) {
                    clock.now
                }.run(open.endpoints)
            }
            let first = await run(10 << 30)
            #expect(first.sinks.first { $0.sink == "dead" }?.error != nil)
            let kept = first.sources.reduce(0) { $0 + $1.counts.kept }
            #expect(first.sinks.first { $0.sink == "files" }?.rows == kept)
            let second = await run(1_000)
            #expect(
                second.sources.isEmpty && second.spool?.rendered.contains("raise 'spoolMB'") == true,
                "\(second.spool?.rendered ?? "no pause")")
            #expect(second.spool?.rendered.contains("127.0.0.1:1") == true)
            #expect(try workspace.outboxSizes().keys.sorted() == ["dead"])
            await open.close()
        }
    }
}
