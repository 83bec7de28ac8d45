import Content
import Foundation
import KQLEngine
import Tables
import TestKit

/// A small workspace that never changes: a query for each table, and a clock that stands still.
enum FixtureWorkspace {
    /// Noon of 14 March 2026, in ticks.
    static let now = DateTime.parse("2026-03-14T12:00:00Z")!
    private static let folder = Repository.root + "/Tests/WorkbooksTests/Fixture"

    /// The shipped tables and functions with the fixture's rows; a column that a query does not give is null.
    static func provider() throws -> MemoryTables {
        let library = Repository.library()
        let provider = MemoryTables(notes: library.notes)
        for (name, function) in library.functionDeclarations { provider.setFunction(name, function) }
        for table in library.tables.values { provider.declare(table.name, schema: table.schema) }
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".kql") {
            let name = String(file.dropLast(4))
            guard let table = library.tables[name] else { throw Mistake("\(file): there is no table \(name)") }
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let rows = try rows(text, file)
            for column in rows.schema.columns {
                guard let i = table.schema.index(of: column.name) else {
                    throw Mistake("\(file): table \(name) has no column \(column.name)")
                }
                guard table.schema[i].type == column.type else {
                    throw Mistake("\(file): \(column.name) is \(column.type.name), not \(table.schema[i].type.name)")
                }
            }
            let columns = try table.schema.columns.map { column in
                try rows.schema.index(of: column.name).map { try rows.column($0) }
                    ?? Column(constant: .null, column.type, count: rows.count)
            }
            provider.set(
                name, schema: table.schema,
                batches: [Batch(schema: table.schema, columns: columns, count: rows.count)])
        }
        return provider
    }

    private static func rows(_ text: String, _ file: String) throws -> Batch {
        var options = QueryOptions()
        options.now = now
        do { return try Engine(provider: MemoryTables()).run(text, options: options).primary.batch } catch {
            throw Mistake("\(file): \((error as? QueryError)?.message ?? "\(error)")")
        }
    }

    struct Mistake: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
