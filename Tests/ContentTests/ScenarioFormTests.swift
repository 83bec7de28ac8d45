import Foundation
import TestKit
import Testing

@testable import Content

/// Scenarios that are not what they should be: each fault is told of with its place.
@Suite struct ScenarioFormTests {
    private static let scenario = """
        id: trial
        title: A trial
        description: Somebody tries.
        begins: 1
        devices:
          - {id: desk, name: lis-ws-9001, platform: Windows11, address: 10.60.1.1, user: ana, off: [scid-2501]}
        plant:
          - {id: plc, name: PLC-9001, type: PLC, address: 10.60.9.1}
        running:
          - {id: shell, device: desk, path: 'C:\\Windows\\explorer.exe', account: ana}
        steps:
          - {at: "0d 09:00:30", by: shell, starts: probe, path: 'C:\\x.exe', command: x.exe 10.1}
          - {at: "0d 09:01", times: 3, every: 2s, by: probe, table: DeviceFileEvents,
             columns: {FileName: "a{n}", FileSize: "7"}}
          - {at: "-1d 08:00", sensor: PROGRAM_DEVICE, title: T, content: "{desk.address} to {plc.address}"}
        truth:
          verdict: intrusion
          entry: {device: desk, vector: phishing}
          causes: [{device: desk, control: scid-2501}]
          harm: [{device: plc, what: plc-program-changed}]
        """

    private func load(_ text: String) throws -> (scenario: ScenarioDefinition?, problems: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("scene-\(UUID().uuidString)")
        let file = folder.appendingPathComponent("Scenarios/trial.yaml")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder.path])
        let found = problems + ScenarioCheck.run(library)
        return (
            library.scenarios.first { $0.id == "trial" },
            found.map(\.description).filter { $0.contains("trial.yaml") }.joined(separator: "\n")
        )
    }

    @Test func aScenarioIsWrittenOut() throws {
        let (scenario, problems) = try load(Self.scenario)
        #expect(problems == "")
        let script = try #require(scenario?.script)
        let rows = try #require(script["rows"]?.array)
        #expect(rows.count == 4)
        let start = try #require(rows.first)
        #expect(start["at"]?.integer == 32_430_000 && start["device"]?.string == "desk")
        #expect(start["columns"]?["ProcessCommandLine"]?.string == "x.exe 10.1")
        #expect(start["columns"]?["InitiatingProcessFileName"]?.string == "explorer.exe")
        #expect(start["columns"]?["AccountName"]?.string == "ana")
        #expect(start["times"]?["ProcessCreationTime"]?.integer == 32_430_000)
        #expect(rows.dropFirst().map { $0["columns"]?["FileName"]?.string } == ["a1", "a2", "a3"])
        #expect(rows.dropFirst().map { $0["at"]?.integer } == [32_460_000, 32_462_000, 32_464_000])
        let number = start["columns"]?["ProcessId"]?.string
        #expect(rows[1]["columns"]?["InitiatingProcessId"]?.string == number && number != nil)
        #expect(rows[1]["times"]?["InitiatingProcessParentCreationTime"]?.integer ?? 0 < 0)
        let event = script["sensorEvents"]?[0]
        #expect(event?["at"]?.integer == -57_600_000)
        #expect(event?["content"]?.string == "10.60.1.1 to 10.60.9.1")
    }

    @Test(arguments: [
        ("0d 09:00:30", "9:00", "'at' is a time such as"), ("0d 09:00:30", "0d 24:00", "is a time such as"),
        ("by: probe", "by: prob", "'prob' runs nowhere"), ("every: 2s", "every: soon", "is a span such as"),
        ("times: 3", "times: 0", "'times' is 1 to 500"),
        ("starts: probe", "starts: probe, table: DeviceFileEvents", "a step has one of"),
        ("{desk.address}", "{dusk.address}", "stands for no device"), ("id: plc", "id: desk", "'desk' is there twice"),
        ("device: plc", "device: pump", "there is no device 'pump'"),
        ("verdict: intrusion", "verdict: bad", "'verdict' is one of"),
        ("by: probe, table", "device: plc, table", "'plc' has no agent"),
        ("begins", "starts", "unknown field 'starts'"),
        ("FileSize: \"7\"", "FileSize: big", "'DeviceFileEvents.FileSize' is long, not \"big\""),
        ("FileSize:", "FileSise:", "'DeviceFileEvents' has no column 'FileSise'"),
        ("table: DeviceFileEvents", "table: DeviceFiles", "there is no table 'DeviceFiles'"),
        ("control: scid-2501", "control: scid-0", "there is no control 'scid-0'"),
        ("what: plc-program-changed", "what: chaos", "there is no category of harm 'chaos'"),
        ("10.60.1.1", "10.61.1.11", "is a device of 'macro-to-ransomware' too"),
    ])
    func aFaultIsToldWithItsPlace(_ part: String, _ wrong: String, _ message: String) throws {
        let (_, problems) = try load(Self.scenario.replacing(part, with: wrong))
        #expect(problems.contains(message), "\(problems)")
    }
}
