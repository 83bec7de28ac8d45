import Pipeline
import Tables
import TestKit
import Testing

/// Parts of an export that hold nothing: for a moment, or for good.
@Suite(.serialized) struct ExportPartTests {
    private static let standing: Int64 = 639_079_200_000_000_000

    @Test func aPartThatStaysEmptyIsLeftOutAndNothingIsGone() async throws {
        try await RunningLab.use(
            devices: 60, otDevices: 3, tokenLifetime: 1_000_000, standing: Self.standing, exportFileRows: 60
        ) { lab in
            var configuration = lab.configuration
            configuration.sinks = []
            configuration.exports = .files
            let rig = try await Rig(lab, configuration, only: ["mde-software-vulnerabilities"])
            let whole = await rig.run()
            #expect(whole.failures.map(\.rendered) == [])
            _ = try await lab.control("POST", "/lab/exports", #"{"emptyPart": 1}"#)
            lab.lab.clock.advance(hours: 7)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].notes.contains { $0.contains("part-1.json.gz") && $0.contains("stays empty") })
            #expect(report.sources[0].counts.read < whole.sources[0].counts.read)
            #expect(report.sources[0].counts.read > 0)
            #expect(
                try rig.query("DeviceTvmSoftwareVulnerabilities | where ChangeType == 'Removed' | count") == [
                    [.long(0)]
                ])
            // With the part back, everything is as it was.
            _ = try await lab.control("POST", "/lab/exports", "{}")
            lab.lab.clock.advance(hours: 7)
            let again = await rig.run()
            #expect(
                again.failures.map(\.rendered) == [] && again.sources[0].counts.read == whole.sources[0].counts.read)
        }
    }

    @Test func copiesThatArePendingAreWaitedForTogether() async throws {
        try await RunningLab.use(devices: 60, otDevices: 3, standing: Self.standing, exportFileRows: 60) { lab in
            var configuration = lab.configuration
            configuration.sinks = []
            configuration.exports = .files
            _ = try await lab.control("POST", "/lab/exports", #"{"pendingCopies": 5}"#)
            let rig = try await Rig(lab, configuration, only: ["mde-software-vulnerabilities"])
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [] && report.sources[0].notes == [])
            #expect(lab.lab.requests.count { $0.contains("Export?") } == 2)
        }
    }
}
