import Azure
import Lab
import TestKit
import Testing

/// Which calls go through a proxy, and what is said when it does not let them through.
@Suite struct ProxyTests {
    // MARK: Rules

    private static func rules(_ environment: [String: String]) throws -> ProxyRules {
        try ProxyRules(environment: environment)
    }

    @Test func theEnvironmentNamesProxiesByScheme() throws {
        let rules = try Self.rules(["HTTPS_PROXY": "http://a.example:3128", "http_proxy": "b.example:8080"])
        #expect(rules.proxy(for: "https://graph.microsoft.com/v1.0")?.shown == "a.example:3128")
        #expect(rules.proxy(for: "http://lists.example/kev.json")?.shown == "b.example:8080")
        #expect(try Self.rules([:]).proxy(for: "https://graph.microsoft.com") == nil)
        #expect(try Self.rules(["HTTPS_PROXY": ""]).proxy(for: "https://graph.microsoft.com") == nil)
    }

    @Test func smallLettersComeFirstAndAllProxyLast() throws {
        let rules = try Self.rules([
            "HTTPS_PROXY": "http://large.example:1", "https_proxy": "http://small.example:2",
            "ALL_PROXY": "socks5://all.example",
        ])
        #expect(rules.proxy(for: "https://x.example")?.shown == "small.example:2")
        #expect(rules.proxy(for: "http://x.example")?.shown == "all.example:1080")
    }

    @Test func aProxyMayHoldNameAndPassword() throws {
        let proxy = try Self.rules(["HTTPS_PROXY": "http://svc:p%40ss@proxy.example:3128"]).https
        #expect(proxy?.user == "svc")
        #expect(proxy?.password?.text == "p@ss")
        #expect(proxy.map { "\($0)".contains("p@ss") } == false)
    }

