import GRDB
import KQLEngine
import Tables

/// The tables of a workspace: their columns, and how much they hold.
extension Workspace {
    static func encode(_ schema: Schema) -> String {
        JSONWriter.string(.array(schema.columns.map { .array([.string($0.name), .string($0.type.name)]) }))
    }

    static func decode(_ text: String, table: String) throws(CorruptSegment) -> Schema {
        guard case .array(let items)? = try? JSONReader.parse(text) else {
            throw CorruptSegment(reason: "the columns of table \(table) cannot be read")
        }
        var columns: [ColumnSpec] = []
        for item in items {
            guard let pair = item.arrayValue, pair.count == 2, let type = ScalarType(name: pair[1].text) else {
                throw CorruptSegment(reason: "the columns of table \(table) cannot be read")
            }
            columns.append(ColumnSpec(pair[0].text, type))
        }
        return Schema(columns)
    }

    /// A table's columns as stored; where they are damaged, as its segments tell them: so one table suffers, and not
    /// the whole file.
    static func columns(_ text: String, of table: String, _ db: Database) throws -> Schema {
        do { return try decode(text, table: table) } catch {
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT s.name AS name, min(s.type) AS type FROM segments s JOIN extents e ON e.id = s.extent
                    WHERE e.table_name = ? GROUP BY s.name ORDER BY min(s.rowid)
                    """, arguments: [table])
            return Schema(
                rows.compactMap { row in
                    guard let name: String = try? row.stored("name"), let type: String = try? row.stored("type") else {
                        return nil
                    }
                    return ScalarType(name: type).map { ColumnSpec(name, $0) }
                })
        }
    }

    /// Declares a table; new columns of a known table are added, none is taken away.
    package func declare(_ name: String, _ schema: Schema) throws(WorkspaceError) {
        try write { db in try Self.declare(name, schema, db) }
    }

    /// Declares several tables in one transaction.
    package func declare(_ schemas: [String: Schema]) throws(WorkspaceError) {
        try write { db in for (name, schema) in schemas { try Self.declare(name, schema, db) } }
    }

    static func declare(_ name: String, _ schema: Schema, _ db: Database) throws {
        let old = try String.fetchOne(db, sql: "SELECT columns FROM tables WHERE name = ?", arguments: [name]).map {
            try Self.columns($0, of: name, db)
        }
        var merged = schema
        for column in old?.columns ?? [] {
            if let i = merged.index(of: column.name) {
                guard merged[i].type == column.type else {
                    throw WorkspaceError(
                        "table \(name) has column \(column.name) as \(column.type.name), but \(merged[i].type.name) was declared",
                        next: "rename the column, or use a new table name")
                }
            } else {
                merged.columns.append(column)
            }
        }
        if old != merged { try store(merged, of: name, db) }
    }

    static func store(_ schema: Schema, of table: String, _ db: Database) throws {
        try db.execute(
            sql: RowChecksums.schemas.insertion("OR REPLACE"), arguments: [table, Self.encode(schema)])
    }

    /// Removes a table and its rows. Rows that a sink has not got yet are dropped with it.
    package func drop(_ name: String) throws(WorkspaceError) {
        try write { db in try Self.drop(name, db) }
    }

    static func drop(_ name: String, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM outbox WHERE extent IN (SELECT id FROM extents WHERE table_name = ?)", arguments: [name])
        try db.execute(sql: "DELETE FROM extents WHERE table_name = ?", arguments: [name])
        try db.execute(sql: "DELETE FROM tables WHERE name = ?", arguments: [name])
    }

    package func schemas() throws(WorkspaceError) -> [String: Schema] {
        try read { db in
            var out: [String: Schema] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT name, columns FROM tables") {
                // A row that does not even say which table it is of is told by `verify`.
                guard let name: String = try? row.stored("name") else { continue }
                let text: String? = try? row.stored("columns")
                out[name] = try Self.columns(text ?? "", of: name, db)
            }
            return out
        }
    }

    /// How much a table holds.
    package func statistics(ofTable name: String) throws(WorkspaceError) -> TableStatistics {
        try read { db in
            let one = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) AS n, coalesce(sum(rows), 0) AS rows, min(created) AS low, max(created) AS high
                    FROM extents WHERE table_name = ?
                    """, arguments: [name])
            let bytes = try Int.fetchOne(
                db,
                sql: """
                    SELECT coalesce(sum(length(data)), 0) FROM segments
                    WHERE extent IN (SELECT id FROM extents WHERE table_name = ?)
                    """, arguments: [name])
            guard let one, let low: Int64 = try one.storedIfAny("low"), let high: Int64 = try one.storedIfAny("high")
            else { return TableStatistics() }
            return TableStatistics(
                rows: try one.stored("rows"), extents: try one.stored("n"), bytes: bytes ?? 0, created: (low, high))
        }
    }

    package func rowCount(ofTable name: String) throws(WorkspaceError) -> Int {
        try read {
            try Int.fetchOne(
                $0, sql: "SELECT coalesce(sum(rows), 0) FROM extents WHERE table_name = ?", arguments: [name]) ?? 0
        }
    }

    package func rowCounts() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            var out: [String: Int] = [:]
            for row in try Row.fetchAll(
                db,
                sql: "SELECT table_name, sum(rows) AS n FROM extents WHERE table_name NOT LIKE '~%' GROUP BY table_name"
            ) {
                out[try row.stored("table_name")] = try row.stored("n")
            }
            return out
        }
    }
}
