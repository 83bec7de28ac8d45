import KQL
import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

/// What prunes extents never loses a row.
@Suite struct FilterTests {
    @Test func filtersLoseNoRows() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let schema = Schema([("Id", .long), ("Device", .string), ("Line", .string)])
        var state: UInt64 = 5
        func below(_ n: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % n
        }
        let words = [
            "cmd.exe", "/c", "PowerShell", "naïve", "-enc", "K8S", "\u{212A}8s", "mimikatz", "a_b", "10.0.0.1", "ÄRGER",
            "x",
        ]
        let workspace = try Workspace(path: folder + "/w.vestige")
        let memory = MemoryTables()
        try workspace.declare("T", schema)
        var all: [[Value]] = []
        for extent in 0..<6 {
            let rows: [[Value]] = (0..<5_000).map { i in
                let line = (0..<4).map { _ in
                    words[Int(below(UInt64(4 + extent)))] + (below(3) == 0 ? "-\(below(9_000))" : "")
                }.joined(separator: " ")
                return [
                    .long(Int64(all.count + i)), .string("device-\(extent)-\(below(300))"),
                    .string("\(i) the program was started as \(line)"),
                ]
            }
            all += rows
            try workspace.append(Batch(schema: schema, rows: rows), to: "T", run: "r", now: 1)
        }
        memory.set("T", schema: schema, batches: [Batch(schema: schema, rows: all)])
        let stored = Engine(provider: try WorkspaceProvider(workspace, functions: [:]))
        let expected = Engine(provider: memory)
        var read = 0
        for condition in [
            "Device == 'device-3-7'", "Device in ('device-0-1', 'device-5-2')", "Device == 'nothing'",
            "Line has 'mimikatz'",
            "Line has 'MIMIKATZ' and Device has '4'",
            "Line has 'k8s'", "Line has_cs 'K8S'", "Line has 'cmd.exe'", "Line has_all ('powershell', 'enc')",
            "Line has 'b'", "Line has 'ärger'",
            "Line has 'rger'",
            "Line has '10.0.0.1'", "Line has 'a_b'", "Line has 'na'", "Line has 'nowhere'", "Line !has 'cmd'",
            "Line has 'cmd.exe-17'",
            "not(Line has 'mimikatz')",
        ] {
            let query = "T | where \(condition) | sort by Id asc | project Id"
            let found = try stored.run(query)
            #expect(try found.primary.rows() == expected.run(query).primary.rows(), "\(condition)")
            if condition.contains("nothing") || condition.contains("nowhere") { read += found.rowsScanned }
        }
        // What no extent has is told without reading any.
        #expect(read < 6 * 5_000)
    }
}
