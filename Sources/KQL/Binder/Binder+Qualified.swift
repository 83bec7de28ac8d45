import Tables

/// The database that queries are about here.
package enum LocalDatabase {
    package static let name = "Vestige"

    /// Whether a name is the local database's: database names do not tell case apart
    /// (https://learn.microsoft.com/kusto/query/schema-entities/entity-names).
    package static func isNamed(_ name: String) -> Bool {
        ["", LocalDatabase.name.lowercased(), "netdefaultdb"].contains(name.lowercased())
    }
}

/// A table or function with the place it is in: `cluster("c").database("d").T`.
///
/// `workspace()`, `app()` and `resource()` are Azure Monitor's
/// (https://learn.microsoft.com/azure/azure-monitor/logs/cross-workspace-query), `adx()` and `arg()` its ways to other
/// services (https://learn.microsoft.com/azure/azure-monitor/logs/azure-monitor-data-explorer-proxy).
struct QualifiedName {
    enum Entity {
        case table(Name)
        case call(Name, [CallArgument])
    }

    /// From the outermost to the innermost.
    let places: [(name: Name, arguments: [CallArgument])]
    let entity: Entity

    static let placeNames: Set<String> = ["cluster", "database", "workspace", "app", "resource", "adx", "arg"]

    /// Nil for what is no name in a place.
    init?(_ expr: Expr) {
        switch expr.kind {
        case .member(let base, let name):
            guard let places = QualifiedName.places(base) else { return nil }
            self.places = places
            entity = .table(name)
        case .memberCall(let base, let name, let arguments):
            guard !QualifiedName.placeNames.contains(name.text), let places = QualifiedName.places(base) else {
                return nil
            }
            self.places = places
            entity = .call(name, arguments)
        default: return nil
        }
    }

    static func places(_ expr: Expr) -> [(name: Name, arguments: [CallArgument])]? {
        switch expr.kind {
        case .call(let name, let arguments):
            return placeNames.contains(name.text) ? [(name, arguments)] : nil
        case .memberCall(let base, let name, let arguments):
            guard placeNames.contains(name.text) else { return nil }
            return places(base).map { $0 + [(name, arguments)] }
        default: return nil
        }
    }
}

extension Binder {
    /// What a foreign name is refused with.
    static let foreignCode = "VK014"

    /// Refuses the places that are not this one, by their names.
    func expectLocal(_ qualified: QualifiedName, _ environment: Environment) throws {
        for place in qualified.places {
            guard place.arguments.count <= 1 else {
                throw Diagnostic("KS119", "The function '\(place.name.text)' expects 1 argument.", place.name.range)
            }
            guard let argument = place.arguments.first else {
                if ["cluster", "database"].contains(place.name.text) { continue }
                throw Diagnostic("KS119", "The function '\(place.name.text)' expects 1 argument.", place.name.range)
            }
            guard case .string(let text)? = constant(try bindScalar(argument.value, .none, environment)) else {
                throw Diagnostic(
                    "KS112", "The name given to '\(place.name.text)' must be a constant string.", argument.value.range)
            }
            let isLocal =
                switch place.name.text {
                case "cluster": ["", "local"].contains(text.lowercased())
                case "database", "workspace": LocalDatabase.isNamed(text)
                default: false
                }
            if isLocal { continue }
            throw Diagnostic(
                Binder.foreignCode,
                "\(place.name.text)('\(text)') is another place, whose tables are not here: this is the database "
                    + "'\(LocalDatabase.name)'; run the query there with --on",
                place.name.range.lowerBound..<argument.value.range.upperBound)
        }
    }

    /// The table of a name with its place.
    func bindQualified(_ qualified: QualifiedName, _ range: Range<Int>, _ environment: Environment) throws -> Plan {
        try expectLocal(qualified, environment)
        switch qualified.entity {
        case .table(let name): return try bindTable(named: name.text, name.range, Environment(parent: nil))
        case .call(let name, let arguments):
            if name.text != "table", let stored = catalog.function(named: name.text) {
                return try callTabular(stored, .stored, arguments, name.text, range, environment)
            }
            return try bindTabular(Expr(.call(name, arguments), range), environment)
        }
    }

    /// Whether a name with its place gives a table; that of a foreign place does, so that it is refused as one.
    func isTabular(_ qualified: QualifiedName) -> Bool {
        guard case .call(let name, let arguments) = qualified.entity, catalog.function(named: name.text) != nil else {
            return true
        }
        return isTabular(Expr(.call(name, arguments), name.range), .stored)
    }
}
