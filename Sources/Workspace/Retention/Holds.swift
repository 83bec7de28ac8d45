import Foundation
import GRDB
import Tables

/// What must not be removed until somebody says so: rows of some tables, or of all.
package struct Hold: Sendable, Equatable {
    package let name: String
    /// All tables when empty.
    package let tables: [String]
    package let reason: String
    /// Who placed it, as the system knows them.
    package let person: String
    /// Ticks.
    package let placed: Int64

    package init(name: String, tables: [String], reason: String, person: String, placed: Int64) {
        self.name = name
        self.tables = tables
        self.reason = reason
        self.person = person
        self.placed = placed
    }

    package func covers(_ table: String) -> Bool { tables.isEmpty || tables.contains(table) }

    fileprivate var text: String {
        let members: JSON = [
            "tables": .array(tables.map { .string($0) }), "reason": .string(reason), "person": .string(person),
            "placed": .integer(placed),
        ]
        return members.text
    }

    fileprivate init?(name: String, _ text: String) {
        guard let stored = try? JSON(parsing: text), let reason = stored["reason"]?.string,
            let person = stored["person"]?.string, let placed = stored["placed"]?.integer,
            let tables = stored["tables"]?.array
        else { return nil }
        self.init(name: name, tables: tables.compactMap(\.string), reason: reason, person: person, placed: placed)
    }
}

extension Workspace {
    private static let holdPrefix = "hold:"

    /// The holds that stand, by name.
    ///
    /// - Throws: also when one cannot be read: what it covers would be unknown, and nothing may be removed.
    package func holds() throws(WorkspaceError) -> [Hold] { try read { try Self.holds($0) } }

    static func holds(_ db: Database) throws -> [Hold] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT name, value FROM meta WHERE name LIKE ? ORDER BY name", arguments: [holdPrefix + "%"])
        return try rows.map { row in
            let name: String = try row.stored("name")
            guard let hold = Hold(name: String(name.dropFirst(holdPrefix.count)), try row.stored("value")) else {
                throw CorruptSegment(reason: "the hold \(name.dropFirst(holdPrefix.count)) cannot be read")
            }
            return hold
        }
    }

    /// Places a hold.
    ///
    /// - Throws: also when there is one of that name.
    package func place(_ hold: Hold) throws(WorkspaceError) {
        try write { db in
            guard try !Self.holds(db).contains(where: { $0.name == hold.name }) else {
                throw WorkspaceError(
                    "there is a hold \(hold.name) already; nothing was changed", next: "choose another name")
            }
            try db.execute(
                sql: RowChecksums.meta.insertion(), arguments: [Self.holdPrefix + hold.name, hold.text])
        }
    }

    /// Takes a hold away.
    ///
    /// - Returns: the hold.
    package func release(hold name: String) throws(WorkspaceError) -> Hold {
        try write { db in
            let all = try Self.holds(db)
            guard let hold = all.first(where: { $0.name == name }) else {
                throw WorkspaceError(
                    "there is no hold \(name)",
                    next: all.isEmpty
                        ? "no hold stands" : "those that stand are \(all.map(\.name).joined(separator: ", "))")
            }
            try db.execute(sql: "DELETE FROM meta WHERE name = ?", arguments: [Self.holdPrefix + name])
            return hold
        }
    }

    /// Throws where a hold covers a table.
    static func refuseHeld(_ table: String, _ db: Database) throws {
        guard let hold = try holds(db).first(where: { $0.covers(table) }) else { return }
        throw WorkspaceError(
            "table \(table) is under the hold \(hold.name): \(hold.reason); nothing was removed",
            next: "when it may go, release the hold: vestige hold release \(hold.name) --reason …")
    }
}

extension Workspace {
    /// When something that is done once in a while was done last, ticks; nil when it never was.
    package func mark(_ name: String) throws(WorkspaceError) -> Int64? {
        try read { try Int64.fetchOne($0, sql: "SELECT value FROM meta WHERE name = ?", arguments: ["mark:" + name]) }
    }

    package func setMark(_ name: String, _ ticks: Int64) throws(WorkspaceError) {
        try write {
            try $0.execute(sql: RowChecksums.meta.insertion("OR REPLACE"), arguments: ["mark:" + name, ticks])
        }
    }
}
