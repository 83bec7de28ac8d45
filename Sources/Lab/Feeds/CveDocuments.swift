import Tables

/// CVE records and statements on who is affected, about the lab's own vulnerabilities.
enum CveDocuments {
    /// Records in version 5 (https://github.com/CVEProject/cve-schema), with CISA's container as in its vulnrichment.
    static func records() -> [JSON] {
        Vulnerabilities.all.map { v in
            [
                "dataType": "CVE_RECORD", "dataVersion": "5.1",
                "cveMetadata": [
                    "cveId": .string(v.id), "state": "PUBLISHED", "assignerShortName": .string(v.vendor),
                    "datePublished": .string("\(v.published)T10:00:00.000Z"), "dateUpdated": "2026-01-01T00:00:00.000Z",
                ],
                "containers": ["cna": assigner(v), "adp": [cisa(v)]],
            ]
        }
    }

    private static func assigner(_ v: Vulnerability) -> JSON {
        [
            "providerMetadata": ["shortName": .string(v.vendor)], "title": .string(v.summary),
            "descriptions": [["lang": "en", "value": .string("\(v.summary).")]],
            "affected": [
                [
                    "vendor": .string(v.vendor), "product": .string(v.product), "defaultStatus": "unaffected",
                    "versions": [["version": "0", "lessThan": "10.1", "status": "affected", "versionType": "custom"]],
                ]
            ],
            "metrics": [
                [
                    "cvssV3_1": [
                        "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                        "baseScore": .number(v.score), "baseSeverity": .string(v.severity.uppercased()),
                    ]
                ]
            ],
            "problemTypes": [
                ["descriptions": [["lang": "en", "type": "CWE", "cweId": "CWE-416", "description": "Use after free"]]]
            ],
            "references": [["url": .string("https://example.org/\(v.id)")]],
        ]
    }

    private static func cisa(_ v: Vulnerability) -> JSON {
        [
            "title": "CISA ADP Vulnrichment", "providerMetadata": ["shortName": "CISA-ADP"],
            "metrics": [
                [
                    "other": [
                        "type": "ssvc",
                        "content": [
                            "id": .string(v.id), "role": "CISA Coordinator", "version": "2.0.3",
                            "timestamp": "2026-01-01T03:55:25.000000Z",
                            "options": [
                                ["Exploitation": .string(v.isExploited ? "active" : "none")], ["Automatable": "no"],
                                ["Technical Impact": .string(v.score > 9 ? "total" : "partial")],
                            ],
                        ],
                    ]
                ]
            ],
        ]
    }

    /// A CSAF 2.0 VEX document of the plant's supplier: one version of a product is not affected by anything.
    static func statements() -> JSON {
        [
            "document": [
                "category": "csaf_vex", "csaf_version": "2.0", "title": "Statements of the lab",
                "publisher": [
                    "category": "vendor", "name": "Lab Automation", "namespace": "https://lab.example",
                ],
                "tracking": [
                    "id": "LAB-2026-001", "status": "final", "version": "1",
                    "initial_release_date": "2026-01-01T10:00:00Z",
                    "current_release_date": "2026-01-02T10:00:00Z",
                ],
            ],
            "product_tree": [
                "branches": [
                    [
                        "category": "vendor", "name": "Lab Automation",
                        "branches": [
                            [
                                "category": "product_name", "name": "Controller",
                                "branches": [
                                    [
                                        "category": "product_version", "name": "4.2",
                                        "product": ["name": "Controller 4.2", "product_id": "LAB-C-42"],
                                    ]
                                ],
                            ]
                        ],
                    ]
                ]
            ],
            "vulnerabilities": .array(
                Vulnerabilities.all.prefix(3).map { v in
                    [
                        "cve": .string(v.id), "product_status": ["known_not_affected": ["LAB-C-42"]],
                        "flags": [["label": "component_not_present", "product_ids": ["LAB-C-42"]]],
                    ]
                }),
        ]
    }
}
