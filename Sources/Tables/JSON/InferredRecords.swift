/// Collects records whose columns are not known yet, and finds the columns' types from their values.
package struct InferredRecords {
    /// Names as they came first, and by the name in lower case which column each is.
    private var names: [String] = []
    private var columnOfName: [String: Int] = [:]
    /// The values of each column up to the last record that has one; what is behind is null.
    private var values: [[Value]] = []
    private var count = 0

    package init() {}

    /// Adds a record; what is not an object becomes a record with one field `Value`. Names that differ only in case are
    /// one column; of values with one name the last counts.
    package mutating func append(_ record: Value) {
        switch record {
        case .bag(let bag): for (key, value) in zip(bag.keys, bag.values) { set(key, value) }
        default: set("Value", record)
        }
        count += 1
    }

    private mutating func set(_ name: String, _ value: Value) {
        let key = name.lowercased()
        let column = columnOfName[key] ?? names.count
        if column == names.count {
            columnOfName[key] = column
            names.append(name)
            values.append([])
        }
        // In place: an array that somebody else holds too would be copied for each record.
        while values[column].count < count { values[column].append(.null) }
        if values[column].count > count { values[column][count] = value } else { values[column].append(value) }
    }

    package func finish() -> Batch {
        var specs: [ColumnSpec] = []
        var built: [Column] = []
        for (name, values) in zip(names, values) {
            let type = Self.type(of: values)
            specs.append(ColumnSpec(name, type))
            let missing = repeatElement(Value.null, count: count - values.count)
            built.append(Column(type, values: (values + missing).lazy.map { TypedRecords.convert($0, type) }))
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
