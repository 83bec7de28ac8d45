import Tables
import Workspace

/// Rows as bytes that are equal exactly when the rows' values are: what change detection compares digests of.
///
/// Values that are missing leave no trace, so a column that is added later changes no digest until it holds something.
struct RowBytes {
    /// Each name with a 0 behind it.
    private let columns: [(name: [UInt8], column: Column)]

    init(_ batch: Batch, columns names: [String]) throws {
        columns = try names.compactMap { name in
            guard let column = try batch.column(named: name) else { return nil }
            return (Array(name.utf8) + [0], column)
        }
    }

    func append(_ row: Int, to out: inout [UInt8]) {
        for (name, column) in columns where !column.isNull(row) {
            let i = row * column.stride
            switch column.storage {
            case .string(let vector):
                let range = vector.entryRange(vector.codes.map { Int($0[i]) } ?? i)
                if range.isEmpty { continue }
                Self.append(name, UInt64(range.count), to: &out)
                vector.bytes.withUnsafeBufferPointer { out.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
            case .int64(let values): Self.append(name, UInt64(bitPattern: values[i]), to: &out)
            case .real(let values): Self.append(name, values[i].bitPattern, to: &out)
            case .bool(let values): Self.append(name, values[i] ? 1 : 0, to: &out)
            case .decimal, .guid, .dynamic:
                out.append(contentsOf: name)
                JSONWriter.append(Self.canonical(column[row]), to: &out)
            }
        }
    }

    private static func append(_ name: [UInt8], _ value: UInt64, to out: inout [UInt8]) {
        out.append(contentsOf: name)
        append(value, to: &out)
    }

    private static func append(_ value: UInt64, to out: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) }
    }

    /// The same bag whatever order its keys came in.
    private static func canonical(_ value: Value) -> Value {
        switch value {
        case .bag(let bag): .bag(Bag(zip(bag.keys, bag.values).sorted { $0.0 < $1.0 }.map { ($0, canonical($1)) }))
        case .array(let items): .array(items.map(canonical))
        default: value
        }
    }
}
