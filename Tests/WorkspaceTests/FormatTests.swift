import Foundation
import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

/// Workspaces that earlier programs wrote open as they are, answer, and go on.
@Suite struct FormatTests {
    private static let names = ["format-1", "format-1-filters", "format-2"]

    /// A copy of a file in `Formats`, unpacked.
    private static func use(_ name: String, _ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let packed = "\(Repository.root)/Tests/WorkspaceTests/Formats/\(name).vestige.gz"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: packed)))
        let whole = try #require(Deflate.decompress(bytes, sizeMax: 4 << 20))
        let path = "\(folder)/\(name).vestige"
        try Data(whole).write(to: URL(fileURLWithPath: path))
        try body(path)
    }

    private static func rows(_ workspace: Workspace, _ query: String) throws -> [[String]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(query).primary.rows().map {
            $0.map { $0.isNull ? "null" : $0.text }
        }
    }

    /// What a row of `Kinds_CL` was made of.
    private static func kinds(_ i: Int) -> [String] {
        if i % 7 == 6 {
            return ["\(i)"] + Array(repeating: "null", count: 8) + ["", "null"]
        }
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return [
            "\(i)", i % 2 == 0 ? "true" : "false", "\(i - 20)", "\(i * 4_000_000_000_000 - 7)", "\(Double(i) / 8)",
            "\(i).25", "2026-01-0\(1 + i / 24)T\(two(i % 24)):00:00.1234567Z", "00:\(two(i)):00",
            "00000000-0000-4000-8000-0000000000\(two(i))", "näme \(i % 5)", "{\"i\":\(i),\"tags\":[\"a\",null,1.5]}",
        ]
    }

    @Test func everyFormatHasItsFile() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Repository.root + "/Tests/WorkspaceTests/Formats")
        #expect(Set(files.filter { $0.hasSuffix(".gz") }) == Set(Self.names.map { $0 + ".vestige.gz" }))
        for format in 1..<Workspace.format {
            #expect(Self.names.contains("format-\(format)"), "format \(format) has no file to open")
        }
    }

    @Test(arguments: names) func everyTypeOfColumnIsRead(_ name: String) throws {
        try Self.use(name) { path in
            let workspace = try Workspace(path: path)
            let columns = "RowKey, Flag, Small, Whole, Ratio, Amount, At, Span, Id, Name, Bag"
            let found = try Self.rows(workspace, "Kinds_CL | order by RowKey asc | project \(columns)")
            #expect(found == (0..<40).map(Self.kinds))
            let types = try Self.rows(workspace, "Kinds_CL | project \(columns) | getschema | project ColumnType")
            #expect(
                types.map { $0[0] } == [
                    "long", "bool", "int", "long", "real", "decimal", "datetime", "timespan", "guid", "string",
                    "dynamic",
                ])
        }
    }

    @Test(arguments: names) func whatPrunesExtentsFindsTheRows(_ name: String) throws {
        try Self.use(name) { path in
            let workspace = try Workspace(path: path)
            for (condition, count) in [
                ("Word == 'powershell'", 833), ("Line has 'cmd.exe' and Line has 'gamma'", 278),
                ("Number between (10 .. 19)", 10),
                ("Word == 'nothing'", 0),
            ] {
                let found = try Self.rows(workspace, "Lines | where \(condition) | count")
                #expect(found == [["\(count)"]], "\(condition)")
            }
        }
    }

    @Test(arguments: names) func whatWaitsStillWaits(_ name: String) throws {
        try Self.use(name) { path in
            let workspace = try Workspace(path: path)
            #expect(try workspace.outboxCounts().keys.sorted() == ["sentinel"])
            #expect(try workspace.pending(for: "sentinel").contains { $0.table == "MDEMachines_CL" })
            let last = try workspace.lastRuns()
            #expect(last.map(\.source) == ["mde-machines"] && last[0].error == nil && last[0].rowsRead == 4)
            let machines = try Self.rows(
                workspace, "MDEMachines_CL | summarize count(), dcount(MachineId) by ChangeType")
            #expect(machines == [["Added", "4", "4"]])
        }
    }

    @Test(arguments: names) func itGoesOnWriting(_ name: String) throws {
        try Self.use(name) { path in
            let schema = Schema([("Number", .long), ("Word", .string), ("Line", .string)])
            do {
                let workspace = try Workspace(path: path)
                let row: [Value] = [.long(9_999), .string("new"), .string("a new line")]
                try workspace.append(Batch(schema: schema, rows: [row]), to: "Lines", run: "import", now: 1)
            }
            let again = try Workspace(path: path)
            let found = try Self.rows(again, "Lines | where Line has 'new' | project Number, Word")
            #expect(found == [["9999", "new"]])
            #expect(try Self.rows(again, "Lines | count") == [["5001"]])
            #expect(try Self.rows(again, "Kinds_CL | count") == [["40"]])
        }
    }
}
