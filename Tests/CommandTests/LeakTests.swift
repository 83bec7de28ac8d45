import Foundation
import TestKit
import Testing

/// Services that repeat what proves who calls: afterwards it stands nowhere.
@Suite(.serialized) struct LeakTests {
    private static let clientSecret = "Kx8~Q/pQ+7sVt=wR2m.Jz&Lb9"
    private static let token =
        "eyJhbGciOiJub25lIn0.eyJhdWQiOiJ0ZXN0IiwianRpIjoiOTg3NjU0MzIxMCJ9.bm9ib2R5LXNpZ25lZC10aGlz"
    private static let sensorToken = "7c0ffee17c0ffee27c0ffee37c0ffee4"

    /// Everything that could be read back: in several spellings, cut off too.
    private static func spellings(_ secret: String) -> [String] {
        let base64 = Data(secret.utf8).base64EncodedString()
        let unreserved = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        let percent = secret.addingPercentEncoding(withAllowedCharacters: unreserved) ?? secret
        // The head of a signed token says which algorithm it is signed with, and is the same in all of them.
        let parts = secret.split(separator: ".")
        let own = parts.count == 3 ? String(parts[1]) : secret
        return [secret, String(own.prefix(12)), String(base64.prefix(20)), percent, percent.lowercased()]
    }

    /// An answer that repeats what came with a request in body, header and redirect.
    private static func echo(_ request: WireServer.Request, _ status: Int) -> WireServer.Reply {
        let given = request.target.contains("/oauth2/") ? clientSecret : request.header("Authorization") ?? "none"
        let text = "\(given) and \(Data(given.utf8).base64EncodedString())"
        let encoded = given.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let description = "AADSTS7000215: you sent \(text) and \(encoded)"
        return .answer(
            status,
            headers: [
                ("x-ms-request-id", text), ("Location", "https://else.example/\(encoded)"), ("Retry-After", "0"),
                ("WWW-Authenticate", given), ("Content-Type", "application/json"),
            ],
            body: """
                {"error": {"code": "\(text)", "message": "\(description)"}, "error_description": "\(description)",
                 "error_codes": [7000215], "trace_id": "\(given)", "cut": "\(given.prefix(given.count * 2 / 3))"}
                """)
    }

    private static let files = """
        tenant: {tenantId: t, clientId: c, clientSecret: env:THE_SECRET, loginHost: HOST, graphHost: HOST, endpointHost: HOST}
        sensors: [{name: plant, host: HOST, token: {env: THE_SENSOR}}]
        sinks:
          - {name: files, kind: files, folder: out}
          - {name: sentinel, kind: logs-ingestion, endpoint: HOST, rule: dcr-1, tables: [VestigeHealth_CL]}
        workspace: w.vestige
        """

    @Test(arguments: [400, 401, 403, 500, 302]) func nothingOfASecretIsKept(_ status: Int) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await WireServer.use { request, _ in
            // A sign-in that fails gets the secret back, and every other call the token that it carried.
            request.target.contains("/oauth2/") && status != 401
                ? .answer(200, body: #"{"access_token":"\#(Self.token)","expires_in":3599}"#)
                : Self.echo(request, status)
        } _: { server in
            try FolderWriter.write(Self.files.replacing("HOST", with: server.address), to: folder + "/vestige.yaml")
            let environment = ["THE_SECRET": Self.clientSecret, "THE_SENSOR": Self.sensorToken]
            let sources = ["mde-machines", "mde-alerts", "iot-alerts", "iot-devices"].flatMap { ["--source", $0] }
            let commands = [
                ["collect", "--once", "--log", "json"] + sources, ["collect", "--once"] + sources, ["status"],
                ["status", "--format", "json"], ["doctor"], ["doctor", "--format", "json"],
                ["query", "--format", "json", "VestigeHealth_CL | union VestigeDeadLetters_CL"],
                ["query", "--on", server.address, "print 1"], ["collect", "--list"],
            ]
            var told = ""
            for command in commands {
                let outcome = try await CommandTests.run(command, in: folder, environment: environment)
                told += outcome.out + outcome.err
            }
            #expect(
                server.requests.contains { $0.header("Authorization")?.contains(Self.token) == true } || status == 401)
            #expect(server.requests.contains { $0.header("Authorization") == Self.sensorToken })
            // A redirect is an error of its own, which repeats nothing.
            #expect(told.contains("••••") || status == 302, "\(told)")
            let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
            #expect(names.contains("w.vestige"))
            for secret in [Self.clientSecret, Self.token, Self.sensorToken] {
                for spelling in Self.spellings(secret) {
                    #expect(!told.contains(spelling), "\(spelling) in what was said")
                    for name in names {
                        guard let bytes = FileManager.default.contents(atPath: folder + "/" + name) else { continue }
                        #expect(bytes.range(of: Data(spelling.utf8)) == nil, "\(spelling) in \(name)")
                    }
                }
            }
        }
    }

    @Test func aSecretThatIsNoPlaceIsRefusedAndNotRepeated() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for (setting, words) in [
            ("keyvault:http://127.0.0.1.evil.invalid/secrets/a", "names no secret of a vault"),
            ("keyvault:https://plant.vault.azure.net:8443/secrets/a", "no port but 443"),
            ("credential:../shadow", "without a path"), ("{env: A, file: b}", "names one place"),
            ("env:", "does not say which"),
            ("hunter2-hunter2", "must say where the secret is kept"), ("{secret: hunter2-hunter2}", "clientSecret"),
        ] {
            try FolderWriter.write(
                "tenant: {tenantId: t, clientId: c, clientSecret: \(setting.hasPrefix("{") ? setting : "'\(setting)'")}\n",
                to: folder + "/vestige.yaml")
            let outcome = try await CommandTests.run(["collect", "--once"], in: folder)
            #expect(outcome.status == 2, "\(setting)")
            #expect(outcome.err.contains(words) && !outcome.err.contains("hunter2"), "\(setting): \(outcome.err)")
        }
    }

    @Test func aCredentialOfTheServiceManagerIsRead() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try await WireServer.use { request, _ in
            Self.echo(request, 401)
        } _: { server in
            try FolderWriter.write(
                """
                tenant: {tenantId: t, clientId: c, clientSecret: {credential: client}, loginHost: HOST, graphHost: HOST, endpointHost: HOST}
                """.replacing("HOST", with: server.address), to: folder + "/vestige.yaml")
            let outside = try await CommandTests.run(["collect", "--once"], in: folder)
            #expect(outside.err.contains("CREDENTIALS_DIRECTORY") && server.requests.isEmpty, "\(outside.err)")
            try FolderWriter.write(Self.clientSecret + "\n", to: folder + "/credentials/client")
            let environment = ["CREDENTIALS_DIRECTORY": folder + "/credentials"]
            let inside = try await CommandTests.run(
                ["collect", "--once", "--source", "mde-machines"], in: folder, environment: environment)
            #expect(server.requests.count >= 1 && inside.status == 1)
            #expect(!inside.err.contains(Self.clientSecret.prefix(12)) && inside.err.contains("••••"), "\(inside.err)")
        }
    }
}
