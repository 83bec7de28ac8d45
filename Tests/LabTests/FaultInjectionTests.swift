import Lab
import Tables
import TestKit
import Testing

/// Faults happen as often as was asked for, the lab counts them, and one that nothing met fails its test.
@Suite struct FaultInjectionTests {
    private let path = "/feeds/known_exploited_vulnerabilities.json"

    private func statuses(_ lab: RunningLab, _ count: Int) async throws -> [Int] {
        var found: [Int] = []
        for _ in 0..<count { found.append(try await lab.send("GET", lab.cloud + path).status) }
        return found
    }

    @Test func aFaultIsCountedEachTimeThatItHappens() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            _ = try await lab.control(
                "POST", "/lab/faults", #"{"path":"/feeds/","after":1,"times":3,"status":418}"#)
            #expect(try await statuses(lab, 3) == [200, 418, 418])
            #expect(lab.lab.faults.map { "\($0.path) \($0.met) \($0.left)" } == ["/feeds/ 2 1"])
            let told = JSON(try await lab.control("GET", "/lab/faults"))
            #expect(told == [["path": "/feeds/", "met": 2, "left": 1]])
            _ = try await lab.control("POST", "/lab/faults/clear")
            #expect(try await statuses(lab, 1) == [200])
            // What was cleared still counts as met.
            #expect(lab.lab.faults.map(\.met) == [2])
        }
    }

    @Test func aFaultThatNothingMetFailsTheTest() async throws {
        await #expect(throws: UnmetFaults.self) {
            try await RunningLab.use(devices: 3, otDevices: 3) { lab in
                _ = try await lab.control("POST", "/lab/faults", #"{"path":"/never-asked-for","times":1,"status":500}"#)
                _ = try await lab.control("POST", "/lab/faults/clear")
            }
        }
        try await RunningLab.use(devices: 3, otDevices: 3, faultsMayMiss: true) { lab in
            _ = try await lab.control("POST", "/lab/faults", #"{"path":"/never-asked-for","times":1,"status":500}"#)
        }
    }
}
