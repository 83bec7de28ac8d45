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
    /// The aliases of the watchlists; their rows are in tables that `tableNames` leaves out.
    var watchlistAliases: [String] { get }
    /// What people are told of a table.
    func note(ofTable name: String) -> EntityNote
    /// What people are told of a stored function.
    func note(ofFunction name: String) -> EntityNote
}

/// What a catalog's entity is for, and, of a function, its text.
package struct EntityNote: Sendable, Equatable {
    package var description = ""
    package var folder = ""
    /// `(a:long, b:string)`.
    package var parameters = "()"
    /// The statements between a function's braces.
    package var body = ""
    /// The service whose data a function needs, when it is one that cannot run over a workspace.
    package var service: String?

    package init(
        description: String = "", folder: String = "", parameters: String = "()", body: String = "",
        service: String? = nil
    ) {
        self.description = description
        self.folder = folder
        self.parameters = parameters
        self.body = body
        self.service = service
    }
}

extension SchemaCatalog {
    package var wildcardTableNames: [String] { tableNames }
    package var watchlistAliases: [String] { [] }
    package func note(ofTable name: String) -> EntityNote { EntityNote() }
    package func note(ofFunction name: String) -> EntityNote { EntityNote() }
}

/// Where watchlists are among the tables.
package enum WatchlistTable {
    private static let prefix = "_Watchlist_"

    /// The table that holds a watchlist.
    package static func name(_ alias: String) -> String { prefix + alias }

    /// The alias of a watchlist's table; nil for other tables.
    package static func alias(_ table: String) -> String? {
        table.hasPrefix(prefix) ? String(table.dropFirst(prefix.count)) : nil
    }
}

/// The column `Type`, which every table of Log Analytics has: the table's name
/// (https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#type). It is not stored.
package enum TypeColumn {
    package static let name = "Type"

    /// A table's schema with the column at its end; as it is when the table has one of that name itself.
    package static func added(to schema: Schema) -> Schema {
        schema.index(of: name) == nil ? Schema(schema.columns + [ColumnSpec(name, .string)]) : schema
    }
}

/// What a catalog's tables and functions are for.
package struct CatalogNotes: Sendable {
    package var tables: [String: EntityNote] = [:]
    package var functions: [String: EntityNote] = [:]

    package init() {}
}

/// A catalog without any table.
package struct EmptyCatalog: SchemaCatalog {
    package init() {}
    package func schema(ofTable name: String) -> Schema? { nil }
    package var tableNames: [String] { [] }
    package func function(named name: String) -> FunctionDeclaration? { nil }
    package var functionNames: [String] { [] }
}
