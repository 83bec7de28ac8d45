import Content
import Foundation
import Logging
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// What may go wrong between a collector and the services, drawn at random: whatever it was, the workspace ends up as after
/// a run that nothing disturbed, and every sink has every row.
@Suite(.serialized) struct FaultTests {
    /// Continuous integration asks for 200.
    private static let seeds = ProcessInfo.processInfo.environment["VESTIGE_FAULT_SEEDS"].flatMap { UInt64($0) } ?? 20
    /// 2026-03-01, where the labs' clocks stand, so that two labs tell the same.
    private static let standing: Int64 = 639_079_200_000_000_000

    /// Parts of the services' paths, from single feeds to everything.
    private static let paths = [
        "oauth2", "runHuntingQuery", "/api/machines", "SoftwareVulnerabilitiesByMachine",
        "SoftwareVulnerabilitiesExport", "deviceavinfo",
        "InventoryByMachine", "Baseline", "certificateAssessment", "recommendations", "Score", "/api/alerts",
        "/api/v1/devices", "/api/v1/events",
        "/api/v1/alerts", "cves", "feeds/", "blob", "dataCollectionRules", "rest/ingest", "/api/", "/",
    ]

    private static func fault(_ dice: inout SplitMix) -> String {
        let path = paths[dice.below(paths.count)]
        let times = 1 + dice.below(5)
        let kinds = [
            #""status":401"#, #""status":403"#, #""status":404"#, #""status":408"#, #""status":413"#, #""status":429"#,
            #""status":429,"retryAfter":0"#,
            #""status":500"#, #""status":502"#, #""status":503,"retryAfter":0"#, #""status":504"#, #""truncates":true"#,
            #""resets":true"#,
            #""losesAnswer":true"#, #""dripMilliseconds":4"#, #""status":200,"body":"{\"value\":[{\"id\":""#,
            #""status":200,"type":"text/html","body":"<html><body>Sign in to the network</body></html>""#,
            #""status":302"#, #""status":200,"body":"""#,
        ]
        return #"{"path":"\#(path)","times":\#(times),\#(kinds[dice.below(kinds.count)])}"#
    }

    /// What a workspace holds, one line for each row, by table.
    private static func contents(_ rig: Rig) throws -> [String: [String]] {
        var tables: [String: [String]] = [:]
        for table in try rig.workspace.rowCounts().keys {
            tables[table] = try rig.query("\(table) | order by RowId asc").map { JSONWriter.string(.array($0)) }
        }
        return tables
    }

    private static func configuration(_ lab: RunningLab, seed: UInt64) -> Configuration {
        var configuration = lab.configuration
        configuration.workspace = lab.folder + "/seed-\(seed).vestige"
        configuration.exports = seed % 2 == 0 ? .pages : .files
        configuration.sinks.append(
            SinkConfiguration(name: "adx", kind: KustoConfiguration(cluster: lab.cloud, database: "Forensics")))
        return configuration
    }

    /// Runs until nothing fails, each time with new connections, as a service that starts again has.
    ///
    /// - Parameter seed: nil for a run that nothing disturbs.
    private static func collect(_ lab: RunningLab, _ seed: UInt64?) async throws -> (
        rows: [String: [String]], missing: [String]
    ) {
        let shown = seed.map { "seed \($0)" } ?? "calm"
        let configuration = configuration(lab, seed: seed ?? 0)
        defer { TemporaryFolder.remove(configuration.workspace) }
        _ = try await lab.control("POST", "/lab/received/clear")
        // Rows of two workspaces have the same ids only when their digests are made with the same key.
        _ = try Workspace(
            path: configuration.workspace,
            digestKey: DigestKey([
                0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89,
            ]))
        var rig = try await Rig(lab, configuration)
        if let seed {
            var dice = SplitMix(seed: seed)
            for _ in 0..<(1 + dice.below(6)) { _ = try await lab.control("POST", "/lab/faults", fault(&dice)) }
            // An export whose signed addresses ended before they are used.
            if dice.below(4) == 0 { _ = try await lab.control("POST", "/lab/exports", #"{"sasExpiry":1}"#) }
            for _ in 0..<2 {
                _ = await rig.run()
                await rig.connections.close()
                rig = try await Rig(lab, configuration)
            }
            _ = try await lab.control("POST", "/lab/faults/clear")
            _ = try await lab.control("POST", "/lab/exports", "{}")
        }
        let report = await rig.run()
        #expect(report.failures.map(\.rendered) == [], "\(shown)")
        #expect(try rig.workspace.outboxCounts().isEmpty, "\(shown)")
        let rows = try contents(rig)
        var missing: [String] = []
        for table in rows.keys {
            let ids = Set(try rig.query("\(table) | project RowId").map { $0[0].text })
            for stream in ["Custom-\(SentTable.name(of: table))", "Kusto-\(table)"] {
                let arrived = Set(try await lab.records(stream).map { $0.bagValue?["RowId"]?.text ?? "" })
                if arrived != ids {
                    missing.append(
                        "\(stream): \(ids.subtracting(arrived).count) missing, \(arrived.subtracting(ids).count) unknown"
                    )
                }
            }
        }
        await rig.connections.close()
        return (rows, missing)
    }

    /// Seeds `first`, `first + 2`, … against one lab.
    private static func check(from first: UInt64) async throws {
        try await RunningLab.use(devices: 6, otDevices: 4, standing: standing, faultsMayMiss: true) { lab in
            let calm = try await collect(lab, nil)
            #expect(calm.missing == [])
            #expect(calm.rows.count > 15)
            for seed in stride(from: first, through: seeds, by: 2) {
                let rough = try await collect(lab, seed)
                #expect(rough.missing == [], "seed \(seed)")
                for (table, rows) in calm.rows {
                    let found = rough.rows[table] ?? []
                    let first = zip(rows, found).first { $0 != $1 }.map { "\n\($0)\n\($1)" } ?? ""
                    let isSame = found == rows
                    #expect(
                        isSame, "seed \(seed), \(table): \(rows.count) rows undisturbed, \(found.count) now\(first)")
                }
            }
            // Drawn at random, some faults meet nothing: most do.
            let faults = lab.lab.faults
            #expect(faults.count { $0.met > 0 } * 10 >= faults.count * 6, "\(faults)")
        }
    }

    @Test func whateverGoesWrongNothingIsLost() async throws {
        async let odd: Void = Self.check(from: 1)
        async let even: Void = Self.check(from: 2)
        _ = try await (odd, even)
    }
}

/// A small generator, so that a seed always gives the same faults.
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(limit))
    }
}
