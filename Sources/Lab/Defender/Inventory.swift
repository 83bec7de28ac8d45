import Foundation
import Tables

/// What the inventory calls of the Defender for Endpoint API answer, as rows with the documented fields.
struct Inventory: Sendable {
    let fleet: Fleet
    let day: Int
    /// Ticks.
    let now: Int64
    /// With which the day began; ticks.
    let midnight: Int64

    private var onboarded: [Machine] { fleet.machines.filter { fleet.onboarding($0) == "Onboarded" } }

    private func bag(_ pairs: [(String, Value)]) -> Value { .bag(Bag(pairs)) }

    /// A device's fields as every export has them.
    private func device(_ m: Machine) -> [(String, Value)] {
        [
            ("deviceId", .string(m.id)), ("deviceName", .string(m.name)),
            ("osPlatform", .string(m.family == "Linux" ? "Linux" : m.osPlatform)),
            ("osVersion", .string(m.osVersion)), ("rbacGroupId", .long(m.groupID)), ("rbacGroupName", .string(m.group)),
        ]
    }

    func antivirus() -> [Value] {
        onboarded.filter { ["Windows", "macOS", "Linux"].contains($0.family) }.map { m in
            let age = fleet.signatureAgeDays(m, day: day)
            let updated = midnight - Int64(age) * DateTime.ticksPerDay
            let kind = ["Windows": "windows", "macOS": "mac", "Linux": "linux"][m.family] ?? ""
            let failed = m.script == nil && fleet.dice.percent(m.index, 51) < 4
            return bag([
                ("id", .string(m.id)), ("machineId", .string(m.id)), ("computerDnsName", .string(m.name)),
                ("osKind", .string(kind)),
                ("osPlatform", .string(m.osPlatform)), ("osVersion", .string(m.osVersion)),
                ("avMode", .string(fleet.hasActiveAntivirus(m) ? "0" : m.isServer ? "1" : "2")),
                (
                    "avSignatureVersion",
                    .string("1.\(1_421 + Int(updated / DateTime.ticksPerDay % 60)).\(580 - age % 50).0")
                ),
                ("avEngineVersion", .string("1.1.24090.11")),
                ("avPlatformVersion", .string("4.18.24090.\(m.index % 12)")),
                (
                    "lastSeenTime",
                    .datetime(now - Int64(fleet.dice.roll(m.index, 52, day) % 40_000) * DateTime.ticksPerSecond)
                ),
                ("quickScanResult", .string(failed ? "Failed" : "Completed")),
                ("quickScanError", .string(failed ? "0x80508023" : "")),
                ("quickScanTime", .datetime(midnight - DateTime.ticksPerDay * Int64(m.index % 3))),
                ("fullScanResult", .string("")),
                ("fullScanError", .string("")), ("fullScanTime", .null), ("dataRefreshTimestamp", .datetime(midnight)),
                ("avEngineUpdateTime", .datetime(updated)),
                ("avSignatureUpdateTime", .datetime(updated)), ("avPlatformUpdateTime", .datetime(updated)),
                ("avIsSignatureUpToDate", .string(age < 7 ? "True" : "False")), ("avIsEngineUpToDate", .string("True")),
                ("avIsPlatformUpToDate", .string(m.index % 12 > 2 ? "True" : "False")),
                ("avSignaturePublishTime", .datetime(updated)),
                ("rbacGroupId", .long(m.groupID)), ("rbacGroupName", .string(m.group)),
            ])
        }
    }

