import Foundation
import Pipeline
import Tables
import TestKit
import Testing

/// CVE records and statements on who is affected, from files, folders, archives and addresses.
@Suite(.serialized) struct RecordListTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func record(_ id: String, cna: String = "", adp: String = "", state: String = "PUBLISHED") -> String
    {
        #"""
        {"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"\#(id)","state":"\#(state)",
        "assignerShortName":"acme"},"containers":{"cna":{"providerMetadata":{"shortName":"acme"}\#(cna)}\#(adp)}}
        """#
    }

    private static func ssvc(_ options: String, time: String = "2026-07-10T06:00:00.123456Z") -> String {
        #"""
        {"other":{"type":"ssvc","content":{"timestamp":"\#(time)","role":"CISA Coordinator","version":"2.0.3",
        "options":\#(options)}}}
        """#
    }

    private static func adp(_ metrics: [String], _ rest: String = "") -> String {
        #"""
        ,"adp":[{"providerMetadata":{"shortName":"CVE"},"references":[]},{"providerMetadata":{"shortName":"CISA-ADP"},
        "metrics":[\#(metrics.joined(separator: ","))]\#(rest)}]
        """#
    }

    private static let whole = record(
        "CVE-2026-1",
        cna:
            #"""
            ,"title":"A \"t\"","descriptions":[{"lang":"de","value":"nein"},{"lang":"en-US","value":"a\nb"},
            {"lang":"en","value":"C:\\x \u2028 <b>"}],"affected":[{"vendor":"Acme","product":"Widget",
            "versions":[{"version":"1","lessThan":"2","status":"affected"}]}],"metrics":[{"cvssV2_0":{"version":"2.0",
            "vectorString":"AV:N","baseScore":5}},{"cvssV4_0":{"version":"4.0","vectorString":"CVSS:4.0/AV:N",
            "baseScore":9.3,"baseSeverity":"CRITICAL"}},{"cvssV3_1":{"version":"3.1","vectorString":"CVSS:3.1/AV:N",
            "baseScore":8.1}}],"problemTypes":[{"descriptions":[{"lang":"en","cweId":"CWE-79","description":"XSS"}]},
            {"descriptions":[{"lang":"en","description":"CWE-20 Improper input"}]}]
            """#,
        adp: adp(
            [
                ssvc(
                    #"[{"Exploitation":"none"},{"Automatable":"no"},{"Technical Impact":"partial"}]"#,
                    time: "2025-01-01T00:00:00Z"),
                ssvc(#"[{"Exploitation":"Active"},{"Automatable":"YES"},{"Technical Impact":"total"}]"#),
                #"{"other":{"type":"kev","content":{"dateAdded":"2026-07-01","reference":"x"}}}"#,
            ], #","problemTypes":[{"descriptions":[{"cweId":"CWE-787"}]}]"#))

    private static let query = """
        CveRecords_CL | order by CveId asc | project CveId, State, CnaVector, CvssVersion, CvssScore, ScoreSource,
        SsvcExploitation,
            SsvcAutomatable, SsvcTechnicalImpact, SsvcTimestamp, SsvcVersion, KevDateAdded, Cwes, Description,
            tostring(Affected[0].product)
        """

    private static func collect(_ bytes: [UInt8], _ source: String, _ query: String) async throws -> (
        ListRig.Outcome, [[String]]
    ) {
        try await RunningLab.use(devices: 5, standing: standing) { lab in
            let rig = try await ListRig(lab, source, "\(lab.cloud)/feeds/list", name: source)
            lab.lab.publish("list", bytes)
            let outcome = try await rig.collect()
            let rows = try rig.texts(query)
            await rig.close()
            return (outcome, rows)
        }
    }

    @Test func aRecordWithCISAsContainer() async throws {
        let (outcome, rows) = try await Self.collect(Array(Self.whole.utf8), "cve-records", Self.query)
        #expect(outcome.error == "" && outcome.notes == "", "\(outcome)")
        #expect(
            rows == [
                [
                    "CVE-2026-1", "PUBLISHED", "CVSS:4.0/AV:N", "4.0", "9.3", "acme", "Active", "YES", "total",
                    "2026-07-10T06:00:00.1234560Z", "2.0.3", "2026-07-01T00:00:00.0000000Z",
                    "[\"CWE-20\",\"CWE-787\",\"CWE-79\"]",
                    "C:\\x \u{2028} <b>", "Widget",
                ]
            ], "\(rows)")
    }

    @Test func recordsThatLackMuch() async throws {
        let records = [
            Self.record("CVE-2026-1"),
            Self.record(
                "CVE-2026-2", cna: #","rejectedReasons":[{"lang":"en","value":"a duplicate"}]"#, state: "REJECTED"),
            // Scored by CISA only; the answers in another form.
            Self.record(
                "CVE-2026-3", cna: #","metrics":[{"other":{"type":"text","content":{}}}]"#,
                adp: Self.adp([
                    #"{"cvssV3_1":{"version":"3.1","vectorString":"CVSS:3.1/AV:L","baseScore":"6.5"}}"#,
                    Self.ssvc(#"{"exploitation":"poc","automatable":"no","technical impact":"partial"}"#),
                ])),
            Self.record("CVE-2026-4", adp: #","adp":{"unexpected":true}"#),
        ]
        let (outcome, rows) = try await Self.collect(
            Array("[\(records.joined(separator: ","))]".utf8), "cve-records", Self.query)
        #expect(outcome.error == "" && outcome.counts.added == 4, "\(outcome)")
        try #require(rows.count == 4)
        let none = ["", "", "", "", "", "", "", "", "", "", "[]"]
        #expect(rows[0] == ["CVE-2026-1", "PUBLISHED"] + none.prefix(10) + ["[]", "", ""], "\(rows[0])")
        #expect(rows[1][1] == "REJECTED" && rows[1][13] == "a duplicate", "\(rows[1])")
        #expect(rows[2][2...8] == ["", "3.1", "6.5", "CISA-ADP", "poc", "no", "partial"], "\(rows[2])")
        #expect(rows[3][0] == "CVE-2026-4")
    }

    /// The same records however they are put together.
    @Test func formsOfRecords() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let records = (1...4).map {
                Self.record("CVE-2026-\($0)", adp: Self.adp([Self.ssvc(#"[{"Exploitation":"poc"}]"#)]))
            }
            let ids = (1...4).map { ["CVE-2026-\($0)", "poc"] }
            func file(_ name: String, _ bytes: [UInt8]) throws -> String {
                let path = "\(lab.folder)/\(name)"
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                return path
            }
            func packed(_ text: String) throws -> [UInt8] { try #require(Deflate.compress(Array(text.utf8))) }
            let list = "[\(records.joined(separator: ","))]"
            for (n, record) in records.enumerated() {
                let folder = "tree/2026/\(n % 2)xxx"
                _ = try file(
                    "\(folder)/CVE-2026-\(n + 1).json\(n == 3 ? ".gz" : "")",
                    n == 3 ? try packed(record) : Array(record.utf8))
                _ = try file("pattern/CVE-2026-\(n + 1).json", Array(record.utf8))
            }
            for other in ["tree/deltaLog.json", "tree/README.md", "tree/.hidden.json", "pattern/delta.json"] {
                _ = try file(other, Array("[{\"fetchTime\":\"x\"}]".utf8))
            }
            let files = records.enumerated().map { (name: "cves/CVE-2026-\($0 + 1).json", text: $1) }
            let inner = ZipWriter.archive(files + [("cves/delta.json", "{}"), ("__MACOSX/CVE-1.json", "x")])
            let places = [
                "array": try file("list.json", Array(list.utf8)),
                "lines": try file("list.ndjson", Array(records.joined(separator: "\n").utf8)),
                "wrapped": try file("wrapped.json", Array("{\"count\":4,\"cveRecords\":\(list)}".utf8)),
                "packed": try file("list.json.gz", try packed(list)),
                "misnamed": try file("plain.gz", Array(list.utf8)),
                "archive": try file("list.zip", inner),
                "in-archive": try file("release.zip", ZipWriter.archive([(name: "cves.zip", bytes: inner)])),
                "tree": "\(lab.folder)/tree", "pattern": "\(lab.folder)/pattern/CVE-*.json",
            ]
            for (name, place) in places.sorted(by: { $0.key < $1.key }) {
                let rig = try await ListRig(lab, "cve-records", place, name: name)
                let outcome = try await rig.collect()
                #expect(outcome.error == "" && outcome.counts.added == 4, "\(name): \(outcome)")
                #expect(
                    try rig.texts("CveRecords_CL | order by CveId asc | project CveId, SsvcExploitation") == ids,
                    "\(name)")
                #expect(try await rig.collect().counts.unchanged == 4)
                await rig.close()
            }
        }
    }

    /// One file that is damaged does not keep the others out; then nothing counts as gone.
    @Test func aDamagedFileAmongOthers() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let folder = "\(lab.folder)/vex"
            func write(_ name: String, _ text: String) throws { try FolderWriter.write(text, to: "\(folder)/\(name)") }
            try write("a.json", Self.csaf("A", cve: "CVE-2026-1"))
            try write("b.json", Self.csaf("B", cve: "CVE-2026-2"))
            try write("provider-metadata.json", #"{"canonical_url":"https://example.org"}"#)
            let rig = try await ListRig(lab, "vex-statements", folder, name: "damaged")
            let first = try await rig.collect()
            #expect(first.error == "" && first.counts.added == 2, "\(first)")
            #expect(first.notes.contains("provider-metadata.json") && first.notes.contains("1 files"), "\(first.notes)")
            try write("b.json", String(Self.csaf("B", cve: "CVE-2026-2").dropLast(40)))
            try write("c.json", Self.csaf("C", cve: "CVE-2026-3"))
            let second = try await rig.collect()
            #expect(second.error.contains("1 of 4 files") || second.error.contains("1 of 3 files"), "\(second.error)")
            #expect(
                second.error.contains("b.json") && second.counts.added == 1 && second.counts.removed == 0, "\(second)")
            // A document that is taken away takes its statements with it.
            try FileManager.default.removeItem(atPath: "\(folder)/b.json")
            let third = try await rig.collect()
            #expect(third.error == "" && third.counts.removed == 1, "\(third)")
            for name in ["a.json", "c.json"] { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
            #expect(!(try await rig.collect()).error.isEmpty)
            try FileManager.default.removeItem(atPath: "\(folder)/provider-metadata.json")
            #expect((try await rig.collect()).error.contains("put the list there"))
            await rig.close()
        }
    }

    private static func csaf(_ id: String, cve: String) -> String {
        #"""
        {"document":{"category":"csaf_vex","csaf_version":"2.0","publisher":{"name":"Acme"},
          "tracking":{"id":"\#(id)","status":"final","current_release_date":"2026-10-02T10:00:00.000Z",
          "initial_release_date":"2026-10-01T10:00:00.000Z"}},
         "product_tree":{"branches":[{"category":"vendor","name":"Acme","branches":[{"category":"product_name",
         "name":"Widget","branches":[
            {"category":"product_version","name":"1.0","product":{"name":"Acme Widget 1.0","product_id":"P1"}}]}]}]},
         "vulnerabilities":[{"cve":"\#(cve)","product_status":{"known_not_affected":["P1"]},
            "flags":[{"label":"vulnerable_code_not_in_execute_path","product_ids":["P1"],
            "date":"2026-10-03T00:00:00Z"}]}]}
        """#
    }

    private static let statements = """
        TriageStatements_CL | order by StatementId asc
        | project StatementId, Kind, Value, CveId, SoftwareVendor, SoftwareName, SoftwareVersion, ValidFrom, Author,
        Reason
        """

    @Test func statementsOfACSAFDocument() async throws {
        let document = #"""
            {"document":{"category":"csaf_vex","csaf_version":"2.0","publisher":{"name":"Red Corp"},
              "tracking":{"id":"RC-1","status":"final","current_release_date":"2026-10-02T10:00:00Z"}},
             "product_tree":{
              "branches":[{"category":"vendor","name":"Red Corp","branches":[
                 {"category":"product_family","name":"Linux","branches":[{"category":"product_name","name":"Red Linux",
                 "product":{"name":"Red Linux 9","product_id":"OS"}}]},
                 {"category":"architecture","name":"x86_64","branches":[{"category":"product_version",
                 "name":"openssl-3.0.7","product":{"name":"openssl 3.0.7","product_id":"LIB",
                    "product_identification_helper":{"purl":"pkg:rpm/redcorp/openssl@3.0.7-1.el9?arch=x86_64"}}}]}]}],
              "full_product_names":[{"name":"Edge Box","product_id":"BOX",
              "product_identification_helper":{"cpe":"cpe:2.3:h:acme\\:gmbh:edge_box:2.1:*:*:*:*:*:*:*"}}],
              "relationships":[{"category":"default_component_of","product_reference":"LIB",
              "relates_to_product_reference":"OS","full_product_name":{"name":"openssl of Red Linux 9",
              "product_id":"OS:LIB"}}],
              "product_groups":[{"group_id":"G","product_ids":["BOX","OS:LIB"]}]},
             "vulnerabilities":[
              {"cve":"CVE-2026-1","product_status":{"known_not_affected":["BOX","OS:LIB"],"known_affected":["OS"],
              "recommended":["OS"]},
               "flags":[{"label":"component_not_present","group_ids":["G"]}],
               "threats":[{"category":"impact","details":"It says \"no\".","product_ids":["BOX"]},{"category":"impact",
               "details":"bad","product_ids":["OS"]}],
               "remediations":[{"category":"vendor_fix","details":"update","product_ids":["OS"]}]},
              {"ids":[{"system_name":"x","text":"CVE-2026-2"}],"product_status":{"under_investigation":["BOX"],
              "fixed":["OS"],"known_not_affected":["LIB","UNKNOWN","OS"]}},
              {"title":"without an id","product_status":{"known_affected":["BOX"]}}]}
            """#
        let (outcome, rows) = try await Self.collect(Array(document.utf8), "vex-statements", Self.statements)
        #expect(outcome.error == "" && outcome.notes.contains("1 rows of vex-statements have no key"), "\(outcome)")
        let time = "2026-10-02T10:00:00.0000000Z"
        #expect(
            rows == [
                [
                    "vex:RC-1:CVE-2026-1:BOX", "vex", "not_affected", "CVE-2026-1", "acme:gmbh", "edge_box", "2.1",
                    time, "Red Corp", "component_not_present: It says \"no\".",
                ],
                [
                    "vex:RC-1:CVE-2026-1:OS", "vex", "affected", "CVE-2026-1", "Red Corp", "Red Linux", "", time,
                    "Red Corp", "",
                ],
                [
                    "vex:RC-1:CVE-2026-1:OS:LIB", "vex", "not_affected", "CVE-2026-1", "Red Corp", "openssl",
                    "openssl-3.0.7", time, "Red Corp", "component_not_present",
                ],
                [
                    "vex:RC-1:CVE-2026-2:BOX", "vex", "under_investigation", "CVE-2026-2", "acme:gmbh", "edge_box",
                    "2.1", time, "Red Corp", "",
                ],
                [
                    "vex:RC-1:CVE-2026-2:LIB", "vex", "not_affected", "CVE-2026-2", "Red Corp", "openssl",
                    "openssl-3.0.7", time, "Red Corp", "",
                ],
                [
                    "vex:RC-1:CVE-2026-2:OS", "vex", "fixed", "CVE-2026-2", "Red Corp", "Red Linux", "", time,
                    "Red Corp", "",
                ],
                [
                    "vex:RC-1:CVE-2026-2:UNKNOWN", "vex", "not_affected", "CVE-2026-2", "", "UNKNOWN", "", time,
                    "Red Corp", "",
                ],
            ], "\(rows.map { $0.joined(separator: " | ") }.joined(separator: "\n"))")
    }

    @Test func statementsOfOtherFormats() async throws {
        let open = #"""
            {"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/vex/1","author":"Ops",
            "timestamp":"2026-10-02T10:00:00Z","statements":[
              {"vulnerability":{"name":"GHSA-1","aliases":["CVE-2026-1"]},
              "products":[{"@id":"pkg:apk/wolfi/git@2.38.1-r0?arch=x"}],"status":"not_affected",
              "justification":"inline_mitigations_already_exist","impact_statement":"blocked"},
              {"vulnerability":"CVE-2026-2","products":["pkg:npm/%40scope/lib@1.0"],"status":"under_investigation"},
              {"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2026-3"},"products":[{"@id":"box",
              "identifiers":{"cpe23":"cpe:2.3:a:acme:widget:*:*:*:*:*:*:*:*"}}],"status":"fixed",
              "timestamp":"2026-10-05T00:00:00Z"},
              {"vulnerability":{"name":"CVE-2026-4"},"products":[{"@id":"x"}],"status":"no such status"}]}
            """#
        let (first, opened) = try await Self.collect(Array(open.utf8), "vex-statements", Self.statements)
        #expect(first.error == "", "\(first)")
        #expect(
            opened.map { Array($0[2...6]) + [String($0[7].prefix(10)), $0[9]] } == [
                [
                    "not_affected", "CVE-2026-1", "wolfi", "git", "2.38.1-r0", "2026-10-02",
                    "inline_mitigations_already_exist: blocked",
                ],
                ["under_investigation", "CVE-2026-2", "@scope", "lib", "1.0", "2026-10-02", ""],
                ["fixed", "CVE-2026-3", "acme", "widget", "", "2026-10-05", ""],
            ], "\(opened)")
        let cyclone = #"""
            {"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:1",
            "metadata":{"component":{"bom-ref":"root","name":"app","version":"3"}},
             "components":[{"bom-ref":"lib","name":"lib","version":"1.2","group":"acme"}],
             "vulnerabilities":[
              {"id":"CVE-2026-1","analysis":{"state":"not_affected","justification":"code_not_reachable",
              "detail":"never called"},"affects":[{"ref":"lib"},{"ref":"urn:cdx:x/1#root"}]},
              {"id":"CVE-2026-2","analysis":{"state":"exploitable"},"affects":[{"ref":"elsewhere"}]},{"id":"CVE-2026-3",
              "affects":[{"ref":"lib"}]}]}
            """#
        let (second, cycled) = try await Self.collect(Array(cyclone.utf8), "vex-statements", Self.statements)
        #expect(second.error == "", "\(second)")
        #expect(
            cycled.map { Array($0[2...6]) + [$0[9]] } == [
                ["not_affected", "CVE-2026-1", "acme", "lib", "1.2", "code_not_reachable: never called"],
                ["not_affected", "CVE-2026-1", "", "app", "3", "code_not_reachable: never called"],
                ["affected", "CVE-2026-2", "", "elsewhere", "", ""],
            ], "\(cycled)")
    }

    /// Several members, padding and damage of packed lists.
    @Test func packedLists() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            func packed(_ text: String) throws -> [UInt8] { try #require(Deflate.compress(Array(text.utf8))) }
            let head = try packed("#model_version:v1,score_date:2026-11-25\ncve,epss,percentile\nCVE-2026-1,0.5,0.5\n")
            let tail = try packed("CVE-2026-2,0.5,0.5\nCVE-2026-3,0.5,0.5\n")
            let cases: [(name: String, bytes: [UInt8], rows: Int, told: String)] = [
                ("members", head + tail, 3, ""), ("padded", head + tail + [UInt8](repeating: 0, count: 1_024), 3, ""),
                ("trailing", head + tail + Array("tail".utf8), 3, "4 bytes behind"),
                ("cut", head + tail.dropLast(9), 0, ""),
                ("twice", try #require(Deflate.compress(head + tail)), 3, ""),
                ("zip", ZipWriter.archive([("epss.csv", "cve,epss,percentile\nCVE-2026-1,0.5,0.5\n")]), 1, ""),
            ]
            for (name, bytes, rows, told) in cases {
                let rig = try await ListRig(lab, "first-epss", "\(lab.cloud)/feeds/\(name)", name: name)
                lab.lab.publish(name, bytes, type: "text/plain")
                let outcome = try await rig.collect()
                #expect(outcome.error.isEmpty == (rows > 0) && outcome.counts.added == rows, "\(name): \(outcome)")
                #expect(told.isEmpty || outcome.notes.contains(told), "\(name): \(outcome)")
                await rig.close()
            }
        }
    }
}
