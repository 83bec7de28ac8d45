import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Calls and values that are larger than a service takes.
@Suite(.serialized) struct SizeTests {
    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("RowId", .string), ("Text", .string), ("Things", .dynamic),
    ])
    private static let declaration = [
        "TimeGenerated": "datetime", "RowId": "string", "Text": "string", "Things": "dynamic",
        "ObservedTime": "datetime",
    ]

    /// A workspace with rows in the outbox, and a collector that sends them.
    private struct Desk {
        let workspace: Workspace
        let collector: Collector
        let connections: Connections

        func add(_ table: String, _ rows: [(text: String, things: Value)]) throws {
            try workspace.declare(table, SizeTests.schema)
            let values = rows.enumerated().map { i, row -> [Value] in
                [.datetime(638_000_000_000_000_000), .string("id\(i)"), .string(row.text), row.things]
            }
            try workspace.append(
                Batch(schema: SizeTests.schema, rows: values), to: table, run: "r", now: 1, sinks: ["sentinel"])
        }

        func run() async -> DeliveryOutcome { await collector.run([]).sinks[0] }

        func letters() throws -> [String] {
            guard try workspace.schemas()["VestigeDeadLetters_CL"] != nil else { return [] }
            return try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(
                "VestigeDeadLetters_CL | project tostring(Record.RowId)"
            ).primary.rows().map { $0[0].text }.sorted()
        }
    }

    private static func desk(_ lab: RunningLab) async throws -> Desk {
        try lab.lab.declare(streams: ["Custom-A_CL": declaration, "Custom-B_CL": declaration])
        var configuration = lab.configuration
        let rule = LogsIngestionConfiguration.Rule(
            endpoint: lab.cloud, rule: lab.lab.options.identity.dataCollectionRule)
        configuration.sinks = [SinkConfiguration(name: "sentinel", kind: LogsIngestionConfiguration(rules: [rule]))]
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (2, 0.02)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let connections = try await Connections.open(
            configuration, library: Repository.library(), only: ["mde-machines"], environment: [:], retry: retry,
            logger: logger)
        let workspace = try Workspace(path: lab.folder + "/size.vestige")
        return Desk(
            workspace: workspace,
            collector: Collector(workspace: workspace, library: Repository.library(), sinks: connections.sinks),
            connections: connections)
    }

    /// Text that does not compress.
    private static func noise(_ count: Int, seed: UInt64) -> String {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return String(
            (0..<count).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return Character(UnicodeScalar(UInt8(97 + state % 26)))
            })
    }

    private static func ids(_ lab: RunningLab, _ stream: String) async throws -> [String] {
        try await lab.records(stream).map { $0.bagValue?["RowId"]?.text ?? "" }
    }

    /// An endpoint that takes less than is documented, or counts otherwise.
    @Test(arguments: [#"{"bytes":300000}"#, #"{"bytes":90001}"#, #"{"records":7}"#, #"{"records":1}"#])
    func aLowerLimitIsFoundAndKeptTo(_ limits: String) async throws {
        try await RunningLab.use(devices: 5) { lab in
            let desk = try await Self.desk(lab)
            _ = try await lab.control("POST", "/lab/limits", limits)
            try desk.add("A_CL", (0..<60).map { (Self.noise(40_000, seed: UInt64($0)), .null) })
            try desk.add("B_CL", (0..<3).map { ("row \($0)", .null) })
            let outcome = await desk.run()
            #expect(outcome.errors.map(\.rendered) == [] && outcome.rows == 63 && outcome.refused == 0)
            let arrived = try await Self.ids(lab, "Custom-A_CL")
            #expect(arrived.count == 60 && Set(arrived).count == 60)
            #expect(try await Self.ids(lab, "Custom-B_CL").count == 3)
            #expect(try desk.workspace.outboxCounts().isEmpty)
            await desk.connections.close()
        }
    }

    /// One row is too large however it is sent; the others, and the other tables, go on.
    @Test func aRowThatNeverFitsGoesToTheDeadLetters() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let desk = try await Self.desk(lab)
            _ = try await lab.control("POST", "/lab/limits", #"{"bytes":50000}"#)
            let sizes = (0..<20).map { $0 == 4 || $0 == 19 ? 60_000 : 900 }
            try desk.add("A_CL", sizes.enumerated().map { (Self.noise($1, seed: UInt64($0)), .null) })
            try desk.add("B_CL", [("small", .null)])
            let outcome = await desk.run()
            #expect(outcome.errors.map(\.rendered) == [] && outcome.rows == 19 && outcome.refused == 2)
            #expect(try await Self.ids(lab, "Custom-A_CL").count == 18)
            #expect(try desk.letters() == ["id19", "id4"])
            #expect(try desk.workspace.outboxCounts().isEmpty)
            await desk.connections.close()
        }
    }

    /// Something on the way that refuses even what is small: no row is given up for that.
    @Test func aRefusalOfEverythingGivesUpNoRow() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let desk = try await Self.desk(lab)
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"dataCollectionRules","times":999,"status":413}"#)
            try desk.add("A_CL", (0..<40).map { (Self.noise(9_000, seed: UInt64($0)), .null) })
            let outcome = await desk.run()
            #expect(outcome.errors.count == 1 && outcome.refused == 0)
            #expect(try desk.workspace.outboxSizes()["sentinel"]?.rows == 40 && desk.letters() == [])
            _ = try await lab.control("POST", "/lab/faults/clear")
            #expect((await desk.run()).rows == 40)
            await desk.connections.close()
        }
    }

    @Test func aValueAboveTheLimitIsCutAtAValuesEnd() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let desk = try await Self.desk(lab)
            let limit = 65_536
            let item = Value.bag(Bag([("name", .string("ä€😀")), ("n", .long(7))]))
            let list = Value.array(Array(repeating: item, count: 4_000))
            let members = Value.bag(
                Bag(
                    [("first", .string("1")), ("wide", .string(Self.noise(70_000, seed: 3)))]
                        + (0..<3_000).map { ("k\($0)", .string(Self.noise(20, seed: UInt64($0)))) }))
            let lone = Value.bag(Bag([("text", .string(String(repeating: "\"ä\n", count: 30_000)))]))
            let family = String(repeating: "👨‍👩‍👧‍👦", count: 4_000)
            try desk.add(
                "A_CL",
                [
                    (String(repeating: "x", count: limit), list), (String(repeating: "x", count: limit + 1), members),
                    (family, lone), ("short", .array([.long(1)])),
                ])
            let outcome = await desk.run()
            #expect(outcome.errors.map(\.rendered) == [])
            #expect(outcome.shortened == ["A_CL.Text": 2, "A_CL.Things": 3])
            #expect(outcome.notes.count == 2 && outcome.notes[0].contains("2 values of A_CL.Text were cut"))
            let records = try await lab.records("Custom-A_CL").compactMap(\.bagValue)
            // The service found nothing to cut.
            for record in records {
                for value in record.values { #expect(value.text.utf8.count <= limit) }
            }
            #expect(records[0]["Text"]?.text.utf8.count == limit && records[1]["Text"]?.text.utf8.count == limit)
            let items = try #require(records[0]["Things"]?.arrayValue)
            #expect(items.allSatisfy { $0 == item } && items.count > 1_500)
            let kept = try #require(records[1]["Things"]?.bagValue)
            #expect(kept["first"] == .string("1") && kept["wide"] == nil && kept.count > 1_000)
            for (key, value) in zip(kept.keys, kept.values) { #expect(members.bagValue?[key] == value) }
            let text = try #require(records[2]["Things"]?.bagValue?["text"]?.stringValue)
            #expect(text.count > 10_000 && String(repeating: "\"ä\n", count: 30_000).hasPrefix(text))
            #expect(records[2]["Text"]?.text.allSatisfy { $0 == "👨‍👩‍👧‍👦" } == true)
            #expect(records[3]["Text"] == .string("short") && records[3]["Things"] == .array([.long(1)]))
            // Here they are whole.
            let stored = try Engine(provider: WorkspaceProvider(desk.workspace, functions: [:])).run(
                "A_CL | where RowId == 'id0' | project array_length(Things)"
            ).primary.rows()
            #expect(stored == [[.long(4_000)]])
            #expect(try SinkNotes(of: "sentinel", in: desk.workspace).shortened["A_CL.Things"] == 3)
            await desk.connections.close()
        }
    }
}
