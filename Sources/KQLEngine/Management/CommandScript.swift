import KQL
import Tables

/// What describes a database or a function to be made again elsewhere
/// (https://learn.microsoft.com/kusto/management/show-schema-database#show-database-schema-as-csl-script).
extension ManagementCommands {
    private static func text(_ value: String) -> String { KQLLiteral.string(value) }

    private static func properties(_ note: EntityNote) -> String {
        "with (folder = \(text(note.folder)), docstring = \(text(note.description)))"
    }

    /// A command for each table and function.
    func scriptRows() -> [[Value]] {
        let tables = tableNames.map { name -> [Value] in
            let columns = (provider.schema(ofTable: name)?.columns ?? []).map {
                "\(EntityName.written($0.name)): \($0.type.name)"
            }
            let note = provider.note(ofTable: name)
            return [
                .string(
                    ".create-merge table \(EntityName.written(name)) (\(columns.joined(separator: ", "))) "
                        + Self.properties(note))
            ]
        }
        let functions = functionNames.map { name -> [Value] in
            let note = provider.note(ofFunction: name)
            return [
                .string(
                    ".create-or-alter function \(Self.properties(note)) \(EntityName.written(name)) "
                        + "\(note.parameters) {\n\(note.body)\n}")
            ]
        }
        return tables + functions
    }

    /// The columns that a function gives, with nulls for what it asks; none for one that gives a value, or that only
    /// rows
    /// tell of.
    func outputColumns(_ name: String) -> [ColumnSpec] {
        guard let declaration = provider.function(named: name) else { return [] }
        var arguments: [String] = []
        for parameter in declaration.parameters {
            if parameter.defaultValue != nil { break }
            switch parameter.kind {
            case .scalar(let type):
                arguments.append(type == .string ? "''" : type == .dynamic ? "dynamic(null)" : "\(type.name)(null)")
            case .table(let columns):
                let list = columns.filter { $0.name.text != "*" }.map {
                    "\(EntityName.written($0.name.text)): \($0.type.name)"
                }
                arguments.append("(datatable(\(list.joined(separator: ", ")))[])")
            }
        }
        let call = "\(EntityName.written(name))(\(arguments.joined(separator: ", ")))"
        return Engine(provider: provider).schema(of: call + " | as Output")?.columns ?? []
    }

    // MARK: The cluster

    func clusterRow() -> [Value] {
        [
            .string("local"), .string("127.0.0.1"), .string(database), .null, .bool(true), .null, .null,
            .long(Int64(Workers.coreCount)), .string("Vestige \(version)"), .string(version),
        ]
    }

    /// What may run at once; nothing is ever ingested through here.
    func capacityRows(_ wanted: String?) -> [[Value]] {
        let none = [
            "ingestions", "extents-merge", "data-export", "extents-partition", "materialized-view",
            "stored-query-results",
        ]
        let rows = none.map { ($0, Int64(0)) } + [("queries", Int64(Workers.coreCount))]
        return rows.filter { wanted == nil || $0.0 == wanted }.map { name, total in
            [.string(name), .long(total), .long(0), .long(total), .string("CapacityPolicy/\(name)")]
        }
    }

    func databaseDetailRow() throws -> [Value] {
        let bytes = try tableNames.reduce(0) { try $0 + provider.statistics(ofTable: $1).bytes }
        let identity = databaseRow(isIdentity: true)
        return Array(identity[0...5]) + Array(repeating: .string(""), count: 7) + [
            .real(Double(bytes)), identity[7], .string(""), .long(Int64(tableNames.count)), .long(0), .long(0), .null,
            .string(""),
        ]
    }

    func principalRow() -> [Value] {
        [
            .string("Database \(database) Viewer"), .string("Local user"), .string("whoever works on this machine"),
            .string(""), .string("local"), .string(""),
        ]
    }
}
