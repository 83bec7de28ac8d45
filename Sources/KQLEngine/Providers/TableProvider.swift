import KQL
import Synchronization
import Tables

/// Gives one batch after another, then nil.
package typealias BatchIterator = () throws -> Batch?

/// A condition that every row of a scan must meet; a provider may use it to leave out rows, and need not.
package struct ScanPredicate: Sendable {
    package enum Comparison: Sendable {
        case equal, less, lessOrEqual, greater, greaterOrEqual
        /// Equal to one of an array's items.
        case anyOf
        /// A text in which `has` finds the value, whatever the case of the letters.
        case term
    }
    package let column: String
    package let comparison: Comparison
    package let value: Value

    package init(column: String, comparison: Comparison, value: Value) {
        self.column = column
        self.comparison = comparison
        self.value = value
    }
}

/// Where tables' rows come from.
package protocol TableProvider: SchemaCatalog {
    /// The rows of `table`, leaving out what `predicates` rule out when that is cheap.
    func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator
    /// Rows of a table.
    func rowCount(ofTable name: String) throws -> Int
    /// How much a table holds.
    func statistics(ofTable name: String) throws -> TableStatistics
    /// What queries may reach beyond the tables.
    var outside: OutsideData { get }
}

extension TableProvider {
    package var outside: OutsideData { OutsideData() }
}

/// How much a table holds.
package struct TableStatistics: Sendable {
    package var rows = 0
    package var extents = 0
    /// Bytes as stored.
    package var bytes = 0
    /// Ticks; when the first and the last extent were made.
    package var created: (first: Int64, last: Int64)?

    package init(rows: Int = 0, extents: Int = 0, bytes: Int = 0, created: (first: Int64, last: Int64)? = nil) {
        self.rows = rows
        self.extents = extents
        self.bytes = bytes
        self.created = created
    }
}

/// Tables kept in memory.
package final class MemoryTables: TableProvider {
    private let tables: Mutex<[String: (schema: Schema, batches: [Batch]?)]> = Mutex([:])
    private let functions: Mutex<[String: FunctionDeclaration]> = Mutex([:])
    private let notes: CatalogNotes
    package let outside: OutsideData

    package init(notes: CatalogNotes = CatalogNotes(), outside: OutsideData = OutsideData()) {
        self.notes = notes
        self.outside = outside
    }

    package func set(_ name: String, schema: Schema, batches: [Batch]) {
        tables.withLock { $0[name] = (schema, batches) }
    }

    /// A table that may be named but holds nothing yet: wildcards pass it by.
    package func declare(_ name: String, schema: Schema) { tables.withLock { $0[name] = (schema, nil) } }

    package func setFunction(_ name: String, _ declaration: FunctionDeclaration) {
        functions.withLock { $0[name] = declaration }
    }

    package func schema(ofTable name: String) -> Schema? { tables.withLock { $0[name]?.schema } }
    package var tableNames: [String] { tables.withLock { $0.keys.filter { WatchlistTable.alias($0) == nil } } }
    package var wildcardTableNames: [String] {
        tables.withLock { $0.filter { $0.value.batches != nil && WatchlistTable.alias($0.key) == nil }.map(\.key) }
    }
    package var watchlistAliases: [String] { tables.withLock { $0.keys.compactMap(WatchlistTable.alias) } }
    package func function(named name: String) -> FunctionDeclaration? { functions.withLock { $0[name] } }
    package var functionNames: [String] { functions.withLock { Array($0.keys) } }
    package func note(ofTable name: String) -> EntityNote { notes.tables[name] ?? EntityNote() }
    package func note(ofFunction name: String) -> EntityNote { notes.functions[name] ?? EntityNote() }

    package func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        var rest = tables.withLock { $0[table]?.batches ?? [] }[...]
        return { rest.popFirst() }
    }

    package func rowCount(ofTable name: String) throws -> Int {
        tables.withLock { $0[name]?.batches?.reduce(0) { $0 + $1.count } ?? 0 }
    }

    package func statistics(ofTable name: String) throws -> TableStatistics {
        let batches = tables.withLock { $0[name]?.batches ?? [] }
        return TableStatistics(
            rows: batches.reduce(0) { $0 + $1.count }, extents: batches.count,
            bytes: try batches.reduce(0) { try $0 + $1.byteCount() })
    }
}
