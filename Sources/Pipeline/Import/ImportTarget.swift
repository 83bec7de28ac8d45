import Content
import Tables

/// The table that files are imported into: its columns, and which of a file's fields belong to them.
struct ImportTarget {
    let table: String
    /// The content's definition; nil for a table of the user's own.
    let definition: TableDefinition?
    /// The columns that are known, in their order.
    private(set) var columns: [ColumnSpec] = []
    private var byName: [String: Int] = [:]
    private var byLowerName: [String: Int] = [:]
    /// Whether fields of other names become columns; else they are kept in `Unmapped`.
    private let takesNew: Bool
    /// Columns that one table has at most: what comes beyond is kept in `Unmapped`.
    static let columnsMax = 10_000

    init(table: String, definition: TableDefinition?, stored: Schema?, columns said: [ColumnSpec]?) {
        self.table = table
        self.definition = definition
        takesNew = said == nil && definition == nil
        for spec in said ?? [] { append(spec) }
        for spec in definition?.schema.columns ?? [] { append(spec) }
        if said == nil || definition != nil { for spec in stored?.columns ?? [] { append(spec) } }
    }

    private mutating func append(_ spec: ColumnSpec) {
        guard byName[spec.name] == nil else { return }
        byName[spec.name] = columns.count
        if byLowerName[spec.name.lowercased()] == nil { byLowerName[spec.name.lowercased()] = columns.count }
        columns.append(spec)
    }

    /// The column that a field of this name belongs to, whatever its case; an exact match is the better one.
    func column(_ name: String) -> Int? { byName[name] ?? byLowerName[name.lowercased()] }

    /// Whether types must be found for fields that no column takes.
    var needsTypes: Bool { takesNew }

    /// Adds the columns that a file has beyond the known ones.
    mutating func add(_ found: [ColumnSpec]) {
        guard takesNew else { return }
        let known = Set(byLowerName.keys)
        for spec in found where columns.count < Self.columnsMax && !known.contains(spec.name.lowercased()) {
            append(spec.name == TableDefinition.unmapped.name ? TableDefinition.unmapped : spec)
        }
    }

    /// The table as it is declared before the first row: with the columns that every table has.
    var declared: Schema {
        if definition == nil { return Schema(byName[Self.time.name] == nil ? [Self.time] + columns : columns) }
        let system = TableDefinition.systemColumns.compactMap { column($0.name) }.map { columns[$0] }
        return Schema(system + columns.filter { !TableDefinition.systemColumns.contains($0) })
    }

    static let time = ColumnSpec("TimeGenerated", .datetime)
    /// The row's own time, where a service wrote another one into `TimeGenerated`.
    static let observed = "observedtime"
}
