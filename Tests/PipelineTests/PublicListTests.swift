import Foundation
import Pipeline
import Tables
import TestKit
import Testing

/// What CISA, FIRST, NIST and Microsoft write comes out as they mean it.
@Suite(.serialized) struct PublicListTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func with(
        _ source: String, _ body: @Sendable (ListRig, _ publish: (String) -> Void, RunningLab) async throws -> Void
    ) async throws {
        try await RunningLab.use(devices: 5, standing: standing) { lab in
            let rig = try await ListRig(lab, source, "\(lab.cloud)/feeds/list", name: source)
            try await body(rig, { lab.lab.publish("list", Array($0.utf8)) }, lab)
            await rig.close()
        }
    }

    @Test func theCatalogueOfExploitedVulnerabilities() async throws {
        try await Self.with("cisa-kev") { rig, publish, _ in
            func entry(_ id: String, _ triage: String?) -> String {
                let member = triage.map { #", "forensicTriage": "# + $0 } ?? ""
                return
                    #"""
                    {"cveID": "\#(id)", "vendorProject": "A", "product": "B", "vulnerabilityName": "C",
                    "dateAdded": "2026-11-01",
                    """#
                        + #""shortDescription": "The \"x\" of C:\\y <b>&amp;</b>\u2028next", "requiredAction": "Act", "#
                        + #""dueDate": "2026-11-04", "#
                        + #""knownRansomwareCampaignUse": "Known", "notes": "", "cwes": ["CWE-787", "CWE-20"]\#(member)}"#
            }
            func list(_ entries: [String]) -> String {
                #"""
                {"title": "t", "catalogVersion": "2026.11.25", "count": \#(entries.count),
                "vulnerabilities": [\#(entries.joined(separator: ","))]}
                """#
            }
            let triage = ["\"Yes\"", "\"No\"", nil, "null", "\" yes \"", "true", "\"Later\""]
            let entries = triage.enumerated().map { entry("CVE-2026-\($0)", $1) }
            publish(list(entries))
            let first = try await rig.collect()
            #expect(first.error == "" && first.notes == "", "\(first)")
            let rows = try rig.texts(
                """
                KnownExploitedVulnerabilities_CL | order by CveId asc | project ForensicTriage, DateAdded, DueDate,
                array_length(Cwes), ShortDescription
                """
            )
            #expect(rows.map { $0[0] } == ["Yes", "No", "", "", "Yes", "Yes", "Later"])
            let text = "The \"x\" of C:\\y <b>&amp;</b>\u{2028}next"
            #expect(
                rows.allSatisfy {
                    Array($0.dropFirst()) == [
                        "2026-11-01T00:00:00.0000000Z", "2026-11-04T00:00:00.0000000Z", "2", text,
                    ]
                })
            // What CISA demands later is a change.
            publish(list([entry("CVE-2026-0", "\"No\"")] + entries.dropFirst()))
            let second = try await rig.collect()
            #expect(second.counts.changed == 1 && second.counts.unchanged == 6, "\(second)")
            // A date that is none is told of, and no reason to refuse the list.
            publish(list([entry("CVE-2026-9", nil).replacing("2026-11-04", with: "soon")]))
            let odd = try await rig.collect()
            #expect(odd.error == "" && odd.notes.contains("dueDate"), "\(odd)")
            #expect(
                try rig.texts("KnownExploitedVulnerabilities_CL | where isnull(DueDate) | project tostring(Unmapped)")
                    .contains(["{\"dueDate\":\"soon\"}"]))
            publish(list([entry("CVE-2026-0", "\"No\"")] + entries.dropFirst()))
            #expect(try await rig.collect().counts.added == 7)
            // A mirror may leave the frame away.
            publish("[\(entries.joined(separator: ","))]")
            #expect(try await rig.collect().counts.changed == 1)
        }
    }

    @Test func theCatalogueAsCSV() async throws {
        try await RunningLab.use(devices: 5, standing: Self.standing) { lab in
            let rig = try await ListRig(
                lab, "cisa-kev", "\(lab.cloud)/feeds/known_exploited_vulnerabilities.csv", name: "csv")
            let outcome = try await rig.collect()
            #expect(outcome.error == "" && outcome.counts.added > 20, "\(outcome)")
            #expect(
                try rig.texts("KnownExploitedVulnerabilities_CL | distinct tostring(Cwes), isnull(DateAdded)") == [
                    ["[\"CWE-416\",\"CWE-787\"]", "false"]
                ])
            await rig.close()
        }
    }

    @Test func scoresKeepAllDigitsAndNameTheirModel() async throws {
        try await Self.with("first-epss") { rig, publish, _ in
            func list(_ model: String, _ day: String, _ rows: [String]) -> String {
                "#model_version:\(model),score_date:2026-11-\(day)T12:55:00+0000\ncve,epss,percentile\n"
                    + rows.joined(separator: "\n") + "\n"
            }
            publish(
                list(
                    "v2025.03.14", "24",
                    ["CVE-2026-1,0.94216,0.99913", "CVE-2026-2,0.00043,0.11205", "CVE-2026-3,1.5e-5,1"]))
            let first = try await rig.collect()
            #expect(first.error == "" && first.notes == "", "\(first)")
            let query =
                """
                ExploitPrediction_CL | order by TimeGenerated asc, CveId asc | project CveId, Epss, Percentile,
                ModelVersion, ScoreDate
                """
            #expect(
                try rig.texts(query) == [
                    ["CVE-2026-1", "0.94216", "0.99913", "v2025.03.14", "2026-11-24T12:55:00.0000000Z"],
                    ["CVE-2026-2", "0.00043", "0.11205", "v2025.03.14", "2026-11-24T12:55:00.0000000Z"],
                    ["CVE-2026-3", "0.000015", "1.0", "v2025.03.14", "2026-11-24T12:55:00.0000000Z"],
                ])
            // Another day, another model, scores that moved a little: one notice, and only what moved much is a change.
            publish(
                list("v2026.03.16", "25", ["CVE-2026-1,0.94391,0.98", "CVE-2026-2,0.00051,0.2", "CVE-2026-3,0.5,1"]))
            let second = try await rig.collect()
            #expect(second.counts.changed == 1 && second.counts.unchanged == 2, "\(second)")
            #expect(
                second.notes
                    == """
                    first-epss: model_version is v2026.03.16, it was v2025.03.14; score_date is \
                    2026-11-25T12:55:00.0000000Z, it was 2026-11-24T12:55:00.0000000Z
                    """,
                "\(second.notes)")
            #expect(
                try rig.texts(query).last == [
                    "CVE-2026-3", "0.5", "1.0", "v2026.03.16", "2026-11-25T12:55:00.0000000Z",
                ])
            #expect(try await rig.collect().notes == "")
        }
    }

    @Test(arguments: [
        "NA", "n/a", "-", "unknown", "1,5", "NaN", "Infinity", "0.5.1",
    ]) func aNumberThatIsNoneIsKeptAsItCame(_ text: String) async throws {
        try await Self.with("first-epss") { rig, publish, _ in
            let quoted = "\"\(text)\""
            let expected = [["true", text], ["false", ""]]
            let query =
                """
                ExploitPrediction_CL | where CveId in ('CVE-2026-1', 'CVE-2026-2') | order by CveId asc
                | project isnull(Epss), tostring(Unmapped.epss)
                """
            publish("cve,epss,percentile\nCVE-2026-1,\(quoted),0.5\nCVE-2026-2,0.5,0.5\n")
            let csv = try await rig.collect()
            #expect(csv.error == "" && csv.notes.contains("1 rows of first-epss had a epss"), "\(csv)")
            #expect(try rig.texts(query) == expected)
            // FIRST's API writes the same as JSON, with numbers as texts.
            guard text != "NaN", text != "Infinity" else { return }
            publish(
                #"""
                {"status":"OK","total":2,"offset":0,"limit":100,"data":[{"cve":"CVE-2026-3","epss":\#(quoted),
                "percentile":"0.5","date":"2026-11-25"},{"cve":"CVE-2026-4","epss":"0.5","percentile":"0.5",
                "date":"2026-11-25"}]}
                """#
            )
            let json = try await rig.collect()
            #expect(json.notes.contains("epss"), "\(json)")
            #expect(try rig.texts(query.replacing("-1'", with: "-3'").replacing("-2'", with: "-4'")) == expected)
        }
    }

    /// Header, separator, encoding and line ends of a CSV file as programs of all kinds write them.
    @Test(arguments: [
        ("cve;epss;percentile\nCVE-2026-1;0.5;0.7\n", ""), ("cve\tepss\tpercentile\nCVE-2026-1\t0.5\t0.7\n", ""),
        ("\u{FEFF}CVE,EPSS,Percentile\r\nCVE-2026-1,0.5,0.7\r\n", ""), ("cve,epss,percentile\nCVE-2026-1,0.5,0.7", ""),
        (
            "# a word\n#model_version: v1 , score_date: 2026-11-25\n\"cve\", \"epss\",percentile\n"
                + "\"CVE-2026-1\",\"0.5\",0.7\n\n",
            ""
        ),
        ("percentile,extra,epss,cve\n0.7,,0.5,CVE-2026-1\n", ""),
        ("cve,epss,percentile\nCVE-2026-1, 0.5 ,0.7,rest\n", "field 4"),
    ]) func formsOfCSV(_ text: String, _ told: String) async throws {
        try await Self.with("first-epss") { rig, publish, lab in
            for (n, bytes) in [Array(text.utf8), Array(text.utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }]
                .enumerated()
            {
                // The second time in UTF-16, with a byte order mark.
                lab.lab.publish("list", n == 0 ? bytes : [0xFF, 0xFE] + bytes)
                let outcome = try await rig.collect()
                #expect(outcome.error == "" && outcome.counts.read == 1 && outcome.counts.changed == 0, "\(outcome)")
                #expect(told.isEmpty || outcome.notes.contains(told) || n == 1, "\(outcome)")
            }
            #expect(
                try rig.texts("ExploitPrediction_CL | project CveId, Epss, Percentile") == [
                    ["CVE-2026-1", "0.5", "0.7"]
                ])
        }
    }

    @Test(arguments: [
        "cve,epss,percentile\nCVE-2026-1,0.5,0.7\nCVE-2026-2,0.", "cve,epss,percentile\n\"CVE-2026-1,0.5,0.7\n",
        "cve,percentile\nCVE-2026-1,0.7\n",
        "CVE-2026-1,0.5,0.7\n", "\0\0\0\0\0\0", "cve,score,percentile\nCVE-2026-1,0.5,0.7\n",
    ]) func brokenCSV(_ text: String) async throws {
        try await Self.with("first-epss") { rig, publish, _ in
            publish(text)
            let outcome = try await rig.collect()
            #expect(!outcome.error.isEmpty && outcome.counts.added == 0, "\(outcome)")
        }
    }

    private static func nvd(
        _ metrics: String, status: String = "Analyzed", descriptions: String = #"[{"lang":"en","value":"x"}]"#
    ) -> String {
        #"""
        {"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"CVE-2026-1","published":"2026-11-20T10:15:07.330",
        "lastModified":"2026-11-21T10:15:07.330","vulnStatus":"\#(status)","descriptions":\#(descriptions),
        "metrics":{\#(metrics)},"weaknesses":[{"description":[{"lang":"en","value":"CWE-79"},{"lang":"en",
        "value":"NVD-CWE-noinfo"}]},{"description":[{"lang":"en","value":"CWE-20"}]}]}}]}
        """#
    }

    private static func metric(_ version: String, _ type: String, _ score: String, _ source: String = "nvd@nist.gov")
        -> String
    {
        let name = ["4.0": "V40", "3.1": "V31", "3.0": "V30", "2.0": "V2"][version] ?? ""
        return
            #"""
            "cvssMetric\#(name)":[{"source":"\#(source)","type":"\#(type)","cvssData":{"version":"\#(version)",
            "vectorString":"V:\#(version)","baseScore":\#(score)},"baseSeverity":"HIGH"}]
            """#
    }

    @Test(arguments: [
        ([metric("3.1", "Primary", "9.8")], "Analyzed", ["3.1", "9.8", "nvd@nist.gov", "Primary", ""]),
        (
            [metric("4.0", "Secondary", "5", "cna"), metric("3.1", "Primary", "9.8")], "Analyzed",
            ["3.1", "9.8", "nvd@nist.gov", "Primary", ""]
        ),
        (
            [metric("2.0", "Primary", "4"), metric("3.0", "Primary", "6")], "Modified",
            ["3.0", "6.0", "nvd@nist.gov", "Primary", ""]
        ),
        (
            [metric("2.0", "Primary", "4"), metric("3.1", "Secondary", "6", "cna")], "Modified",
            ["2.0", "4.0", "nvd@nist.gov", "Primary", ""]
        ),
        (
            [metric("4.0", "Secondary", "5", "cna"), metric("3.1", "Secondary", "7", "adp")], "Deferred",
            ["4.0", "5.0", "cna", "Secondary", "not scored by NVD (Deferred)"]
        ),
        (
            [
                #"""
                "cvssMetricV31":[{"source":"cna","type":"Secondary","cvssData":{"version":"3.1","baseScore":5.0}},
                {"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","baseScore":9.8}}]
                """#
            ],
            "Analyzed", ["3.1", "9.8", "nvd@nist.gov", "Primary", ""]
        ),
        (
            [
                #"""
                "cvssMetricV31":[{"source":"cna","type":"Primary","cvssData":{"version":"3.1","baseScore":5.0}},
                {"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","baseScore":9.8}}]
                """#
            ],
            "Analyzed", ["3.1", "9.8", "nvd@nist.gov", "Primary", ""]
        ),
        (
            [metric("3.1", "Primary", "\"NA\""), metric("2.0", "Secondary", "4.3", "cna")], "Analyzed",
            ["2.0", "4.3", "cna", "Secondary", "not scored by NVD (Analyzed)"]
        ),
        ([], "Awaiting Analysis", ["", "", "", "", "no score (Awaiting Analysis)"]),
        ([], "Rejected", ["", "", "", "", "rejected"]),
    ]) func theScoreThatCounts(_ metrics: [String], _ status: String, _ expected: [String]) async throws {
        try await Self.with("nvd-modified") { rig, publish, _ in
            publish(Self.nvd(metrics.joined(separator: ","), status: status))
            #expect(try await rig.collect().error == "")
            let rows = try rig.texts(
                """
                NvdVulnerabilities_CL | project CvssVersion, CvssScore, ScoreSource, ScoreType, ScoreGap, tostring(Cwes)
                """
            )
            #expect(rows.count == 1 && rows[0].dropLast() == expected[...], "\(rows)")
            #expect(rows[0].last == "[\"CWE-79\",\"CWE-20\"]")
        }
    }

    @Test(arguments: [
        (
            #"The \"admin\" page of C:\\app allows\nXSS in Zürich."#,
            "The \"admin\" page of C:\\app allows\nXSS in Zürich."
        ),
        (
            #"\u2028 \u0000 \uD83D\uDE00 <script>alert('x')</script> \\\" \\n"#,
            "\u{2028} \u{0} 😀 <script>alert('x')</script> \\\" \\n"
        ),
        (#"{\"lang\":\"en\",\"value\":\"inner\"}"#, #"{"lang":"en","value":"inner"}"#),
    ]) func textIsAsItWasWritten(_ json: String, _ text: String) async throws {
        let document = Self.nvd("", descriptions: #"[{"lang":"es","value":"otro"},{"value":"\#(json)","lang":"en"}]"#)
        try await Self.with("nvd-modified") { rig, publish, _ in
            publish(document)
            let outcome = try await rig.collect()
            #expect(outcome.error == "")
            #expect(try rig.texts("NvdVulnerabilities_CL | project Description") == [[text]])
        }
    }

    @Test func microsoftsUpdatesByTheirMembers() async throws {
        try await Self.with("msrc-updates") { rig, publish, _ in
            publish(
                #"""
                {"DocumentTitle":{"Value":"x"},"Vulnerability":[
                 {"CVE":"CVE-2026-1","Title":{"Value":"A \"quoted\" title"},
                  "Threats":[{"Type":1,"Description":{"Value":"Publicly Disclosed:Yes;Exploited:Yes"}},{"Type":3,
                  "Description":{"Value":"Important"}},
                             {"Type":3,"Description":{"Value":"Critical"}},{"Type":0,
                             "Description":{"Value":"Remote Code Execution"}}],
                  "CVSSScoreSets":[{"BaseScore":7.1,"Vector":"low"},{"BaseScore":8.8,"Vector":"high"},
                  {"BaseScore":null}],
                  "Remediations":[{"Type":2,"Description":{"Value":"5070001"}},{"Type":2,
                  "Description":{"Value":"KB5070000"}},{"Type":2,"Description":{"Value":"Release Notes"}},
                                  {"Type":5,"Description":{"Value":"5069999"}},{"Type":2,
                                  "Description":{"Value":"5070001"},"Supercedence":"5060000"}],
                  "RevisionHistory":[{"Date":"2026-11-12T08:00:00"},{"Date":"2026-11-20T08:00:00Z"},
                  {"Date":"2026-11-10T08:00:00"}]},
                 {"CVE":"CVE-2026-2"},
                 {"CVE":"ADV260001","Title":null,"Threats":null,"CVSSScoreSets":[],"Remediations":[{}],
                 "RevisionHistory":null},
                 {"CVE":"CVE-2026-3","Notes":[{"Title":"Exploited:Yes","Value":"Critical"}],"Threats":[{"Type":3,
                 "Description":{}},{"Type":1,"Description":{"Value":"Exploited:No"}}]}]}
                """#)
            let outcome = try await rig.collect()
            #expect(outcome.error == "" && outcome.counts.added == 4, "\(outcome)")
            let rows = try rig.texts(
                """
                MsrcVulnerabilities_CL | order by CveId asc | project CveId, Title, Severity, Impact, IsExploited,
                IsPubliclyDisclosed, CvssScore, CvssVector, KbIds, LastRevision
                """
            )
            #expect(
                rows == [
                    ["ADV260001", "", "", "", "false", "false", "", "", "[]", ""],
                    [
                        "CVE-2026-1", "A \"quoted\" title", "Critical", "Remote Code Execution", "true", "true", "8.8",
                        "high",
                        "[\"5070000\",\"5070001\"]", "2026-11-20T08:00:00.0000000Z",
                    ],
                    ["CVE-2026-2", "", "", "", "false", "false", "", "", "[]", ""],
                    ["CVE-2026-3", "", "", "", "false", "false", "", "", "[]", ""],
                ], "\(rows)")
        }
    }
}
