import Foundation
import JWTKit
import Pipeline
import Tables
import TestKit
import Testing

@testable import Workbench

/// Sign-in with Entra, against the lab's directory.
@Suite(.serialized) struct EntraTests {
    private static let redirect = "https://workbench.example/sign-in/callback"

    /// A workbench whose people and programs sign in with a lab's directory.
    private func use(_ body: @Sendable (SharedWorkbench, RunningLab) async throws -> Void) async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let identity = lab.lab.options.identity
            var registration = TenantConfiguration(
                tenantID: identity.tenant, clientID: identity.webClient,
                identity: .secret(.value(.init(identity.webSecret))))
            registration.loginHost = lab.cloud
            lab.lab.register(redirects: [Self.redirect])
            let entra = ServeConfiguration.Entra(registration: registration)
            let clock = lab.lab.clock
            try await SharedWorkbench.use(
                users: [], time: { DateTime.unixSeconds(clock.now) },
                configure: {
                    $0.server.entra = entra
                    $0.server.address = "https://workbench.example"
                }
            ) { try await body($0, lab) }
        }
    }

    /// A browser on its way: what it was given here, and where Entra sends it back to.
    private struct Journey {
        let cookies: [String: String]
        let departure: String
        /// The path and query that Entra sends back to.
        let arrival: String
        let status: Int
    }

    private func travel(
        _ shared: SharedWorkbench, as person: String = "anna@plant.lab.example", back: String = "/",
        change: (String) -> String = { $0 }
    ) async throws -> Journey {
        let left = try await shared.send("GET", "/sign-in/entra?" + FormText.write([("return", back)]))
        #expect(left.status == 302)
        let departure = try #require(left["Location"])
        let answer = try await shared.send("GET", change(departure + "&login_hint=" + FormText.escape(person)))
        let location = answer["Location"] ?? ""
        return Journey(
            cookies: left.cookies, departure: departure,
            arrival: location.replacing("https://workbench.example", with: ""), status: answer.status)
    }

    @Test func somebodySignsInWithTheirRole() async throws {
        try await use { shared, _ async throws in
            for (person, role) in [("anna", "analyst"), ("rita", "reader"), ("adam", "administrator")] {
                let journey = try await travel(
                    shared, as: "\(person)@plant.lab.example", back: "/workbooks/posture?Tab=health")
                let query = FormText.read(journey.departure.split(separator: "?")[1])
                #expect(query["code_challenge_method"] == "S256" && query["response_type"] == "code")
                #expect(query["redirect_uri"] == Self.redirect && query["nonce"]?.utf8.count == 43)
                #expect(query["client_secret"] == nil && query["code_verifier"] == nil)
                let entered = try await shared.send("GET", journey.arrival, cookies: journey.cookies)
                #expect(entered.status == 303 && entered["Location"] == "/workbooks/posture?Tab=health")
                let session = ["__Host-vestige": try #require(entered.cookies["__Host-vestige"])]
                let page = try await shared.send("GET", "/workbooks/posture", cookies: session)
                #expect(page.body.contains("Signed in as \(person)@plant.lab.example, \(role)"))
            }
            // Who has no role in the application is somebody, and gets in nowhere.
            let outsider = try await travel(shared, as: "olga@plant.lab.example")
            let refused = try await shared.send("GET", outsider.arrival, cookies: outsider.cookies)
            #expect(refused.status == 403 && refused.cookies["__Host-vestige"] == nil)
        }
    }

    @Test func anAnswerCountsOnceAndForTheBrowserThatLeft() async throws {
        try await use { shared, _ async throws in
            let one = try await travel(shared)
            let other = try await travel(shared)
            // Another browser, no browser, another's state.
            #expect(try await shared.send("GET", one.arrival, cookies: other.cookies).status == 403)
            #expect(
                try await shared.send("GET", one.arrival, cookies: one.cookies).status == 403,
                "a state that was shown is spent")
            #expect(try await shared.send("GET", other.arrival).status == 403)
            let good = try await travel(shared)
            #expect(try await shared.send("GET", good.arrival, cookies: good.cookies).status == 303)
            #expect(try await shared.send("GET", good.arrival, cookies: good.cookies).status == 403, "replayed")
            // A code of one journey with the state of another: its challenge and its nonce are others.
            let (a, b) = (try await travel(shared), try await travel(shared))
            let code = FormText.read(a.arrival.split(separator: "?")[1])["code"] ?? ""
            let state = FormText.read(b.arrival.split(separator: "?")[1])["state"] ?? ""
            let mixed = "/sign-in/callback?" + FormText.write([("code", code), ("state", state)])
            #expect(try await shared.send("GET", mixed, cookies: b.cookies).status == 403)
            let late = try await travel(shared)
            shared.clock.advance(601)
            #expect(try await shared.send("GET", late.arrival, cookies: late.cookies).status == 403)
            for odd in [
                "", "?state=x", "?code=x", "?state=x&code=y", "?error=access_denied", "?state=a&state=b&code=c",
            ] {
                #expect(try await shared.send("GET", "/sign-in/callback" + odd, cookies: late.cookies).status == 403)
            }
        }
    }

    @Test func theReturnAddressLeadsNowhereElse() async throws {
        try await use { shared, _ async throws in
            for bad in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"] {
                let journey = try await travel(shared, back: bad)
                let entered = try await shared.send("GET", journey.arrival, cookies: journey.cookies)
                #expect(entered.status == 303 && entered["Location"] == "/", "\(bad)")
            }
        }
    }

    /// The directory sends nobody to an address that its registration does not name.
    @Test func theLabIsAsStrictAsEntra() async throws {
        try await use { shared, lab async throws in
            for (old, new) in [
                (Self.redirect, Self.redirect + "/"), (Self.redirect, "https://evil.example/"),
                (lab.lab.options.identity.webClient, lab.lab.options.identity.client),
            ] {
                let journey = try await travel(shared) {
                    $0.replacing(FormText.escape(old), with: FormText.escape(new))
                }
                #expect(journey.status == 400 && journey.arrival == "", "\(new)")
            }
            let tenant = lab.lab.options.identity.tenant
            let address = "\(lab.cloud)/\(tenant)/oauth2/v2.0/token"
            let identity = lab.lab.options.identity
            func redeem(_ code: String, _ changes: [String: String] = [:]) async throws -> (Int, String) {
                var form = [
                    "client_id": identity.webClient, "client_secret": identity.webSecret, "code": code,
                    "grant_type": "authorization_code", "redirect_uri": Self.redirect,
                    "code_verifier": String(repeating: "v", count: 43),
                ]
                form.merge(changes) { $1 }
                let answer = try await shared.send("POST", address, form: form.map { ($0, $1) })
                return (answer.status, answer.body)
            }
            func code() async throws -> String {
                let journey = try await travel(shared)
                return FormText.read(journey.arrival.split(separator: "?")[1])["code"] ?? ""
            }
            #expect(try await redeem(code()).1.contains("AADSTS501481"), "PKCE is not checked")
            #expect(try await redeem("0.no-such-code").1.contains("AADSTS9002313"))
            #expect(try await redeem(code(), ["redirect_uri": "https://evil.example/"]).1.contains("AADSTS500112"))
            #expect(try await redeem(code(), ["client_secret": "x"]).0 == 401)
            let used = try await code()
            _ = try await redeem(used)
            #expect(try await redeem(used).1.contains("AADSTS54005"))
            let late = try await code()
            lab.lab.clock.advance(hours: 1)
            #expect(try await redeem(late).1.contains("AADSTS70008"))
        }
    }

    // MARK: Bearer tokens

    /// Claims of an access token that is taken.
    private func claims(_ lab: RunningLab, _ changes: JSON.Members = [:]) -> JSON {
        let identity = lab.lab.options.identity
        let now = Int64(DateTime.unixSeconds(lab.lab.clock.now))
        var claims: JSON.Members = [
            "aud": .string("api://" + identity.webClient),
            "iss": .string("https://sts.windows.net/\(identity.tenant)/"),
            "tid": .string(identity.tenant), "ver": "1.0", "appid": .string(identity.client), "oid": "o-1",
            "nbf": .integer(now - 10), "exp": .integer(now + 600), "roles": ["Vestige.Reader"],
        ]
        for (name, value) in zip(changes.names, changes.values) { claims[name] = value == .null ? nil : value }
        return .object(claims)
    }

    private func status(_ shared: SharedWorkbench, _ token: String) async throws -> Int {
        shared.clock.advance(1_000)
        return try await shared.query("print 1", headers: [("Authorization", "Bearer \(token)")]).status
    }

    @Test func programsShowTokensOfBothVersions() async throws {
        try await use { shared, lab async throws in
            #expect(try await status(shared, lab.lab.sign(claims(lab))) == 200)
            let identity = lab.lab.options.identity
            let v2: JSON.Members = [
                "aud": .string(identity.webClient), "iss": .string("\(lab.cloud)/\(identity.tenant)/v2.0"),
                "ver": "2.0",
                "azp": .string(identity.client), "appid": .null,
            ]
            #expect(try await status(shared, lab.lab.sign(claims(lab, v2))) == 200)
            let person: JSON.Members = ["scp": "User.Read user_impersonation", "upn": "anna@plant.lab.example"]
            #expect(try await status(shared, lab.lab.sign(claims(lab, person))) == 200)
            // The client credentials of the lab's own application.
            for version in [1, 2] {
                lab.lab.set(tokenVersion: version)
                let form = [
                    ("client_id", identity.client), ("client_secret", identity.secret),
                    ("grant_type", "client_credentials"), ("scope", identity.webAudience + "/.default"),
                ]
                let answer = try await shared.send(
                    "POST", "\(lab.cloud)/\(identity.tenant)/oauth2/v2.0/token", form: form)
                let token = try #require(try JSON(parsing: answer.body)["access_token"]?.string)
                #expect(try await status(shared, token) == 200, "version \(version)")
            }
        }
    }

    @Test func tokensThatSayAnythingElseAreRefused() async throws {
        try await use { shared, lab async throws in
            let identity = lab.lab.options.identity
            let now = Int64(DateTime.unixSeconds(lab.lab.clock.now))
            let wrong: [(String, JSON.Members)] = [
                ("another audience", ["aud": "https://graph.microsoft.com"]), ("no audience", ["aud": .null]),
                ("several audiences", ["aud": [.string("api://" + identity.webClient), "x"]]),
                ("another issuer", ["iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"]),
                ("an issuer of another version", ["iss": .string("\(lab.cloud)/\(identity.tenant)/v2.0")]),
                ("another tenant", ["tid": "00000000-0000-0000-0000-000000000000"]), ("no tenant", ["tid": .null]),
                ("ended", ["exp": .integer(now - 61)]), ("no end", ["exp": .null]),
                ("not valid yet", ["nbf": .integer(now + 120)]), ("another version", ["ver": "3.0"]),
                ("no role", ["roles": .null]), ("a foreign role", ["roles": ["Vestige.Owner", "admin", "READER"]]),
                ("roles that are no list", ["roles": "Vestige.Administrator"]),
                ("no permission", ["scp": "User.Read"]), ("a longer permission", ["scp": "user_impersonation2"]),
                ("an id token", ["nonce": "n"]), ("no program", ["appid": .null]), ("nobody", ["oid": .null]),
            ]
            for (what, change) in wrong {
                let answer = try await status(shared, lab.lab.sign(claims(lab, change)))
                #expect(answer == 401, "\(what)")
            }
            // Two clocks may differ a little.
            let late = try await status(shared, lab.lab.sign(claims(lab, ["exp": .integer(now - 30)])))
            #expect(late == 200)
        }
    }

    @Test func signaturesOfAnyOtherKindAreRefused() async throws {
        try await use { shared, lab async throws in
            let good = try await lab.lab.sign(claims(lab))
            #expect(try await status(shared, good) == 200)
            let parts = good.split(separator: ".").map(String.init)
            func encoded(_ json: JSON) -> String { Base64URL.encode(json.bytes) }
            let key = try await lab.lab.signingKey()
            // The public key is no secret to sign with.
            let confused = JWTKeyCollection()
            await confused.add(hmac: HMACKey(from: key.pem), digestAlgorithm: .sha256)
            let other = try await confused.sign(Anything(json: claims(lab)), header: ["kid": .string(key.id)])
            let none = encoded(["alg": "none", "typ": "JWT", "kid": .string(key.id)])
            let forged: [(String, String)] = [
                ("HS256 with the public key", other), ("no algorithm", "\(none).\(parts[1])."),
                ("no algorithm, with a signature", "\(none).\(parts[1]).\(parts[2])"),
                ("no signature", "\(parts[0]).\(parts[1])."), ("two parts", "\(parts[0]).\(parts[1])"),
                (
                    "other claims",
                    "\(parts[0]).\(encoded(claims(lab, ["roles": ["Vestige.Administrator"]]))).\(parts[2])"
                ),
                ("a key of another", try await lab.lab.sign(claims(lab), keyID: key.id)),
                ("a key that nobody has", try await lab.lab.sign(claims(lab), keyID: "stranger")),
                ("a key of a path", try await lab.lab.sign(claims(lab), keyID: "../../dev/null")),
                (
                    "crit",
                    encoded(["alg": "RS256", "kid": .string(key.id), "crit": ["b64"]]) + ".\(parts[1]).\(parts[2])"
                ),
                ("a very long one", good + String(repeating: "A", count: 20_000)), ("nothing", ".."),
            ]
            for (what, token) in forged { #expect(try await status(shared, token) == 401, "\(what)") }
        }
    }

    /// A directory changes its keys without a word; tokens with names of keys that it never had do not make the server
    /// ask again and again.
    @Test func newKeysAreFetchedWhenATokenNamesThem() async throws {
        try await use { shared, lab async throws in
            let old = try await lab.lab.sign(claims(lab))
            #expect(try await status(shared, old) == 200)
            try await lab.lab.rotateSigningKey()
            let new = try await lab.lab.sign(claims(lab))
            #expect(try await status(shared, new) == 200)
            #expect(try await status(shared, old) == 200)
            func fetches() -> Int { lab.lab.requests.count { $0.contains("/discovery/v2.0/keys") } }
            let before = fetches()
            shared.clock.advance(61)
            let stranger = try await lab.lab.sign(claims(lab), keyID: "stranger")
            for _ in 0..<5 {
                _ = try await shared.query("print 1", headers: [("Authorization", "Bearer \(stranger)")])
            }
            #expect(fetches() == before + 1)
        }
    }

    @Test func aDirectoryThatDoesNotAnswerIsNoReasonToLetAnybodyIn() async throws {
        try await use { shared, lab async throws in
            _ = try await lab.control(
                "POST", "/lab/faults", "{\"path\":\"openid-configuration\",\"status\":503,\"times\":2}")
            #expect(try await shared.send("GET", "/sign-in/entra").status == 503)
            let token = try await lab.lab.sign(claims(lab))
            #expect(try await status(shared, token) == 503)
            #expect(try await status(shared, token) == 200)
        }
    }

    @Test func clientsAreToldWhereToSignIn() async throws {
        try await use { shared, lab async throws in
            let answer = try await shared.send("GET", "/v1/rest/auth/metadata")
            let directory = try JSON(parsing: answer.body)["AzureAD"]
            #expect(directory?["LoginEndpoint"]?.string == lab.cloud)
            #expect(directory?["KustoServiceResourceId"]?.string == "api://" + lab.lab.options.identity.webClient)
            let refused = try await shared.query("print 1")
            let tenant = lab.lab.options.identity.tenant
            #expect(refused["WWW-Authenticate"] == "Bearer authorization_uri=\"\(lab.cloud)/\(tenant)\"")
        }
    }
}

/// Claims of any form, for signing with keys that are none.
private struct Anything: JWTPayload {
    let json: JSON

    init(json: JSON) { self.json = json }
    init(from decoder: any Decoder) throws { json = .null }
    func verify(using algorithm: some JWTAlgorithm) throws {}

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        guard let members = json.members else { return }
        for (name, value) in zip(members.names, members.values) {
            let key = Name(stringValue: name)
            if let number = value.integer { try container.encode(number, forKey: key) }
            if let text = value.string { try container.encode(text, forKey: key) }
            if let items = value.array { try container.encode(items.compactMap(\.string), forKey: key) }
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
