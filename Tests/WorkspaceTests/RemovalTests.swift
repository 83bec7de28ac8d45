import Foundation
import GRDB
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Workspace

/// What is removed is gone from the file, what is held stays, and whatever is left answers as it did.
@Suite struct RemovalTests {
    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("ChangeType", .string), ("SourceName", .string), ("Device", .string),
        ("State", .string),
    ])
    private static let day = DateTime.ticksPerDay

    private static func inWorkspace(_ body: (Workspace) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let workspace = try Workspace(path: folder + "/w.vestige")
        try workspace.declare("T", schema)
        try body(workspace)
        let damage = try workspace.verify().damage
        #expect(damage.isEmpty, "\(damage)")
    }

    /// Adds what a run of a source saw on a day: devices with their state; `-` for one that is gone.
    private static func add(
        _ rows: [String: String], day: Int64, source: String = "s", sinks: [String] = [], to workspace: Workspace
    ) throws {
        let values = rows.sorted { $0.key < $1.key }.map { device, state -> [Value] in
            [
                .datetime(day * Self.day), .string(state == "-" ? "Removed" : "Changed"), .string(source),
                .string(device), .string(state),
            ]
        }
        let record = RunRecord(
            id: "run-\(source)-\(day)", source: source, started: day * Self.day, ended: day * Self.day, rowsRead: 0,
            rowsChanged: 0,
            bytes: 0, error: nil)
        try workspace.stage(Batch(schema: schema, rows: values), of: source, started: day * Self.day, progress: "") {
            _ in []
        }
        try workspace.publish(record, to: "T", checkpoint: "", sinks: sinks)
    }

    private static func asOf(_ day: Int64, _ workspace: Workspace) throws -> [String: String] {
        let text = """
            T | where TimeGenerated <= datetime(0001-01-01) + \(day)d
            | summarize arg_max(TimeGenerated, ChangeType, State) by SourceName, Device | where ChangeType != 'Removed'
            | project strcat(SourceName, Device), State
            """
        let rows = try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(text).primary.rows()
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text, $0[1].text) })
    }

    private static func rule(_ day: Int64) -> ExpiryRule {
        ExpiryRule(table: "T", before: day * Self.day, key: ["Device"])
    }

    @Test func asOfAnswersAsBeforeForEveryTimeThatIsKept() throws {
        try Self.inWorkspace { workspace in
            try Self.add(["a": "1", "b": "1", "c": "1"], day: 1, to: workspace)
            try Self.add(["a": "2"], day: 2, to: workspace)
            try Self.add(["c": "-"], day: 3, to: workspace)
            try Self.add(["a": "4", "b": "4"], day: 4, to: workspace)
            try Self.add(["a": "5"], day: 5, to: workspace)
            try Self.add(["b": "9", "d": "9"], day: 9, to: workspace)
            try Self.add(["a": "1"], day: 1, source: "t", to: workspace)
            for before in 1...10 as ClosedRange<Int64> {
                let kept = try (before...10).map { try Self.asOf($0, workspace) }
                let trial = try workspace.expire(Self.rule(before), isTrial: true, now: 1)
                let removal = try workspace.expire(Self.rule(before), isTrial: false, now: 1)
                #expect(trial == removal)
                #expect(try (before...10).map { try Self.asOf($0, workspace) } == kept, "kept from day \(before) on")
                #expect(try workspace.expire(Self.rule(before), isTrial: false, now: 1).rows == 0)
            }
            // What is left is the last row of each device that is still there, and what was stored with it.
            #expect(try workspace.rowCounts()["T"] == 4)
        }
    }

    @Test func eventsGoWhenAllThatWereStoredTogetherMay() throws {
        try Self.inWorkspace { workspace in
            for day in 1...9 as ClosedRange<Int64> {
                try Self.add(["e\(day)": "x", "f\(day)": "x"], day: day, to: workspace)
            }
            let removal = try workspace.expire(
                ExpiryRule(table: "T", before: 6 * Self.day, key: nil), isTrial: false, now: 1)
            #expect(removal.rows == 10 && removal.low == Self.day && removal.high == 5 * Self.day && removal.bytes > 0)
            #expect(try workspace.rowCounts()["T"] == 8)
        }
    }

    @Test func tenantsHaveTheirOwnTime() throws {
        try Self.inWorkspace { workspace in
            try Self.add(["a": "1"], day: 1, source: "s@one", to: workspace)
            try Self.add(["a": "1"], day: 1, source: "s@two", to: workspace)
            let batch = Batch(
                schema: Self.schema,
                rows: [[.datetime(Self.day), .string(""), .string("import:x"), .string("i"), .string("1")]])
            try workspace.append(batch, to: "T", run: "import", now: 1)
            let events = ExpiryRule(table: "T", before: 5 * Self.day, key: nil)
            let one = try workspace.expire(events, isTrial: false, now: 1) { $0?.hasSuffix("@one") == true }
            #expect(one.rows == 1)
            #expect(Set(try Self.asOf(5, workspace).keys) == ["s@twoa", "import:xi"])
            #expect(try workspace.expire(events, isTrial: false, now: 1) { $0 == nil }.rows == 1)
        }
    }

    @Test func whatIsHeldOrStillToBeSentStays() throws {
        try Self.inWorkspace { workspace in
            try Self.add(["a": "1"], day: 1, sinks: ["sentinel"], to: workspace)
            let events = ExpiryRule(table: "T", before: 5 * Self.day, key: nil)
            #expect(try workspace.expire(events, isTrial: false, now: 1).rows == 0)
            for (extent, _) in try workspace.pending(for: "sentinel") {
                try workspace.acknowledge(extent, by: "sentinel")
            }
            let hold = Hold(name: "case 17", tables: ["T"], reason: "because", person: "me", placed: 5)
            try workspace.place(hold)
            #expect(throws: WorkspaceError.self) { try workspace.place(hold) }
            #expect(try workspace.holds() == [hold])
            #expect(try workspace.expire(events, isTrial: false, now: 1).rows == 0)
            #expect("a hold") {
                try workspace.remove(from: "T", now: 1) { [Bool](repeating: true, count: $0.count) }
            } throws: {
                ($0 as? WorkspaceError)?.message.contains("under the hold case 17") == true
            }
            try workspace.place(Hold(name: "all", tables: [], reason: "all", person: "me", placed: 6))
            #expect(try workspace.release(hold: "case 17") == hold)
            #expect(throws: WorkspaceError.self) { try workspace.release(hold: "case 17") }
            #expect(try workspace.expire(events, isTrial: false, now: 1).rows == 0)
            _ = try workspace.release(hold: "all")
            #expect(try workspace.expire(events, isTrial: false, now: 1).rows == 1)
        }
    }

    /// A hold that cannot be read holds everything.
    @Test func aDamagedHoldKeepsRowsFromBeingRemoved() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w.vestige"
        do {
            let workspace = try Workspace(path: path)
            try workspace.declare("T", Self.schema)
            try Self.add(["a": "1"], day: 1, to: workspace)
            try workspace.place(Hold(name: "h", tables: ["U"], reason: "because", person: "me", placed: 5))
        }
        let database = try DatabaseQueue(path: path)
        try database.write { try $0.execute(sql: "UPDATE meta SET value = '{\"tab' WHERE name = 'hold:h'") }
        try database.close()
        let workspace = try Workspace(path: path)
        #expect(throws: WorkspaceError.self) {
            try workspace.expire(ExpiryRule(table: "T", before: 5 * Self.day, key: nil), isTrial: false, now: 1)
        }
        #expect(throws: WorkspaceError.self) {
            try workspace.remove(from: "T", now: 1) { [Bool](repeating: true, count: $0.count) }
        }
        #expect(try workspace.rowCounts()["T"] == 1)
    }

    private static func devices(_ name: String) -> (Batch) throws -> [Bool] {
        { batch in
            guard let column = try batch.column(named: "Device") else {
                return [Bool](repeating: false, count: batch.count)
            }
            return (0..<batch.count).map { column[$0] == .string(name) }
        }
    }

    @Test func whatIsRemovedIsNowhereInTheFile() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let path = folder + "/w.vestige"
        let secret = "maria-schmidt-of-plant-7"
        let workspace = try Workspace(path: path)
        try workspace.declare("T", Self.schema)
        try Self.add([secret: "1", "a": "1"], day: 1, sinks: ["sentinel"], to: workspace)
        try Self.add([secret: "2", "b": "2"], day: 2, to: workspace)
        try Self.add(["c": "3"], day: 3, to: workspace)
        func holdsSecret() -> Bool {
            [path, path + "-wal"].contains { name in
                FileManager.default.contents(atPath: name)?.range(of: Data(secret.utf8)) != nil
            }
        }
        #expect(holdsSecret())
        #expect(try workspace.removable(from: "T", where: Self.devices(secret)).rows == 2)
        let removal = try workspace.remove(from: "T", now: 9, where: Self.devices(secret))
        #expect(removal.rows == 2 && removal.low == Self.day && removal.high == 2 * Self.day)
        #expect(try Self.asOf(9, workspace) == ["sa": "1", "sb": "2", "sc": "3"])
        // What was to be sent still is, without it.
        let waiting = try workspace.pending(for: "sentinel")
        #expect(waiting.map(\.table) == ["T"] && waiting.map(\.extent.rows) == [1])
        #expect(try workspace.verify().damage.isEmpty)
        let sizes = try workspace.compact()
        #expect(sizes.after <= sizes.before)
        #expect(try workspace.verify().damage.isEmpty && !holdsSecret())
    }

    /// The state of a source knows rows by their place: it finds them where they are now, and no other in their stead.
    @Test func theStateFindsRowsThatMoved() throws {
        try Self.inWorkspace { workspace in
            let rows: [[Value]] = ["a", "b", "c"].map {
                [.datetime(Self.day), .string("Added"), .string("s"), .string($0), .string("1")]
            }
            let keys = (0..<3).map { RowDigest(high: UInt64($0), low: 7) }
            try workspace.stage(Batch(schema: Self.schema, rows: rows), of: "s", started: 1, progress: "") { extents in
                let entries = keys.enumerated().map { i, key in
                    StateEntry(key: key, content: key, place: RowPlace(extent: extents[0].id, row: i))
                }
                var bucket = StateBucket(id: 1, entries: entries, seen: [7])
                for i in 0..<3 { bucket.place(i, at: entries[i].place) }
                return [bucket]
            }
            let record = RunRecord(
                id: "r", source: "s", started: 1, ended: 1, rowsRead: 3, rowsChanged: 3, bytes: 0, error: nil)
            try workspace.publish(record, to: "T", checkpoint: "", sinks: [])
            _ = try workspace.remove(from: "T", now: 9, where: Self.devices("b"))
            func found() throws -> [[Value]?] {
                let places = try workspace.buckets(of: "s", [1])[0].entries.map(\.place)
                return try workspace.rows(at: places, columns: [ColumnSpec("Device", .string)])
            }
            #expect(try found() == [[.string("a")], nil, [.string("c")]])
            // Nothing is left, and what comes now gets no number that was there before.
            _ = try workspace.remove(from: "T", now: 9) { [Bool](repeating: true, count: $0.count) }
            try Self.add(["x": "1", "y": "1", "z": "1"], day: 2, source: "u", to: workspace)
            #expect(try found() == [nil, nil, nil])
        }
    }

    @Test func growthTellsWhatCameAndWhatIsFree() throws {
        try Self.inWorkspace { workspace in
            try Self.add(
                Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("device-\($0 &* 7919)", "\($0)") }), day: 5,
                to: workspace)
            let before = try workspace.growth(since: 4 * Self.day)
            #expect(before.added > 10_000)
            #expect(try workspace.growth(since: 6 * Self.day).added == 0)
            _ = try workspace.expire(ExpiryRule(table: "T", before: 6 * Self.day, key: nil), isTrial: false, now: 1)
            #expect(try workspace.growth(since: 0).free > before.free)
        }
    }
}
