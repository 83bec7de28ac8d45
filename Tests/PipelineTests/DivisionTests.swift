import Content
import Lab
import Pipeline
import Tables
import TestKit
import Testing

/// Hunting answers that are larger than an answer may be: the query is divided by itself, and the division remembered.
@Suite(.serialized) struct DivisionTests {
    private static let standing: Int64 = 639_079_200_000_000_000
    private static let source = "mde-windows-health"
    private static let table = "DeviceTvmSecureConfigurationAssessment"

    private static func rig(
        _ lab: RunningLab, _ name: String, source: String = source, rowsMax: Int = 100_000, partsMax: Int = 1_024
    ) async throws -> Rig {
        var configuration = lab.configuration
        configuration.workspace = "\(lab.folder)/\(name).vestige"
        configuration.sinks = []
        let library = try Overlay.library(
            in: lab.folder,
            sources: [
                source: { $0.replacing("\ntable:", with: "\nrowsMax: \(rowsMax)\npartsMax: \(partsMax)\ntable:") }
            ])
        return try await Rig(lab, configuration, only: [source], library: library)
    }

    /// How many queries a run sent.
    private static func queries(_ lab: RunningLab, _ body: () async throws -> Void) async throws -> Int {
        let before = lab.lab.requests.count
        try await body()
        return lab.lab.requests.dropFirst(before).count { $0.contains("runHuntingQuery") }
    }

    private static func settings(_ rig: Rig) throws -> Int64 {
        try rig.query("\(table) | distinct DeviceId, ConfigurationId | count")[0][0].longValue ?? -1
    }

    /// What limits an answer, and whether the rows above are refused or cut.
    private static let limits: [(rows: Int, bytes: Int, cuts: Bool)] = [
        (100, 50_000_000, false), (100_000, 80_000, false), (100, 50_000_000, true),
    ]

    @Test(arguments: limits) func aLargeTableIsDividedByItself(_ rows: Int, _ bytes: Int, _ cuts: Bool) async throws {
        try await RunningLab.use(
            devices: 60, otDevices: 3, standing: Self.standing,
            configure: { ($0.hunting.rowsMax, $0.hunting.bytesMax, $0.hunting.cuts) = (rows, bytes, cuts) }
        ) { lab in
            let rig = try await Self.rig(lab, "divided", rowsMax: rows)
            var first: CollectReport?
            let needed = try await Self.queries(lab) { first = await rig.run() }
            let report = try #require(first)
            #expect(report.failures.map(\.rendered) == [])
            #expect(report.sources[0].notes.contains { $0.contains("parts from now on") })
            let all = try Self.settings(rig)
            #expect(all > 400)
            // The next run begins with what this one found out.
            var second: CollectReport?
            let later = try await Self.queries(lab) { second = await rig.run() }
            #expect(second?.failures.map(\.rendered) == [])
            #expect(later < needed && later > 8)
            #expect(second?.sources[0].notes == [])
            #expect(second?.sources[0].counts.read == Int(all))
            #expect(try rig.query("\(Self.table) | where ChangeType == 'Removed' | count") == [[.long(0)]])
        }
    }

    @Test func everySettingArrivesHoweverItWasDivided() async throws {
        try await RunningLab.use(
            devices: 60, otDevices: 3, standing: Self.standing, configure: { $0.hunting.rowsMax = 150 }
        ) { lab in
            let divided = try await Self.rig(lab, "divided", rowsMax: 150)
            #expect((await divided.run()).failures.map(\.rendered) == [])
            let rows = try divided.query(
                "\(Self.table) | order by DeviceId asc, ConfigurationId asc | project DeviceId, ConfigurationId, IsCompliant"
            )
            try await RunningLab.use(devices: 60, otDevices: 3, standing: Self.standing) { other in
                let whole = try await Self.rig(other, "whole")
                #expect((await whole.run()).failures.map(\.rendered) == [])
                let expected = try whole.query(
                    "\(Self.table) | order by DeviceId asc, ConfigurationId asc | project DeviceId, ConfigurationId, IsCompliant"
                )
                #expect(rows == expected)
            }
        }
    }

    @Test func aTableWithoutDevicesIsDividedByItsKey() async throws {
        try await RunningLab.use(
            devices: 60, otDevices: 3, standing: Self.standing, configure: { $0.hunting.rowsMax = 12 }
        ) { lab in
            let rig = try await Self.rig(lab, "kb", source: "mde-configuration-kb", rowsMax: 12)
            let report = await rig.run()
            #expect(report.failures.map(\.rendered) == [])
            #expect(try rig.query("\(Self.table)KB | distinct ConfigurationId | count")[0][0].longValue ?? 0 > 12)
        }
    }

    @Test func aDivisionThatIsNoLongerNeededIsTakenBack() async throws {
        try await RunningLab.use(
            devices: 60, otDevices: 3, standing: Self.standing, configure: { $0.hunting.rowsMax = 250 }
        ) { lab in
            let rig = try await Self.rig(lab, "shrinking", rowsMax: 250)
            let first = try await Self.queries(lab) { _ = await rig.run() }
            // The same workspace, where an answer has room for much more.
            var counts: [Int] = [first]
            let roomy = try await Self.rig(lab, "shrinking", rowsMax: 100_000)
            for _ in 0..<3 { counts.append(try await Self.queries(lab) { _ = await roomy.run() }) }
            // It tries fewer parts, learns that the service does not give them, and comes back.
            #expect(counts[1] > 8 && counts[2] < counts[1] * 2 && counts[3] <= counts[2] * 2)
            #expect(try Self.settings(rig) > 400)
        }
    }

    /// A single key with more rows than an answer holds cannot be divided: it is reported, and nothing counts as gone.
    @Test func whatCannotBeDividedIsReported() async throws {
        try await RunningLab.use(
            devices: 2, otDevices: 3, standing: Self.standing, configure: { $0.hunting.rowsMax = 5 }
        ) { lab in
            let rig = try await Self.rig(lab, "stuck", rowsMax: 5, partsMax: 16)
            let report = await rig.run()
            #expect(report.failures.count == 1)
            #expect(report.failures.first?.next?.contains("divideBy") == true, "\(report.failures.map(\.rendered))")
        }
    }
}