    func software() -> [Value] {
        onboarded.flatMap { m in
            var products: [String: (vendor: String, version: String, weaknesses: Int)] = [:]
            for v in fleet.vulnerabilities(m, day: day) {
                products[v.product, default: (v.vendor, SoftwareVersions.installed(v, m), 0)].weaknesses += 1
            }
            products["defender_for_endpoint"] = ("microsoft", "10.8790", 0)
            return products.sorted { $0.key < $1.key }.map { name, product in
                let ended = m.osPlatform == "Windows7" && name.hasPrefix("windows")
                return bag(
                    device(m).filter { $0.0 != "osVersion" } + [
                        ("softwareVendor", .string(product.vendor)), ("softwareName", .string(name)),
                        ("softwareVersion", .string(product.version)),
                        ("numberOfWeaknesses", .long(Int64(product.weaknesses))), ("diskPaths", .array([])),
                        ("registryPaths", .array([])),
                        ("softwareFirstSeenTimestamp", .string("2026-01-04 09:00:00")),
                        ("endOfSupportStatus", .string(ended ? "EOS Version" : "None")),
                        ("endOfSupportDate", ended ? .string("2020-01-14T00:00:00+00:00") : .null),
                    ])
            }
        }
    }

    static let profile = "8e1c2d1a-0000-4000-8000-1ab000000010"

    func baselines() -> [Value] {
        onboarded.filter { $0.family == "Windows" }.flatMap { m in
            let drawn = (1...12).map { k in
                (
                    source: "HKLM\\SOFTWARE\\Policies\\Example\\Setting\(k)",
                    complies: fleet.dice.percent(m.index, 5_200 + k) < 80
                )
            }
            let scripted = m.script?.policies.map { (source: $0.source, complies: $0.complies) } ?? []
            return (drawn + scripted).enumerated().map { i, policy in
                let (k, complies) = (i + 1, policy.complies)
                return bag(
                    device(m) + [
                        ("id", .string("\(m.id)_\(Self.profile)_2.3.\(k)")), ("configurationId", .string("2.3.\(k)")),
                        ("profileId", .string(Self.profile)),
                        ("isApplicable", .bool(true)), ("isCompliant", .bool(complies)),
                        ("dataCollectionTimeOffset", .datetime(midnight)),
                        ("complianceCalculationTimeOffset", .datetime(midnight)),
                        ("recommendedValue", .array([.string("Equal '1'")])),
                        ("currentValue", .array([.string(complies ? "1" : "0")])),
                        ("source", .array([.string(policy.source)])),
                    ])
            }
        }
    }

    func baselineProfiles() -> [Value] {
        [
            bag([
                ("id", .string(Self.profile)), ("name", .string("Workstations")),
                ("description", .string("Level 1 for workstations")),
                ("benchmark", .string("CIS")), ("version", .string("1.4.0")),
                ("operatingSystem", .string("Windows 11")),
                ("operatingSystemVersion", .string("23H2")), ("status", .bool(true)),
                ("complianceLevel", .string("Level 1 (L1)")),
                ("settingsNumber", .long(12)), ("createdBy", .string("admin@contoso.example")),
                ("lastUpdatedBy", .string("admin@contoso.example")),
                ("createdOnTimestampUTC", .string("2026-02-01T08:00:00Z")),
                ("lastUpdateTimestampUTC", .string("2026-02-01T08:00:00Z")),
                ("passedDevices", .long(3)), ("totalDevices", .long(Int64(onboarded.count))),
            ])
        ]
    }

    /// Field names in this export begin with capitals in JSON too.
    func browserExtensions() -> [Value] {
        let known = [
            ("Reader view", "None"), ("Password helper", "Medium"), ("Coupon finder", "High"),
            ("Screen recorder", "Critical"),
        ]
        return onboarded.filter { !$0.isServer && ["Windows", "macOS"].contains($0.family) }.flatMap { m in
            known.enumerated().filter { fleet.dice.percent(m.index, 5_300 + $0.offset) < 35 }.map { k, item in
                bag([
                    ("DeviceId", .string(m.id)), ("DeviceName", .string(m.name)), ("RbacGroupId", .long(m.groupID)),
                    ("RbacGroupName", .string(m.group)),
                    ("InstallationTime", .string("2026-05-26T18:46:27.000Z")),
                    ("BrowserName", .string(k % 2 == 0 ? "chrome" : "edge")),
                    ("ExtensionId", .string(Hex.string(fleet.dice.roll(k, 77), width: 16))),
                    ("ExtensionName", .string(item.0)),
                    ("ExtensionDescription", .string("")), ("ExtensionVersion", .string("1.\(k).0")),
                    ("ExtensionRisk", .string(item.1)),
                    ("IsActivated", .bool(true)),
                    (
                        "Permissions",
                        .array([bag([("Id", .string("tabs")), ("IsRequired", .bool(true)), ("Risk", .string(item.1))])])
                    ),
                ])
            }
        }
    }

