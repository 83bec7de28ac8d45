import Synchronization

/// A column that is read only when somebody looks at it.
package final class LazyColumn: Sendable {
    private enum State {
        case pending(@Sendable () throws -> Column)
        case loaded(Column)
    }

    private let state: Mutex<State>

    package init(_ load: @escaping @Sendable () throws -> Column) { state = Mutex(.pending(load)) }

    package init(_ column: Column) { state = Mutex(.loaded(column)) }

    package func load() throws -> Column {
        try state.withLock { state in
            switch state {
            case .loaded(let column): return column
            case .pending(let load):
                let column = try load()
                state = .loaded(column)
                return column
            }
        }
    }
}

/// Some rows of a table: one column per entry of the schema, all of the same length.
package struct Batch: Sendable {
    package let schema: Schema
    package let count: Int
    private let columns: [LazyColumn]

    package init(schema: Schema, columns: [LazyColumn], count: Int) {
        self.schema = schema
        self.columns = columns
        self.count = count
    }

    package init(schema: Schema, columns: [Column], count: Int) {
        self.init(schema: schema, columns: columns.map { LazyColumn($0) }, count: count)
    }

    package init(schema: Schema, rows: [[Value]]) {
        let built = schema.columns.indices.map { c in Column(schema[c].type, values: rows.lazy.map { $0[c] }) }
        self.init(schema: schema, columns: built, count: rows.count)
    }

    package static func empty(_ schema: Schema) -> Batch { Batch(schema: schema, rows: []) }

    /// Column `i`, read now if it was not before.
    package func column(_ i: Int) throws -> Column { try columns[i].load() }

    package func column(named name: String) throws -> Column? {
        try schema.index(of: name).map { try column($0) }
    }

    package func lazyColumn(_ i: Int) -> LazyColumn { columns[i] }

    package func row(_ i: Int) throws -> [Value] { try columns.map { try $0.load()[i] } }

    package func rows() throws -> [[Value]] { try (0..<count).map { try row($0) } }

    /// The rows at `indices`; columns that were not read stay unread.
    package func gather(_ indices: [Int32]) -> Batch {
        let gathered = columns.map { column in LazyColumn { try column.load().gather(indices) } }
        return Batch(schema: schema, columns: gathered, count: indices.count)
    }

    package func slice(_ range: Range<Int>) -> Batch {
        if range.lowerBound == 0, range.upperBound == count { return self }
        let sliced = columns.map { column in LazyColumn { try column.load().slice(range) } }
        return Batch(schema: schema, columns: sliced, count: range.count)
    }

    /// The same columns under other names.
    package func renamed(_ schema: Schema) -> Batch { Batch(schema: schema, columns: columns, count: count) }

    /// All rows of `batches` in one, texts with a dictionary each: what is stored next.
    package static func concatenateCoded(_ batches: [Batch], schema: Schema) throws -> Batch {
        let columns = try schema.columns.indices.map { c in
            Column.concatenateCoded(try batches.map { try $0.column(c) }, type: schema[c].type)
        }
        return Batch(schema: schema, columns: columns, count: batches.reduce(0) { $0 + $1.count })
    }

    /// All rows of `batches` in one.
    package static func concatenate(_ batches: [Batch], schema: Schema) -> Batch {
        if batches.count == 1 { return batches[0].renamed(schema) }
        let count = batches.reduce(0) { $0 + $1.count }
        let columns = schema.columns.indices.map { c in
            LazyColumn { try Column.concatenate(batches.map { try $0.column(c) }, type: schema[c].type) }
        }
        if batches.isEmpty { return .empty(schema) }
        return Batch(schema: schema, columns: columns, count: count)
    }
}
