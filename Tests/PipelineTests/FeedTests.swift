import Azure
import Content
import Foundation
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// The ways that feeds come in: pages, files behind signed addresses, public lists; and what does not fit.
@Suite(.serialized) struct FeedTests {
    /// Runs sources over a lab into a workspace of their own.
    private func collect(
        _ lab: RunningLab, _ name: String, only: [String], _ change: (inout Configuration) -> Void = { _ in }
    ) async throws -> (report: CollectReport, workspace: Workspace) {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        change(&configuration)
        let rig = try await Rig(lab, configuration, only: only)
        let report = await rig.run()
        await rig.connections.close()
        return (report, rig.workspace)
    }

    private func rows(_ workspace: Workspace, _ query: String) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: Repository.library().functionDeclarations)).run(
            query
        ).primary.rows()
    }

    /// What a sensor reads off the wire in the clear goes no further than the first step.
    @Test func passwordsAreFingerprints() async throws {
        try await RunningLab.use(devices: 5, otDevices: 120) { lab in
            let sink = lab.configuration.sinks
            lab.declareStreams(Repository.library())
            let (report, workspace) = try await collect(lab, "plant", only: ["iot-device-vulnerabilities"]) {
                $0.sinks = sink
            }
            #expect(report.failures.map(\.rendered) == [])
            let found = try rows(
                workspace,
                "IoTDeviceVulnerabilities_CL | mv-expand P = PlainTextPasswords | summarize count() by tostring(P.password), tostring(P.protocol), tostring(P.strength)"
            )
            #expect(found.count == 3)
            for row in found {
                #expect(row[0].text.wholeMatch(of: /hmac:[0-9a-f]{32}/) != nil)
                #expect(row[1] == .string("HTTP") && row[2] == .string("Very Weak"))
                #expect((row[3].longValue ?? 0) > 1)
            }
            let sent = JSONWriter.string(.array(try await lab.records("Custom-IoTDeviceVulnerabilities_CL")))
            #expect(sent.contains("hmac:"))
            var stored = ""
            for suffix in ["", "-wal"] {
                stored +=
                    FileManager.default.contents(atPath: workspace.path + suffix).map {
                        String(decoding: $0, as: UTF8.self)
                    } ?? ""
            }
            for password in ["hunter2-plant", "Siemens123"] {
                #expect(!sent.contains(password) && !stored.contains(password))
            }
            let key = try FileManager.default.attributesOfItem(atPath: workspace.path + "-fingerprint")
            #expect(key[.posixPermissions] as? Int == 0o600)
            // The key stays, and so do the fingerprints.
            let again = try await collect(lab, "plant", only: ["iot-device-vulnerabilities"])
            #expect(again.report.failures.map(\.rendered) == [] && again.report.sources[0].counts.read > 0)
            #expect(again.report.sources[0].counts.kept == 0)
        }
    }

    /// Lists of a report are findings, whichever a sensor has, and last as long as they are reported.
    @Test func reportsAreFindings() async throws {
        try await RunningLab.use(devices: 5, otDevices: 60) { lab in
            let reports = ["iot-security-report", "iot-operational-report", "iot-mitigation-report"]
            let (report, workspace) = try await collect(lab, "plant", only: reports)
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.flatMap(\.notes) == [])
            let counts = try rows(
                workspace,
                "IoTFindings_CL | summarize count() by Report, FindingType | sort by Report asc, FindingType asc")
            #expect(
                counts.map { $0.map(\.text).joined(separator: " ") } == [
                    "mitigation mitigation 2", "mitigation notifications 2", "operational backupServer 1",
                    "operational disconnections 1",
                    "operational ipNetworks 1", "operational protocolDataVolumes 2",
                    "security connectionsBetweenSubnets 1",
                    "security industrialMalwareIndications 1", "security internetConnections 2",
                    "security redundantFirewallRules 1",
                    "security unauthorizedDevices 2",
                ])
            // A list that no column knows, and one finding less.
            _ = try await lab.control(
                "POST", "/lab/faults",
                #"{"path":"reports/vulnerabilities/mitigation","status":200,"body":"{\"notifications\":[\"Define a backup server\"],\"advice\":[\"Rest\"]}"}"#
            )
            let next = try await collect(lab, "plant", only: ["iot-mitigation-report"])
            #expect(next.report.sources[0].counts.added == 1 && next.report.sources[0].counts.removed == 3)
            #expect(next.report.sources[0].notes.joined().contains("advice"))
            let now = try rows(
                workspace,
                "IoTFindingsAt(now()) | where Report == 'mitigation' | project strcat(FindingType, ': ', Finding.content) | sort by Column1 asc"
            )
            #expect(now.map { $0[0].text } == ["advice: Rest", "notifications: Define a backup server"])
        }
    }

    /// PascalCase files without nulls and camelCase pages of the same records give the same rows.
    @Test(arguments: [
        "mde-software-vulnerabilities", "mde-software-inventory", "mde-browser-extensions", "mde-certificates",
        "mde-hardware-firmware", "mde-baselines",
    ])
    func filesAndPagesGiveTheSameRows(_ source: String) async throws {
        try await RunningLab.use(devices: 80) { lab in
            let pages = try await collect(lab, "pages", only: [source]) { $0.exports = .pages }
            let files = try await collect(lab, "files", only: [source]) { $0.exports = .files }
            #expect(pages.report.failures.map(\.rendered) == [] && files.report.failures.map(\.rendered) == [])
            let table = try #require(Repository.library().sources.first { $0.id == source }?.table)
            let query =
                "\(table) | project-away TimeGenerated, RowId | extend Row = tostring(pack_all()) | project Row | sort by Row asc"
            let found = try rows(pages.workspace, query)
            #expect(found.count > 10)
            #expect(try rows(files.workspace, query) == found)
        }
    }

    /// A file that is still being copied is empty; an address that has ended is asked for again; what never ends well is told.
    @Test func filesThatComeLateOrNotAtAll() async throws {
        try await RunningLab.use(devices: 20) { lab in
            func run(_ name: String) async throws -> CollectReport {
                try await collect(lab, name, only: ["mde-software-inventory"]) { $0.exports = .files }.report
            }
            _ = try await lab.control("POST", "/lab/exports", "{\"pendingCopies\": 1}")
            #expect(try await run("pending").failures.map(\.rendered) == [])
            _ = try await lab.control("POST", "/lab/exports", "{\"sasExpiry\": 1000}")
            let expired = try #require(try await run("expired").failures.first).rendered
            #expect(expired.contains("ended again and again") && !expired.contains("sig="), "\(expired)")
            _ = try await lab.control("POST", "/lab/exports", "{}")
            _ = try await lab.control(
                "POST", "/lab/faults", "{\"path\": \"/blob/\", \"truncates\": true, \"times\": 1}")
            let cut = try #require(try await run("cut").failures.first).rendered
            #expect(cut.contains("it ends in the middle") && cut.contains("part-0") && !cut.contains("sig="), "\(cut)")
            #expect(try await run("cut").failures.isEmpty)
        }
    }

    @Test func publicListsFromTheWebAndFromFiles() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let web = try await collect(lab, "web", only: ["cisa-kev", "first-epss"])
            #expect(web.report.failures.map(\.rendered) == [])
            let joined =
                "KnownExploitedVulnerabilities_CL | join kind=inner ExploitPrediction_CL on CveId | summarize n = count(), e = max(Epss)"
            let found = try rows(web.workspace, joined)[0]
            #expect((found[0].longValue ?? 0) > 20 && found[1] == .real(0.9))
            let file = lab.folder + "/epss.csv"
            try FolderWriter.write("#model_version:x\ncve,epss,percentile,extra\nCVE-2024-1,0.5,0.7,z\n", to: file)
            let local = try await collect(lab, "file", only: ["cisa-kev", "first-epss"]) {
                $0.feeds = ["first-epss": file]
                $0.feeds.updateValue(nil, forKey: "cisa-kev")
            }
            #expect(local.report.sources.map(\.source) == ["first-epss"])
            #expect(
                try rows(local.workspace, "ExploitPrediction_CL | project CveId, Epss, tostring(Unmapped.extra)") == [
                    [.string("CVE-2024-1"), .real(0.5), .string("z")]
                ])
            let gone = try await collect(lab, "gone", only: ["first-epss"]) {
                $0.feeds = ["first-epss": lab.folder + "/none.csv"]
            }
            #expect(gone.report.failures.first?.rendered.contains("put the list there") == true)
        }
    }

    /// New fields of a payload are kept, and told once; a field of another type does not lose the row.
    @Test func aChangedPayloadLosesNothing() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let body = """
                {"value":[{"id":"m1","computerDnsName":"a.example","osBuild":"19045","brandNew":{"x":[1,2]},"lastSeen":"2026-01-01T00:00:00.1234567Z"},
                          {"id":"m2","computerDnsName":"b.example","osBuild":"not a number","lastSeen":"2026-01-01 00:00:00"}]}
                """
            func fault() async throws {
                let escaped = JSONWriter.quoted(body)
                _ = try await lab.control(
                    "POST", "/lab/faults",
                    "{\"path\": \"/api/machines\", \"status\": 200, \"times\": 1, \"body\": \(escaped)}")
            }
            try await fault()
            let first = try await collect(lab, "drift", only: ["mde-machines"])
            #expect(first.report.failures.map(\.rendered) == [])
            let notes = first.report.sources[0].notes.joined(separator: "\n")
            #expect(notes.contains("kept in the column Unmapped: brandNew"), "\(notes)")
            #expect(notes.contains("osBuild"), "\(notes)")
            let found = try rows(
                first.workspace,
                "MDEMachines_CL | sort by MachineId asc | project MachineId, OSBuild, tostring(Unmapped), LastSeen")
            #expect(found.count == 2 && found[0][1] == .long(19_045) && found[1][1] == .null)
            #expect(found[0][2] == .string("{\"brandNew\":{\"x\":[1,2]}}"))
            // What is of another type than it was stays as it came.
            #expect(found[1][2] == .string("{\"osBuild\":\"not a number\"}"))
            // A hundred nanoseconds are kept.
            #expect(found[0][3].text == "2026-01-01T00:00:00.1234567Z")
            try await fault()
            let second = try await collect(lab, "drift", only: ["mde-machines"])
            #expect(second.report.failures.map(\.rendered) == [] && second.report.sources[0].counts.read == 2)
            #expect(!second.report.sources[0].notes.joined().contains("brandNew"))
        }
    }

    /// An alert that is asked for every five minutes for a day is one row, and one more when it is resolved.
    @Test func anAlertIsOneRowHoweverOftenItIsAskedFor() async throws {
        try await RunningLab.use(devices: 200) { lab in
            var workspace: Workspace?
            for _ in 0..<12 { workspace = try await collect(lab, "alerts", only: ["mde-alerts"]).workspace }
            let stored = try #require(workspace)
            let count = try rows(stored, "MDEAlerts_CL | summarize n = count() by AlertId | summarize max(n), count()")[
                0]
            #expect(count[0] == .long(1) && (count[1].longValue ?? 0) > 0)
            #expect(try rows(stored, "MDEAlerts_CL | where array_length(Evidence) == 0 | count")[0] == [.long(0)])
        }
    }

    /// What stands in the way of one tenant does not keep the other from being collected; their rows are told apart.
    /// The same tenant by two identities, each for sources of its own.
    @Test func anIdentityForEachSource() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let pem = lab.folder + "/client.pem"
            try FolderWriter.write(try await lab.lab.makeClientCertificate(), to: pem)
            let (report, _) = try await collect(lab, "identities", only: ["mde-machines", "mde-recommendations"]) {
                configuration in
                guard var first = configuration.tenant else { return }
                var second = first
                (first.name, first.sources) = ("by-secret", ["mde-machines"])
                (second.name, second.sources, second.identity) = (
                    "by-certificate", ["mde-recommendations"], .certificate(.file(pem))
                )
                configuration.tenants = [first, second]
            }
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources.map(\.source) == ["mde-machines@by-secret", "mde-recommendations@by-certificate"])
            #expect(report.sources.allSatisfy { $0.counts.read > 0 })
            await #expect(throws: OperatorError.self) {
                _ = try await collect(lab, "misspelt", only: ["mde-machines"]) { $0.tenant?.sources = ["mde-machine"] }
            }
        }
    }

    @Test func twoTenantsInOneProcess() async throws {
        try await RunningLab.use(devices: 10) { lab in
            let (report, workspace) = try await collect(lab, "two", only: ["mde-machines"]) { configuration in
                guard var good = configuration.tenant else { return }
                var bad = good
                (good.name, bad.name) = ("contoso", "fabrikam")
                bad.identity = .secret(.value(Secret("wrong")))
                configuration.tenants = [good, bad]
                configuration.sensors = []
            }
            #expect(report.sources.map(\.source) == ["mde-machines@contoso", "mde-machines@fabrikam"])
            #expect(report.failures.count == 1)
            #expect(try rows(workspace, "MDEMachines_CL | distinct SourceName") == [[.string("mde-machines@contoso")]])
        }
    }
}

