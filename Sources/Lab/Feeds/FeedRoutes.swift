import Foundation
import Hummingbird
import Tables

/// Public lists about vulnerabilities, in the shapes of CISA and FIRST, about the lab's own vulnerabilities.
struct FeedRoutes: Sendable {
    func add(to router: Router<BasicRequestContext>) {
        router.get("/feeds/known_exploited_vulnerabilities.json") { _, _ in
            let listed = Vulnerabilities.all.filter(\.isExploited).map { v -> Value in
                .bag(
                    Bag([
                        ("cveID", .string(v.id)), ("vendorProject", .string(v.vendor)), ("product", .string(v.product)),
                        ("vulnerabilityName", .string(v.summary)), ("dateAdded", .string(v.published)),
                        ("shortDescription", .string(v.summary)),
                        ("requiredAction", .string("Apply updates per vendor instructions.")),
                        ("dueDate", .string(v.published)),
                        ("knownRansomwareCampaignUse", .string(v.score > 8.5 ? "Known" : "Unknown")),
                        ("notes", .string("")), ("cwes", .array([])),
                    ]))
            }
            return Reply.json(
                .bag(
                    Bag([
                        ("title", .string("Known exploited vulnerabilities of the lab")),
                        ("catalogVersion", .string("2026.01.01")),
                        ("dateReleased", .string("2026-01-01T00:00:00Z")), ("count", .long(Int64(listed.count))),
                        ("vulnerabilities", .array(listed)),
                    ])))
        }
        router.get("/feeds/epss_scores-current.csv.gz") { _, _ in
            var text = "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\n"
            for v in Vulnerabilities.all {
                text += "\(v.id),\(v.isExploited ? 0.9 : 0.02),\(v.isExploited ? 0.99 : 0.4)\n"
            }
            return Reply.raw(Deflate.compress(Array(text.utf8)) ?? [], type: "application/gzip")
        }
        router.get("/feeds/nvdcve-2.0-modified.json.gz") { _, _ in
            Reply.raw(Deflate.compress(Array(JSONWriter.string(.bag(Self.nvd())).utf8)) ?? [], type: "application/gzip")
        }
        router.get("/feeds/cvrf/:month") { _, context in
            // There is one month only.
            guard context.parameters.get("month") == "2026-Feb" else { return Reply.raw([], status: 404) }
            return Reply.json(.bag(Self.cvrf()))
        }
    }

    private static func nvd() -> Bag {
        let found = Vulnerabilities.all.map { v -> Value in
            let data = Bag([
                ("version", .string("3.1")), ("vectorString", .string("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")),
                ("baseScore", .real(v.score)),
                ("baseSeverity", .string(v.severity.uppercased())),
            ])
            let metric = Bag([
                ("source", .string("nvd@nist.gov")), ("type", .string("Primary")), ("cvssData", .bag(data)),
            ])
            let weakness = Bag([
                ("type", .string("Primary")),
                ("description", .array([.bag(Bag([("lang", .string("en")), ("value", .string("CWE-416"))]))])),
            ])
            let cve = Bag([
                ("id", .string(v.id)), ("sourceIdentifier", .string("secure@microsoft.com")),
                ("published", .string("\(v.published)T10:15:00.123")),
                ("lastModified", .string("2026-01-01T00:00:00.000")), ("vulnStatus", .string("Analyzed")),
                ("cveTags", .array([])),
                (
                    "descriptions",
                    .array([
                        .bag(Bag([("lang", .string("en")), ("value", .string("\(v.summary), \"as told\"."))])),
                        .bag(Bag([("lang", .string("es")), ("value", .string("Una vulnerabilidad."))])),
                    ])
                ), ("metrics", .bag(Bag([("cvssMetricV31", .array([.bag(metric)]))]))),
                ("weaknesses", .array([.bag(weakness)])),
                (
                    "references",
                    .array([
                        .bag(
                            Bag([("url", .string("https://example.org/\(v.id)")), ("source", .string("nvd@nist.gov"))]))
                    ])
                ),
            ])
            return .bag(Bag([("cve", .bag(cve))]))
        }
        return Bag([
            ("resultsPerPage", .long(Int64(found.count))), ("startIndex", .long(0)),
            ("totalResults", .long(Int64(found.count))),
            ("format", .string("NVD_CVE")),
            ("version", .string("2.0")), ("timestamp", .string("2026-01-01T00:00:00.000")),
            ("vulnerabilities", .array(found)),
        ])
    }

    private static func cvrf() -> Bag {
        func text(_ value: String) -> Value { .bag(Bag([("Value", .string(value))])) }
        let found = Vulnerabilities.all.filter { $0.vendor == "microsoft" }.enumerated().map { k, v -> Value in
            .bag(
                Bag([
                    ("Title", text(v.summary)), ("Notes", .array([])), ("CVE", .string(v.id)),
                    ("ProductStatuses", .array([])),
                    (
                        "Threats",
                        .array([
                            .bag(
                                Bag([
                                    ("Description", text("Elevation of Privilege")),
                                    ("ProductID", .array([.string("11926")])), ("Type", .long(0)),
                                ])),
                            .bag(
                                Bag([
                                    ("Description", text("Important")), ("ProductID", .array([.string("11926")])),
                                    ("Type", .long(3)),
                                ])),
                            .bag(
                                Bag([
                                    (
                                        "Description",
                                        text(
                                            "Publicly Disclosed:No;Exploited:\(v.isExploited ? "Yes" : "No");Latest Software Release:N/A"
                                        )
                                    ),
                                    ("Type", .long(1)),
                                ])),
                        ])
                    ),
                    (
                        "CVSSScoreSets",
                        .array([
                            .bag(
                                Bag([
                                    ("BaseScore", .real(v.score)), ("TemporalScore", .real(v.score - 1)),
                                    ("Vector", .string("CVSS:3.1/AV:L")),
                                ]))
                        ])
                    ),
                    (
                        "Remediations",
                        .array(
                            (0..<2).map { n in
                                .bag(
                                    Bag([
                                        ("Description", text(String(5_030_000 + k))),
                                        ("URL", .string("https://example.org")), ("Type", .long(2)),
                                        ("ProductID", .array([.string("119\(n)")])),
                                    ]))
                            })
                    ),
                    (
                        "RevisionHistory",
                        .array([
                            .bag(
                                Bag([
                                    ("Number", .string("1.0")), ("Date", .string("2026-02-10T08:00:00")),
                                    ("Description", text("Published.")),
                                ]))
                        ])
                    ),
                ]))
        }
        return Bag([
            ("DocumentTitle", text("February 2026 Security Updates")), ("DocumentType", text("Security Update")),
            ("ProductTree", .bag(Bag())),
            ("Vulnerability", .array(found)),
        ])
    }
}
