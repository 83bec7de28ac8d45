import Tables
import TestKit
import Testing

@testable import Lab

/// The lab plays what it is given over its own interfaces, when it happens and not before, and refuses what the
/// vendors' tables do not have.
@Suite struct ScenarioPlayTests {
    /// Noon of the lab's last day.
    private static let noon = (DateTime.ticks(2026, 9, 18) ?? 0) + DateTime.ticksPerDay / 2
    private static let hour: Int64 = 3_600_000

    private static func document(_ changes: (inout JSON.Members) -> Void = { _ in }) -> JSON {
        var members: JSON.Members = [
            "name": "trial", "begins": 1,
            "devices": [
                [
                    "id": "desk", "name": "lis-ws-9001", "platform": "Windows11", "address": "10.60.1.1",
                    "user": "ana", "off": ["scid-2501"],
                    "turns": [["at": .integer(30 * hour), "setting": "scid-2501", "complies": true]],
                ]
            ],
            "plant": [["id": "plc", "name": "PLC-9001", "type": "PLC", "address": "10.60.9.1", "firmware": "1.0"]],
            "rows": [
                [
                    "table": "DeviceProcessEvents", "device": "desk", "at": .integer(30 * hour),
                    "columns": [
                        "ActionType": "ProcessCreated", "FileName": "probe.exe", "ProcessId": "77",
                        "ProcessTokenElevation": "None",
                    ],
                    "times": ["ProcessCreationTime": .integer(30 * hour)],
                ]
            ],
            "sensorEvents": [
                [
                    "at": .integer(30 * hour), "type": "PROGRAM_DEVICE", "title": "PLC Programming",
                    "severity": "ALERT", "content": "10.60.9.2 to 10.60.9.1",
                ]
            ],
            "sensorAlerts": [
                [
                    "at": .integer(30 * hour), "title": "Unauthorized PLC Programming", "severity": "Critical",
                    "message": "10.60.9.2 to 10.60.9.1", "engine": "Policy Violation",
                ]
            ],
        ]
        changes(&members)
        return .object(members)
    }

    private static func ask(_ lab: RunningLab, _ query: String) async throws -> [JSON] {
        let headers =
            try await HuntingWireTests.bearer(lab, "https://graph.microsoft.com") + [
                ("Content-Type", "application/json")
            ]
        let body: JSON = ["Query": .string(query)]
        let answer = try await lab.send(
            "POST", lab.cloud + "/v1.0/security/runHuntingQuery", body.text, headers: headers)
        return try #require(try JSON(parsing: answer.body)["results"]?.array, "\(answer.body)")
    }

    @Test func whatHappensIsThereWhenItHappened() async throws {
        let scenario = try Scenario(Self.document())
        try await RunningLab.use(
            devices: 3, otDevices: 3, standing: Self.noon,
            configure: { ($0.startDaysAgo, $0.scenarios) = (2, [scenario]) },
            { lab in
                let query = "DeviceProcessEvents | where FileName == 'probe.exe'"
                func sensor(_ path: String) async throws -> String {
                    let (status, body) = try await RefusalTests.sensor(lab, path)
                    #expect(status == 200)
                    return body
                }
                let compliance =
                    "DeviceTvmSecureConfigurationAssessment | where DeviceName startswith 'lis-ws-9001' "
                    + "and IsCompliant == false | project ConfigurationId"
                #expect(try await Self.ask(lab, query).isEmpty)
                #expect(try await Self.ask(lab, compliance).map { $0["ConfigurationId"]?.string } == ["scid-2501"])
                #expect(try await !sensor("/api/v1/alerts").contains("Unauthorized"))
                lab.lab.clock.advance(days: 2)
                let rows = try await Self.ask(lab, query)
                #expect(rows.count == 1)
                #expect(rows.first?["Timestamp"]?.string == "2026-09-18T06:00:00.0000000Z")
                #expect(rows.first?["ProcessCreationTime"]?.string == rows.first?["Timestamp"]?.string)
                #expect(rows.first?["DeviceName"]?.string == "lis-ws-9001.contoso.example")
                #expect(try await Self.ask(lab, compliance).isEmpty)
                #expect(try await sensor("/api/v1/alerts").contains("Unauthorized PLC Programming"))
                #expect(try await sensor("/api/v1/events?type=PROGRAM_DEVICE").contains("10.60.9.2 to 10.60.9.1"))
                #expect(try await sensor("/api/v1/devices").contains("PLC-9001"))
                // Later the timeline has let go of it.
                lab.lab.clock.advance(days: 3)
                #expect(try await sensor("/api/v1/events?type=PROGRAM_DEVICE") == "[]")
            })
    }

