import Azure
import Logging
import TestKit
import Testing

/// Clients as tests want them: quick to try again, silent.
enum TestClient {
    static func make(
        proxies: ProxyRules = ProxyRules(), attempts: Int = 2, trust: ServerTrust = .system
    ) throws -> ServiceClient {
        var retry = ServiceClient.RetryPolicy()
        (retry.attempts, retry.firstDelay) = (attempts, 0.02)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ServiceClient(trust: trust, proxies: proxies, retry: retry, logger: logger)
    }

    /// What a call that fails reports.
    static func failure(_ call: () async throws -> some Any) async -> ServiceError? {
        do {
            _ = try await call()
            return nil
        } catch { return error as? ServiceError }
    }
}

/// Documents that moved, and calls that must not be followed.
@Suite struct RedirectTests {
    private static let text = "moved here"

    @Test(arguments: [301, 302, 303, 307, 308], [true, false])
    func aDocumentThatMovedIsFollowed(_ status: Int, isRelative: Bool) async throws {
        try await WireServer.use { request, _ in
            request.target == "/new/list.json?version=2"
                ? .answer(200, body: Self.text)
                : .answer(
                    status,
                    headers: [
                        (
                            "Location",
                            isRelative
                                ? "new/list.json?version=2"
                                : "http://\(request.header("Host") ?? "")/new/list.json?version=2"
                        )
                    ])
        } _: { server in
            let client = try TestClient.make()
            let answer = try await client.document(at: "\(server.address)/list.json")
            #expect(String(decoding: answer.body, as: UTF8.self) == Self.text)
            #expect(server.requests.map(\.target) == ["/list.json", "/new/list.json?version=2"])
            #expect(server.requests.allSatisfy { $0.header("Authorization") == nil && $0.header("Cookie") == nil })
            await client.shutdown()
        }
    }

    @Test func redirectsAreFollowedToTheirEndAndNoFurther() async throws {
        try await WireServer.use { request, _ in
            let hop = Int(request.target.drop { !$0.isNumber }) ?? 0
            return hop == 0 ? .answer(200, body: Self.text) : .answer(302, headers: [("Location", "/hop\(hop - 1)")])
        } _: { server in
            let client = try TestClient.make()
            #expect(try await client.document(at: "\(server.address)/hop10").status == 200)
            let failure = await TestClient.failure { try await client.document(at: "\(server.address)/hop40") }
            #expect(failure?.got.contains("more than 10 redirects") == true)
            await client.shutdown()
        }
    }

    @Test func redirectsInCirclesEnd() async throws {
        try await WireServer.use { request, _ in
            .answer(301, headers: [("Location", request.target == "/a" ? "/b" : "/a")])
        } _: { server in
            let client = try TestClient.make()
            let failure = await TestClient.failure { try await client.document(at: "\(server.address)/a") }
            #expect(failure?.got.contains("circles") == true)
            #expect(server.requests.count == 2)
            await client.shutdown()
        }
    }

    @Test(arguments: [
        ("ftp://files.example/list.json", "only web addresses"), ("//", "names no address"), ("", "names no address"),
        ("file:///etc/passwd", "names no address"),
    ])
    func anAddressThatIsNoneIsRefused(_ target: String, _ words: String) async throws {
        try await WireServer.use { _, _ in
            .answer(301, headers: [("Location", target)])
        } _: { server in
            let client = try TestClient.make()
            let failure = await TestClient.failure { try await client.document(at: "\(server.address)/list.json") }
            let told = [failure?.got, failure?.means].compactMap { $0 }.joined(separator: ": ")
            #expect(told.contains(words), "\(told)")
            #expect(failure?.isRetryable == false)
            await client.shutdown()
        }
    }

    @Test func anAnswerThatRedirectsNowhereIsRefused() async throws {
        try await WireServer.use { _, _ in
            .answer(300)
        } _: { server in
            let client = try TestClient.make()
            let failure = await TestClient.failure { try await client.document(at: "\(server.address)/list.json") }
            #expect(failure?.got == "300, a redirect that names no address")
            await client.shutdown()
        }
    }

    @Test func aCallWithATokenIsNeverFollowedAndNamesTheTarget() async throws {
        try await WireServer.use { _, _ in
            .answer(308, headers: [("Location", "https://elsewhere.example/api/v1/alerts?signature=s3cret")])
        } _: { server in
            let client = try TestClient.make()
            let sensor = SensorClient(client: client, host: server.address, token: Secret("token-of-the-sensor"))
            let failure = await TestClient.failure { try await sensor.get("/api/v1/alerts", parameters: []) }
            #expect(failure?.got == "308, a redirect to https://elsewhere.example/api/v1/alerts")
            #expect(failure?.next.contains("https://elsewhere.example/api/v1/alerts") == true)
            #expect(failure.map { "\($0)".contains("s3cret") } == false)
            #expect(server.requests.count == 1)
            await client.shutdown()
        }
    }
}
