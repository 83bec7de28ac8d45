import OrderedCollections

/// Collects records whose columns are not known yet, and finds the columns' types from their values.
package struct InferredRecords {
    /// By the name in lower case: the name as it came first, and the values.
    private var columns: OrderedDictionary<String, (name: String, values: [Value])> = [:]
    private var count = 0

    package init() {}

    /// Adds a record; what is not an object becomes a record with one field `Value`. Names that differ only in case are one column.
    package mutating func append(_ record: Value) {
        switch record {
        case .bag(let bag): for (key, value) in zip(bag.keys, bag.values) { set(key, value) }
        default: set("Value", record)
        }
        count += 1
        for c in columns.values.indices where columns.values[c].values.count < count {
            columns.values[c].values.append(.null)
        }
    }

    private mutating func set(_ name: String, _ value: Value) {
        let missing = (name, [Value](repeating: .null, count: count))
        let isFirst = columns[name.lowercased(), default: missing].values.count == count
        if isFirst { columns[name.lowercased(), default: missing].values.append(value) }
    }

    package func finish() -> Batch {
        var specs: [ColumnSpec] = []
        var built: [Column] = []
        for (name, values) in columns.values {
            let type = Self.type(of: values)
            specs.append(ColumnSpec(name, type))
            built.append(Column(type, values: values.lazy.map { TypedRecords.convert($0, type) }))
        }
        return Batch(schema: Schema(specs), columns: built, count: count)
    }

    /// The narrowest type that holds every value.
    package static func type(of values: some Sequence<Value>) -> ScalarType {
        var seen = Set<ScalarType>()
        var allTimes = true
        for value in values where !value.isNull {
            switch value {
            case .string(let text):
                seen.insert(.string)
                if allTimes, !text.isEmpty { allTimes = isTime(text) }
            default: if let type = value.type { seen.insert(type) }
            }
        }
        switch seen {
        case []: return .string
        case [.string]: return allTimes && hasText(values) ? .datetime : .string
        case [.long, .real]: return .real
        case let one where one.count == 1: return one.first ?? .string
        default: return .dynamic
        }
    }

    private static func hasText(_ values: some Sequence<Value>) -> Bool {
        values.contains { if case .string(let s) = $0 { !s.isEmpty } else { false } }
    }

    /// Whether a text is a date or time in ISO order: `2026-08-01`, with or without `T`, fraction and zone.
    package static func isTime(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 10, bytes.count <= 40, bytes[4] == 45, bytes[7] == 45, bytes[0] >= 48, bytes[0] <= 57
        else { return false }
        return DateTime.parse(text) != nil
    }
}
