import Azure
import Tables
import TestKit
import Testing

/// Retries, tokens and limits of the clients.
@Suite struct ClientTests {
    @Test func aServiceThatIsBusyIsAskedAgainWhenItSays() async throws {
        try await WireServer.use { _, before in
            before == 0 ? .answer(429, headers: [("Retry-After", "0")]) : .answer(200, body: "{}")
        } _: { server in
            let client = try TestClient.make()
            #expect(try await client.send(ServiceRequest("GET", server.address + "/x")).status == 200)
            #expect(server.requests.count == 2)
            await client.shutdown()
        }
    }

    @Test(arguments: [500, 502, 503, 504, 408, 429]) func triesAreCounted(_ status: Int) async throws {
        try await WireServer.use { _, _ in
            .answer(status, headers: [("Retry-After", "0")])
        } _: { server in
            let client = try TestClient.make(attempts: 3)
            let failure = await TestClient.failure { try await client.send(ServiceRequest("GET", server.address)) }
            #expect(server.requests.count == 3)
            #expect(failure?.status == status)
            #expect(failure?.isRetryable == true)
            #expect(failure?.tried.contains("3 attempts") == true)
            await client.shutdown()
        }
    }

    @Test func aConnectionThatBreaksIsTriedAgain() async throws {
        try await WireServer.use { _, before in
            before < 2 ? .close : .answer(200, body: "{}")
        } _: { server in
            let client = try TestClient.make(attempts: 3)
            #expect(try await client.send(ServiceRequest("GET", server.address)).status == 200)
            await client.shutdown()
        }
    }

    @Test func theTokenGoesToTheServiceAndNowhereElse() async throws {
        try await WireServer.use { request, _ in
            request.target.contains("/token")
                ? .answer(200, body: #"{"access_token":"t0ken","expires_in":3599}"#)
                : .answer(200, body: #"{"value":[]}"#)
        } _: { server in
            let client = try TestClient.make()
            let defender = Self.defender(client, server)
            _ = try await defender.page("/api/machines", permissions: [])
            #expect(server.requests.last?.header("Authorization") == "Bearer t0ken")
            // A next page elsewhere is not asked for.
            let failure = await TestClient.failure {
                try await defender.page("https://elsewhere.example/api/machines?$skip=1", permissions: [])
            }
            #expect(failure?.got.contains("elsewhere.example") == true)
            #expect(server.requests.count == 2)
            await client.shutdown()
        }
    }

    @Test func aTokenThatIsRefusedIsRenewedOnce() async throws {
        try await WireServer.use { request, before in
            if request.target.contains("/token") {
                return .answer(200, body: #"{"access_token":"t\#(before)","expires_in":3599}"#)
            }
            return request.header("Authorization") == "Bearer t0" ? .answer(401) : .answer(200, body: "{}")
        } _: { server in
            let client = try TestClient.make()
            #expect(try await Self.defender(client, server).page("/api/alerts", permissions: []).status == 200)
            #expect(server.requests.count == 4)
            await client.shutdown()
        }
    }

    /// What the services say when a query asked for too much, and what is something else.
    private static let refusals: [(status: Int, message: String, isTooLarge: Bool)] = [
        (
            400,
            "Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again",
            true
        ),
        (400, "Query exceeded the timeout period.", true),
        (400, "The query cannot run because it exceeds the allowed size limit when processed.", true),
        (400, "Query stopped due to excessive resource consumption.", true),
        (
            400, "Query result set has exceeded the internal record count limit 500000 (E_QUERY_RESULT_SET_TOO_LARGE)",
            true
        ),
        (413, "Request Entity Too Large", true),
        (400, "'where' operator: Failed to resolve column 'too many rows'. Fix semantic errors in your query.", false),
        (400, "Syntax error at 'take'", false),
        (403, "Forbidden", false),
    ]

    @Test(arguments: refusals)
    func aQueryThatAsksForTooMuchIsKnown(_ status: Int, _ message: String, _ isTooLarge: Bool) async throws {
        try await WireServer.use { request, _ in
            request.target.contains("/token")
                ? .answer(200, body: #"{"access_token":"t","expires_in":3599}"#)
                : .answer(status, body: #"{"error":{"code":"BadRequest","message":"\#(message)"}}"#)
        } _: { server in
            let client = try TestClient.make()
            let failure = await TestClient.failure {
                try await Self.defender(client, server).hunt("DeviceInfo", permissions: [])
            }
            #expect(failure?.isTooLarge == isTooLarge)
            await client.shutdown()
        }
    }

    @Test func aQuerysValuesAreEncoded() {
        let address = URLQuery.address(
            "/api/alerts", [("$filter", "lastUpdateTime ge 2026-11-01T12:00:00Z"), ("name", "a&b=c+d ü")])
        #expect(
            address
                == "/api/alerts?$filter=lastUpdateTime%20ge%202026-11-01T12:00:00Z&name=a%26b%3Dc%2Bd%20%C3%BC")
        #expect(URLQuery.address("/a?b=1", [("c", "\u{7}")]) == "/a?b=1&c=%07")
        #expect(URLQuery.address("/a", []) == "/a")
    }

    private static func defender(_ client: ServiceClient, _ server: WireServer) -> DefenderClient {
        let tokens = TokenCache(
            client: client,
            credential: EntraCredential(
                loginHost: server.address, tenant: "t", client: "c", proof: .secret(Secret("s"))))
        let caller = AuthorizedClient(
            client: client, tokens: tokens, audience: "https://x.example", addresses: [server.address])
        return DefenderClient(
            graph: caller, graphHost: server.address, endpoint: caller, endpointHost: server.address,
            budgets: DefenderBudgets(isPaced: false))
    }
}
