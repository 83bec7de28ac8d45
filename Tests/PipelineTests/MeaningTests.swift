import Content
import Pipeline
import Tables
import TestKit
import Testing

/// What the services' fields mean: which are facts whose change is kept, and which only move on.
@Suite(.serialized) struct MeaningTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    private static func rig(_ lab: RunningLab, _ only: [String]) async throws -> Rig {
        var configuration = lab.configuration
        configuration.sinks = []
        configuration.tenant?.managementHost = lab.cloud
        configuration.tenant?.subscriptions = ["6f1d6d6a-0000-4000-8000-1ab000000009"]
        return try await Rig(lab, configuration, only: only)
    }

    /// Runs a source over an answer of the test's own.
    private static func run(_ rig: Rig, _ lab: RunningLab, _ path: String, _ answer: JSON) async throws -> ChangeCounts
    {
        let fault: JSON = ["path": .string(path), "times": 50, "status": 200, "body": .string(answer.text)]
        _ = try await lab.control("POST", "/lab/faults", fault.text)
        let report = await rig.run()
        _ = try await lab.control("POST", "/lab/faults/clear")
        #expect(report.failures.map(\.rendered) == [])
        return try #require(report.sources.first).counts
    }

    private static func device(_ mitigation: String, _ more: [(String, JSON)] = []) -> JSON {
        var row: [(String, JSON)] = [
            ("DeviceId", "d1"), ("DeviceName", "pc-1"), ("OSPlatform", "Windows11"), ("ExposureLevel", "Low"),
            ("Timestamp", "2026-03-01T10:00:00Z"), ("MitigationStatus", .string(mitigation)),
            ("IsTransient@odata.type", "#SByte"), ("IsTransient", 0), ("CloudPlatforms", .string(#"["Azure"]"#)),
            ("AzureResourceId", "/subscriptions/s/vm"),
        ]
        row += more
        let schema: JSON = [["name": "DeviceId", "type": "String"]]
        return ["schema": schema, "results": .array([.object(JSON.Members(row))])]
    }

    @Test func isolationAndExposureAreChanges() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["mde-devices"])
            let path = "runHuntingQuery"
            let first = try await Self.run(rig, lab, path, Self.device(#"{"Isolated":"false"}"#))
            #expect(first.added == 1)
            lab.lab.clock.advance(hours: 6)
            let second = try await Self.run(rig, lab, path, Self.device(#"{"Isolated":"true"}"#))
            #expect(second.changed == 1)
            lab.lab.clock.advance(hours: 6)
            let exposed = Self.device(#"{"Isolated":"true"}"#, [("ExposureLevel", "High")])
            #expect(try await Self.run(rig, lab, path, exposed).changed == 1)
            let moved = Self.device(
                #"{"Isolated":"true"}"#, [("ExposureLevel", "High"), ("AzureResourceId", "/subscriptions/s/other")])
            lab.lab.clock.advance(hours: 6)
            #expect(try await Self.run(rig, lab, path, moved).changed == 1)
            // A counter that nobody knows is kept, and makes no change.
            for count: Int64 in [1, 2] {
                lab.lab.clock.advance(hours: 6)
                let counted = Self.device(
                    #"{"Isolated":"true"}"#,
                    [
                        ("ExposureLevel", "High"), ("AzureResourceId", "/subscriptions/s/other"),
                        ("HeartbeatCount", .integer(count)),
                    ])
                #expect(try await Self.run(rig, lab, path, counted).kept == 0)
            }
            let history = try rig.query(
                """
                DeviceInfo
                | sort by TimeGenerated asc
                | project tostring(MitigationStatus.Isolated), ExposureLevel, tostring(CloudPlatforms[0]), IsTransient
                """
            )
            #expect(history.map { $0[0].text } == ["false", "true", "true", "true"])
            #expect(history.map { $0[1].text } == ["Low", "Low", "High", "High"])
            #expect(history.allSatisfy { $0[2] == .string("Azure") && $0[3] == .bool(false) })
            let told = try rig.query("DeviceChanges('d1') | where Area == 'Response' | project State")
            #expect(told.contains { $0[0].text.contains("isolated yes, exposure High") })
            await rig.connections.close()
        }
    }

    @Test func pathsAreEvidenceOfAVulnerability() async throws {
        @Sendable func row(_ paths: JSON) -> JSON {
            [
                "value": [
                    [
                        "id": "d_v_s_1_CVE-2026-1", "deviceId": "d", "deviceName": "pc", "softwareVendor": "v",
                        "softwareName": "s", "softwareVersion": "1", "cveId": "CVE-2026-1", "diskPaths": paths,
                        "registryPaths": ["HKLM\\Software\\AliasImport"],
                        "recommendedSecurityUpdateUrl": "https://example/u",
                    ]
                ]
            ]
        }
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["mde-software-vulnerabilities"])
            let path = "SoftwareVulnerabilitiesByMachine"
            #expect(try await Self.run(rig, lab, path, row(["c:\\a.exe"])).added == 1)
            #expect(try await Self.run(rig, lab, path, row(["c:\\a.exe", "d:\\a.exe"])).changed == 1)
            #expect(
                try rig.query(
                    "DeviceTvmSoftwareVulnerabilities | where tostring(pack_all()) contains 'AliasImport' | count")
                    == [[.long(2)]])
            #expect(
                try rig.query(
                    """
                    DeviceTvmSoftwareVulnerabilities
                    | where DiskPaths has 'd:'
                    | project RecommendedSecurityUpdateUrl, Unmapped
                    """
                )
                    == [[.string("https://example/u"), .null]])
            await rig.connections.close()
        }
    }

    /// Older sensors say when they saw a password last: that moves on at every run, and is no change.
    @Test func whenAPasswordWasSeenIsNoChange() async throws {
        @Sendable func report(_ seen: [Int64], _ strength: String) -> JSON {
            let passwords = seen.map { time -> JSON in
                ["password": "secret", "lastSeen": .integer(time), "protocol": "FTP", "strength": .string(strength)]
            }
            let vulnerabilities: JSON = [
                "plainTextPasswords": .array(passwords), "isBackupServer": false,
                "remoteAccess": [["lastSeen": "2026-01-01, 10:00", "port": 22]],
            ]
            return [
                ["name": "hmi", "ipAddresses": ["10.0.0.1"], "securityScore": 40, "vulnerabilities": vulnerabilities]
            ]
        }
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["iot-device-vulnerabilities"])
            let path = "/api/v1/reports/vulnerabilities/devices"
            #expect(try await Self.run(rig, lab, path, report([1, 2], "Weak")).added == 1)
            #expect(try await Self.run(rig, lab, path, report([1_767_225_600_000, 9], "Weak")).kept == 0)
            #expect(try await Self.run(rig, lab, path, report([10, 11], "Medium")).changed == 1)
            let row = try rig.query(
                """
                IoTDeviceVulnerabilities_CL
                | where ChangeType == 'Changed'
                | project tostring(PlainTextPasswords), tostring(RemoteAccess), LastSeenTimes
                """
            )[0]
            #expect(!row[0].text.contains("lastSeen") && row[0].text.contains("Medium") && row[0].text.contains("FTP"))
            #expect(row[1] == .string(#"[{"port":22}]"#))
            #expect(row[2].arrayValue?.count == 3)
            await rig.connections.close()
        }
    }

    private static func resources(_ rows: [JSON]) -> JSON {
        [
            "totalRecords": .integer(Int64(rows.count)), "count": .integer(Int64(rows.count)), "data": .array(rows),
            "resultTruncated": "false",
        ]
    }

    @Test func aCloudDeviceHasAName() async throws {
        @Sendable func device(_ n: Int, _ properties: JSON) -> JSON {
            [
                "id": .string("/s/devices/\(n)"), "name": .string("resource-\(n)"), "location": "westeurope",
                "properties": properties,
            ]
        }
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["iot-cloud-devices"])
            let rows = [
                device(1, ["deviceName": "plc-1", "name": "other"]), device(2, ["name": "plc-2"]), device(3, ["x": 1]),
                device(
                    4,
                    [
                        "deviceName": "", "name": "plc-4",
                        "hardware": ["vendor": "v", "serialNumber": "S1", "color": "red"],
                    ]),
            ]
            #expect(try await Self.run(rig, lab, "Microsoft.ResourceGraph", Self.resources(rows)).added == 4)
            let names = try rig.query(
                """
                IoTCloudDevices_CL
                | sort by ResourceId asc
                | project DeviceName, SerialNumber, tostring(Unmapped.properties.hardware)
                """
            )
            #expect(names.map { $0[0].text } == ["plc-1", "plc-2", "resource-3", "plc-4"])
            #expect(names[3].dropFirst().map(\.text) == ["S1", #"{"color":"red"}"#])
            await rig.connections.close()
        }
    }

    @Test func theCasingOfAnIdentifierIsNoChange() async throws {
        @Sendable func site(_ name: String, _ status: String) -> [JSON] {
            [
                [
                    "id": .string("/S/Sites/\(name)"), "name": .string(name),
                    "type": "microsoft.iotsecurity/locations/sites", "properties": [:],
                ],
                [
                    "id": .string("/S/Sites/\(name)/Sensors/One"), "name": "One",
                    "type": "microsoft.iotsecurity/locations/sites/sensors",
                    "properties": ["sensorStatus": .string(status)],
                ],
            ]
        }
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["iot-cloud-sensors"])
            #expect(
                try await Self.run(rig, lab, "Microsoft.ResourceGraph", Self.resources(site("Lisbon", "Ok"))).added == 2
            )
            #expect(
                try await Self.run(rig, lab, "Microsoft.ResourceGraph", Self.resources(site("LISBON", "Ok"))).kept == 0)
            let later = try await Self.run(
                rig, lab, "Microsoft.ResourceGraph", Self.resources(site("lisbon", "Disconnected")))
            #expect(later.changed == 1 && later.kept == 1)
            await rig.connections.close()
        }
    }

    @Test func aFlagThatNobodyGaveStaysOpen() async throws {
        @Sendable func row(_ id: String, _ flag: JSON) -> JSON {
            [
                "DeviceId": "d", "BrowserName": "chrome", "ExtensionId": .string(id), "IsActivated": flag,
                "Permissions": [["Id": "tabs"]],
            ]
        }
        try await RunningLab.use(devices: 3, otDevices: 3, standing: Self.standing) { lab in
            let rig = try await Self.rig(lab, ["mde-browser-extensions"])
            let answer: JSON = ["value": [row("a", true), row("b", false), row("c", nil)]]
            #expect(try await Self.run(rig, lab, "BrowserExtensionsInventoryByMachine", answer).added == 3)
            let rows = try rig.query(
                """
                DeviceTvmBrowserExtensions
                | sort by ExtensionId asc
                | project IsActivated, tostring(Permissions[0].Id)
                """
            )
            #expect(rows.map { $0[0].text } == ["true", "false", ""])
            #expect(rows.allSatisfy { $0[1] == .string("tabs") })
            await rig.connections.close()
        }
    }
}
