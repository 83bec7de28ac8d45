import Tables

/// The lists of CISA, FIRST, NIST and Microsoft about the lab's own vulnerabilities.
enum FeedDocuments {
    /// CISA's catalogue (https://github.com/cisagov/kev-data, known_exploited_vulnerabilities_schema.json).
    static func exploited() -> JSON {
        let listed = Vulnerabilities.all.filter(\.isExploited).map { v -> JSON in
            [
                "cveID": .string(v.id), "vendorProject": .string(v.vendor), "product": .string(v.product),
                "vulnerabilityName": .string(v.summary), "dateAdded": .string(v.published),
                "shortDescription": .string(v.summary), "requiredAction": "Apply updates per vendor instructions.",
                "dueDate": .string(v.published), "knownRansomwareCampaignUse": .string(ransomware(v)),
                "forensicTriage": .string(v.score > 9 ? "Yes" : "No"), "notes": "", "cwes": [],
            ]
        }
        return [
            "title": "Known exploited vulnerabilities of the lab", "catalogVersion": "2026.01.01",
            "dateReleased": "2026-01-01T00:00:00.0000Z", "count": .integer(Int64(listed.count)),
            "vulnerabilities": .array(listed),
        ]
    }

    private static func ransomware(_ v: Vulnerability) -> String { v.score > 8.5 ? "Known" : "Unknown" }

    /// The same as CSV, which CISA offers beside it.
    static func exploitedCSV() -> String {
        CSV.line([
            "cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "shortDescription", "requiredAction",
            "dueDate", "knownRansomwareCampaignUse", "notes", "cwes",
        ])
            + Vulnerabilities.all.filter(\.isExploited).map { v in
                CSV.line([
                    v.id, v.vendor, v.product, v.summary, v.published, v.summary, "Apply updates.", v.published,
                    ransomware(v), "", "CWE-416, CWE-787",
                ])
            }.joined()
    }

    /// FIRST's scores (https://www.first.org/epss/data_stats): a comment with the model, a header, five decimals.
    static func predictions() -> String {
        "#model_version:v2025.03.14,score_date:2026-01-01T12:55:00Z\ncve,epss,percentile\n"
            + Vulnerabilities.all.map {
                "\($0.id),\($0.isExploited ? "0.90000" : "0.00043"),\($0.isExploited ? "0.99000" : "0.11205")\n"
            }
            .joined()
    }

    /// NIST's entries (https://nvd.nist.gov/developers/vulnerabilities): a Secondary score before the Primary one.
    static func nvd() -> JSON {
        let found = Vulnerabilities.all.map { v -> JSON in
            func metric(_ source: String, _ type: String, _ score: Double) -> JSON {
                [
                    "source": .string(source), "type": .string(type),
                    "cvssData": [
                        "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                        "baseScore": .number(score), "baseSeverity": .string(v.severity.uppercased()),
                    ],
                    "exploitabilityScore": 3.9, "impactScore": 5.9,
                ]
            }
            return [
                "cve": [
                    "id": .string(v.id), "sourceIdentifier": "secure@microsoft.com",
                    "published": .string("\(v.published)T10:15:00.123"), "lastModified": "2026-01-01T00:00:00.000",
                    "vulnStatus": "Analyzed", "cveTags": [],
                    "descriptions": [
                        ["lang": "en", "value": .string("\(v.summary), \"as told\".")],
                        ["lang": "es", "value": "Una vulnerabilidad."],
                    ],
                    "metrics": [
                        "cvssMetricV31": [
                            metric("secure@microsoft.com", "Secondary", 5), metric("nvd@nist.gov", "Primary", v.score),
                        ]
                    ],
                    "weaknesses": [
                        [
                            "source": "nvd@nist.gov", "type": "Primary",
                            "description": [["lang": "en", "value": "CWE-416"]],
                        ]
                    ],
                    "references": [["url": .string("https://example.org/\(v.id)"), "source": "nvd@nist.gov"]],
                ]
            ]
        }
        return [
            "resultsPerPage": .integer(Int64(found.count)), "startIndex": 0,
            "totalResults": .integer(Int64(found.count)),
            "format": "NVD_CVE", "version": "2.0", "timestamp": "2026-01-01T00:00:00.000",
            "vulnerabilities": .array(found),
        ]
    }

    /// Microsoft's month (https://github.com/microsoft/MSRC-Microsoft-Security-Updates-API).
    static func securityUpdates() -> JSON {
        func text(_ value: String) -> JSON { ["Value": .string(value)] }
        let found = Vulnerabilities.all.filter { $0.vendor == "microsoft" }.enumerated().map { k, v -> JSON in
            let words = "Publicly Disclosed:No;Exploited:\(v.isExploited ? "Yes" : "No");Latest Software Release:N/A"
            return [
                "Title": text(v.summary), "Notes": [], "CVE": .string(v.id), "ProductStatuses": [],
                "Threats": [
                    ["Description": text("Elevation of Privilege"), "ProductID": ["11926"], "Type": 0],
                    ["Description": text("Important"), "ProductID": ["11926"], "Type": 3],
                    ["Description": text(words), "Type": 1],
                ],
                "CVSSScoreSets": [
                    [
                        "BaseScore": .number(v.score), "TemporalScore": .number(v.score - 1), "Vector": "CVSS:3.1/AV:L",
                        "ProductID": ["11926"],
                    ]
                ],
                "Remediations": .array(
                    (0..<2).map { n in
                        [
                            "Description": text(String(5_030_000 + k)), "URL": "https://example.org", "Type": 2,
                            "ProductID": [.string("119\(n)")], "RestartRequired": text("Yes"),
                        ]
                    }),
                "RevisionHistory": [
                    ["Number": "1.0", "Date": "2026-02-10T08:00:00", "Description": text("Published.")]
                ],
            ]
        }
        return [
            "DocumentTitle": text("February 2026 Security Updates"), "DocumentType": text("Security Update"),
            "DocumentTracking": ["Version": "1.0"], "ProductTree": [:], "Vulnerability": .array(found),
        ]
    }
}
