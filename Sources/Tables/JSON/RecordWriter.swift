/// Writes rows as JSON objects, one member per column that has a value.
///
/// Members are written a column at a time for some rows, then put together row by row.
package struct RecordWriter {
    private let columns: [(key: [UInt8], column: Column)]
    private let count: Int
    /// The members of the rows of one block, each behind a comma: all of the first column, then all of the second.
    private let members = GrowingBytes(capacity: 1 << 20)
    /// Where each member ends in `members`, in the same order.
    private var ends: [Int] = []
    private let record = GrowingBytes()
    private var block: Range<Int> = 0..<0
    private static let blockRows = 1_024

    /// - Parameter aliases: other names for some columns, each written as a member of its own behind the row's.
    package init(_ batch: Batch, aliases: [(name: String, column: String)] = []) throws {
        var columns = try batch.schema.columns.enumerated().map {
            (key: Self.key($1.name), column: try batch.column($0))
        }
        for alias in aliases {
            if let column = try batch.column(named: alias.column) { columns.append((Self.key(alias.name), column)) }
        }
        self.columns = columns
        count = batch.count
    }

    private static func key(_ name: String) -> [UInt8] { Array(("," + JSONWriter.quoted(name) + ":").utf8) }

    /// Writes a row; cheap when rows are asked for in their order.
    package mutating func append(_ row: Int, to out: inout [UInt8]) {
        if !block.contains(row) { render(from: row) }
        let (rows, first) = (block.count, row - block.lowerBound)
        record.removeAll()
        ends.withUnsafeBufferPointer { ends in
            for c in columns.indices {
                let at = c &* rows &+ first
                let from = at == 0 ? 0 : ends[at &- 1]
                if ends[at] > from { record.append(members.base + from, ends[at] &- from) }
            }
        }
        // The comma before the first member becomes the record's beginning.
        if record.count == 0 { record.append(123) } else { record.replace(at: 0, with: 123) }
        record.append(125)
        out.append(contentsOf: UnsafeBufferPointer(start: record.base, count: record.count))
    }

    private mutating func render(from row: Int) {
        block = row..<min(count, row + Self.blockRows)
        members.removeAll()
        ends.removeAll(keepingCapacity: true)
        for (key, column) in columns { render(key, column) }
    }

    private mutating func render(_ key: [UInt8], _ column: Column) {
        if column.isConstant {
            var member: [UInt8] = []
            if !column.isNull(0) {
                member = key
                JSONWriter.append(column[0], to: &member)
            }
            for _ in block { append(member) }
            return
        }
        switch column.storage {
        case .string(let vector):
            vector.bytes.withUnsafeBufferPointer { bytes in
                vector.ends.withUnsafeBufferPointer { entries in
                    for row in block {
                        let e = vector.codes.map { Int($0[row]) } ?? row
                        key.withUnsafeBufferPointer { if let base = $0.baseAddress { members.append(base, $0.count) } }
                        JSONWriter.append(
                            UnsafeBufferPointer(rebasing: bytes[(e == 0 ? 0 : entries[e &- 1])..<entries[e]]),
                            to: members)
                        ends.append(members.count)
                    }
                }
            }
        case .int64(let values) where column.type == .datetime:
            render(key, values, column.nulls) { (out, ticks) in
                out.append(34)
                DateTime.append(ticks, to: &out)
                out.append(34)
            }
        case .int64(let values) where column.type == .timespan:
            render(key, values, column.nulls) { JSONWriter.append(.timespan($1), to: &$0) }
        case .int64(let values): render(key, values, column.nulls) { JSONWriter.append($1, to: &$0) }
        case .bool(let values): render(key, values, column.nulls) { $0 += $1 ? "true".utf8 : "false".utf8 }
        case .real(let values): render(key, values, column.nulls) { JSONWriter.append($1, to: &$0) }
        case .decimal, .guid, .dynamic:
            var member: [UInt8] = []
            for row in block {
                member.removeAll(keepingCapacity: true)
                if !column.isNull(row) {
                    member += key
                    JSONWriter.append(column[row], to: &member)
                }
                append(member)
            }
        }
    }

    private mutating func append(_ member: [UInt8]) {
        member.withUnsafeBufferPointer { if let base = $0.baseAddress { members.append(base, $0.count) } }
        ends.append(members.count)
    }

    @inline(__always)
    private mutating func render<T: Equatable>(
        _ key: [UInt8], _ values: [T], _ nulls: [Bool]?, _ write: (inout [UInt8], T) -> Void
    ) {
        // A value is often the one of the row before, whose text is there already.
        var last: T?
        var text: [UInt8] = []
        for row in block {
            if nulls?[row] == true {
                ends.append(members.count)
                continue
            }
            if last != values[row] {
                text.removeAll(keepingCapacity: true)
                text += key
                write(&text, values[row])
                last = values[row]
            }
            append(text)
        }
    }
}
