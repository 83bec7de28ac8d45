import Content
import Foundation
import KQLEngine
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Days of collecting go out and come in again, and every question about the past has the same answer.
@Suite(.serialized) struct HistoryExportTests {
    private static let tables = [
        "DeviceTvmSecureConfigurationAssessment", "DeviceTvmSoftwareVulnerabilities", "DeviceInfo",
    ]
    private static let days = 30

    @Test func thePastIsTheSameAfterExportAndImport() async throws {
        try await RunningLab.use(devices: 12, otDevices: 1) { lab in

            var configuration = lab.configuration
            configuration.sinks = []
            let ids = ["mde-secure-configuration", "mde-software-vulnerabilities", "mde-devices"]
            let rig = try await Rig(lab, configuration, only: ids)
            let begin = lab.lab.clock.now
            for day in 0...Self.days {
                if day > 0 { lab.lab.clock.advance(days: 1) }
                let report = await rig.run()
                #expect(report.failures.map(\.rendered) == [])
            }
            let end = lab.lab.clock.now
            await rig.connections.close()
            let here = ImportRig(folder: lab.folder, workspace: rig.workspace, now: end)
            for table in Self.tables { #expect(try rig.workspace.rowCount(ofTable: table) > 0, "\(table)") }
            for format in TableExport.Format.allCases {
                var options = TableExport.Options()
                (options.format, options.packs) = (format, format == .ndjson)
                let folder = "\(lab.folder)/\(format)"
                try TableExport(workspace: rig.workspace, options: options).run(Self.tables, into: folder)
                let there = try here.other("there-\(format)", now: end)
                for group in try FolderImport(folder, table: nil).groups {
                    for _ in 0..<2 {
                        _ = try there.importer.run(group.files, table: group.table, options: FileImport.Options())
                    }
                    #expect(
                        try there.workspace.rowCount(ofTable: group.table)
                            == rig.workspace.rowCount(ofTable: group.table))
                }
                var generator = SplitMix(seed: 7)
                for _ in 0..<(format == .ndjson ? 40 : 6) {
                    // Within the history, and a day beyond either end.
                    let seconds = Int((end - begin) / DateTime.ticksPerSecond) + 172_800
                    let at = begin + Int64(generator.below(seconds) - 86_400) * DateTime.ticksPerSecond
                    let time = "datetime(\(DateTime.format(at)))"
                    for (function, key) in [
                        ("ConfigurationAt", "DeviceId asc, ConfigurationId asc"),
                        ("VulnerabilitiesAt", "DeviceId asc, SoftwareName asc, SoftwareVersion asc, CveId asc"),
                        ("DevicesAt", "DeviceId asc"),
                    ] {
                        let query = "\(function)(\(time)) | order by \(key)"
                        let expected = try here.ask(query)
                        #expect(try there.ask(query) == expected, "\(query)")
                    }
                }
                #expect(try there.ask("ConfigurationAt(datetime(\(DateTime.format(end)))) | count") != [[.long(0)]])
            }
        }
    }
}
