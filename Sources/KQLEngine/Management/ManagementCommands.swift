import KQL
import Tables

/// The management commands that Kusto's clients send to find their way around
/// (https://learn.microsoft.com/kusto/management/). They only show; nothing is changed by them.
package struct ManagementCommands: Sendable {
    package let provider: any TableProvider
    /// The database's name, as clients see it.
    package let database: String
    /// The program's version.
    package let version: String
    /// Whose queries are shown and stopped; nil where each runs alone.
    package let queries: QueryService?
    /// Whose queries are shown and stopped only; nil for everybody's.
    package let asker: String?

    package init(
        provider: any TableProvider, database: String = LocalDatabase.name, version: String,
        queries: QueryService? = nil, asker: String? = nil
    ) {
        self.queries = queries
        self.asker = asker
        self.provider = provider
        self.database = database
        self.version = version
    }

    /// Whether a text is a command rather than a query.
    package static func isCommand(_ text: String) -> Bool {
        let lines = text.split(whereSeparator: \.isNewline).lazy.map { $0.drop { $0 == " " || $0 == "\t" } }
        return lines.first { !$0.isEmpty && !$0.hasPrefix("//") }?.hasPrefix(".") == true
    }

    /// Runs a command, and the query that follows its first bar.
    ///
    /// - Throws: `QueryError`; unknown commands and those that would change something are errors.
    package func run(
        _ text: String, options: QueryOptions = QueryOptions(), isCancelled: (() -> Bool)? = nil
    ) throws -> QueryResult {
        let start = ContinuousClock.now
        let command = CommandText(text)
        let table = try table(command, text)
        if command.pipeline.contains(where: { !$0.isWhitespace }) {
            let tables = MemoryTables()
            tables.set("CommandResult", schema: table.schema, batches: [table])
            return try Engine(provider: tables).run(
                "CommandResult | " + command.pipeline, options: options, isCancelled: isCancelled)
        }
        let elapsed = ContinuousClock.now - start
        return QueryResult(
            tables: [ResultTable(name: "PrimaryResult", batch: table)], render: nil, rowsScanned: 0,
            duration: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18,
            truncation: nil)
    }

    private func table(_ command: CommandText, _ text: String) throws -> Batch {
        let words = command.words
        let lower = words.map { $0.lowercased() }
        func has(_ pattern: String...) -> Bool {
            guard lower.count == pattern.count else { return false }
            return zip(lower, pattern).allSatisfy { $1 == "*" || $0 == $1 }
        }
        if has(".cancel", "query", "*")
            || lower.starts(with: [".cancel", "query"]) && lower.dropFirst(3).first == "with"
        {
            return try cancelled(words[2], words.count > 4 ? words[4] : "")
        }
        if has(".show", "queries") || has(".show", "running", "queries") { return runningQueries() }
        guard lower.first == ".show" else { throw unknown(command, text) }
        if has(".show", "version") { return Self.batch(CommandSchemas.version, [versionRow]) }
        if has(".show", "databases") || has(".show", "cluster", "databases") {
            return Self.batch(CommandSchemas.databases, [databaseRow(isIdentity: false)])
        }
        if has(".show", "databases", "entities") || has(".show", "database", "*", "entities") { return try entities() }
        if has(".show", "database") || has(".show", "database", "identity") {
            return Self.batch(CommandSchemas.database, [databaseRow(isIdentity: true)])
        }
        if has(".show", "databases", "details") || has(".show", "cluster", "databases", "details")
            || has(".show", "database", "details")
        {
            return Self.batch(CommandSchemas.databaseDetails, [try databaseDetailRow()])
        }
        if has(".show", "databases", "identity") || has(".show", "cluster", "databases", "identity") {
            return Self.batch(CommandSchemas.database, [databaseRow(isIdentity: true)])
        }
        if has(".show", "cluster") { return Self.batch(CommandSchemas.cluster, [clusterRow()]) }
        if has(".show", "capacity") || has(".show", "capacity", "*") {
            return Self.batch(CommandSchemas.capacity, capacityRows(lower.count > 2 ? lower[2] : nil))
        }
        if has(".show", "database", "principals") || has(".show", "database", "*", "principals") {
            if words.count == 4 { try checkDatabase(words[2]) }
            return Self.batch(CommandSchemas.principals, [principalRow()])
        }
        if has(".show", "database", "schema", "as", "csl", "script")
            || has(".show", "database", "*", "schema", "as", "csl", "script")
        {
            if words.count == 7 { try checkDatabase(words[2]) }
            return Self.batch(CommandSchemas.script, scriptRows())
        }
        if has(".show", "tables") { return Self.batch(CommandSchemas.tables, tableNames.map(tableRow)) }
        if has(".show", "tables", "details") {
            return Self.batch(CommandSchemas.tableDetails, try tableNames.map(detailRow))
        }
        if has(".show", "table", "*", "details") {
            return Self.batch(CommandSchemas.tableDetails, [try detailRow(try known(words[2], command))])
        }
        if has(".show", "table", "*", "cslschema") || has(".show", "table", "*", "schema") || has(".show", "table", "*")
        {
            return Self.batch(CommandSchemas.schema, [try schemaRow(try known(words[2], command))])
        }
        if has(".show", "table", "*", "schema", "as", "json") {
            let name = try known(words[2], command)
            var row = try schemaRow(name)
            row[1] = .string(JSONWriter.string(tableJSON(name)))
            return Self.batch(CommandSchemas.schema, [row])
        }
        if has(".show", "database", "cslschema") || has(".show", "database", "*", "cslschema") {
            if words.count == 4 { try checkDatabase(words[2]) }
            return Self.batch(CommandSchemas.schema, try tableNames.map(schemaRow))
        }
        if has(".show", "schema", "as", "json") || has(".show", "databases", "schema", "as", "json")
            || has(".show", "databases", "*", "schema", "as", "json")
            || has(".show", "database", "schema", "as", "json") || has(".show", "database", "*", "schema", "as", "json")
        {
            if words.count == 6 { try checkDatabase(words[2]) }
            return Self.batch(CommandSchemas.schemaJSON, [[.string(JSONWriter.string(schemaJSON()))]])
        }
        if has(".show", "schema") || has(".show", "databases", "schema") || has(".show", "database", "schema")
            || has(".show", "database", "*", "schema")
            || has(".show", "databases", "*", "schema")
        {
            if words.count == 4 { try checkDatabase(words[2]) }
            return Self.batch(CommandSchemas.databaseSchema, columnRows())
        }
        if has(".show", "functions") { return Self.batch(CommandSchemas.functions, functionNames.map(functionRow)) }
        if has(".show", "function", "*", "schema", "as", "json") {
            guard provider.function(named: words[2]) != nil else {
                throw missing("function", words[2], command.ranges[2], functionNames, text)
            }
            let note = provider.note(ofFunction: words[2])
            return Self.batch(
                CommandSchemas.schema,
                [
                    [
                        .string(words[2]), .string(JSONWriter.string(functionJSON(words[2]))), .string(database),
                        .string(note.folder), .string(note.description),
                    ]
                ])
        }
        if has(".show", "function", "*") {
            guard provider.function(named: words[2]) != nil else {
                throw missing("function", words[2], command.ranges[2], functionNames, text)
            }
            return Self.batch(CommandSchemas.functions, [functionRow(words[2])])
        }
        // A database's name comes last: the words above are no names.
        if has(".show", "database", "*") || has(".show", "database", "*", "identity")
            || has(".show", "database", "*", "details")
        {
            try checkDatabase(words[2])
            return Self.batch(CommandSchemas.database, [databaseRow(isIdentity: true)])
        }
        if let schema = CommandSchemas.alwaysEmpty(lower) { return Self.batch(schema, []) }
        throw unknown(command, text)
    }

    static func batch(_ schema: Schema, _ rows: [[Value]]) -> Batch { Batch(schema: schema, rows: rows) }

    var tableNames: [String] { provider.tableNames.sorted() }
    var functionNames: [String] { provider.functionNames.sorted() }

    // MARK: Errors

    private func unknown(_ command: CommandText, _ text: String) -> QueryError {
        let range = (command.ranges.first?.lowerBound ?? 0)..<(command.ranges.last?.upperBound ?? 0)
        if let verb = command.words.first, verb.lowercased() != ".show" {
            return .invalid(
                Diagnostic(
                    "VK021",
                    "the command '\(verb)' is not available: a workspace is only written by 'vestige "
                        + "collect' and 'vestige import'",
                    command.ranges[0]), query: text)
        }
        return .invalid(
            Diagnostic(
                "VK020",
                "unknown command; '.show tables', '.show functions' and '.show database schema' tell what there is",
                range), query: text)
    }

    private func missing(_ kind: String, _ name: String, _ range: Range<Int>, _ names: [String], _ text: String)
        -> QueryError
    {
        .invalid(
            Diagnostic("KS142", "there is no \(kind) '\(name)'", range, suggestion: NearMiss.find(name, in: names)),
            query: text)
    }

    private func known(_ table: String, _ command: CommandText) throws -> String {
        if provider.schema(ofTable: table) != nil { return table }
        throw missing("table", table, command.ranges[2], tableNames, command.words.joined(separator: " "))
    }

    /// Database names do not tell case apart; `NetDefaultDB` stands for the one there is.
    package func isDatabase(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.isEmpty || name == database.lowercased() || name == "netdefaultdb" || name == "*"
    }

    private func checkDatabase(_ name: String) throws {
        if !isDatabase(name) {
            throw QueryError.runtime("there is no database '\(name)'; this server has '\(database)'")
        }
    }
}
