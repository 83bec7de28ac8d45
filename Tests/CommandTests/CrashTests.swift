import Foundation
import TestKit
import Testing
import Workspace

/// Power cuts: the program is killed at any instant and goes on as if nothing had been.
@Suite(.serialized) struct CrashTests {
    /// Continuous integration asks for 200.
    private static let kills = ProcessInfo.processInfo.environment["VESTIGE_KILLS"].flatMap { Int($0) } ?? 20
    private static let dump =
        "DeviceTvmSecureConfigurationAssessment | project-away TimeGenerated, RowId | extend Context = tostring(Context) | order by DeviceId asc, ConfigurationId asc"
    private static let counts =
        "union withsource=T DeviceInfo, MDEMachines_CL, DeviceTvmSoftwareVulnerabilities, IoTDevices_CL, IoTCves_CL, DeviceTvmSecureConfigurationAssessmentKB | summarize count() by T, ChangeType | order by T asc"

    private func write(_ lab: RunningLab, _ name: String) throws -> String {
        let identity = lab.lab.options.identity
        let text = """
            workspace: \(lab.folder)/\(name).vestige
            tenant:
              tenantId: \(identity.tenant)
              clientId: \(identity.client)
              clientSecret: file:\(lab.folder)/secret
              loginHost: \(lab.cloud)
              graphHost: \(lab.cloud)
              endpointHost: \(lab.cloud)
            feeds: {cisa-kev: "\(lab.cloud)/feeds/known_exploited_vulnerabilities.json", first-epss: "\(lab.cloud)/feeds/epss_scores-current.csv.gz", nvd-modified: off, msrc-updates: off}
            sensors:
              - {name: plant, host: "\(lab.sensor)", token: "file:\(lab.folder)/token", certificate: "\(lab.folder)/sensor.pem"}
            """
        try FolderWriter.write(identity.secret, to: lab.folder + "/secret")
        try FolderWriter.write(identity.sensorToken, to: lab.folder + "/token")
        try FolderWriter.write(text, to: lab.folder + "/\(name).yaml")
        return lab.folder + "/\(name).yaml"
    }

    @Test func killedAtAnyInstantHoldsWhatAnUndisturbedRunHolds() async throws {
        try await RunningLab.use(devices: 120) { lab in
            let calm = try write(lab, "calm")
            let rough = try write(lab, "rough")
            let started = ContinuousClock.now
            #expect(try await CommandTests.run(["collect", "--once", "--config", calm], in: lab.folder).status == 0)
            // The length of a run, learned anew whenever one ends before its instant comes: a busy machine
            // makes the first one long and the later ones short.
            var whole = (ContinuousClock.now - started) / .milliseconds(1)
            var killed = 0
            var finished = 0
            while killed < Self.kills, finished < 2 * Self.kills {
                let process = CommandTests.process(["collect", "--once", "--quiet", "--config", rough], in: lab.folder)
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                let began = ContinuousClock.now
                try process.run()
                // Spread over the whole run, each kill at another instant.
                let instant = whole * (Double(killed) + 0.5) / Double(Self.kills)
                while process.isRunning, (ContinuousClock.now - began) / .milliseconds(1) < instant {
                    try await Task.sleep(for: .milliseconds(1))
                }
                if process.isRunning {
                    kill(process.processIdentifier, SIGKILL)
                    killed += 1
                } else {
                    whole = min(whole, (ContinuousClock.now - began) / .milliseconds(1))
                    finished += 1
                }
                try await CommandTests.end(of: process)
            }
            #expect(killed == Self.kills)
            let last = try await CommandTests.run(["collect", "--once", "--config", rough], in: lab.folder)
            #expect(last.status == 0, "\(last.err)")
            for query in [Self.dump, Self.counts] {
                let expected = try await CommandTests.run(
                    ["query", "--format", "csv", "--quiet", "--config", calm, query], in: lab.folder)
                let found = try await CommandTests.run(
                    ["query", "--format", "csv", "--quiet", "--config", rough, query], in: lab.folder)
                #expect(expected.status == 0, "\(expected.err)")
                #expect(expected.out.count > 200)
                #expect(found.out == expected.out)
            }
        }
    }
}
