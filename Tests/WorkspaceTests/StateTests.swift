import KQLEngine
import Tables
import TestKit
import Testing
import Workspace

/// What a source's last run left behind, and runs that are not whole yet.
@Suite struct StateTests {
    private static let schema = Schema([("TimeGenerated", .datetime), ("n", .long)])
    private static let key = DigestKey([
        0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89,
    ])
    private static let other = DigestKey([
        0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C8B,
    ])

    private static func use(_ body: (Workspace) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w.vestige", digestKey: Self.key)
        try workspace.declare("T", schema)
        try body(workspace)
    }

    private static func digest(_ n: UInt64) -> RowDigest {
        RowDigest(high: n &* 0x9E37_79B9_7F4A_7C15, low: n &* 0xD6E8_FEB8_6659_FD93)
    }

    private static func record(_ source: String = "src") -> RunRecord {
        RunRecord(
            id: "run-of-\(source)", source: source, started: 1, ended: 2, rowsRead: 1, rowsChanged: 1, bytes: 1,
            error: nil)
    }

    private static func rows(_ workspace: Workspace) throws -> [[Value]] {
        try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run("T | project n | order by n asc").primary
            .rows()
    }

    @Test func aRunIsSeenWhenItIsWhole() throws {
        try Self.use { workspace in
            func stage(_ n: Int64) throws {
                let batch = Batch(schema: Self.schema, rows: [[.datetime(5), .long(n)]])
                try workspace.stage(batch, of: "src", started: 1, progress: "at \(n)") { extents in
                    var bucket = try workspace.buckets(of: "src", [7])[0]
                    guard
                        case .added(let entry) = bucket.note(
                            Self.digest(UInt64(n)), Self.digest(99), keepsContent: false)
                    else { return [] }
                    bucket.place(entry, at: RowPlace(extent: extents[0].id, row: 0))
                    return [bucket]
                }
            }
            try stage(1)
            #expect(try Self.rows(workspace).isEmpty)
            #expect(try workspace.rowCounts().isEmpty)
            #expect(try workspace.stateCount(of: "src") == 0)
            #expect(try workspace.progress(of: "src") == "at 1")
            try workspace.discardRun(of: "src")
            #expect(try workspace.progress(of: "src") == nil)
            #expect(try workspace.buckets(of: "src", [7])[0].entries.isEmpty)
            try stage(2)
            try stage(3)
            try workspace.publish(Self.record(), to: "T", checkpoint: "c", sinks: ["s"])
            #expect(try Self.rows(workspace) == [[.long(2)], [.long(3)]])
            #expect(try workspace.stateCount(of: "src") == 2)
            #expect(try workspace.checkpoint(of: "src") == "c")
            #expect(try workspace.progress(of: "src") == nil)
            let places = try workspace.buckets(of: "src", [7])[0].entries.map(\.place)
            #expect(try workspace.rows(at: places, columns: [ColumnSpec("n", .long)]) == [[.long(2)], [.long(3)]])
            #expect(try workspace.rows(at: [RowPlace(extent: 999, row: 0)], columns: [ColumnSpec("n", .long)]) == [nil])
            let pending = try workspace.pending(for: "s")
            #expect(pending.map(\.table) == ["T", "T"])
            try workspace.acknowledge(pending[0].extent, by: "s")
            #expect(try workspace.pending(for: "s").count == 1)
        }
    }

