import Content
import Tables
import Testing

@testable import Forensics

/// Devices of a plant, and the controls that stand in for patches there.
extension TriageTests {
    func plant(layer: String? = "Process Control", type: String = "PLC") -> Estate {
        var estate = Estate()
        for (sensor, number, mac) in [("south", "102", "02:00:5E:F8:48:99"), ("north", "2", "02:00:5e:f8:48:99")] {
            estate.add(
                "IoTDevices_CL",
                [
                    "SensorName": sensor, "DeviceId": number, "DeviceName": "RTU-\(sensor)", "DeviceType": type,
                    "IpAddress": "10.60.7.12", "MacAddresses": "[\"\(mac)\"]",
                ], at: Self.start)
            estate.add(
                "IoTCves_CL", ["SensorName": sensor, "IpAddress": "10.60.7.12", "CveId": Self.cve], at: Self.start)
        }
        // The same address of the network elsewhere is another device.
        estate.add(
            "IoTDevices_CL",
            [
                "SensorName": "west", "DeviceId": "7", "DeviceName": "OTHER", "IpAddress": "10.60.7.12",
                "MacAddresses": "[\"02:00:5e:00:00:01\"]",
            ], at: Self.start)
        if let layer {
            estate.add(
                "IoTManagedDevices_CL",
                ["ManagerName": "c", "DeviceId": "9", "PurdueLayer": layer, "MacAddresses": "[\"0200.5ef8.4899\"]"],
                at: Self.start)
        }
        return estate
    }

    @Test func aPlantDeviceOfTwoSensorsIsOneAndLivesWhileOneReportsIt() throws {
        var estate = plant()
        let all = try list(estate, at: "2026-08-04", withClosed: true)
        #expect(all.count == 3 && all.allSatisfy { $0.device == "north/2" && $0.deviceName == "RTU-north" })
        estate.add(
            "IoTCves_CL", ["SensorName": "north", "IpAddress": "10.60.7.12", "CveId": Self.cve], at: "2026-08-05",
            gone: true)
        #expect(try decide(estate, at: "2026-08-05").status == .open)
        estate.add(
            "IoTCves_CL", ["SensorName": "south", "IpAddress": "10.60.7.12", "CveId": Self.cve], at: "2026-08-06",
            gone: true)
        #expect(try decide(estate, at: "2026-08-06").status == .closed)
        estate.add(
            "IoTDeviceVulnerabilities_CL",
            [
                "SensorName": "south", "DeviceName": "RTU-south", "IpAddress": "10.60.7.12",
                "Cves": #"[{"id":"cve-2026-1001"}]"#,
            ], at: "2026-08-07")
        #expect(try decide(estate, at: "2026-08-07").detected == Estate.time("2026-08-07"))
    }

    @Test(arguments: [
        (
            "ProcessControl", "PLC", "mef failure IoTManagedDevices_CL", "critical IoTManagedDevices_CL",
            "controlled IoTManagedDevices_CL"
        ),
        (
            "Supervisory", "HMI", "mef failure IoTManagedDevices_CL", "marginal IoTManagedDevices_CL",
            "controlled IoTManagedDevices_CL"
        ),
        (
            "Supervisory", "Engineering Station", "mef failure IoTManagedDevices_CL", "critical IoTManagedDevices_CL",
            "controlled IoTManagedDevices_CL"
        ),
        (
            "Enterprise", "Workstation", "mef support crippled default", "negligible rule",
            "controlled IoTManagedDevices_CL"
        ),
        ("N/A", "Historian", "mef support crippled IoTDevices_CL", "marginal IoTDevices_CL", "open default"),
        ("", "Camera", "mef support crippled default", "marginal default", "open default"),
    ])
    func aPlantDevicesPlaceDecides(
        _ layer: String, _ type: String, _ mission: String, _ safety: String, _ exposure: String
    ) throws {
        let d = try decide(plant(layer: layer, type: type), "ssvc-deployer", at: "2026-08-04")
        #expect(
            step(d, .missionImpact) == mission && step(d, .safetyImpact) == safety
                && step(d, .systemExposure) == exposure)
    }

    @Test func aControlHoldsWhileItsLastProofIsFreshAndGood() throws {
        var estate = plant(layer: nil)
        let control = ["Control": "conduit", "ControlId": "ctl-1", "ProofMaxAge": "7d", "ValidUntil": "2026-08-30"]
        say(&estate, "control", "in place", device: "south/102", control, at: "2026-08-05")
        func state(_ time: String) throws -> String {
            let d = try decide(estate, at: time)
            return "\(d.decision ?? "-") \(d.controls.map { "\($0.id) \($0.holds)" })"
        }
        #expect(try state("2026-08-05") == "14D [\"ctl-1 false\"]")
        say(
            &estate, "proof", "ok", device: "", ["ControlId": "ctl-1", "ValidFrom": "2026-08-06T10:00:00Z"],
            at: "2026-08-06T10:04:00Z")
        #expect(try state("2026-08-06T10:03:59Z") == "14D [\"ctl-1 false\"]")
        #expect(try state("2026-08-06T10:04:00Z") == "FSU [\"ctl-1 true\"]")
        #expect(try state("2026-08-13T09:59:59Z") == "FSU [\"ctl-1 true\"]")
        #expect(try state("2026-08-13T10:00:00Z") == "14D [\"ctl-1 false\"]")
        say(&estate, "proof", "ok", device: "", ["ControlId": "ctl-1"], at: "2026-08-14")
        say(&estate, "proof", "failed", device: "", ["ControlId": "ctl-1"], at: "2026-08-15")
        #expect(try state("2026-08-14") == "FSU [\"ctl-1 true\"]")
        #expect(try state("2026-08-15") == "14D [\"ctl-1 false\"]")
        #expect(try state("2026-08-30") == "14D []")
    }

    @Test func underTheDirectiveOnlyExposureIsChangedByControls() throws {
        var estate = plant()
        vector(&estate, Self.worm)
        for (id, control) in [
            ("c1", "virtual-patch"), ("c2", "keyswitch"), ("c3", "recovery-proven"), ("c4", "physical-access"),
        ] {
            say(
                &estate, "control", "in place", device: "north/2",
                ["Control": control, "ControlId": id, "StatementId": id], at: "2026-08-05")
            say(&estate, "proof", "ok", device: "", ["ControlId": id, "StatementId": "p" + id], at: "2026-08-05")
        }
        let directive = try decide(estate, at: "2026-08-05")
        #expect(
            step(directive, .automatable) == "yes NvdVulnerabilities_CL"
                && step(directive, .technicalImpact) == "total NvdVulnerabilities_CL")
        let deployer = try decide(estate, "ssvc-deployer", at: "2026-08-05")
        #expect(step(deployer, .automatable) == "no TriageStatements_CL")
        #expect(step(deployer, .missionImpact) == "mef support crippled TriageStatements_CL")
        // The attacker need not be at the device.
        #expect(step(deployer, .systemExposure) == "controlled IoTManagedDevices_CL")
        #expect(
            step(try decide(estate, "ssvc-coordinator", at: "2026-08-05"), .technicalImpact)
                == "partial TriageStatements_CL")
    }
}