    @Test func besidesAScenarioTheDayIsOrdinary() async throws {
        let scenario = try Scenario(Self.document())
        try await RunningLab.use(
            devices: 12, otDevices: 12, standing: Self.noon, configure: { $0.scenarios = [scenario] },
            { lab in
                let noise = try await Self.ask(
                    lab, "union DeviceProcessEvents, DeviceNetworkEvents | summarize Rows = count() by ActionType")
                let kinds = Set(noise.compactMap { $0["ActionType"]?.string })
                #expect(kinds == ["ProcessCreated", "ConnectionSuccess"])
                #expect(try await Self.ask(lab, "AlertInfo").isEmpty)
                // The same device does the same on every day.
                let habits = try await Self.ask(
                    lab,
                    "DeviceProcessEvents | where FileName != 'probe.exe' | summarize Days = dcount(bin(Timestamp, 1d)) "
                        + "by DeviceId, ProcessCommandLine | where Days < 28")
                #expect(habits.isEmpty)
            })
    }

    @Test(arguments: [
        ("platform", "BeOS", "there is no platform BeOS"), ("off", "scid-1", "Windows11 has no setting scid-1"),
        ("vulnerabilities", "CVE-1999-0001", "the lab knows no vulnerability CVE-1999-0001"),
        ("table", "DeviceThings", "no events go to table DeviceThings"),
        ("device", "nobody", "a row of DeviceProcessEvents has no device"),
        ("column", "Nothing", "DeviceProcessEvents has no column Nothing"),
        ("number", "seven", "DeviceProcessEvents.ProcessId is long, not \"seven\""),
        ("time", "FileName", "DeviceProcessEvents.FileName holds no time"),
        ("type", "PLC_EXPLODED", "a sensor has no events of type PLC_EXPLODED"),
        ("begins", "60", "'begins' is no number from 0 to 30"),
    ])
    func whatTheVendorHasNotIsRefused(_ part: String, _ value: String, _ reason: String) {
        let text = JSON.string(value)
        func item(_ list: JSON?, _ key: String, _ value: JSON) -> JSON {
            guard var members = list?[0]?.members else { return .null }
            members[key] = value
            return [.object(members)]
        }
        let document = Self.document { all in
            switch part {
            case "platform": all["devices"] = item(all["devices"], part, text)
            case "off", "vulnerabilities": all["devices"] = item(all["devices"], part, .array([text]))
            case "table", "device": all["rows"] = item(all["rows"], part, text)
            case "column":
                all["rows"] = item(all["rows"], "columns", .object(JSON.Members([(value, JSON.string("1"))])))
            case "number": all["rows"] = item(all["rows"], "columns", ["ProcessId": text])
            case "time": all["rows"] = item(all["rows"], "times", .object(JSON.Members([(value, JSON.integer(1))])))
            case "type": all["sensorEvents"] = item(all["sensorEvents"], part, text)
            default: all[part] = .integer(Int64(value) ?? 0)
            }
        }
        #expect(throws: ScenarioRefusal(scenario: "trial", reason: reason)) { try Scenario(document) }
    }
}
