extension Column {
    /// Bytes of the values without any encoding; what a reader of the whole column would have to hold.
    package var byteCount: Int {
        switch storage {
        case .bool: count
        case .int64, .real: count * 8
        case .decimal, .guid: count * 16
        case .string(let strings): strings.byteCount(stride == 0 ? 1 : count) * (stride == 0 ? count : 1)
        case .dynamic(let values): values.reduce(0) { $0 + $1.byteCount } * (stride == 0 ? count : 1)
        }
    }
}

extension StringVector {
    fileprivate func byteCount(_ count: Int) -> Int {
        guard let codes else { return bytes.count }
        return codes.reduce(0) { $0 + entryRange(Int($1)).count }
    }
}

extension Value {
    /// Bytes that the value holds, estimated.
    fileprivate var byteCount: Int {
        switch self {
        case .null, .bool: 1
        case .string(let text): text.utf8.count
        case .array(let items): items.reduce(2) { $0 + $1.byteCount }
        case .bag(let bag): zip(bag.keys, bag.values).reduce(2) { $0 + $1.0.utf8.count + $1.1.byteCount }
        default: 8
        }
    }
}

extension Batch {
    /// Bytes of all columns without any encoding; reads the columns that were not read.
    package func byteCount() throws -> Int { try schema.columns.indices.reduce(0) { try $0 + column($1).byteCount } }
}
