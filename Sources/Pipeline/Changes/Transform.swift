import Content
import KQLEngine
import Tables

/// Turns pages' rows into a table's, by the source's KQL, which is bound once for all pages of a run.
struct Transform: Sendable {
    private let source: SourceDefinition
    private let table: TableDefinition
    private let options: QueryOptions
    /// Nil where there is nothing to run, or where the query's columns depend on the rows.
    private let prepared: PreparedQuery?
    /// The query's text that hands on what it gets.
    private static let identity = "source"

    /// - Parameter now: what `now()` gives, ticks.
    /// - Throws: `OperatorError` when the transform is not valid.
    init(source: SourceDefinition, table: TableDefinition, now: Int64) throws {
        self.source = source
        self.table = table
        var options = QueryOptions()
        options.rowCountMax = nil
        options.now = now
        self.options = options
        guard source.transform != Self.identity else {
            prepared = nil
            return
        }
        let tables = MemoryTables()
        tables.set(Self.identity, schema: source.inputSchema, batches: [])
        do { prepared = try Engine(provider: tables).prepare(source.transform, options: options) } catch {
            throw Self.failure(error, source)
        }
    }

    /// Rows in the table's own columns; what the transform does not give is null.
    ///
    /// - Parameter given: what the source's `givenColumn` holds.
    func apply(_ page: Batch, given: String?) throws -> Batch {
        var input = try keepingLeftOver(page)
        if source.givenColumn != nil {
            guard let given else { preconditionFailure("source \(source.id): a page that nobody is named for") }
            let columns = try input.schema.columns.indices.map { try input.column($0) }
            input = Batch(
                schema: source.inputSchema,
                columns: columns + [Column(constant: .string(given), .string, count: page.count)],
                count: page.count)
        }
        let output = source.transform == Self.identity ? input : try transformed(input)
        let schema = Schema(table.columns + [TableDefinition.unmapped])
        let columns = try schema.columns.map { spec -> Column in
            if let column = try output.column(named: spec.name), column.type == spec.type { return column }
            return Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: output.count)
        }
        return Batch(schema: schema, columns: columns, count: output.count)
    }

    private func transformed(_ input: Batch) throws -> Batch {
        let tables = MemoryTables()
        tables.set(Self.identity, schema: input.schema, batches: [input])
        do {
            let result =
                try prepared?.run(over: tables) ?? Engine(provider: tables).run(source.transform, options: options)
            return result.primary.batch
        } catch { throw Self.failure(error, source) }
    }

    private static func failure(_ error: any Error, _ source: SourceDefinition) -> OperatorError {
        OperatorError(error, title: "source \(source.id) stopped in its transform", safe: PageFetcher.safe)
    }

    /// The page with what the transform carries nowhere added to `Unmapped`.
    private func keepingLeftOver(_ page: Batch) throws -> Batch {
        guard let place = page.schema.index(of: TableDefinition.unmapped.name) else { return page }
        let kept = try source.leftOver.compactMap { spec in try page.column(named: spec.name).map { (spec.name, $0) } }
        guard !kept.isEmpty else { return page }
        let known = try page.column(place)
        let values = (0..<page.count).map { row -> Value in
            var fields = known[row].bagValue ?? Bag()
            for (name, column) in kept {
                let value = column[row]
                if value.isNull || value == .string("") { continue }
                fields[name] = value
            }
            return fields.count > 0 ? .bag(fields) : .null
        }
        var columns = try page.schema.columns.indices.map { try page.column($0) }
        columns[place] = Column(.dynamic, values: values)
        return Batch(schema: page.schema, columns: columns, count: page.count)
    }
}
