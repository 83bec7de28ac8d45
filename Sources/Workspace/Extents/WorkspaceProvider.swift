import KQL
import KQLEngine
import Tables

/// The workspace's tables and the content's functions, for the engine.
package struct WorkspaceProvider: TableProvider {
    private let workspace: Workspace
    private let schemas: [String: Schema]
    private let functions: [String: FunctionDeclaration]
    private let notes: CatalogNotes
    /// Tables that are not in the file, such as the content's watchlists; they win over the file's.
    private let others: [String: Batch]
    package let outside: OutsideData

    /// A view of the tables as they are declared now.
    ///
    /// - Parameter declared: tables and columns of the content, which need not be in the file: what is missing there is empty.
    package init(
        _ workspace: Workspace, functions: [String: FunctionDeclaration], notes: CatalogNotes = CatalogNotes(),
        others: [String: Batch] = [:], declared: [String: Schema] = [:],
        outside: OutsideData = OutsideData()
    ) throws(WorkspaceError) {
        self.workspace = workspace
        self.functions = functions
        self.notes = notes
        self.others = others
        self.outside = outside
        let tables = declared.merging(try workspace.schemas()) { Self.overlay($0, stored: $1) }
        schemas = tables.mapValues(TypeColumn.added).merging(others.mapValues(\.schema)) { _, new in new }
    }

    /// The content's columns, each with the type that is stored, then those that only the file has.
    private static func overlay(_ declared: Schema, stored: Schema) -> Schema {
        var columns = declared.columns.map { column in stored.index(of: column.name).map { stored[$0] } ?? column }
        columns += stored.columns.filter { declared.index(of: $0.name) == nil }
        return Schema(columns)
    }

    package func schema(ofTable name: String) -> Schema? { schemas[name] }
    package var tableNames: [String] { schemas.keys.filter { WatchlistTable.alias($0) == nil } }
    package var watchlistAliases: [String] { schemas.keys.compactMap(WatchlistTable.alias) }
    package func function(named name: String) -> FunctionDeclaration? { functions[name] }
    package var functionNames: [String] { Array(functions.keys) }
    package func note(ofTable name: String) -> EntityNote { notes.tables[name] ?? EntityNote() }
    package func note(ofFunction name: String) -> EntityNote { notes.functions[name] ?? EntityNote() }
    package func rowCount(ofTable name: String) throws -> Int {
        try others[name]?.count ?? workspace.rowCount(ofTable: name)
    }
    package func statistics(ofTable name: String) throws -> TableStatistics { try workspace.statistics(ofTable: name) }

    package func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        guard let schema = schemas[table] else { return { nil } }
        if let batch = others[table] {
            var rest: Batch? = batch
            return {
                defer { rest = nil }
                return rest
            }
        }
        var rest = try workspace.extents(of: table, matching: predicates)[...]
        return { [workspace] in rest.popFirst().map { workspace.extent($0, schema: schema, table: table) } }
    }
}
