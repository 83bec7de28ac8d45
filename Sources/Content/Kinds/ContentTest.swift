import Tables

/// Rows over which a query of the content is tried, and how many results it must give: what a rule or a hunt says of
/// itself, in a form that a machine can hold it to.
package struct ContentTest: Sendable {
    /// Cells of one row as written: what is not named is filled in by `batch(of:in:now:)`.
    package typealias Row = [(column: String, text: String)]

    package let name: String
    package let rows: [(table: String, rows: [Row])]
    /// How many results the query gives.
    package let hits: Int
    /// File, line and column.
    package let place: String

    init(yaml: Fields) throws {
        try yaml.only(["name", "rows", "hits"])
        guard let rows = try yaml.optionalFields("rows"), let hits = try yaml.optionalInt("hits") else {
            throw yaml.fail("a test has 'rows' by table, and 'hits', how many results there must be")
        }
        name = try yaml.string("name")
        self.rows = try rows.names.map { table in
            (table, try rows.list(table).map { row in try row.names.map { ($0, try row.string($0)) } })
        }
        self.hits = hits
        place = yaml.place(of: "name")
    }

    /// The rows of one table as the engine reads them.
    ///
    /// Empty is what a row does not name, but for times (five minutes ago), the device (one and the same) and the
    /// number of the report (that of the row). Times are written as such, or as `-26h` before now; a text for a
    /// `dynamic` column that begins with a bracket is JSON.
    ///
    /// - Parameter now: ticks.
    /// - Throws: `ContentProblem` when there is no such table or column, or a cell is no value of its column.
    package static func batch(_ rows: [Row], of table: String, in library: ContentLibrary, now: Int64, place: String)
        throws -> Batch
    {
        guard let schema = library.tables[table]?.schema else {
            throw ContentProblem(place, "a test has rows of '\(table)', which is no table")
        }
        let built = try rows.enumerated().map { number, row -> [Value] in
            for (column, _) in row where schema.index(of: column) == nil {
                throw ContentProblem(place, "a test names '\(column)', which '\(table)' does not have")
            }
            let named = Dictionary(row) { _, last in last }
            return try schema.columns.map { column in
                let text = named[column.name] ?? standard(column, number)
                return try value(text, column, now, place)
            }
        }
        return Batch(schema: schema, rows: built)
    }

    private static func standard(_ column: ColumnSpec, _ number: Int) -> String {
        switch (column.name, column.type) {
        case ("TimeGenerated", _), ("Timestamp", _): "-5m"
        case ("DeviceId", .string): "d1"
        case ("DeviceName", .string): "pc-1.corp.example"
        case ("ReportId", .long): "\(number + 1)"
        default: ""
        }
    }

    private static func value(_ text: String, _ column: ColumnSpec, _ now: Int64, _ place: String) throws -> Value {
        func parsed(_ value: Value?) throws -> Value {
            if let value { return value }
            throw ContentProblem(place, "'\(text.prefix(60))' is no \(column.type.name) for '\(column.name)'")
        }
        if column.type == .string { return .string(text) }
        if text.isEmpty { return .null }
        switch column.type {
        case .datetime:
            let ticks = text.hasPrefix("-") ? TimeSpan.parse(text).map { now + $0 } : DateTime.parse(text)
            return try parsed(ticks.map { .datetime($0) })
        case .dynamic:
            guard text.hasPrefix("{") || text.hasPrefix("[") else { return .string(text) }
            return try parsed((try? JSON(parsing: text)).map { Value($0) })
        case .bool: return try parsed(["true": .bool(true), "false": .bool(false)][text])
        case .real: return try parsed(Double(text).map { .real($0) })
        case .timespan: return try parsed(TimeSpan.parse(text).map { .timespan($0) })
        default: return try parsed(Int64(text).map { .long($0) })
        }
    }

    /// What is wrong with the tests of a file, without running them.
    static func problems(_ tests: [ContentTest], _ library: ContentLibrary) -> [ContentProblem] {
        var problems: [ContentProblem] = []
        for test in tests {
            for (table, rows) in test.rows {
                ContentProblem.collecting(in: &problems) {
                    _ = try batch(rows, of: table, in: library, now: DateTime.unixEpoch, place: test.place)
                }
            }
        }
        return problems
    }
}
