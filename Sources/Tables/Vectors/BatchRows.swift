import Synchronization

/// The rows of several batches, numbered one after another, of which some are looked up later.
package final class BatchRows: Sendable {
    package let schema: Schema
    package let count: Int
    private let batches: [Batch]
    /// The number of each batch's first row, and the number of all rows at the end.
    private let starts: [Int32]
    /// Columns put together because most of their rows were asked for.
    private let whole: Mutex<[Int: Column]> = Mutex([:])

    package init(_ batches: [Batch], schema: Schema) {
        self.schema = schema
        self.batches = batches
        var starts: [Int32] = [0]
        for batch in batches { starts.append(starts[starts.count - 1] + Int32(batch.count)) }
        self.starts = starts
        count = Int(starts[starts.count - 1])
    }

    /// The values of column `c` at `rows`; a negative row gives null.
    package func column(_ c: Int, at rows: [Int32]) throws -> Column {
        let isSparse = rows.count < count / 16
        if !isSparse || batches.count == 1 {
            let all = try whole.withLock { whole in
                if let known = whole[c] { return known }
                let all =
                    try batches.isEmpty
                    ? Column(schema[c].type, values: [])
                    : Column.concatenate(batches.map { try $0.column(c) }, type: schema[c].type)
                whole[c] = all
                return all
            }
            return all.gatherOptional(rows)
        }
        var columns = [Column?](repeating: nil, count: batches.count)
        var builder = ColumnBuilder(schema[c].type)
        for row in rows {
            if row < 0 {
                builder.appendNull()
                continue
            }
            let b = batch(of: row)
            let column = try columns[b] ?? batches[b].column(c)
            columns[b] = column
            builder.append(column[Int(row - starts[b])])
        }
        return builder.finish()
    }

    private func batch(of row: Int32) -> Int {
        var low = 0
        var high = batches.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }
}