    /// Runs at random, cut into parts and begun again, tell the same of each row as a dictionary does.
    @Test(arguments: 1...20) func bucketsTellWhatADictionaryTells(seed: Int) throws {
        try Self.use { workspace in
            var z = UInt64(seed)
            func below(_ n: UInt64) -> UInt64 {
                z = z &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (z >> 33) % n
            }
            var model: [UInt64: UInt64] = [:]
            for _ in 0..<6 {
                var buckets: [Int64: StateBucket] = [:]
                var seen: Set<UInt64> = []
                let start = below(80)
                for step in 0..<(60 + below(200)) {
                    // Often in order, sometimes not, and sometimes twice.
                    let key = below(3) == 0 ? below(160) : (start + step) % 160
                    let content = below(4) == 0 ? below(3) : model[key] ?? 0
                    // Some buckets have few rows, and may lose them all.
                    let id = Int64(key % 53)
                    var bucket = try buckets[id] ?? workspace.buckets(of: "src", [id])[0]
                    switch bucket.note(Self.digest(key + 1), Self.digest(content + 1), keepsContent: false) {
                    case .repeated: #expect(seen.contains(key))
                    case .added: #expect(model[key] == nil && !seen.contains(key))
                    case .changed: #expect(model[key] != content && !seen.contains(key))
                    case .same: #expect(model[key] == content && !seen.contains(key))
                    }
                    if seen.insert(key).inserted { model[key] = content }
                    buckets[id] = bucket
                    if below(40) == 0 {
                        try workspace.stage(nil, of: "src", started: 1, progress: "") { _ in
                            buckets.values.filter(\.isDirty)
                        }
                        buckets = [:]
                    }
                }
                try workspace.stage(nil, of: "src", started: 1, progress: "") { _ in buckets.values.filter(\.isDirty) }
                if below(3) == 0 {
                    // Not everything was read: nothing is gone.
                    try workspace.publish(Self.record(), to: "T", checkpoint: "", sinks: [])
                    continue
                }
                var gone: Set<RowDigest> = []
                for id in try workspace.incompleteBuckets(of: "src", after: nil, limit: 100) {
                    var bucket = try workspace.buckets(of: "src", [id])[0]
                    gone.formUnion(bucket.removeUnseen().map(\.key))
                    #expect(bucket.isDirty)
                    try workspace.stage(nil, of: "src", started: 1, progress: "") { _ in [bucket].filter(\.isDirty) }
                }
                #expect(gone == Set(model.keys.filter { !seen.contains($0) }.map { Self.digest($0 + 1) }))
                model = model.filter { seen.contains($0.key) }
                try workspace.publish(Self.record(), to: "T", checkpoint: "", sinks: [])
                #expect(try workspace.stateCount(of: "src") == model.count)
            }
        }
    }

    @Test func whatIsForgottenIsOldAndDidNotComeAgain() throws {
        try Self.use { workspace in
            func run(_ ids: [Int64], below: Int64) throws {
                try workspace.stage(nil, of: "src", started: 1, progress: "") { _ in
                    try workspace.buckets(of: "src", ids).map { bucket in
                        var bucket = bucket
                        _ = bucket.note(Self.digest(UInt64(bucket.id)), Self.digest(1), keepsContent: true)
                        return bucket
                    }
                }
                try workspace.publish(Self.record(), to: "T", checkpoint: "", sinks: [], forgottenBelow: below)
            }
            try run([1, 2, 3], below: 0)
            try run([1, 4], below: 3)
            let left = try workspace.buckets(of: "src", [1, 2, 3, 4]).map(\.entries.count)
            #expect(left == [1, 0, 1, 1])
        }
    }

    @Test func digestsTellValuesApartAndNothingElse() throws {
        let digests = RowDigests(key: Self.key)
        func digest(_ columns: [(String, ScalarType, Value)]) throws -> RowDigest {
            let schema = Schema(columns.map { ColumnSpec($0.0, $0.1) })
            let ordinary = try digests(of: Batch(schema: schema, rows: [columns.map(\.2)]), columns: columns.map(\.0))[
                0]
            // A column of one value for all rows is stored in another way.
            let constant = Batch(
                schema: schema, columns: columns.map { Column(constant: $0.2, $0.1, count: 3) }, count: 3)
            #expect(try digests(of: constant, columns: columns.map(\.0)) == [ordinary, ordinary, ordinary])
            return ordinary
        }
        let base = try digest([("a", .string, .string("x")), ("b", .long, .long(5))])
        #expect(try digest([("b", .long, .long(5)), ("a", .string, .string("x"))]) == base)
        #expect(
            try digest([
                ("a", .string, .string("x")), ("b", .long, .long(5)), ("c", .string, .string("")), ("d", .real, .null),
            ]) == base)
        var others: Set<RowDigest> = [base]
        let values: [(ScalarType, Value)] = [
            (.string, .string("xy")), (.string, .string("yx")), (.string, .string("12345678")),
            (.string, .string("123456789")),
            (.string, .string("\u{0}")), (.string, .string("\u{0}\u{0}")), (.long, .long(0)), (.long, .long(1)),
            (.real, .real(1.5)),
            (.dynamic, .array([.long(1)])), (.dynamic, .array([.long(2)])), (.guid, .guid(GUID(high: 1, low: 2))),
            (.guid, .guid(GUID(high: 2, low: 1))),
        ]
        for (type, value) in values {
            #expect(others.insert(try digest([("a", type, value)])).inserted, "\(value)")
            #expect(others.insert(try digest([("b", type, value)])).inserted, "\(value)")
        }
        let bags = try [[("p", Value.long(1)), ("q", .long(2))], [("q", .long(2)), ("p", .long(1))]].map {
            try digest([("a", .dynamic, .bag(Bag($0)))])
        }
        #expect(bags[0] == bags[1])
        // Another key makes other digests.
        let batch = Batch(schema: Schema([("a", .string)]), rows: [[.string("x")]])
        let other = try RowDigests(key: Self.other)(of: batch, columns: ["a"])
        #expect(try digests(of: batch, columns: ["a"]) != other)
    }
}
