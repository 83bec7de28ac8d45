import Content
import Foundation
import KQLEngine
import Tables
import TestKit

/// Rows for tests of triage and rules: tables of the content in memory, times as minutes or texts.
struct Estate {
    static let library: ContentLibrary = {
        let (library, problems) = ContentLibrary.load(folders: [Repository.content])
        precondition(problems.isEmpty, "\(problems.map(\.description))")
        return library
    }()

    let tables = MemoryTables()
    private var rows: [String: [[Value]]] = [:]

    init() {
        for table in Self.library.tables.values { tables.set(table.name, schema: table.schema, batches: []) }
        for (name, declaration) in Self.library.functionDeclarations { tables.setFunction(name, declaration) }
    }

    /// `2026-08-03T06:00` and the like; ticks.
    static func time(_ text: String) -> Int64 {
        guard let time = DateTime.parse(text) else { preconditionFailure("no time: \(text)") }
        return time
    }

    /// A cell of a column from a text.
    ///
    /// - Parameter now: what `-5m` counts from; ticks.
    static func value(_ text: String, _ type: ScalarType, now: Int64) -> Value {
        switch type {
        case .string: .string(text)
        case .datetime:
            text.hasPrefix("-")
                ? .datetime(now + (TimeSpan.parse(text) ?? 0)) : text.isEmpty ? .null : .datetime(time(text))
        case .dynamic: text.isEmpty ? .null : (try? JSON(parsing: text)).map { Value($0) } ?? .string(text)
        case .bool: text.isEmpty ? .null : .bool(text == "true")
        case .real: Double(text).map { .real($0) } ?? .null
        default: Int64(text).map { .long($0) } ?? .null
        }
    }

    /// A row of a table from texts; what is not named is empty.
    static func row(_ table: String, _ cells: [String: String], now: Int64) -> [Value] {
        guard let schema = library.tables[table]?.schema else { preconditionFailure("no table \(table)") }
        for name in cells.keys { precondition(schema.index(of: name) != nil, "\(table) has no column \(name)") }
        return schema.columns.map { column in
            if let text = cells[column.name] { return value(text, column.type, now: now) }
            return column.type == .string ? .string("") : .null
        }
    }

    /// Adds a row that was stored at a time.
    mutating func add(_ table: String, _ cells: [String: String], at time: String, gone: Bool = false) {
        var cells = cells
        cells["TimeGenerated"] = time
        cells["ChangeType"] = gone ? "Removed" : "Added"
        rows[table, default: []].append(Self.row(table, cells, now: 0))
        guard let schema = Self.library.tables[table]?.schema else { preconditionFailure("no table \(table)") }
        tables.set(table, schema: schema, batches: [Batch(schema: schema, rows: rows[table] ?? [])])
    }
}