    func certificates() -> [Value] {
        onboarded.filter { $0.isServer && $0.family == "Windows" }.map { m in
            let thumbprint = String(
                Hex.string(fleet.dice.roll(m.index, 60), width: 16)
                    + Hex.string(fleet.dice.roll(m.index, 61), width: 16) + "00000000")
            return bag(
                device(m).filter { !$0.0.hasPrefix("os") } + [
                    ("thumbprint", .string(thumbprint)), ("path", .string("LocalMachine\\My\\\(thumbprint)")),
                    ("signatureAlgorithm", .string("sha256RSA")),
                    ("keyLength", .long(2_048)), ("notAfter", .string("2027-03-01T00:00:00Z")),
                    ("notBefore", .string("2026-03-01T00:00:00Z")),
                    ("subjectType", .string("End Entity")),
                    ("serialNumber", .string(Hex.string(fleet.dice.roll(m.index, 62), width: 16))),
                    ("subjectObject", bag([("CN", .string(m.name))])),
                    ("issuerObject", bag([("CN", .string("Contoso Issuing CA"))])),
                    ("keyUsageArray", .array([.string("Digital Signature")])),
                    ("extendedKeyUsageArray", .array([.string("Server Authentication")])),
                    ("isSelfSigned", .bool(false)),
                ])
        }
    }

    func hardware() -> [Value] {
        onboarded.map { m in
            bag(
                device(m).filter { !$0.0.hasPrefix("os") } + [
                    ("componentType", .string("Hardware")),
                    ("manufacturer", .string(m.family == "macOS" ? "Apple" : "Fabrikam")),
                    ("componentName", .string(m.isServer ? "RackServer 7" : "Laptop 14")),
                    ("componentVersion", .string("1.\(m.index % 4)")),
                    ("additionalFields", .string("{\"BaseBoardProduct\":\"FB-\(m.index % 9)\"}")),
                ])
        }
    }

    func recommendations() -> [Value] {
        var products: [String: (vendor: String, weaknesses: Int, score: Double, exploited: Bool)] = [:]
        for v in Vulnerabilities.all {
            var p = products[v.product] ?? (v.vendor, 0, 0, false)
            p.weaknesses += 1
            p.score = max(p.score, v.score)
            p.exploited = p.exploited || v.isExploited
            products[v.product] = p
        }
        let updates = products.sorted { $0.key < $1.key }.map { name, p in
            bag([
                ("id", .string("va-_-\(p.vendor)-_-\(name)")), ("productName", .string(name)),
                ("recommendationName", .string("Update \(name)")),
                ("weaknesses", .long(Int64(p.weaknesses))), ("vendor", .string(p.vendor)),
                ("recommendedVersion", .string("")),
                ("recommendationCategory", .string("Application")), ("subCategory", .string("")),
                ("severityScore", .real(p.score)),
                ("publicExploit", .bool(p.exploited)), ("activeAlert", .bool(false)), ("associatedThreats", .array([])),
                ("remediationType", .string("Update")), ("status", .string("Active")), ("configScoreImpact", .real(0)),
                ("exposureImpact", .real(p.score / 10)),
                ("totalMachineCount", .long(Int64(onboarded.count))),
                ("exposedMachinesCount", .long(Int64(onboarded.count / 3))),
                ("nonProductivityImpactedAssets", .long(0)), ("relatedComponent", .string(name)),
                ("exposedCriticalDevices", .long(1)),
            ])
        }
        let settings = Controls.of(family: "Windows").map { c in
            bag([
                ("id", .string("sca-_-\(c.id)")), ("productName", .string("windows")),
                ("recommendationName", .string(c.name)), ("weaknesses", .long(1)),
                ("vendor", .string("microsoft")), ("recommendationCategory", .string("SecurityControls")),
                ("subCategory", .string(c.subcategory)),
                ("severityScore", .real(c.impact)), ("publicExploit", .bool(false)), ("activeAlert", .bool(false)),
                ("associatedThreats", .array([])),
                ("remediationType", .string("ConfigurationChange")), ("status", .string("Active")),
                ("configScoreImpact", .real(c.impact)),
                ("exposureImpact", .real(c.impact / 10)), ("totalMachineCount", .long(Int64(onboarded.count))),
                ("exposedMachinesCount", .long(Int64(onboarded.count * (100 - c.compliance) / 100))),
                ("exposedCriticalDevices", .long(0)),
            ])
        }
        return updates + settings
    }

