import Foundation
import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

/// Numbers that are the same at every run.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}

@Suite struct WorkspaceTests {
    private func value(_ type: ScalarType, _ g: inout Numbers) -> Value {
        if type != .string, Int.random(in: 0..<8, using: &g) == 0 { return .null }
        switch type {
        case .bool: return .bool(Bool.random(using: &g))
        case .int: return .long(Int64(Int32.random(in: .min ... .max, using: &g)))
        case .long:
            return .long(
                Bool.random(using: &g) ? Int64.random(in: .min ... .max, using: &g) : Int64.random(in: 0...9, using: &g)
            )
        case .real: return .real(Double(bitPattern: UInt64.random(in: 0...0x7FEF_FFFF_FFFF_FFFF, using: &g)))
        case .decimal: return .decimal(Decimal(Int64.random(in: -9999...9999, using: &g)))
        case .datetime: return .datetime(Int64.random(in: 0...DateTime.maximum, using: &g))
        case .timespan: return .timespan(Int64.random(in: -1_000_000...1_000_000, using: &g))
        case .guid:
            return .guid(GUID(high: .random(in: 0 ... .max, using: &g), low: .random(in: 0 ... .max, using: &g)))
        case .string:
            return .string(
                ["", "a", "PLC-1", "naïve ✓", "NUL \u{0} inside", String(repeating: "x", count: 300)][
                    Int.random(in: 0..<6, using: &g)])
        case .dynamic:
            return [.array([.long(1), .string("x")]), .bag(Bag([("k", .real(1.5))])), .string("s")][
                Int.random(in: 0..<3, using: &g)]
        }
    }

    /// What is written is what is read, for every type and many lengths.
    @Test func rowsSurviveTheFile() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let schema = Schema(ScalarType.allCases.map { ColumnSpec("c_\($0.name)", $0) })
        var g = Numbers(state: 7)
        for count in [0, 1, 2, 7, 64, 1_000] {
            let rows = (0..<count).map { _ in schema.columns.map { value($0.type, &g) } }
            let path = folder + "/w\(count).vestige"
            do {
                let workspace = try Workspace(path: path)
                try workspace.declare("T", schema)
                try workspace.append(Batch(schema: schema, rows: rows), to: "T", run: "r", now: 1)
            }
            let provider = try WorkspaceProvider(try Workspace(path: path), functions: [:])
            var read: [[Value]] = []
            let next = try provider.scan("T", predicates: [])
            while let batch = try next() { read += try batch.rows() }
            // Besides what was stored, every row names its table.
            #expect(read.map { Array($0.dropLast()) } == rows, "\(count) rows")
            #expect(read.allSatisfy { $0.last == .string("T") })
        }
    }

    /// A NUL ends a text in C, and with it a column's bounds, but not a value.
    @Test func aTextWithANULIsFound() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/nul.vestige")
        let schema = Schema([ColumnSpec("TimeGenerated", .datetime), ColumnSpec("Text", .string)])
        try workspace.declare("T", schema)
        let texts = ["\u{0}", "a\u{0}b", "a\u{0}c"]
        try workspace.append(
            Batch(schema: schema, rows: texts.map { [.datetime(1), .string($0)] }), to: "T", run: "r", now: 1)
        let engine = Engine(provider: try WorkspaceProvider(workspace, functions: [:]))
        #expect(try engine.run("T | project Text").primary.rows() == texts.map { [.string($0)] })
        #expect(try engine.run(#"T | where Text == "a\0c" | count"#).primary.rows() == [[.long(1)]])
    }

    @Test func aFileThatIsNoWorkspaceIsSaidSo() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try String(repeating: "not a database ", count: 200).write(
            toFile: folder + "/x.vestige", atomically: true, encoding: .utf8)
        #expect { try Workspace(path: folder + "/x.vestige") } throws: {
            ($0 as? WorkspaceError)?.message.contains("is not a workspace") == true
        }
    }

    @Test func aColumnKeepsItsType() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w.vestige")
        try workspace.declare("T", Schema([("a", .long)]))
        try workspace.declare("T", Schema([("b", .string)]))
        #expect(try workspace.schemas()["T"]?.names.sorted() == ["a", "b"])
        #expect(throws: WorkspaceError.self) { try workspace.declare("T", Schema([("a", .string)])) }
    }
}
