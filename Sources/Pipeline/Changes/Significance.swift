import Content
import Tables

/// Takes the noise out of numbers before they are compared: EPSS gives nearly all of its 300,000 scores anew every day,
/// most of them moved in the fourth decimal.
///
/// Only a digest of a row is remembered, so numbers are compared by steps of half the amount that counts. A step alone
/// would flip with every number near its border; therefore the neighbouring halves count as the same step: what moved
/// by less than a quarter of the amount since the row was stored never counts, what moved by all of it always does.
enum Significance {
    /// The batch with the numbers of a table's `significance` as steps.
    ///
    /// - Parameter shift: in steps: 0, or half a step up or down for the neighbours.
    static func steps(of batch: Batch, _ table: TableDefinition, shift: Double) throws -> Batch {
        var schema = batch.schema
        let columns = try schema.columns.indices.map { i -> Column in
            let column = try batch.column(i)
            guard let amount = table.significance[schema.columns[i].name] else { return column }
            schema.columns[i].type = .long
            var steps = ColumnBuilder(.long)
            for row in 0..<batch.count {
                // What is no finite number, or too large to have steps, is compared as nothing.
                guard case .real(let number) = column[row],
                    let step = Int64(exactly: (number / amount * 2 + shift).rounded(.down))
                else {
                    steps.appendNull()
                    continue
                }
                steps.append(step)
            }
            return steps.finish()
        }
        return Batch(schema: schema, columns: columns, count: batch.count)
    }
}