@Suite struct ScheduleTests {
    private static func ticks(_ text: String) throws -> Int64 { try #require(DateTime.parse(text)) }

    @Test(arguments: [
        ("0 */6 * * *", "2026-11-25T10:30:00Z", "2026-11-25T12:00:00Z"),
        ("*/5 * * * *", "2026-11-25T10:30:00Z", "2026-11-25T10:35:00Z"),
        ("15 3 1 * *", "2026-11-25T10:30:00Z", "2026-12-01T03:15:00Z"),
        ("0 0 29 2 *", "2026-11-25T10:30:00Z", "2028-02-29T00:00:00Z"),
        ("30 8 * * 1-5", "2026-11-27T09:00:00Z", "2026-11-30T08:30:00Z"),
        ("0 0 1 * 0", "2026-11-25T10:30:00Z", "2026-11-29T00:00:00Z"),
        ("5,10-12 4 * * *", "2026-11-25T04:10:00Z", "2026-11-25T04:11:00Z"),
        ("0 0 * * 7", "2026-11-25T00:00:00Z", "2026-11-29T00:00:00Z"),
    ]) func cronLines(_ text: String, _ after: String, _ next: String) throws {
        let schedule = try #require(Schedule(text))
        #expect(DateTime.format(schedule.next(after: try Self.ticks(after), jitter: 0)).prefix(19) == next.prefix(19))
    }

    @Test(arguments: ["", "5", "60 * * * *", "* * * *", "*/0 * * * *", "a * * * *", "5-1 * * * *", "1s", "-1h"])
    func notASchedule(_ text: String) {
        #expect(Schedule(text) == nil)
    }

    @Test func intervalsSpreadABit() throws {
        let schedule = try #require(Schedule("1h"))
        let start = try Self.ticks("2026-11-25T10:00:00Z")
        func seconds(_ jitter: Double) -> Int64 {
            (schedule.next(after: start, jitter: jitter) - start) / DateTime.ticksPerSecond
        }
        #expect(seconds(0) == 3_600 && seconds(0.9) == 3_870 && seconds(0.99) == 3_897)
    }
}
