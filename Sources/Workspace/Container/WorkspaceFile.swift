import Foundation
import GRDB
import KQLEngine
import Tables

/// What went wrong with the workspace file, and what to do.
package struct WorkspaceError: Error, Sendable {
    package let message: String
    package let next: String

    package init(_ message: String, next: String) {
        self.message = message
        self.next = next
    }

    /// Turns an error of the storage library into one for an operator.
    static func wrap(_ error: any Error, path: String) -> WorkspaceError {
        if let known = error as? WorkspaceError { return known }
        if let corrupt = error as? CorruptSegment {
            return WorkspaceError(
                "the workspace \(path) holds a damaged segment: \(corrupt.reason)",
                next: "restore the file from a backup, or collect into a new one")
        }
        guard let db = error as? DatabaseError else {
            return WorkspaceError(
                "the workspace \(path) could not be used: \(error)", next: "check the path and its permissions")
        }
        switch db.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR:
            return WorkspaceError(
                "the disk is full or failing: \(path) could not be written (nothing that was stored is lost)",
                next: "free space on that disk, then run the command again")
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            return WorkspaceError(
                "\(path) is not a workspace, or it is damaged",
                next: "name another file with --workspace, or restore it from a backup")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            return WorkspaceError(
                "the workspace \(path) cannot be opened for writing",
                next: "check that the folder exists and that you may write there")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return WorkspaceError(
                "another program is writing to \(path)",
                next: "wait for it to end, or stop it, then run the command again")
        default:
            return WorkspaceError(
                "the workspace \(path) could not be used: \(db.message ?? "SQLite error \(db.resultCode.rawValue)")",
                next: "check the disk and the file's permissions")
        }
    }
}

