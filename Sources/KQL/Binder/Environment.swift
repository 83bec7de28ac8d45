import Tables

/// The tables and stored functions that a query may name.
package protocol SchemaCatalog: Sendable {
    func schema(ofTable name: String) -> Schema?
    var tableNames: [String] { get }
    /// The tables that a wildcard stands for: those that exist, with or without rows.
    var wildcardTableNames: [String] { get }
    /// The declaration of a stored function.
    func function(named name: String) -> FunctionDeclaration?
    var functionNames: [String] { get }
}

extension SchemaCatalog {
    package var wildcardTableNames: [String] { tableNames }
}

/// A catalog without any table.
package struct EmptyCatalog: SchemaCatalog {
    package init() {}
    package func schema(ofTable name: String) -> Schema? { nil }
    package var tableNames: [String] { [] }
    package func function(named name: String) -> FunctionDeclaration? { nil }
    package var functionNames: [String] { [] }
}

/// What a name stands for besides a column.
indirect enum Binding {
    case scalar(BoundExpr)
    case plan(Plan)
    case graph(GraphPlan)
    case function(FunctionDeclaration, Environment)
}

/// Names declared by `let`, parameters and `as`, the inner hiding the outer.
final class Environment {
    private var names: [String: Binding] = [:]
    let parent: Environment?

    init(parent: Environment?) { self.parent = parent }

    subscript(name: String) -> Binding? {
        get { names[name] ?? parent?[name] }
        set { names[name] = newValue }
    }

    var allNames: [String] { Array(names.keys) + (parent?.allNames ?? []) }
}

/// The columns that a scalar expression may name.
struct RowScope {
    var schema: Schema
    /// In the conditions of a join: how many of the columns belong to `$left`.
    var leftCount: Int?
    var isOpen = false
    /// Names that stand for an expression over the columns, such as a graph variable's property.
    var members: [String: [String: BoundExpr]] = [:]
    /// The graph whose pattern's variables the expression may name.
    var graph: GraphScope?

    static var none: RowScope { RowScope(schema: Schema([ColumnSpec]())) }
}
