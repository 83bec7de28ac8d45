import Azure
import Foundation
import Tables
import TestKit
import Testing

/// What others repeat of a secret is replaced, however they write it.
@Suite struct SecretTests {
    private static let secret = "9Xv~Q/+pa\"s%w0rd&<Zt>=mQ.k"
    private static let token =
        "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJzb21lYm9keSIsInNlcSI6MTIzNDU2Nzg5MH0.c2lnbmF0dXJlLW9mLW5vYm9keQ"

    /// The ways in which answers, logs and addresses write a text, each with what must not be left of it.
    private static func spellings(_ text: String) -> [(name: String, text: String)] {
        let bytes = Array(text.utf8)
        func base64(_ before: String, _ behind: String = "") -> String {
            Data((before + text + behind).utf8).base64EncodedString()
        }
        func percent(_ isKept: (UInt8) -> Bool, _ form: String = "%%%02X") -> String {
            bytes.map { isKept($0) ? String(UnicodeScalar($0)) : String(format: form, $0) }.joined()
        }
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return [
            ("plain", text), ("base64", base64("")), ("basic sign-in", base64("client:")),
            ("basic sign-in, other place", base64("a:", ":b")), ("base64 in the middle", base64("xx", "yy")),
            ("base64url", base64("").replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")),
            ("percent, large", percent(unreserved.contains)),
            ("percent, small", percent(unreserved.contains, "%%%02x")),
            ("percent, all", percent { _ in false }),
            ("hexadecimal", bytes.map { String(format: "%02x", $0) }.joined()),
            ("JSON", String(JSONWriter.string(.string(text)).dropFirst().dropLast())),
            (
                "JSON with slashes",
                text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("/", with: "\\/")
            ),
            (
                "JSON for pages",
                text.unicodeScalars.map {
                    "<>&'+\"".unicodeScalars.contains($0) ? String(format: "\\u%04X", $0.value) : String($0)
                }
                .joined()
            ),
            (
                "HTML",
                text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
                    "\"", with: "&quot;")
            ),
        ]
    }

    @Test(arguments: [secret, token, "correct horse battery staple", "0123456789abcdef0123456789abcdef"])
    func everySpellingIsReplaced(_ text: String) {
        let secret = Secret(text)
        for spelling in Self.spellings(secret.text) {
            let hidden = Secret.hidden(in: "before \(spelling.text) behind")
            #expect(hidden.hasPrefix("before ") && hidden.hasSuffix(" behind"), "\(spelling.name): \(hidden)")
            #expect(hidden.utf8.count < 46 && hidden.contains(Secret.mark), "\(spelling.name): \(hidden)")
        }
    }

    @Test(arguments: [secret, token]) func whatIsCutOffIsReplaced(_ text: String) {
        let secret = Secret(text)
        for spelling in Self.spellings(secret.text) where spelling.name != "base64 in the middle" {
            // Before the secret stand the name of who signs in, and a colon.
            for length in stride(from: spelling.name.hasPrefix("basic") ? 26 : 14, to: spelling.text.utf8.count, by: 5)
            {
                let part = String(decoding: spelling.text.utf8.prefix(length), as: UTF8.self)
                for end in ["", "\"}", "…", "...", "\n"] {
                    let hidden = Secret.hidden(in: "the secret \(part)\(end)")
                    // In base64 behind other text the first characters are not the secret's alone.
                    #expect(!hidden.contains(String(part.suffix(9))), "\(spelling.name) \(length): \(hidden)")
                }
            }
        }
    }

    /// A long part from anywhere: the second half of what was divided between two lines.
    @Test func partsOfATokenAreReplaced() {
        let secret = Secret(Self.token)
        for start in stride(from: 0, to: 60, by: 7) {
            let part = String(secret.text.dropFirst(start).prefix(40))
            let hidden = Secret.hidden(in: "… \(part) …")
            #expect(hidden == "… \(Secret.mark) …", "\(hidden)")
        }
    }

    @Test func ordinaryTextStaysAsItIs() {
        let secrets = [
            Secret("lane-client-secret-of-mine"), Secret("00000000000000000000000000000000"), Secret("abc"), Secret(""),
        ]
        for text in [
            "", "abc", "set 'clientSecret' where env:LAB points", "00000000-0000-0000-0000-000000000000",
            "the lane-client said so", "eine Wörterliste … mit „Zeichen“", String(repeating: "a", count: 5_000),
        ] {
            #expect(Secret.hidden(in: text) == text)
        }
        withExtendedLifetime(secrets) {}
    }

    @Test func charactersAreNotCutInTwo() {
        let secret = Secret("pässwörter-für-größere-übungen")
        let hidden = Secret.hidden(in: "ä\(secret.text)ö und ä\(secret.text.prefix(20))")
        #expect(hidden == "ä\(Secret.mark)ö und ä\(Secret.mark)")
    }

    /// A short secret looks like a word: it is replaced only in answers to the calls that carry it.
    @Test func aShortSecretIsReplacedWhereItWasSent() async throws {
        try await WireServer.use { _, _ in
            .answer(403, body: #"{"error":{"code":"Forbidden","message":"token wrong is wronged"}}"#)
        } _: { server in
            let client = try TestClient.make()
            let sensor = SensorClient(client: client, host: server.address, token: Secret("wrong"))
            let failure = await TestClient.failure { try await sensor.get("/x", parameters: []) }
            #expect(failure?.got.contains("token \(Secret.mark) is wronged") == true, "\(failure?.got ?? "")")
            await client.shutdown()
        }
    }

    /// Bodies, headers and redirects, of refusals and of success.
    @Test(arguments: [200, 302, 400, 401, 403, 500]) func whatAServiceRepeatsIsReplaced(_ status: Int) async throws {
        let token = "t0ken-of-the-test-\(status)-0123456789"
        let encoded = Data(token.utf8).base64EncodedString()
        try await WireServer.use { request, _ in
            let given = request.header("Authorization") ?? "none"
            return .answer(
                status,
                headers: [("x-ms-request-id", given), ("Location", "https://else.example/\(encoded)?t=\(given)")],
                body: #"{"error":{"code":"\#(encoded)","message":"you sent \#(given)"}}"#)
        } _: { server in
            let client = try TestClient.make(attempts: 1)
            let request = ServiceRequest(
                "GET", server.address, headers: [("Authorization", token)], secrets: [Secret(unlisted: token)])
            do {
                let response = try await client.send(request)
                let text = String(decoding: response.body, as: UTF8.self) + "\(response.headers)"
                #expect(!text.contains(token) && !text.contains(encoded.prefix(20)), "\(text)")
                #expect(text.contains("you sent \(Secret.mark)"))
            } catch {
                #expect(!"\(error)".contains(token) && !"\(error)".contains(encoded.prefix(20)), "\(error)")
            }
            #expect(server.requests.first?.header("Authorization") == token)
            await client.shutdown()
        }
    }
}
