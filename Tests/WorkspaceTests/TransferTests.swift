import Foundation
import Tables
import TestKit
import Testing
import Workspace

/// Whole tables on their way in and out.
@Suite struct TransferTests {
    private struct Stopped: Error {}

    private static let schema = Schema([("TimeGenerated", .datetime), ("Id", .long)])

    private func inWorkspace(_ body: (Workspace) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try body(try Workspace(path: folder + "/w.vestige"))
    }

    private func batch(_ ids: Range<Int64>, time: Int64 = 0) -> Batch {
        Batch(schema: Self.schema, rows: ids.map { [.datetime(time), .long($0)] })
    }

    private func ids(_ workspace: Workspace, _ times: Range<Int64>? = nil) throws -> [Value] {
        var found: [Value] = []
        try workspace.eachExtent(of: "T", columns: ["Id"], times: times) { found += try $0.rows().map { $0[0] } }
        return found
    }

    @Test func rowsThatStopComingChangeNothing() throws {
        try inWorkspace { workspace in
            try workspace.declare("T", Self.schema)
            try workspace.append(batch(0..<3), to: "T", run: "r", now: 1)
            var parts = [batch(10..<20), batch(20..<30)]
            #expect(throws: Stopped.self) {
                try workspace.load("T", Self.schema, run: "r", now: 2, replaces: true) {
                    guard !parts.isEmpty else { throw Stopped() }
                    // Whoever looks meanwhile sees what was there before.
                    #expect(try workspace.rowCount(ofTable: "T") == 3)
                    return parts.removeFirst()
                }
            }
            #expect(parts.isEmpty)
            #expect(try ids(workspace) == [.long(0), .long(1), .long(2)])
        }
    }

    @Test func rowsWithFurtherColumnsDeclareThem() throws {
        try inWorkspace { workspace in
            let wider = Batch(
                schema: Schema(Self.schema.columns + [ColumnSpec("More", .string)]),
                rows: [[.datetime(0), .long(7), .string("x")]])
            var parts = [batch(0..<2), wider]
            try workspace.load("T", Self.schema, run: "r", now: 1, replaces: false) {
                parts.isEmpty ? nil : parts.removeFirst()
            }
            #expect(try workspace.schemas()["T"]?.names == ["TimeGenerated", "Id", "More"])
            #expect(try ids(workspace) == [.long(0), .long(1), .long(7)])
        }
    }

    @Test func extentsComeInTheirOrderAndByTheirTimes() throws {
        try inWorkspace { workspace in
            try workspace.declare("T", Self.schema)
            for i in 0..<4 {
                try workspace.append(
                    batch(Int64(i) * 10..<Int64(i) * 10 + 2, time: Int64(i) * 100), to: "T", run: "r", now: 1)
            }
            #expect(try ids(workspace).count == 8)
            #expect(try ids(workspace, 100..<300) == [.long(10), .long(11), .long(20), .long(21)])
            #expect(throws: WorkspaceError.self) {
                try workspace.eachExtent(of: "T", columns: ["Id"]) { _ in try workspace.drop("T") }
            }
        }
    }
}
