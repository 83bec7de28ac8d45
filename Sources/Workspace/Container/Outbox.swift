import GRDB

/// What sinks still have to get: a part of every run, kept until the sink has it.
extension Workspace {
    /// What a sink still has to get, oldest first: the extent and its table.
    package func pending(for sink: String) throws(WorkspaceError) -> [(extent: ExtentInfo, table: String)] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT e.id, e.rows, e.table_name FROM outbox o JOIN extents e ON e.id = o.extent WHERE o.sink = ? ORDER BY e.id",
                arguments: [sink]
            ).map { (ExtentInfo(id: $0["id"], rows: $0["rows"]), $0["table_name"]) }
        }
    }

    /// Bytes that wait for each sink, as stored.
    package func outboxBytes() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            let sql = "SELECT o.sink AS sink, coalesce(sum(length(s.data)), 0) AS n FROM outbox o LEFT JOIN segments s ON s.extent = o.extent GROUP BY o.sink"
            return Dictionary(uniqueKeysWithValues: try Row.fetchAll(db, sql: sql).map { ($0["sink"] as String, $0["n"] as Int) })
        }
    }

    /// A sink has an extent: it need not get it again.
    package func acknowledge(_ extent: ExtentInfo, by sink: String) throws(WorkspaceError) {
        try write { try $0.execute(sql: "DELETE FROM outbox WHERE sink = ? AND extent = ?", arguments: [sink, extent.id]) }
    }

    /// Extents that each sink still has to get.
    package func outboxCounts() throws(WorkspaceError) -> [String: Int] {
        try read { db in
            var out: [String: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT sink, count(*) AS n FROM outbox GROUP BY sink") { out[row["sink"]] = row["n"] }
            return out
        }
    }
}
