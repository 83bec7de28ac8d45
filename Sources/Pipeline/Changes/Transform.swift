import Content
import KQLEngine
import Tables

/// Turns a page's rows into a table's, by the source's KQL.
struct Transform: Sendable {
    let source: SourceDefinition
    let table: TableDefinition
    let now: Int64

    /// Rows in the table's own columns; what the transform does not give is null.
    ///
    /// - Parameter given: what the source's `givenColumn` holds.
    func apply(_ page: Batch, given: String?) throws -> Batch {
        var input = page
        if source.givenColumn != nil {
            let columns = try page.schema.columns.indices.map { try page.column($0) }
            input = Batch(
                schema: source.inputSchema,
                columns: columns + [Column(constant: .string(given ?? ""), .string, count: page.count)],
                count: page.count)
        }
        let output: Batch
        if source.transform == "source" {
            output = input
        } else {
            let tables = MemoryTables()
            tables.set("source", schema: input.schema, batches: [input])
            var options = QueryOptions()
            options.rowCountMax = nil
            options.now = now
            do { output = try Engine(provider: tables).run(source.transform, options: options).primary.batch } catch {
                throw OperatorError(
                    error, title: "source \(source.id) stopped in its transform", safe: PageFetcher.safe)
            }
        }
        let schema = Schema(table.columns + [TableDefinition.unmapped])
        let columns = try schema.columns.map { spec -> Column in
            if let column = try output.column(named: spec.name), column.type == spec.type { return column }
            return Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: output.count)
        }
        return Batch(schema: schema, columns: columns, count: output.count)
    }
}
