import Azure
import TestKit
import Testing

/// A token goes to the scheme, host and port that it is for, and nowhere else.
@Suite struct OriginTests {
    @Test func originsAreReadStrictly() throws {
        #expect(Origin("https://Api.Example/x?y#z")?.description == "https://api.example")
        #expect(Origin("https://api.example:443") == Origin("https://api.example/"))
        #expect(Origin("http://[::1]:8080/x")?.description == "http://[::1]:8080")
        #expect(Origin("https://api.example:8443") != Origin("https://api.example"))
        #expect(Origin("http://api.example:443") != Origin("https://api.example"))
        for text in [
            "", "api.example", "ftp://api.example", "https:/api.example", "https://", "https:///x",
            "https://user@api.example",
            "https://user:pass@api.example", "https://api.example\\@evil.example", "https://api.example /",
            "https://api.example\u{9}", "https://äpi.example", "https://api.exa%6Dple", "https://api.example:0",
            "https://api.example:", "https://api.example:99999", "//api.example", "https://@api.example",
            "https://api.example\n.evil.example",
        ] {
            #expect(Origin(text) == nil, "\(text)")
        }
    }

    /// Links that an answer names: as they are, and behind the API's own address, where they would become part of its host's name.
    @Test func aNextPageElsewhereIsNotAskedFor() async throws {
        try await WireServer.use { request, _ in
            request.target.contains("/token")
                ? .answer(200, body: #"{"access_token":"t0ken-t0ken","expires_in":3599}"#) : .answer(200, body: "{}")
        } _: { server in
            let client = try TestClient.make()
            let tokens = TokenCache(
                client: client,
                credential: EntraCredential(
                    loginHost: server.address, tenant: "t", client: "c", proof: .secret(Secret("s"))))
            let caller = AuthorizedClient(
                client: client, tokens: tokens, audience: "https://x.example",
                addresses: DefenderClient.addresses(of: server.address))
            let defender = DefenderClient(
                graph: caller, graphHost: server.address, endpoint: caller, endpointHost: server.address,
                budgets: DefenderBudgets(isPaced: false))
            for link in [
                "http://127.0.0.1:1/api/machines", "https://127.0.0.1:\(server.port)/api/machines",
                "http://api.securitycenter.microsoft.com:\(server.port)/x", "http://api.security.microsoft.com/x",
                "https://api.security.microsoft.com:8443/x", "https://api.security.microsoft.com.evil.example/x",
                "https://api.security.microsoft.com@127.0.0.1:\(server.port)/x", "@127.0.0.1:\(server.port)/x",
                ".evil.example/x",
                ":1/x", "\\\\evil.example/x", "HTTP://LOCALHOST:\(server.port)/x",
                "https://evil.example/?https://api.security.microsoft.com",
            ] {
                let failure = await TestClient.failure { try await defender.page(link, permissions: []) }
                #expect(
                    failure?.got.contains("another address") == true, "\(link): \(failure?.got ?? "it was asked for")")
            }
            #expect(server.requests.isEmpty)
            _ = try await defender.page("\(server.address)/api/machines?$skip=1", permissions: [])
            #expect(server.requests.last?.header("Authorization") == "Bearer t0ken-t0ken")
            await client.shutdown()
        }
    }

    @Test func aFilesLinkIsFollowedOverTLSOnly() async throws {
        let client = try TestClient.make()
        let cloud = ExportDownloader(client: client, service: "https://api.security.microsoft.com")
        for link in [
            "http://files.example/part?sig=x", "http://127.0.0.1:1/part?sig=x", "https://127.0.0.1:1/part?sig=x",
            "https://10.1.2.3/part?sig=x", "https://[::ffff:127.0.0.1]/part?sig=x",
            "https://169.254.169.254/part?sig=x",
            "https://0x7f.1/part?sig=x", "file:///etc/passwd", "",
        ] {
            let failure = await TestClient.failure { try await cloud.download(Secret(unlisted: link)) }
            #expect(failure?.got == "a link that is not followed", "\(link): \(failure?.got ?? "it was asked for")")
        }
        await client.shutdown()
    }

    /// An endpoint that says it is Kusto may not ask for another service's token.
    @Test func aTokenOfAnotherServiceIsNotGivenToWhoeverSaysItIsKusto() async throws {
        try await WireServer.use { request, _ in
            request.target.contains("/auth/metadata")
                ? .answer(200, body: #"{"AzureAD":{"KustoServiceResourceId":"https://graph.microsoft.com"}}"#)
                : .answer(200, body: #"{"access_token":"t0ken-t0ken","expires_in":3599}"#)
        } _: { server in
            let client = try TestClient.make()
            let tokens = TokenCache(
                client: client,
                credential: EntraCredential(
                    loginHost: server.address, tenant: "t", client: "c", proof: .secret(Secret("s"))))
            let kusto = KustoQueryClient(
                caller: RemoteCaller(client: client, tokens: tokens), base: server.address, database: "d")
            let failure = await TestClient.failure { try await kusto.run("print 1", isCommand: false) }
            #expect(failure?.got.contains("a token for graph.microsoft.com") == true, "\(failure?.got ?? "")")
            #expect(server.requests.count == 1)
            await client.shutdown()
        }
    }

    @Test func vaultsAreJudgedExactly() throws {
        for text in [
            "https://plant-1.vault.azure.net/secrets/client", "https://plant.vault.usgovcloudapi.net/secrets/a/0123abc",
            "https://plant.vault.azure.cn:443/secrets/a/", "http://127.0.0.1:8080/secrets/a",
            "http://[::1]:1/secrets/a",
            "http://localhost:1/secrets/a",
        ] {
            #expect(throws: Never.self) { try KeyVaultAddress(text) }
        }
        for text in [
            "http://127.0.0.1.evil.example/secrets/a", "http://plant.vault.azure.net/secrets/a",
            "https://plant.vault.azure.net.evil.example/secrets/a", "https://vault.azure.net/secrets/a",
            "https://a.b.vault.azure.net/secrets/a", "https://evilvault.azure.net/secrets/a",
            "https://plant.vault.azure.net:8443/secrets/a", "https://plant.vault.azure.net@evil.example/secrets/a",
            "https://evil.example/secrets/a", "https://plant.vault.azure.net/keys/a",
            "https://plant.vault.azure.net/secrets/",
            "https://plant.vault.azure.net/secrets/a?x=1", "https://plant.vault.azure.net/secrets/a#x",
            "https://plant.vault.azure.net/secrets/a/b/c", "https://plant.vault.azure.net/secrets/../keys",
            "https://127.0.0.1.vault.azure.net/secrets/a", "http://localhost.evil.example/secrets/a",
            "http://10.0.0.1/secrets/a",
            "https://-ab.vault.azure.net/secrets/a", "https://plant.vault.azure.net./secrets/a",
        ] {
            #expect(throws: KeyVaultAddress.Problem.self, "\(text)") { try KeyVaultAddress(text) }
        }
    }
}
