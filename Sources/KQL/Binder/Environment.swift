import Tables

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