    @Test(arguments: ["https://proxy.example:443", "ftp://proxy.example", "http://", "::::"])
    func whatIsNoProxyIsRefusedByTheVariablesName(_ text: String) throws {
        do {
            _ = try Self.rules(["HTTPS_PROXY": text])
            Issue.record("\(text) was taken for a proxy")
        } catch let error as ServiceError { #expect(error.tried.contains("HTTPS_PROXY")) }
    }

    /// What NO_PROXY says, an address, and whether it is called directly.
    private static let exceptions: [(String, String, Bool)] = [
        ("*", "https://graph.microsoft.com/", true),
        ("graph.microsoft.com", "https://graph.microsoft.com/v1.0", true),
        ("GRAPH.Microsoft.com", "https://graph.microsoft.com/v1.0", true),
        ("microsoft.com", "https://graph.microsoft.com/", true),
        (".microsoft.com", "https://graph.microsoft.com/", true),
        ("*.microsoft.com", "https://graph.microsoft.com/", true),
        ("*.microsoft.com", "https://microsoft.com/", false),
        ("microsoft.com", "https://notmicrosoft.com/", false),
        ("a.example, microsoft.com", "https://graph.microsoft.com/", true),
        ("a.example microsoft.com", "https://graph.microsoft.com/", true),
        ("microsoft.com.", "https://graph.microsoft.com/", true),
        ("microsoft.com", "https://graph.microsoft.com./", true),
        ("10.40.0.0/16", "https://10.40.7.2/api", true),
        ("10.40.0.0/16", "https://10.41.7.2/api", false),
        ("10.40.6.0/23", "https://10.40.7.2/api", true),
        ("10.40.8.0/23", "https://10.40.7.2/api", false),
        ("0.0.0.0/0", "https://10.40.7.2/api", true),
        ("10.40.7.2", "https://10.40.7.2/api", true),
        ("10.40.7.2", "https://10.40.7.20/api", false),
        ("fd00::/8", "https://[fd12::1]/api", true),
        ("[fd12::1]:8443", "https://[fd12::1]:8443/api", true),
        ("[fd12::1]:8443", "https://[fd12::1]/api", false),
        ("sensor.plant:8443", "https://sensor.plant:8443/api", true),
        ("sensor.plant:8443", "https://sensor.plant/api", false),
        ("sensor.plant:443", "https://sensor.plant/api", true),
        ("", "https://graph.microsoft.com/", false),
        (",, ,", "https://graph.microsoft.com/", false),
    ]

    @Test(arguments: exceptions)
    func hostsAreCalledDirectly(_ exception: String, _ address: String, _ isDirect: Bool) throws {
        let rules = try Self.rules(["HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": exception])
        #expect((rules.proxy(for: address) == nil) == isDirect)
    }

    @Test(arguments: [
        "https://localhost:8443/", "https://127.0.0.1/", "https://127.9.9.9/", "https://[::1]/", "https://a.localhost/",
    ])
    func thisMachineIsNeverProxiedUnlessSaid(_ address: String) throws {
        var rules = ProxyRules(try Proxy("proxy.example:3128"))
        #expect(rules.proxy(for: address) == nil)
        rules.includesLoopback = true
        #expect(rules.proxy(for: address) != nil)
        // Where a cloud tells a machine who it is, nobody else can be asked.
        #expect(rules.proxy(for: "http://169.254.169.254/metadata") == nil)
    }

    // MARK: Calls

    private static func rules(through server: WireServer, user: String? = nil) throws -> ProxyRules {
        var proxy = try Proxy(server.address)
        proxy.user = user
        proxy.password = user.map { _ in Secret("open sesame") }
        return ProxyRules(proxy, includesLoopback: true)
    }

    /// Asks for the lab's public list through a proxy.
    private static func list(_ lab: RunningLab, _ rules: ProxyRules) async throws -> ServiceResponse {
        let client = try TestClient.make(proxies: rules)
        let outcome: Result<ServiceResponse, any Error>
        do {
            outcome = .success(
                try await client.document(at: "\(lab.cloud)/feeds/known_exploited_vulnerabilities.json"))
        } catch { outcome = .failure(error) }
        await client.shutdown()
        return try outcome.get()
    }

    private static func port(_ address: String) -> Int { Int(address.split(separator: ":").last ?? "") ?? 0 }

    @Test func callsGoThroughTheProxy() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let port = Self.port(lab.cloud)
            try await WireServer.use { _, _ in
                .tunnel(host: "127.0.0.1", port: port)
            } _: { proxy in
                let answer = try await Self.list(lab, try Self.rules(through: proxy))
                #expect(answer.status == 200)
                #expect(proxy.requests.map(\.method) == ["CONNECT"])
                #expect(proxy.requests.first?.target == "127.0.0.1:\(port)")
            }
        }
    }

    @Test func aSensorsCertificateIsCheckedBehindTheProxy() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let port = Self.port(lab.sensor)
            try await WireServer.use { _, _ in
                .tunnel(host: "127.0.0.1", port: port)
            } _: { proxy in
                let trust = ServerTrust.certificate(file: lab.folder + "/sensor.pem", checksHost: true)
                let rules = try Self.rules(through: proxy)
                let token = Secret(lab.lab.options.identity.sensorToken)
                for (trust, isTrusted) in [(trust, true), (.system, false)] {
                    let client = try TestClient.make(proxies: rules, trust: trust)
                    let sensor = SensorClient(client: client, host: lab.sensor, token: token)
                    let failure = await TestClient.failure { try await sensor.get("/api/v1/devices", parameters: []) }
                    #expect((failure == nil) == isTrusted)
                    await client.shutdown()
                }
                // The token goes to the sensor only: the proxy sees none.
                #expect(proxy.requests.allSatisfy { $0.method == "CONNECT" && $0.header("Authorization") == nil })
            }
        }
    }

    @Test func aProxyThatAsksForASignInGetsOne() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let port = Self.port(lab.cloud)
            try await WireServer.use { request, _ in
                // svc:open sesame
                request.header("Proxy-Authorization") == "Basic c3ZjOm9wZW4gc2VzYW1l"
                    ? .tunnel(host: "127.0.0.1", port: port)
                    : .answer(407, headers: [("Proxy-Authenticate", "Basic")])
            } _: { proxy in
                let answer = try await Self.list(lab, try Self.rules(through: proxy, user: "svc"))
                #expect(answer.status == 200)
                let anonymous = try Self.rules(through: proxy)
                let failure = await TestClient.failure { try await Self.list(lab, anonymous) }
                #expect(failure?.tried.contains("127.0.0.1:\(proxy.port)") == true)
                #expect(failure?.got.contains("407") == true)
                #expect(failure?.next.contains("password: env:") == true)
            }
        }
    }

    @Test func whatAProxyRefusesNamesTheProxy() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            try await WireServer.use { _, _ in
                .answer(403)
            } _: { proxy in
                let rules = try Self.rules(through: proxy)
                let failure = await TestClient.failure { try await Self.list(lab, rules) }
                #expect(failure?.tried.contains("127.0.0.1:\(proxy.port)") == true)
                #expect(failure?.got.contains("does not connect to 127.0.0.1:\(Self.port(lab.cloud))") == true)
            }
            // Nothing listens there any more.
            let gone = try await WireServer.use { _, _ in
                .close
            } _: {
                try Self.rules(through: $0)
            }
            let failure = await TestClient.failure { try await Self.list(lab, gone) }
            #expect(
                failure?.got.contains("no connection to the proxy 127.0.0.1:") == true, "\(String(describing: failure))"
            )
        }
    }
}
