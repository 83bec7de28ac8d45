import KQLEngine
import Tables

/// The advanced-hunting tables of one day, with the documented columns.
enum HuntingTables {
    static func build(_ fleet: Fleet, _ clock: LabClock) -> MemoryTables {
        let tables = MemoryTables()
        let (day, now, midnight) = (clock.day, clock.now, clock.midnight)
        tables.set(
            "DeviceInfo", schema: deviceInfo,
            batches: [Batch(schema: deviceInfo, rows: fleet.machines.map { row($0, fleet, day, now) })])
        configuration(fleet, day, midnight, tables)
        vulnerabilities(fleet, day, tables)
        gathered(fleet, day, midnight, tables)
        return tables
    }

    private static let deviceInfo = Schema([
        ("Timestamp", .datetime), ("DeviceId", .string), ("DeviceName", .string), ("ClientVersion", .string),
        ("PublicIP", .string),
        ("OSArchitecture", .string), ("OSPlatform", .string), ("OSBuild", .long), ("IsAzureADJoined", .bool),
        ("JoinType", .string),
        ("LoggedOnUsers", .string), ("OSVersion", .string), ("MachineGroup", .string), ("OnboardingStatus", .string),
        ("DeviceCategory", .string), ("DeviceType", .string), ("OSDistribution", .string), ("OSVersionInfo", .string),
        ("MergedToDeviceId", .string), ("IsInternetFacing", .bool), ("SensorHealthState", .string),
        ("ExposureLevel", .string),
        ("AssetValue", .string), ("MitigationStatus", .string), ("IsTransient", .bool), ("CloudPlatforms", .string),
        ("AzureResourceId", .string), ("AwsResourceName", .string), ("GcpFullResourceName", .string),
    ])

    /// The platform as hunting tables spell it: distributions are `Linux` there.
    private static func platform(_ m: Machine) -> String { m.family == "Linux" ? "Linux" : m.osPlatform }

    private static func row(_ m: Machine, _ fleet: Fleet, _ day: Int, _ now: Int64) -> [Value] {
        let age = Int64(fleet.dice.roll(m.index, 30, day) % 3_500) * DateTime.ticksPerSecond
        let status =
            ["Onboarded": "Onboarded", "CanBeOnboarded": "Can be onboarded", "Unsupported": "Unsupported"][
                fleet.onboarding(m)] ?? ""
        let health =
            [
                "Active": "Active", "Inactive": "Inactive", "ImpairedCommunication": "Impaired communications",
                "NoSensorData": "No sensor data",
            ][
                fleet.health(m, day: day)] ?? ""
        return [
            .datetime(now - age), .string(m.id), .string(m.name), .string("10.8790.\(m.build ?? 0).5608"),
            .string("203.0.113.\(m.index % 250)"),
            .string("64-bit"), .string(platform(m)), m.build.map { .long($0) } ?? .null, .bool(m.family == "Windows"),
            .string(m.family == "Windows" ? "Hybrid Azure AD Join" : ""),
            .string("[{\"UserName\":\"\(m.user)\",\"DomainName\":\"CONTOSO\"}]"), .string(m.osVersion),
            .string(m.group), .string(status),
            .string("Endpoint"),
            .string(m.isServer ? "Server" : m.family == "Android" || m.family == "iOS" ? "Mobile" : "Workstation"),
            .string(m.family == "Linux" ? m.osPlatform : ""), .string(m.version), .string(""),
            .bool(m.isExposed),
            .string(health), .string(["Low", "Low", "Medium", "High"][Int(fleet.dice.roll(m.index, 31) % 4)]),
            .string(m.isServer ? "High" : "Normal"),
            .string(m.family == "Windows" ? "{\"Isolated\":\"\(m.script == nil && m.index % 97 == 96)\"}" : ""),
            // What is not known of a device is null, not false.
            m.family == "Android" || m.family == "iOS" ? .null : .bool(false),
            .string(m.isServer ? "[\"Azure\"]" : ""), .string(m.isServer ? "/subscriptions/lab/vm-\(m.index)" : ""),
            .string(""), .string(""),
        ]
    }

