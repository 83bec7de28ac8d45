import KQL
import KQLEngine
import Tables

/// The workspace's tables and the content's functions, for the engine.
package struct WorkspaceProvider: TableProvider {
    private let workspace: Workspace
    private let schemas: [String: Schema]
    private let functions: [String: FunctionDeclaration]

    /// A view of the tables as they are declared now.
    package init(_ workspace: Workspace, functions: [String: FunctionDeclaration]) throws(WorkspaceError) {
        self.workspace = workspace
        self.functions = functions
        schemas = try workspace.schemas()
    }

    package func schema(ofTable name: String) -> Schema? { schemas[name] }
    package var tableNames: [String] { Array(schemas.keys) }
    package func function(named name: String) -> FunctionDeclaration? { functions[name] }
    package var functionNames: [String] { Array(functions.keys) }

    package func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        guard let schema = schemas[table] else { return { nil } }
        var rest = try workspace.extents(of: table, matching: predicates)[...]
        return { [workspace] in rest.popFirst().map { workspace.extent($0, schema: schema) } }
    }
}
