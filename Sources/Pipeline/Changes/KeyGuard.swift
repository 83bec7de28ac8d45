import Content
import Tables

/// Keeps rows without their key out of the workspace: nobody could tell what they speak of, and the next one would take
/// their place.
struct KeyGuard {
    /// Columns that every row must have.
    private let required: [String]
    /// Columns of which every row must have one.
    private let identifying: [String]
    private let table: TableDefinition

    /// - Parameter given: a column that does not come with the rows, such as the sensor's name: it identifies none of
    ///   them.
    init(_ table: TableDefinition, given: String?) {
        self.table = table
        let optional = Set(table.keyMayBeEmpty)
        required = table.key.filter { !optional.contains($0) }
        identifying = table.key.filter { $0 != given }
    }

    /// Rows that may be stored, and those that may not.
    struct Split {
        var kept: Batch
        var refused = RefusedRows()
    }

    func split(_ rows: Batch) throws -> Split {
        var bad = [Bool](repeating: false, count: rows.count)
        var nameless = [Bool](repeating: true, count: rows.count)
        var found = false
        for name in table.key {
            guard let column = try rows.column(named: name) else { continue }
            let blanks = column.blanks()
            if required.contains(name), let blanks {
                for row in blanks.indices where blanks[row] { (bad[row], found) = (true, true) }
            }
            if identifying.contains(name) {
                for row in nameless.indices where nameless[row] { nameless[row] = blanks?[row] ?? false }
            }
        }
        if !identifying.isEmpty, nameless.contains(true) {
            found = true
            for row in bad.indices where nameless[row] { bad[row] = true }
        }
        guard found else { return Split(kept: rows) }
        let kept = bad.indices.filter { !bad[$0] }.map { Int32($0) }
        var refused = RefusedRows(count: rows.count - kept.count)
        if let first = bad.firstIndex(of: true) { refused.example = try Self.shown(rows, first) }
        return Split(kept: rows.gather(kept), refused: refused)
    }

    /// A row's cells that hold something, as JSON of a bounded length.
    private static func shown(_ rows: Batch, _ row: Int) throws -> String {
        var cells = Bag()
        for (i, spec) in rows.schema.columns.enumerated() {
            let value = try rows.column(i)[row]
            if !value.isNull, value != .string("") { cells[spec.name] = value }
        }
        let text = JSONWriter.string(.bag(cells))
        return text.count <= exampleMax ? text : text.prefix(exampleMax) + "…"
    }

    private static let exampleMax = 240
}

/// Rows that were not stored since they have no key.
struct RefusedRows: Codable, Sendable, Equatable {
    var count = 0
    /// The first of them, as JSON.
    var example = ""

    mutating func add(_ other: RefusedRows) {
        if count == 0 { example = other.example }
        count += other.count
    }
}

extension Column {
    /// Which cells are missing, or hold white space only; nil when none does.
    fileprivate func blanks() -> [Bool]? {
        let found: [Bool]
        switch storage {
        case .string(let vector):
            let entries = (0..<vector.entryCount).map { e in
                vector.bytes[vector.entryRange(e)].allSatisfy { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
            }
            guard entries.contains(true) else { return nil }
            if isConstant { return [Bool](repeating: entries[0], count: count) }
            found = vector.codes.map { codes in codes.map { entries[Int($0)] } } ?? entries
        case .dynamic:
            found = (0..<count).map { isNull($0) || self[$0] == .string("") }
        default:
            guard nulls != nil else { return nil }
            found = (0..<count).map { isNull($0) }
        }
        return found.contains(true) ? found : nil
    }
}