    func score(_ name: String) -> Value {
        bag([("time", .datetime(midnight)), ("score", .real(name == "configurationScore" ? 340 : 42.5))])
    }

    func scoresByGroup() -> [Value] {
        Set(fleet.machines.map(\.group)).sorted().map {
            bag([
                ("time", .datetime(midnight)), ("score", .real(Double(20 + $0.utf8.count))),
                ("rbacGroupName", .string($0)),
            ])
        }
    }

    /// Some devices raise an alert, which is resolved two days later.
    func alerts() -> [Value] {
        var out: [Value] = []
        for d in 0...day {
            let born = midnight - Int64(day - d) * DateTime.ticksPerDay
            for (place, m) in onboarded.enumerated()
            where fleet.dice.roll(m.index, 70, d) % 150 == 0 || place == 0 && d == 0 {
                let isResolved = day - d >= 2
                let changed = isResolved ? born + 2 * DateTime.ticksPerDay : born
                out.append(
                    bag([
                        ("id", .string("da\(born)_\(m.index)")), ("incidentId", .long(Int64(m.index))),
                        ("investigationId", .null), ("assignedTo", .null),
                        ("severity", .string(["Low", "Medium", "High"][m.index % 3])),
                        ("status", .string(isResolved ? "Resolved" : "New")),
                        ("classification", .null), ("determination", .null),
                        ("investigationState", .string("UnsupportedAlertType")),
                        ("detectionSource", .string("WindowsDefenderAtp")), ("category", .string("Execution")),
                        ("threatFamilyName", .null),
                        ("title", .string("Suspicious script")),
                        (
                            "description",
                            m.index % 5 == 0 ? .null : .string("A script was started in a suspicious way.")
                        ),
                        ("alertCreationTime", .datetime(born)), ("firstEventTime", .datetime(born)),
                        ("lastEventTime", .datetime(born)),
                        ("lastUpdateTime", .datetime(changed)),
                        ("resolvedTime", isResolved ? .datetime(changed) : .null), ("machineId", .string(m.id)),
                        ("computerDnsName", .string(m.name)), ("rbacGroupName", .string(m.group)),
                        ("mitreTechniques", .array([.string("T1059.001")])),
                        ("relatedUser", bag([("userName", .string(m.user)), ("domainName", .string("CONTOSO"))])),
                        ("comments", .array([])),
                        (
                            "evidence",
                            .array([
                                bag([
                                    ("entityType", .string("Process")), ("evidenceCreationTime", .datetime(born)),
                                    ("fileName", .string("powershell.exe")),
                                    ("processId", .long(4_000 + Int64(m.index % 999))),
                                    ("detectionStatus", .string("Detected")),
                                ])
                            ])
                        ),
                    ]))
            }
        }
        return out
    }
}
