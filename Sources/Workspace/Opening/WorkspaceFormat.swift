import GRDB

/// The formats of the file, one after the other. **Whoever changes what is stored adds a step here**; `current` and the versions of
/// segments (`SegmentCoding.versions`) stand side by side so that one is not raised without the other.
///
/// | format | file | segments |
/// |---|---|---|
/// | 1 | tables, extents, segments, a state by row; later filters | version 1 |
/// | 2 | state by bucket, runs in parts, deliveries | version 1 |
/// | 3 | checksums of rows, corrections of the clock, the file says whose it is | version 2: with a checksum; version 1 is read |
enum WorkspaceFormat {
    /// The format that this program writes.
    static let current = 3

    /// What every format has.
    static let firstTables = ["meta", "tables", "extents", "segments", "state", "checkpoints", "outbox", "runs"]
    /// What the current format has.
    static let tables = firstTables + ["filters", "staged", "progress", "deliveries", "clock"]

    /// One step: its name in the file, and its statements.
    private struct Step {
        let name: String
        let statements: String
    }

    private static let steps = [
        Step(
            name: "1",
            statements: """
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
                """),
        // Apart from the segments, so that looking at one does not walk past the other's pages.
        Step(
            name: "2",
            statements: """
                CREATE TABLE filters (
                    extent INTEGER NOT NULL REFERENCES extents (id) ON DELETE CASCADE, name TEXT NOT NULL, kind INTEGER NOT NULL,
                    data BLOB NOT NULL, PRIMARY KEY (name, kind, extent)) WITHOUT ROWID;
                CREATE INDEX filters_by_extent ON filters (extent);
                """),
        // State by device or hour, and what a run has stored before it is whole.
        Step(
            name: "3",
            statements: """
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
                """),
        // Checksums: segments have theirs in their bytes, rows in a column. Those of earlier formats that are large stay without.
        Step(
            name: "4",
            statements: """
                CREATE TABLE clock (
                    found INTEGER PRIMARY KEY, ahead INTEGER NOT NULL, low INTEGER NOT NULL, extents INTEGER NOT NULL,
                    rows INTEGER NOT NULL);
                ALTER TABLE extents ADD COLUMN columns INTEGER;
                \(RowChecksums.tables.map { "ALTER TABLE \($0.name) ADD COLUMN checksum INTEGER;" }.joined(separator: "\n"))
                UPDATE meta SET value = 3 WHERE name = 'format';
                """),
    ]

    /// Brings a file to the current format, from nothing or from an earlier one. The caller has it in a transaction that writes, so that
    /// two programs do not do it together, and one that is killed has done nothing.
    ///
    /// - Parameter last: the name of the last step, for tests that need a file of an earlier format; all when nil.
    static func migrate(_ db: Database, through last: String? = nil) throws {
        // Under the name that earlier programs know: one of them sees that it is late, and changes nothing.
        try db.execute(sql: "CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        let done = Set(try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
        var isChanged = false
        for step in steps where !done.contains(step.name) {
            try db.execute(sql: step.statements)
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES (?)", arguments: [step.name])
            isChanged = true
            if step.name == last { return }
        }
        guard isChanged else { return }
        try db.execute(sql: "PRAGMA application_id = \(FileShape.applicationID)")
        for table in RowChecksums.tables where !table.isLarge { try table.seal(db) }
    }
}