/// The embedded store: one SQLite file that holds extents of columns, the state of each source, and what is still to be sent.
package final class Workspace: Sendable {
    package let path: String
    let pool: DatabasePool
    /// The format of the file that this program writes.
    package static let format = 2
    /// Rows of a run that is under way are filed under this and their source's name.
    static let stagingPrefix = "~"
    /// The secret that rows' digests are made with.
    package let digestKey: DigestKey

    /// Opens or creates a workspace.
    ///
    /// - Parameters:
    ///   - digestKey: the key of a workspace that is created now; nil for a random one.
    ///   - mapsPages: whether pages are read where the system's cache has them: fast, but they count as the program's memory.
    package init(path: String, digestKey: DigestKey? = nil, mapsPages: Bool = true) throws(WorkspaceError) {
        self.path = path
        do {
            let folder = (path as NSString).deletingLastPathComponent
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            var configuration = Configuration()
            configuration.busyMode = .timeout(30)
            configuration.maximumReaderCount = 8
            configuration.prepareDatabase { db in
                // Values are of some hundred kilobytes; this counts when the file is made.
                try db.execute(sql: "PRAGMA page_size = 16384")
                // A journal that was long once is cut when it is empty.
                try db.execute(sql: "PRAGMA journal_size_limit = \(64 << 20)")
                // An acknowledged batch must survive a power cut.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // Segments are read where the system's cache has them, without a call and a copy for each page.
                try db.execute(sql: "PRAGMA mmap_size = \(mapsPages ? 64 << 30 : 0)")
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            try Self.migrator.migrate(pool)
            let found = try pool.read { try Int.fetchOne($0, sql: "SELECT value FROM meta WHERE name = 'format'") ?? 0 }
            guard found <= Self.format else {
                throw WorkspaceError(
                    "the workspace was written by a newer vestige (format \(found), this program reads up to \(Self.format)); nothing was changed",
                    next: "use a newer vestige, or another file with --workspace")
            }
            self.digestKey = try Self.digestKey(pool, digestKey)
        } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    private static func digestKey(_ pool: DatabasePool, _ wanted: DigestKey?) throws -> DigestKey {
        func stored(_ db: Database) throws -> DigestKey? {
            try Data.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'digest-key'").flatMap { DigestKey($0) }
        }
        if let key = try pool.read(stored) { return key }
        return try pool.write { db in
            // Another program may have been first.
            if let key = try stored(db) { return key }
            let key = wanted ?? .random()
            try db.execute(sql: "INSERT INTO meta VALUES ('digest-key', ?)", arguments: [key.data])
            return key
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
                    INSERT INTO meta VALUES ('format', 1);
                    CREATE TABLE tables (name TEXT PRIMARY KEY, columns TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE extents (
                        id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, rows INTEGER NOT NULL,
                        time_low INTEGER, time_high INTEGER, created INTEGER NOT NULL, run TEXT NOT NULL);
                    CREATE INDEX extents_by_table ON extents (table_name, id);
                    CREATE TABLE segments (
                        extent INTEGER NOT NULL REFERENCES extents (id) ON DELETE CASCADE, name TEXT NOT NULL, type TEXT NOT NULL,
                        low, high, data BLOB NOT NULL, PRIMARY KEY (extent, name));
                    CREATE TABLE state (
                        source TEXT NOT NULL, key BLOB NOT NULL, hash BLOB NOT NULL, key_values TEXT NOT NULL,
                        PRIMARY KEY (source, key)) WITHOUT ROWID;
                    CREATE TABLE checkpoints (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE outbox (sink TEXT NOT NULL, extent INTEGER NOT NULL, PRIMARY KEY (sink, extent)) WITHOUT ROWID;
                    CREATE TABLE runs (
                        id TEXT PRIMARY KEY, source TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
                        rows_read INTEGER NOT NULL, rows_changed INTEGER NOT NULL, bytes INTEGER NOT NULL, error TEXT) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2") { db in
            // Apart from the segments, so that looking at one does not walk past the other's pages.
            try db.execute(
                sql: """
                    CREATE TABLE filters (
                        extent INTEGER NOT NULL REFERENCES extents (id) ON DELETE CASCADE, name TEXT NOT NULL, kind INTEGER NOT NULL,
                        data BLOB NOT NULL, PRIMARY KEY (name, kind, extent)) WITHOUT ROWID;
                    CREATE INDEX filters_by_extent ON filters (extent);
                    """)
        }
        migrator.registerMigration("3") { db in
            // State by device or hour, and what a run has stored before it is whole.
            try db.execute(
                sql: """
                    DROP TABLE state;
                    CREATE TABLE state (source TEXT NOT NULL, bucket INTEGER NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (source, bucket));
                    CREATE TABLE staged (
                        source TEXT NOT NULL, bucket INTEGER NOT NULL, entries BLOB, seen BLOB NOT NULL, is_complete INTEGER NOT NULL,
                        PRIMARY KEY (source, bucket));
                    CREATE TABLE progress (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE INDEX runs_by_source ON runs (source, started);
                    ALTER TABLE runs ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE deliveries (
                        sink TEXT PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, refused INTEGER NOT NULL, last_success INTEGER,
                        last_failure INTEGER, error TEXT) WITHOUT ROWID;
                    UPDATE meta SET value = 2 WHERE name = 'format';
                    """)
        }
        return migrator
    }

    func read<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do { return try pool.read(body) } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    func write<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do { return try pool.write(body) } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    /// Bytes of the file and its journal.
    package var sizeBytes: Int {
        [path, path + "-wal"].reduce(0) { sum, p in
            sum + ((try? FileManager.default.attributesOfItem(atPath: p)[.size] as? Int) ?? 0)
        }
    }

    // MARK: Tables

    static func encode(_ schema: Schema) -> String {
        JSONWriter.string(.array(schema.columns.map { .array([.string($0.name), .string($0.type.name)]) }))
    }

    private static func decode(_ text: String) -> Schema {
        guard case .array(let items)? = try? JSONReader.parse(text) else { return Schema([ColumnSpec]()) }
        return Schema(
            items.compactMap { item in
                guard let pair = item.arrayValue, pair.count == 2, let type = ScalarType(name: pair[1].text) else {
                    return nil
                }
                return ColumnSpec(pair[0].text, type)
            })
    }

    /// Declares a table; new columns of a known table are added, none is taken away.
    package func declare(_ name: String, _ schema: Schema) throws(WorkspaceError) {
        try write { db in try Self.declare(name, schema, db) }
    }

    static func declare(_ name: String, _ schema: Schema, _ db: Database) throws {
        let old = try String.fetchOne(db, sql: "SELECT columns FROM tables WHERE name = ?", arguments: [name]).map(
            Self.decode)
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
        if old != merged {
            try db.execute(sql: "INSERT OR REPLACE INTO tables VALUES (?, ?)", arguments: [name, Self.encode(merged)])
        }
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
                out[row["name"]] = Self.decode(row["columns"])
            }
            return out
        }
    }

    /// How much a table holds.
    package func statistics(ofTable name: String) throws(WorkspaceError) -> TableStatistics {
        try read { db in
            let one = try Row.fetchOne(
                db,
                sql:
                    "SELECT count(*) AS n, coalesce(sum(rows), 0) AS rows, min(created) AS low, max(created) AS high FROM extents WHERE table_name = ?",
                arguments: [name])
            let bytes = try Int.fetchOne(
                db,
                sql:
                    "SELECT coalesce(sum(length(data)), 0) FROM segments WHERE extent IN (SELECT id FROM extents WHERE table_name = ?)",
                arguments: [name])
            guard let one, let low: Int64 = one["low"], let high: Int64 = one["high"] else { return TableStatistics() }
            return TableStatistics(rows: one["rows"], extents: one["n"], bytes: bytes ?? 0, created: (low, high))
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
                out[row["table_name"]] = row["n"]
            }
            return out
        }
    }
}
