import Azure
import Content
import Foundation
import Tables
import TestKit
import Testing

@testable import Pipeline

/// What `vestige.yaml` may say, and what is said of what it may not.
@Suite struct ConfigurationTests {
    private static let head = """
        tenant: {tenantId: t, clientId: c, clientSecret: "env:S"}

        """

    private func load(_ text: String, bytes: [UInt8] = []) throws -> Configuration {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = folder + "/vestige.yaml"
        try (Data(bytes) + Data(text.utf8)).write(to: URL(fileURLWithPath: file))
        return try Configuration.load(file: file, environment: [:])
    }

    /// What is wrong, without the folder before it.
    private func problem(_ text: String) -> String? {
        do {
            let mistakes = try load(text).mistakes(in: Repository.library())
            return mistakes.first?.got?.replacing(/^.*vestige\.yaml/, with: "vestige.yaml")
        } catch let error as OperatorError {
            return error.got?.replacing(/^.*vestige\.yaml/, with: "vestige.yaml")
        } catch { return "\(error)" }
    }

    private func rules(_ text: String) throws -> [LogsIngestionConfiguration.Rule] {
        let sink = try #require(
            try load(Self.head + "sinks:\n  - name: s\n    kind: logs-ingestion\n" + text).sinks.first)
        return try #require(sink.kind as? LogsIngestionConfiguration).rules
    }

    /// Every secret of a configuration is known from its reading on, so that nothing repeats it.
    @Test func everySecretIsRegistered() throws {
        let text = """
            proxy: {address: "http://proxy.example:3128", user: u, password: env:P0}
            tenant:
              {tenantId: t, clientId: c, clientSecret: env:P1, proxy: {address: "http://p:1", user: u, password: env:P2}}
            sensors:
              - {name: s, host: "https://s.example", token: env:P3, proxy: {address: "http://p:1", user: u, password: env:P4}}
            managers: [{name: m, host: "https://m.example", token: env:P5}]
            server:
              entra:
                {tenantId: 11111111-2222-3333-4444-555555555555, clientId: c, clientSecret: env:P6}
            sinks:
              - {name: a, kind: webhook, address: "https://hook.example", token: env:P7, key: env:P8}
              - {name: b, kind: mail, host: m.example, user: u, password: env:P9, from: a@b.example, to: [c@d.example]}
              - {name: c, kind: data-collector, workspaceId: w, key: env:P10}
            """
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(text, to: folder + "/vestige.yaml")
        let names = (0...10).map { "P\($0)" }
        let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "the secret of \($0), \(UUID())") })
        let configuration = try Configuration.load(file: folder + "/vestige.yaml", environment: environment)
        for name in names {
            let secret = try #require(environment[name])
            let told = Secret.hidden(in: "the service said: \(secret)!")
            #expect(!told.contains(secret), "\(name)")
        }
        withExtendedLifetime(configuration) {}
    }

    /// A kind of sink that declares a secret says where it is kept.
    @Test func everyKindOfSinkTellsItsSecrets() throws {
        let declared = SinkKinds.all.filter { kind in kind.settings.contains { $0 is Setting<SecretReference> } }
        #expect(Set(declared.map { $0.name }) == ["webhook", "mail", "data-collector"])
    }

    @Test func windowsEditorsAreRead() throws {
        let text = "workspace: w.db\r\nkeyframeDays: 5\r\nfeeds:\r\n  cisa-kev: off\r\n"
        let configuration = try load(text, bytes: [0xEF, 0xBB, 0xBF])
        #expect(configuration.workspace == "w.db" && configuration.keyframeDays == 5)
        #expect(configuration.feeds == ["cisa-kev": nil])
    }

    @Test(arguments: [
        ("# our settings\nworkspace: w.db\n\nhealth: maybe\n", "vestige.yaml:4:9: 'health' must be true or false"),
        ("workspace: w.db\nkeyframeDays: 0\n", "vestige.yaml:2:15: 'keyframeDays' must be between 1 and 365, not 0"),
        ("a: 1\n", "vestige.yaml:1:1: unknown field 'a'"),
        ("workspace: w.db\nspoolMB: lots\n", "vestige.yaml:2:10: 'spoolMB' must be a whole number"),
        ("exports:\n  - pages\n", "vestige.yaml:2:3: 'exports' must be text"),
        ("exports: page\n", "vestige.yaml:1:10: 'exports' must be automatic, pages or files, not \"page\""),
        (
            "sources:\n  - mde-machines\n  - mde-machine\n",
            "vestige.yaml:3:5: 'sources' names the source \"mde-machine\""
        ),
        ("feeds:\n  cisa-kv: off\n", "vestige.yaml:2:3: 'feeds' names the public list \"cisa-kv\""),
        ("feeds: {mde-machines: off}\n", "vestige.yaml:1:9: 'feeds' names the public list \"mde-machines\""),
        ("schedules:\n\n  iot-device: 5m\n", "vestige.yaml:3:3: 'schedules' names the source"),
        ("schedules:\n  iot-devices: 5\n", "vestige.yaml:2:3: 'schedules.iot-devices' must be a time"),
        ("investigate:\n  sources: [mde-process-event]\n", "vestige.yaml:2:13: 'investigate.sources' names"),
        ("investigate: {since: 40d}\n", "vestige.yaml:1:22: 'since' must be a duration"),
        (
            head + "sinks:\n  - name: s\n    kind: splunk\n",
            "vestige.yaml:4:11: 'kind' must be logs-ingestion, kusto, files"
        ),
        (
            head + "sinks:\n  - name: s\n    kind: files\n    folder: f\n    rotateAtMB: 0\n",
            "vestige.yaml:6:17: 'rotateAtMB' must be between 1"
        ),
        (
            head + "sinks:\n  - name: s\n    kind: output\n    folder: f\n",
            "vestige.yaml:5:5: unknown field 'sinks[0].folder'"
        ),
        (
            head + "sinks:\n  - {name: s, kind: kusto, cluster: 'http://x.example', database: d}\n",
            "vestige.yaml:3:37: 'cluster' must begin with https://"
        ),
        ("tenant: {tenantId: t, clientId: c, clientSecret: hunter2}\n", "vestige.yaml:1:50: 'clientSecret' must say"),
        (
            "sensors:\n  - {name: a, host: 'https://s', token: 'env:T', trust: all}\n",
            "vestige.yaml:2:57: 'trust'"
        ),
    ])
    func aMistakeNamesItsLine(_ text: String, _ expected: String) {
        let found = problem(text)
        #expect(found?.hasPrefix(expected) == true, "\(found ?? "nothing was wrong")")
        #expect(found?.contains("hunter2") != true)
    }

    @Test func whatIsNearIsNamed() throws {
        let mistakes = try load("feeds: {cisa-kv: off}\nsources: [mde-machine]\n").mistakes(in: Repository.library())
        #expect(mistakes.map(\.next).allSatisfy { $0?.contains("did you mean") == true })
        #expect(mistakes.allSatisfy { $0.isConfiguration } && mistakes.count == 2)
    }

    @Test func rulesAreReadWithTheirSinksDefaults() throws {
        let several = try rules(
            """
                endpoint: https://dce.example/
                managementHost: https://arm.example
                rules:
                  - {rule: dcr-1, tables: posture}
                  - {rule: dcr-2, tables: [ot, MDELogonUsers_CL], endpoint: "https://other.example", resource: "https://m.example"}

            """)
        #expect(several.map(\.endpoint) == ["https://dce.example", "https://other.example"])
        #expect(several.map(\.tables) == [["posture"], ["ot", "MDELogonUsers_CL"]])
        #expect(several.map(\.managementHost) == ["https://arm.example", "https://arm.example"])
        #expect(several.map(\.resource) == [nil, "https://m.example"])
        let plan = try LogsIngestionConfiguration(rules: several).plan(Repository.library())
        #expect(plan.part(of: "DeviceInfo") == "dcr-1" && plan.part(of: "IoTDevices_CL") == "dcr-2")
        #expect(plan.part(of: "DeviceProcessEvents") == nil && plan.part(of: "AlertInfo") == nil)
        #expect(plan.parts[1].tables?.count == 10)
        #expect(plan.parts.map(\.title) == ["posture (dcr-1)", "dcr-2"])
        let single = try rules("    endpoint: https://dce.example\n    rule: dcr-1\n")
        #expect(single.count == 1 && single[0].tables == nil)
        #expect(try LogsIngestionConfiguration(rules: single).plan(Repository.library()).part(of: "Any") == "dcr-1")
        #expect(try rules("    endpoint: https://dce.example\n    rule: dcr-1\n    tables: ot\n")[0].tables == ["ot"])
    }

    private static let eleven = (1...11).map { "T\($0)_CL" }.joined(separator: ", ")

    @Test(arguments: [
        ("    rule: dcr-1\n    endpoint: https://e\n    tables: [\(eleven)]\n", "vestige.yaml:7:13: 11 tables go by"),
        (
            "    rule: dcr-1\n    endpoint: https://e\n    tables: [posture, MDELogonUsers_CL]\n",
            "vestige.yaml:7:13: 11"
        ),
        ("    rule: dcr-1\n    endpoint: https://e\n    tables: [postur]\n", "vestige.yaml:7:13: there is no table"),
        ("    rule: dcr-1\n    endpoint: https://e\n    tables: []\n", "vestige.yaml:7:13: 'sinks[0].tables' is empty"),
        ("    rule: dcr-1\n", "vestige.yaml:3:5: 'sinks[0].endpoint' is missing"),
        ("    endpoint: https://e\n", "vestige.yaml:3:5: 'sinks[0].rule' is missing"),
        ("    endpoint: https://e\n    rules: []\n", "vestige.yaml:6:12: 'rules' is empty"),
        ("    endpoint: https://e\n    rule: d\n    rules: [{rule: e}]\n", "vestige.yaml:6:11: write 'rule' inside"),
        (
            "    endpoint: https://e\n    rules:\n      - {rule: a, tables: ot}\n      - {rule: b}\n",
            "vestige.yaml:8:9: 'sinks[0].rules[1].tables' is missing"
        ),
        (
            "    endpoint: https://e\n    rules:\n      - {rule: a, tables: ot}\n      - {rule: a, tables: alerts}\n",
            "vestige.yaml:8:16: the rule a stands twice"
        ),
        (
            "    endpoint: https://e\n    rules:\n      - {rule: a, tables: ot}\n      - {rule: b, tables: IoTCves_CL}\n",
            "vestige.yaml:8:27: table IoTCves_CL is named by two rules, a and b"
        ),
        (
            "    endpoint: https://e\n    rules:\n      - {rule: a, table: ot}\n",
            "vestige.yaml:7:19: unknown field 'sinks[0].rules[0].table'; did you mean 'tables'"
        ),
    ])
    func aRuleThatCannotBe(_ text: String, _ expected: String) {
        let found = problem(Self.head + "sinks:\n  - name: s\n    kind: logs-ingestion\n" + text)
        #expect(found?.hasPrefix(expected) == true, "\(found ?? "nothing was wrong")")
        if expected.contains(": 11") {
            #expect(
                found?.contains("takes 10 streams") == true && found?.contains("https://learn.microsoft.com") == true)
        }
    }

    /// The settings' part of the page is made from their declarations: `vestige content document --settings`.
    @Test func theSettingsAreDocumented() throws {
        let page = try String(contentsOfFile: Repository.root + "/docs/configuration.md", encoding: .utf8)
        let parts = page.components(separatedBy: ConfigurationDocument.begin + "\n")
        #expect(parts.count == 2)
        let written = parts.last?.components(separatedBy: ConfigurationDocument.end).first
        #expect(written == ConfigurationDocument.markdown)
    }
}
