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
    /// Every declaration of a name with its number, the last one last.
    private var names: [String: [(number: Int, binding: Binding)]] = [:]
    private var count = 0
    private let parent: Environment?
    /// The parent's declarations from this number on are not seen; nil when all are.
    private let parentLimit: Int?
    /// Whether the names are those of a stored function, whose text is not the query's.
    let isStored: Bool

    init(parent: Environment?, isStored: Bool = false) {
        self.parent = parent
        self.isStored = isStored
        parentLimit = nil
    }

    /// Where a stored function is bound: it sees none of the query's names.
    static var stored: Environment { Environment(parent: nil, isStored: true) }

    /// The names that another environment has now. What it gets later is not seen: the body of a function knows only
    /// what was declared before it, so that it cannot call itself, as in Kusto.
    init(now other: Environment) {
        parent = other
        isStored = false
        parentLimit = other.count
    }

    subscript(name: String) -> Binding? {
        get { find(name, below: nil) }
        set {
            guard let newValue else { preconditionFailure("a name is not taken back") }
            names[name, default: []].append((count, newValue))
            count += 1
        }
    }

    private func find(_ name: String, below limit: Int?) -> Binding? {
        if let own = names[name], let found = own.last(where: { $0.number < limit ?? .max }) { return found.binding }
        return parent?.find(name, below: parentLimit)
    }

    var allNames: [String] { visible(below: nil) }

    private func visible(below limit: Int?) -> [String] {
        let own = names.filter { $0.value.contains { $0.number < limit ?? .max } }.keys
        return own + (parent?.visible(below: parentLimit) ?? [])
    }
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
