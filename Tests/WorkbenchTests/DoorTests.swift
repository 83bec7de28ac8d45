import Logging
import Pipeline
import ServiceLifecycle
import TestKit
import Testing
import Workbench
import Workbooks
import Workspace

/// The door of the servers that people start: what a page of another site, and a client that writes what it likes,
/// can ask.
@Suite(.serialized) struct DoorTests {
    private static let image = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"]

    private func run(
        _ service: @Sendable (Logger, @escaping @Sendable (Int) async -> Void) -> any Service,
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ports = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service(logger) { ports.continuation.yield($0) })], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(port)) } catch { outcome = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    private func serve(_ body: @Sendable (Int) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w.vestige")
        var options = WorkbenchOptions()
        options.port = 0
        let server = WorkbenchServer(options, workspace: workspace, library: Repository.library())
        try await run({ server.service(logger: $0, onRunning: $1) }, body)
    }

    private func ask(_ port: Int, _ line: String, _ fields: [String] = [], host: String? = nil) async throws
        -> RawConnection.Answer
    {
        let lines = ["\(line) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")"] + fields
        return try await RawConnection.ask(port: port, lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// What is known is answered over and over on one connection; what has to be found out ends with its connection, since
    /// only that tells that nobody waits any more.
    @Test func knownAnswersLeaveTheConnectionOpen() async throws {
        try await serve { port in
            func post(_ path: String, _ query: String) -> String {
                let body = "{\"db\": \"Vestige\", \"csl\": \"\(query)\"}"
                return "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
            }
            for path in ["/v1/rest/query", "/v2/rest/query"] {
                let query = "print answer = 'of \(path)'"
                let first = try await RawConnection.ask(port: port, post(path, query))
                #expect(first.status == 200 && first.header("Connection") == "close", "\(first.text)")
                let connection = try RawConnection(port: port)
                for _ in 0..<3 {
                    connection.send(post(path, query))
                    let again = await connection.read()
                    #expect(again.status == 200 && again.header("Connection") == nil, "\(again.text)")
                    #expect(again.body.contains("of \(path)") && !again.isClosed)
                }
                // The next question is a new one, on the same connection.
                connection.send(post(path, query + ", 2"))
                let other = await connection.read()
                #expect(other.status == 200 && other.header("Connection") == "close", "\(other.text)")
                // What another asks for, or of another database, is not answered by it.
                let foreign = post(path, query).replacing("\"Vestige\"", with: "\"Elsewha\"")
                #expect(try await RawConnection.ask(port: port, foreign).status == 400)
                let get = "GET \(path)?db=Vestige&csl=print+answer+%3D+%27of+\(path)%27"
                #expect(try await ask(port, get).header("Connection") == nil)
            }
        }
    }

    @Test func noOtherSiteRunsAQuery() async throws {
        let queries = [
            "/v1/rest/query?db=Vestige&csl=print%201", "/v2/rest/query?db=Vestige&csl=print%201",
            "/v1/rest/mgmt?db=Vestige&csl=.show%20tables", "/v1/workspaces/w/query?query=print%201",
        ]
        try await serve { port in
            for path in queries {
                let own = try await ask(port, "GET \(path)")
                #expect(own.status == 200, "\(path): \(own.text)")
                for fields in [
                    Self.image, ["Sec-Fetch-Site: same-site"], ["Origin: http://127.0.0.1:9"],
                    ["Origin: chrome-extension://127.0.0.1"], ["Origin: null"], ["Referer: http://evil.example/"],
                    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
                ] {
                    let answer = try await ask(port, "GET \(path)", fields)
                    #expect(answer.status == 403, "\(path) \(fields): \(answer.text)")
                }
            }
            for path in ["/", "/workbooks/posture", "/metrics", "/healthz", "/nowhere"] {
                let answer = try await ask(port, "GET \(path)", Self.image)
                #expect(answer.status == 403, "\(path)")
            }
            let link = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
            let page = try await ask(port, "GET /workbooks/nothing", link)
            #expect(page.status == 404)
        }
    }

    @Test func pagesRunUnderThePolicyOfTheirScripts() async throws {
        try await serve { port in
            let page = try await ask(port, "GET /workbooks/nothing")
            #expect(page.status == 404 && page.header("Content-Type") == "text/html; charset=utf-8")
            #expect(page.header("Content-Security-Policy") == HTMLPage.policy)
            #expect(!HTMLPage.policy.contains("unsafe-inline"))
            let other = try await ask(port, "GET /nowhere")
            #expect(other.status == 404)
            #expect(other.header("Content-Security-Policy")?.hasSuffix("sandbox") == true)
            let method = try await ask(port, "DELETE /v1/rest/query")
            #expect(method.status == 405 && method.header("Allow") == "GET, HEAD, OPTIONS, POST")
        }
    }

    @Test func metricsHaveTheSameDoor() async throws {
        struct Unasked: Error {}
        var options = WorkbenchOptions()
        options.port = 0
        let server = MetricsServer(options) { throw Unasked() }
        try await run({ server.service(logger: $0, onRunning: $1) }) { port in
            let well = try await ask(port, "GET /healthz")
            #expect(well.status == 200)
            let foreign = try await ask(port, "GET /healthz", host: "evil.example:\(port)")
            #expect(foreign.status == 403)
            let doubled = try await ask(port, "GET /healthz", ["Host: 127.0.0.1:\(port)"])
            #expect(doubled.status == 400)
            let image = try await ask(port, "GET /metrics", Self.image)
            #expect(image.status == 403)
            let failing = try await ask(port, "GET /metrics")
            #expect(failing.status == 500 && failing.header("X-Content-Type-Options") == "nosniff")
        }
    }
}
