import Content
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// "As of a time" holds whatever range of time somebody sets around the question.
@Suite(.serialized) struct AsOfTests {
    private static let table = "IoTDevices_CL"
    private static let day = DateTime.ticksPerDay

    /// Rows of plant devices: when each was observed, what it was, which sensor and device.
    private static func provider(
        _ rows: [(day: Int64, change: String, sensor: String, device: Int64)], arrival: Int64? = nil
    ) throws -> (tables: MemoryTables, start: Int64) {
        let library = Repository.library()
        let definition = try #require(library.tables[table])
        let start = DateTime.ticks(2026, 1, 1) ?? 0
        // A service that rewrites the time of rows that come late keeps the row's own time in a column of its own.
        let schema = arrival == nil ? definition.schema : Schema(definition.sent.columns)
        let cells = rows.map { row -> [Value] in
            let time = start + row.day * day
            return schema.columns.map { column in
                switch column.name {
                case "TimeGenerated": .datetime(arrival.map { start + $0 * day } ?? time)
                case "ObservedTime": .datetime(time)
                case "ChangeType": .string(row.change)
                case "SourceName": .string("iot-devices@\(row.sensor)")
                case "SensorName": .string(row.sensor)
                case "DeviceId": .long(row.device)
                default: column.type == .string ? .string("") : .null
                }
            }
        }
        let tables = empty(library)
        tables.set(table, schema: schema, batches: [Batch(schema: schema, rows: cells)])
        return (tables, start)
    }

    /// The content's tables without rows, and its functions.
    private static func empty(_ library: ContentLibrary) -> MemoryTables {
        let tables = MemoryTables()
        for table in library.tables.values { tables.set(table.name, schema: table.schema, batches: []) }
        for (name, declaration) in library.functionDeclarations { tables.setFunction(name, declaration) }
        return tables
    }

    private static func devices(
        _ source: (tables: MemoryTables, start: Int64), at: Int64, arguments: String = "",
        range: ClosedRange<Int64>? = nil
    ) throws -> [String] {
        var options = QueryOptions()
        options.now = source.start + 100 * day
        if let range {
            options.timeScope = TimeScope(
                column: "TimeGenerated", from: source.start + range.lowerBound * day,
                to: source.start + range.upperBound * day)
        }
        let time = DateTime.format(source.start + at * day)
        let text =
            "IoTDevicesAt(datetime(\(time))\(arguments)) | project strcat(SensorName, DeviceId) | sort by Column1 asc"
        return try Engine(provider: source.tables).run(text, options: options).primary.rows().map { $0[0].text }
    }

    @Test func aRangeAroundTheQuestionHidesNothing() throws {
        let source = try Self.provider([
            (0, "Added", "a", 1), (0, "Added", "a", 2), (7, "Snapshot", "a", 1), (7, "Snapshot", "a", 2),
            (9, "Changed", "a", 2),
        ])
        #expect(try Self.devices(source, at: 10) == ["a1", "a2"])
        // The portal's day, in which nothing changed; and one long after.
        #expect(try Self.devices(source, at: 10, range: 9...10) == ["a1", "a2"])
        #expect(try Self.devices(source, at: 10, range: 99...100) == ["a1", "a2"])
        // Rows of the table itself are narrowed as ever.
        var options = QueryOptions()
        options.timeScope = TimeScope(column: "TimeGenerated", from: source.start + 8 * Self.day)
        #expect(
            try Engine(provider: source.tables).run("IoTDevices_CL | count", options: options).primary.rows() == [
                [.long(1)]
            ])
    }

    @Test func whatWasLaterDoesNotCountAndWhatIsGoneIsGone() throws {
        let source = try Self.provider([
            (0, "Added", "a", 1), (3, "Removed", "a", 1), (5, "Added", "a", 2), (6, "Added", "a", 1),
        ])
        #expect(try Self.devices(source, at: 2) == ["a1"])
        #expect(try Self.devices(source, at: 4) == [])
        #expect(try Self.devices(source, at: 5) == ["a2"])
        #expect(try Self.devices(source, at: 6) == ["a1", "a2"])
        #expect(try Self.devices(source, at: -1) == [])
    }

    /// Sentinel gives rows that come late the time of their arrival; the order is that of when they were observed.
    @Test func rowsThatCameLateStandWhereTheyBelong() throws {
        let source = try Self.provider(
            [(3, "Removed", "a", 1), (0, "Added", "a", 1), (0, "Added", "a", 2), (1, "Changed", "a", 2)], arrival: 20)
        #expect(try Self.devices(source, at: 2) == ["a1", "a2"])
        #expect(try Self.devices(source, at: 4) == ["a2"])
    }

    /// A sensor that has been off for months keeps what was known of it; one that went on shows no more than it has.
    @Test func eachSourceCountsFromItsOwnLastRow() throws {
        let source = try Self.provider([
            (0, "Added", "off", 1), (1, "Added", "on", 1), (80, "Snapshot", "on", 2), (90, "Changed", "on", 2),
        ])
        #expect(try Self.devices(source, at: 95).contains("off1"))
        let one = try Self.provider([(1, "Added", "on", 1), (80, "Snapshot", "on", 2), (90, "Changed", "on", 2)])
        #expect(try Self.devices(one, at: 95) == ["on2"])
        #expect(try Self.devices(one, at: 95, arguments: ", lookback=90d") == ["on1", "on2"])
    }

    @Test func coverageTellsWhatCanBeSeen() throws {
        let source = try Self.provider([
            (0, "Added", "a", 1), (7, "Snapshot", "a", 1), (9, "Changed", "a", 1), (9, "Added", "b", 1),
        ])
        let time = DateTime.format(source.start + 10 * Self.day)
        let rows = try Engine(provider: source.tables).run(
            "Coverage(datetime(\(time))) | project SourceName, LastFullCopy, Rows, KnownSince"
        ).primary.rows()
        let start = Value.datetime(source.start)
        let copy = Value.datetime(source.start + 7 * Self.day)
        #expect(
            rows == [
                [.string("iot-devices@a"), copy, .long(3), start],
                [.string("iot-devices@b"), .null, .long(1), .datetime(source.start + 9 * Self.day)],
            ])
    }

    /// Every function about a time takes `lookback`, reads by its own range, and gives what the table gave.
    @Test func everyFunctionAboutATimeIsWrittenAlike() throws {
        let library = Repository.library()
        let functions = library.functions.filter {
            $0.parameters.contains("at:datetime") && $0.parameters.contains("lookback")
        }
        #expect(functions.count >= 14)
        for function in library.functions where function.name.hasSuffix("At") {
            #expect(function.parameters == "(at:datetime, lookback:timespan=14d)", "\(function.name)")
            #expect(function.declaration.setsRange, "\(function.name)")
        }
        let provider = Self.empty(library)
        for function in functions {
            let rows = try Engine(provider: provider).run("\(function.name)(now()) | count").primary.rows()
            #expect(rows == [[.long(0)]], "\(function.name)")
        }
    }
}