    private static func gathered(_ fleet: Fleet, _ day: Int, _ midnight: Int64, _ tables: MemoryTables) {
        let schema = Schema([
            ("Timestamp", .datetime), ("LastSeenTime", .datetime), ("DeviceId", .string), ("DeviceName", .string),
            ("OSPlatform", .string),
            ("AdditionalFields", .dynamic),
        ])
        let rows = fleet.machines.filter { fleet.onboarding($0) == "Onboarded" && $0.family == "Windows" }.map {
            m -> [Value] in
            let age = fleet.signatureAgeDays(m, day: day)
            let fields = Bag([
                ("AvMode", .string(fleet.hasActiveAntivirus(m) ? "0" : "1")),
                ("AvIsSignatureUptoDate", .string(age < 7 ? "true" : "false")),
                ("CloudProtectionState", .string("true")),
                (
                    "AsrConfigurationStates",
                    .bag(Bag([("BlockOfficeChildProcess", .string(m.index % 4 == 0 ? "Off" : "Block"))]))
                ),
            ])
            return [
                .datetime(midnight), .datetime(midnight), .string(m.id), .string(m.name), .string(platform(m)),
                .bag(fields),
            ]
        }
        tables.set("DeviceTvmInfoGathering", schema: schema, batches: [Batch(schema: schema, rows: rows)])
    }

    private static func configuration(_ fleet: Fleet, _ day: Int, _ midnight: Int64, _ tables: MemoryTables) {
        let schema = Schema([
            ("DeviceId", .string), ("DeviceName", .string), ("OSPlatform", .string), ("Timestamp", .datetime),
            ("ConfigurationId", .string),
            ("ConfigurationCategory", .string), ("ConfigurationSubcategory", .string), ("ConfigurationImpact", .real),
            ("IsCompliant", .bool), ("IsApplicable", .bool), ("Context", .dynamic), ("IsExpectedUserImpact", .bool),
        ])
        var builders = schema.columns.map { ColumnBuilder($0.type) }
        var count = 0
        for m in fleet.machines where fleet.onboarding(m) == "Onboarded" {
            // In the hours before the day began.
            let seen = midnight - Int64(fleet.dice.roll(m.index, 32) % 20_000) * DateTime.ticksPerSecond
            for (k, control) in m.controls.enumerated() {
                let applies = fleet.applies(m, k)
                let complies = applies && fleet.complies(m, k, day: day)
                let values: [Value] = [
                    .string(m.id), .string(m.name), .string(platform(m)), .datetime(seen), .string(control.id),
                    .string(control.category),
                    .string(control.subcategory), .real(control.impact), .bool(complies), .bool(applies),
                    context(m, control, fleet, day, midnight, complies), .bool(false),
                ]
                for (c, v) in values.enumerated() { builders[c].append(v) }
                count += 1
            }
        }
        tables.set(
            "DeviceTvmSecureConfigurationAssessment", schema: schema,
            batches: [Batch(schema: schema, columns: builders.map { $0.finish() }, count: count)])
        let kb = Schema([
            ("ConfigurationId", .string), ("ConfigurationImpact", .real), ("ConfigurationName", .string),
            ("ConfigurationDescription", .string),
            ("RiskDescription", .string), ("ConfigurationCategory", .string), ("ConfigurationSubcategory", .string),
            ("ConfigurationBenchmarks", .dynamic), ("Tags", .dynamic), ("RemediationOptions", .string),
        ])
        tables.set(
            "DeviceTvmSecureConfigurationAssessmentKB", schema: kb,
            batches: [
                Batch(
                    schema: kb,
                    rows: Controls.all.map { c in
                        [
                            .string(c.id), .real(c.impact), .string(c.name),
                            .string("Simulated description of \(c.id)."),
                            .string("A device that does not meet this control is easier to attack."),
                            .string(c.category),
                            .string(c.subcategory), .array([]), .array([]), .string("Apply the setting by policy."),
                        ]
                    })
            ])
    }

