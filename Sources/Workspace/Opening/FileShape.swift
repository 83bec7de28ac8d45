import Foundation
import GRDB

/// What an SQLite file is to this program. It is asked before anything is written: a file of another program stays as it is.
struct FileShape: Sendable {
    /// 0 for a file without tables.
    let format: Int
    private let tables: Set<String>
    private let runColumns: Set<String>

    /// Whether the file holds nothing: whoever was making it has not come to its first table.
    var isBlank: Bool { tables.isEmpty }

    /// `VEST`, in the place where SQLite files say whose they are (https://www.sqlite.org/fileformat2.html#application_id).
    static let applicationID = 0x5645_5354

    /// Looks at a file.
    ///
    /// - Throws: `WorkspaceError` when it is another program's, a newer program's, or not whole.
    init(_ db: Database, path: String) throws {
        let owner = try Int.fetchOne(db, sql: "PRAGMA main.application_id") ?? 0
        tables = Set(
            try String.fetchAll(
                db, sql: "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
        let missing = Set(WorkspaceFormat.firstTables).subtracting(tables)
        let isOurs = owner == Self.applicationID || owner == 0 && missing.isEmpty
        if tables.isEmpty, owner == 0 || owner == Self.applicationID {
            (format, runColumns) = (0, [])
            return
        }
        guard isOurs else {
            let names = tables.sorted().prefix(3).joined(separator: ", ")
            throw WorkspaceError(
                "\(path) is not a workspace: it is an SQLite file of another program"
                    + (names.isEmpty ? "" : " (it has \(names))") + "; nothing was changed",
                next: "name another file with --workspace")
        }
        guard missing.isEmpty else {
            throw WorkspaceError.damaged(path, "it lacks \(missing.sorted().joined(separator: ", "))")
        }
        let stored = try DatabaseValue.fetchOne(db, sql: "SELECT value FROM main.meta WHERE name = 'format'") ?? .null
        guard let format = Int.fromDatabaseValue(stored), format > 0 else {
            throw WorkspaceError.damaged(path, "it does not say its format")
        }
        guard format <= WorkspaceFormat.current else {
            throw WorkspaceError(
                "the workspace \(path) was written by a newer vestige (format \(format), this program reads up to "
                    + "\(WorkspaceFormat.current)); nothing was changed",
                next: "use a newer vestige, or another file with --workspace")
        }
        if format == WorkspaceFormat.current {
            let lost = Set(WorkspaceFormat.tables).subtracting(tables)
            guard lost.isEmpty else {
                throw WorkspaceError.damaged(path, "it lacks \(lost.sorted().joined(separator: ", "))")
            }
        }
        self.format = format
        runColumns = Set(try Row.fetchAll(db, sql: "PRAGMA main.table_info(runs)").map { try $0.stored("name") })
    }

    /// Gives a connection the tables and columns that files of earlier formats lack, empty, beside the file and not in it: such a file is
    /// read as it is, and only a program that writes brings it to this one's format.
    func overlay(_ db: Database) throws {
        if isBlank || format == WorkspaceFormat.current { return }
        try db.execute(sql: "PRAGMA temp_store = MEMORY")
        for (table, columns) in [
            ("filters", "extent, name, kind, data"), ("staged", "source, bucket, entries, seen, is_complete"),
            ("progress", "source, value"), ("clock", "found, ahead, low, extents, rows"),
            ("deliveries", "sink, rows, bytes, refused, last_success, last_failure, error"),
        ] where !tables.contains(table) {
            try db.execute(sql: "CREATE TEMP TABLE \(table) (\(columns))")
        }
        // The state of format 1 is of another kind.
        if format == 1 { try db.execute(sql: "CREATE TEMP TABLE state (source, bucket, entries)") }
        if !runColumns.contains("gaps") {
            try db.execute(sql: "CREATE TEMP VIEW runs AS SELECT *, 0 AS gaps FROM main.runs")
        }
    }
}
