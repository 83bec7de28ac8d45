import GRDB

/// What still has to be sent to a sink.
package struct OutboxSize: Sendable, Equatable {
    package var extents = 0
    package var rows = 0
    /// As stored.
    package var bytes = 0

    package init(extents: Int = 0, rows: Int = 0, bytes: Int = 0) {
        self.extents = extents
        self.rows = rows
        self.bytes = bytes
    }
}

/// What a sink has taken since the workspace was made.
package struct DeliveryTotals: Sendable, Equatable {
    package var rows = 0
    /// On the wire.
    package var bytes = 0
    package var refused = 0
    /// Ticks.
    package var lastSuccess: Int64?
    package var lastFailure: Int64?
    /// Why the last delivery ended before everything was sent; nil when it did not.
    package var error: String?

    package init(
        rows: Int = 0, bytes: Int = 0, refused: Int = 0, lastSuccess: Int64? = nil, lastFailure: Int64? = nil,
        error: String? = nil
    ) {
        self.rows = rows
        self.bytes = bytes
        self.refused = refused
        self.lastSuccess = lastSuccess
        self.lastFailure = lastFailure
        self.error = error
    }
}

/// What sinks still have to get: a part of every run, kept until the sink has it.
extension Workspace {
    /// What a sink still has to get, oldest first: the extent and its table.
    package func pending(for sink: String) throws(WorkspaceError) -> [(extent: ExtentInfo, table: String)] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT e.id, e.rows, e.table_name FROM outbox o JOIN extents e ON e.id = o.extent
                    WHERE o.sink = ? ORDER BY e.id
                    """, arguments: [sink]
            ).map { (ExtentInfo(id: try $0.stored("id"), rows: try $0.stored("rows")), try $0.stored("table_name")) }
        }
    }

    /// What waits for each sink.
    package func outboxSizes() throws(WorkspaceError) -> [String: OutboxSize] {
        try read { db in
            let sql = """
                SELECT o.sink AS sink, count(*) AS n, coalesce(sum(e.rows), 0) AS rows,
                    coalesce(sum((SELECT sum(length(s.data)) FROM segments s WHERE s.extent = o.extent)), 0) AS bytes
                FROM outbox o JOIN extents e ON e.id = o.extent GROUP BY o.sink
                """
            let sizes: [(String, OutboxSize)] = try Row.fetchAll(db, sql: sql).map {
                let size = OutboxSize(
                    extents: try $0.stored("n"), rows: try $0.stored("rows"), bytes: try $0.stored("bytes"))
                return (try $0.stored("sink"), size)
            }
            return Dictionary(uniqueKeysWithValues: sizes)
        }
    }

    /// What waits for each sink, by table.
    package func outboxSizesByTable() throws(WorkspaceError) -> [String: [String: OutboxSize]] {
        try read { db in
            let sql = """
                SELECT o.sink AS sink, e.table_name AS name, count(*) AS n, coalesce(sum(e.rows), 0) AS rows,
                    coalesce(sum((SELECT sum(length(s.data)) FROM segments s WHERE s.extent = o.extent)), 0) AS bytes
                FROM outbox o JOIN extents e ON e.id = o.extent GROUP BY o.sink, e.table_name
                """
            return try Row.fetchAll(db, sql: sql).reduce(into: [:]) { sizes, row in
                sizes[row["sink"] as String, default: [:]][row["name"] as String] =
                    OutboxSize(extents: row["n"], rows: row["rows"], bytes: row["bytes"])
            }
        }
    }

    /// Takes a table's rows out of a sink's outbox: they are not sent. They stay in the workspace.
    ///
    /// - Returns: how many rows had waited.
    @discardableResult
    package func withdraw(_ table: String, from sink: String) throws(WorkspaceError) -> Int {
        try write { db in
            let rows =
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT coalesce(sum(e.rows), 0) FROM outbox o JOIN extents e ON e.id = o.extent
                        WHERE o.sink = ? AND e.table_name = ?
                        """, arguments: [sink, table]) ?? 0
            try db.execute(
                sql: "DELETE FROM outbox WHERE sink = ? AND extent IN (SELECT id FROM extents WHERE table_name = ?)",
                arguments: [sink, table])
            return rows
        }
    }

    /// What was noted of a sink, as `setNotes` got it; nil when nothing was.
    package func notes(ofSink sink: String) throws(WorkspaceError) -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM meta WHERE name = ?", arguments: ["sink:" + sink]) }
    }

    package func setNotes(_ text: String, ofSink sink: String) throws(WorkspaceError) {
        try write {
            try $0.execute(sql: RowChecksums.meta.insertion("OR REPLACE"), arguments: ["sink:" + sink, text])
        }
    }

    /// Adds a delivery to a sink's totals.
    ///
    /// - Parameters:
    ///   - error: why it ended before everything was sent; nil when it did not.
    ///   - now: ticks.
    package func noteDelivery(to sink: String, rows: Int, bytes: Int, refused: Int, error: String?, now: Int64)
        throws(WorkspaceError)
    {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO deliveries (sink, rows, bytes, refused, last_success, last_failure, error)
                    VALUES (:sink, :rows, :bytes, :refused, iif(:error IS NULL, :now, NULL),
                        iif(:error IS NULL, NULL, :now), :error)
                    ON CONFLICT (sink) DO UPDATE SET rows = rows + :rows, bytes = bytes + :bytes,
                        refused = refused + :refused, last_success = iif(:error IS NULL, :now, last_success),
                        last_failure = iif(:error IS NULL, last_failure, :now), error = :error
                    """,
                arguments: ["sink": sink, "rows": rows, "bytes": bytes, "refused": refused, "error": error, "now": now])
            try RowChecksums.deliveries.seal(db, where: "sink = ?", arguments: [sink])
        }
    }

    package func deliveryTotals() throws(WorkspaceError) -> [String: DeliveryTotals] {
        try read { db in
            let totals: [(String, DeliveryTotals)] = try Row.fetchAll(db, sql: "SELECT * FROM deliveries").map { row in
                let one = DeliveryTotals(
                    rows: try row.stored("rows"), bytes: try row.stored("bytes"), refused: try row.stored("refused"),
                    lastSuccess: try row.storedIfAny("last_success"), lastFailure: try row.storedIfAny("last_failure"),
                    error: try row.storedIfAny("error"))
                return (try row.stored("sink"), one)
            }
            return Dictionary(uniqueKeysWithValues: totals)
        }
    }

    /// A sink has an extent: it need not get it again.
    package func acknowledge(_ extent: ExtentInfo, by sink: String) throws(WorkspaceError) {
        try write {
            try $0.execute(sql: "DELETE FROM outbox WHERE sink = ? AND extent = ?", arguments: [sink, extent.id])
        }
    }

    /// Extents that each sink still has to get.
    package func outboxCounts() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            var out: [String: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT sink, count(*) AS n FROM outbox GROUP BY sink") {
                out[try row.stored("sink")] = try row.stored("n")
            }
            return out
        }
    }
}
