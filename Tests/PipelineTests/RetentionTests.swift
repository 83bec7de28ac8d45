import Content
import Foundation
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Retention by the configuration, and removal on request, each with a record of its own.
@Suite struct RetentionTests {
    private static let day = DateTime.ticksPerDay
    private static let start = DateTime.ticks(2026, 1, 1) ?? 0

    private static func configuration(_ text: String, _ folder: String) throws -> Configuration {
        let file = folder + "/vestige.yaml"
        try FolderWriter.write("workspace: \(folder)/w.vestige\n" + text, to: file)
        return try Configuration.load(file: file, environment: [:])
    }

    private static func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try body(folder)
    }

    /// A workspace with one row a day of some tables, from the first day to the last.
    private static func workspace(_ folder: String, _ tables: [String], days: Int64) throws -> Workspace {
        let library = Repository.library()
        let workspace = try Workspace(path: folder + "/w.vestige")
        for name in tables {
            let schema = try #require(library.tables[name]).schema
            try workspace.declare(name, schema)
            for day in 0..<days {
                let row = schema.columns.map { column -> Value in
                    switch column.name {
                    case "TimeGenerated": .datetime(start + day * Self.day)
                    case "ChangeType": .string("Added")
                    case "DeviceName": .string("device-\(day)")
                    case "DeviceId": column.type == .string ? .string("id-\(day)") : .long(day)
                    default: column.type == .string ? .string("") : .null
                    }
                }
                try workspace.append(
                    Batch(schema: schema, rows: [row]), to: name, run: "import", now: start + day * Self.day)
            }
        }
        return workspace
    }

    private static func records(_ workspace: Workspace) throws -> [[Value]] {
        let text =
            "VestigeRemovals_CL | sort by TimeGenerated asc | project RemovalKind, TargetTables[0], Condition, Reason, Person, RowsRemoved"
        return try Engine(provider: WorkspaceProvider(workspace, functions: [:])).run(text).primary.rows()
    }

    @Test func tablesAreKeptAsLongAsTheConfigurationSays() throws {
        try Self.inFolder { folder in
            let configuration = try Self.configuration(
                "retention: {default: 30d, tables: {DeviceProcessEvents: 5d, DeviceLogonEvents: forever}}\n", folder)
            let tables = ["DeviceProcessEvents", "DeviceLogonEvents", "DeviceNetworkEvents"]
            let workspace = try Self.workspace(folder, tables, days: 40)
            let retention = Retention(workspace: workspace, library: Repository.library(), configuration: configuration)
            let now = Self.start + 40 * Self.day
            let trial = try retention.run(isTrial: true, now: now)
            #expect(
                trial.map(\.table) == ["DeviceNetworkEvents", "DeviceProcessEvents"] && trial.map(\.rows) == [10, 35])
            #expect(
                try workspace.rowCounts() == [
                    "DeviceProcessEvents": 40, "DeviceLogonEvents": 40, "DeviceNetworkEvents": 40,
                ])
            #expect(try retention.runIfDue(now: now) == trial)
            #expect(
                try workspace.rowCounts()
                    == [
                        "DeviceProcessEvents": 5, "DeviceLogonEvents": 40, "DeviceNetworkEvents": 30,
                        "VestigeRemovals_CL": 2,
                    ])
            // Once a day; a clock that was ahead holds nothing up.
            #expect(try retention.runIfDue(now: now + Self.day / 2).isEmpty)
            #expect(try retention.runIfDue(now: now + Self.day).map(\.rows) == [1, 1])
            try workspace.setMark("retention", now + 400 * Self.day)
            #expect(try retention.runIfDue(now: now + 2 * Self.day).map(\.rows) == [1, 1])
            #expect(try Self.records(workspace).map { $0[0] } == [Value](repeating: .string("Retention"), count: 6))
        }
    }

    @Test func withoutASettingNothingIsRemoved() throws {
        try Self.inFolder { folder in
            let configuration = try Self.configuration("", folder)
            let workspace = try Self.workspace(folder, ["DeviceProcessEvents"], days: 5)
            let retention = Retention(workspace: workspace, library: Repository.library(), configuration: configuration)
            #expect(retention.isIdle)
            #expect(try retention.runIfDue(now: Self.start + 4_000 * Self.day).isEmpty)
            #expect(try retention.run(isTrial: false, now: Self.start + 4_000 * Self.day).isEmpty)
        }
    }

    @Test(arguments: [
        ("retention: {default: 5}", "'default' must be a duration"),
        ("retention: {default: 1h}", "'default' must be a duration"),
        ("retention: {tables: {DeviceInfo: soon}}", "'tables.DeviceInfo' must be a duration"),
        ("retention: {defualt: 5d}", "default"),
        (
            "tenant: {tenantId: t, clientId: c, clientSecret: env:X, retention: {default: -5d}}",
            "'default' must be a duration"
        ),
    ]) func whatIsNoTimeIsRefused(_ text: String, _ words: String) throws {
        try Self.inFolder { folder in
            #expect("\(text)") { try Self.configuration(text + "\n", folder) } throws: {
                ($0 as? OperatorError)?.rendered.contains(words) == true
            }
        }
    }

    @Test func aRequestRemovesWhatItNamesAndIsRecorded() throws {
        try Self.inFolder { folder in
            let workspace = try Self.workspace(folder, ["DeviceInfo"], days: 6)
            let library = Repository.library()
            func purge(_ condition: String, table: String = "DeviceInfo") throws -> Purge {
                try Purge(workspace: workspace, library: library, table: table, condition: condition, now: Self.start)
            }
            let one = try purge("DeviceName in ('device-1', 'device-4') and TimeGenerated > datetime(2026-01-01)")
            #expect(try one.trial().rows == 2)
            #expect(try workspace.rowCounts() == ["DeviceInfo": 6])
            #expect(try one.run(reason: "asked for", person: "me", now: Self.start).rows == 2)
            #expect(try workspace.rowCounts() == ["DeviceInfo": 4, "VestigeRemovals_CL": 1])
            let record = try #require(try Self.records(workspace).first)
            #expect(
                record[0] == .string("Purge") && record[1] == .string("DeviceInfo") && record[3] == .string("asked for")
            )
            #expect(record[4] == .string("me") && record[5] == .long(2))
            for (condition, table) in [
                ("NoSuchColumn == 1", "DeviceInfo"), ("true | take 1", "DeviceInfo"),
                ("true) | take 1 | where (true", "DeviceInfo"),
                ("", "DeviceInfo"), ("true; print 1", "DeviceInfo"), ("true", "NoSuchTable"),
                ("true", "VestigeRemovals_CL"),
            ] {
                #expect(throws: OperatorError.self, "\(condition)") { try purge(condition, table: table) }
            }
            #expect(try workspace.rowCounts()["DeviceInfo"] == 4)
        }
    }

    /// Nothing goes that could not be recorded.
    @Test func withoutItsTableNothingIsRemoved() throws {
        try Self.inFolder { folder in
            let workspace = try Self.workspace(folder, ["DeviceProcessEvents"], days: 3)
            let bare = ContentLibrary.load(folders: [folder]).library
            let purge = try Purge(
                workspace: workspace, library: bare, table: "DeviceProcessEvents", condition: "true", now: Self.start)
            #expect(throws: OperatorError.self) {
                _ = try purge.run(reason: "asked", person: "wren", now: Self.start + 5 * Self.day)
            }
            #expect(try workspace.rowCount(ofTable: "DeviceProcessEvents") == 3)
        }
    }
}