    /// The evidence behind a verdict, in the shape that community queries read: arrays inside an array.
    private static func context(
        _ m: Machine, _ c: Control, _ fleet: Fleet, _ day: Int, _ midnight: Int64, _ complies: Bool
    ) -> Value {
        switch c.id {
        case "scid-2010": return .array([.array([.string(complies ? "0" : "1")])])
        case "scid-2011", "scid-5095", "scid-6095":
            let age = fleet.signatureAgeDays(m, day: day)
            let updated = midnight - Int64(age) * DateTime.ticksPerDay
            let release = 1_421 + Int(updated / DateTime.ticksPerDay % 60)
            return .array([
                .array([
                    .string("1.\(release).\(580 - age % 50).0"), .string("1.1.24090.11"),
                    .string(DateTime.format(updated)),
                    .string("4.18.24090.\(m.index % 12)"),
                ])
            ])
        default: return .null
        }
    }

    private static func vulnerabilities(_ fleet: Fleet, _ day: Int, _ tables: MemoryTables) {
        let schema = Schema([
            ("DeviceId", .string), ("DeviceName", .string), ("OSPlatform", .string), ("OSVersion", .string),
            ("OSArchitecture", .string),
            ("SoftwareVendor", .string), ("SoftwareName", .string), ("SoftwareVersion", .string), ("CveId", .string),
            ("VulnerabilitySeverityLevel", .string), ("RecommendedSecurityUpdate", .string),
            ("RecommendedSecurityUpdateId", .string),
            ("CveTags", .dynamic),
        ])
        var rows: [[Value]] = []
        for m in fleet.machines where fleet.onboarding(m) == "Onboarded" {
            for v in fleet.vulnerabilities(m, day: day) {
                rows.append([
                    .string(m.id), .string(m.name), .string(platform(m)), .string(m.osVersion), .string("x64"),
                    .string(v.vendor),
                    .string(v.product), .string(SoftwareVersions.installed(v, m)), .string(v.id), .string(v.severity),
                    .string(v.fix),
                    .string(""), .array(v.isExploited ? [.string("ZeroDay")] : []),
                ])
            }
        }
        tables.set("DeviceTvmSoftwareVulnerabilities", schema: schema, batches: [Batch(schema: schema, rows: rows)])
        let kb = Schema([
            ("CveId", .string), ("CvssScore", .string), ("IsExploitAvailable", .bool),
            ("VulnerabilitySeverityLevel", .string),
            ("LastModifiedTime", .datetime), ("PublishedDate", .datetime), ("VulnerabilityDescription", .string),
            ("AffectedSoftware", .dynamic), ("CvssVector", .string), ("EpssScore", .real),
        ])
        tables.set(
            "DeviceTvmSoftwareVulnerabilitiesKB", schema: kb,
            batches: [
                Batch(
                    schema: kb,
                    rows: Vulnerabilities.all.map { v in
                        let date = DateTime.parse(v.published).map { Value.datetime($0) } ?? .null
                        return [
                            .string(v.id), .string(RealText.format(v.score)), .bool(v.isExploited), .string(v.severity),
                            date, date,
                            .string(v.summary), .array([.string("\(v.vendor):\(v.product)")]),
                            .string("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
                            v.isExploited ? .real(0.94) : .null,
                        ]
                    })
            ])
    }
}

enum SoftwareVersions {
    /// The version of a product that a machine has: the system's own for operating systems.
    static func installed(_ v: Vulnerability, _ m: Machine) -> String {
        if v.product.hasPrefix("windows") || v.product == "macos" { return m.osVersion }
        return [
            "chrome": "126.0.6478.127", "edge_chromium-based": "124.0.2478.80", "firefox": "130.0", "winrar": "6.22",
            "log4j": "2.14.1",
            "office": "16.0.14332.20447", "spring_framework": "5.3.17", "polkit": "0.105", "linux_kernel": "5.15.0",
            "glibc": "2.35", "openssh": "8.9p1",
            "xz": "5.6.0",
        ][v.product] ?? "1.0"
    }
}
