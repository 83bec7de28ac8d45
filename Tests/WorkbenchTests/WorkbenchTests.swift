import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import Pipeline
import ServiceLifecycle
import Tables
import TestKit
import Testing
import Workbench
import Workspace

@Suite(.serialized) struct WorkbenchTests {
    /// A workbench over a collected lab.
    private func serve(_ body: @Sendable (String, Workspace) async throws -> Void) async throws {
        try await RunningLab.use { lab in
            let library = Repository.library()
            lab.declareStreams(library)
            let workspace = try Workspace(path: lab.configuration.workspace)
            for table in library.tables.values { try workspace.declare(table.name, table.schema) }
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let connections = try await Connections.open(
                lab.configuration, library: library, only: [], environment: [:], logger: logger)
            let report = await Collector(workspace: workspace, library: library, sinks: []).run(connections.endpoints)
            await connections.close()
            #expect(report.failures.isEmpty)
            var options = WorkbenchOptions()
            options.port = 0
            let ports = AsyncStream.makeStream(of: Int.self)
            let service = WorkbenchServer(options, workspace: workspace, library: library).service(logger: logger) {
                ports.continuation.yield($0)
            }
            let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var iterator = ports.stream.makeAsyncIterator()
                let port = try #require(await iterator.next())
                let outcome: Result<Void, any Error>
                do { outcome = .success(try await body("http://127.0.0.1:\(port)", workspace)) } catch {
                    outcome = .failure(error)
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                try outcome.get()
            }
        }
    }

    private func get(_ url: String, headers: [(String, String)] = []) async throws -> (status: Int, body: String) {
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 32 << 20)))
    }

    private func status(_ url: String, headers: [(String, String)] = []) async throws -> Int {
        try await get(url, headers: headers).status
    }

    private func kusto(_ base: String, _ query: String, db: String = "Vestige") async throws -> (
        status: Int, body: Value
    ) {
        var request = HTTPClientRequest(url: base + "/v1/rest/query")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(
            ByteBuffer(string: JSONWriter.string(.bag(Bag([("db", .string(db)), ("csl", .string(query))])))))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 32 << 20)
        return (Int(response.status.code), try JSONReader.parse(Array(bytes.readableBytesView)))
    }

    @Test func everyTabIsDrawnWithoutErrors() async throws {
        try await serve { base, _ in
            for tab in ["health", "activity", "compliance", "vulnerabilities"] {
                let page = try await get("\(base)/workbooks/posture?Tab=\(tab)")
                #expect(page.status == 200)
                #expect(!page.body.contains("class=\"text error\""), "\(tab)")
                #expect(page.body.contains("class=\"tile") && page.body.contains("class=\"grid\""), "\(tab)")
            }
            let filtered = try await get("\(base)/workbooks/posture?Tab=health&Platform=macOS")
            #expect(!filtered.body.contains("class=\"text error\""))
        }
    }

    @Test func theDevicePageShowsItsSettings() async throws {
        try await serve { base, _ in
            let answer = try await kusto(
                base,
                "DevicesAt(now()) | where OSPlatform == 'Windows11' and OnboardingStatus == 'Onboarded' | take 1 | project DeviceId, DeviceName"
            )
            let row = try #require(
                answer.body.bagValue?["Tables"]?.arrayValue?[0].bagValue?["Rows"]?.arrayValue?[0].arrayValue)
            let page = try await get("\(base)/workbooks/device?Device=\(row[0].text)")
            #expect(page.body.contains(row[1].text))
            #expect(page.body.contains("Turn on real-time protection"))
            #expect(!page.body.contains("class=\"text error\""))
        }
    }

    @Test func kustoAnswersHaveTheirFourTables() async throws {
        try await serve { base, _ in
            let (status, body) = try await kusto(base, "print a = 1, b = dynamic({\"k\":1}), c = true")
            #expect(status == 200)
            let tables = try #require(body.bagValue?["Tables"]?.arrayValue)
            #expect(tables.count == 4)
            #expect(tables[0].bagValue?["Rows"] == .array([.array([.long(1), .string("{\"k\":1}"), .bool(true)])]))
            #expect(tables[3].bagValue?["Rows"]?.arrayValue?[0].arrayValue?[2] == .string("PrimaryResult"))
            let wrong = try await kusto(base, "NoSuchTable | take 1")
            #expect(wrong.status == 400)
            #expect(wrong.body.bagValue?["error"]?.bagValue?["@message"]?.text.hasPrefix("Semantic error:") == true)
            let other = try await kusto(base, "print 1", db: "Other")
            #expect(other.status == 400)
        }
    }

    @Test func otherSitesAreRefused() async throws {
        try await serve { base, _ in
            let well = try await status(base + "/healthz")
            #expect(well == 200)
            let foreign = try await status(base + "/healthz", headers: [("Origin", "https://evil.example")])
            #expect(foreign == 403)
            let renamed = try await status(base + "/healthz", headers: [("Host", "evil.example")])
            #expect(renamed == 403)
            let metrics = try await get(base + "/metrics").body
            #expect(metrics.contains("vestige_source_up{source=\"mde-windows-health\"} 1"))
            let missing = try await status(base + "/workbooks/nothing")
            #expect(missing == 404)
        }
    }
}
