import Foundation
import GRDB
import KQL
import KQLEngine
import Tables

/// A stored group of rows that never changes.
package struct ExtentInfo: Sendable {
    package let id: Int64
    package let rows: Int
}

extension Workspace {
    /// Rows that one extent holds at most.
    package static let extentRowsMax = 131_072
    /// Rows below which an extent is read faster than a filter would be asked.
    private static let filterRowsMin = 4_096

    /// Writes rows as extents, in their order.
    ///
    /// - Parameter isCoded: whether texts have a dictionary of distinct entries already, each of which is used.
    @discardableResult
    static func insert(
        _ batch: Batch, into table: String, run: String, now: Int64, isCoded: Bool = false, _ db: Database
    ) throws -> [ExtentInfo] {
        var extents: [ExtentInfo] = []
        var from = 0
        while from < batch.count {
            let part = batch.slice(from..<min(batch.count, from + extentRowsMax))
            from += part.count
            var low: Int64?
            var high: Int64?
            if let i = part.schema.index(of: "TimeGenerated"), let b = SegmentCoding.bounds(try part.column(i)) {
                low = b.low.longValue
                high = b.high.longValue
            }
            try db.execute(
                sql: """
                    INSERT INTO extents (table_name, rows, time_low, time_high, created, run, columns)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """, arguments: [table, part.count, low, high, now, run, part.schema.count])
            let id = db.lastInsertedRowID
            try RowChecksums.extents.seal(db, where: "id = ?", arguments: [id])
            let filters = try db.cachedStatement(sql: RowChecksums.filters.insertion())
            for (i, spec) in part.schema.columns.enumerated() {
                // The dictionary is made once, for the values, the bounds and the filters.
                let column =
                    isCoded && part.count == batch.count ? try part.column(i) : try part.column(i).dictionaryCoded()
                try insertSegment(column, named: spec.name, of: id, db)
                guard case .string(let texts) = column.storage, !column.isConstant, part.count >= filterRowsMin else {
                    continue
                }
                for (kind, filter) in [
                    (SegmentFilter.Kind.values, SegmentFilter.values(texts)), (.terms, SegmentFilter.terms(texts)),
                ] {
                    guard let filter else { continue }
                    try filters.execute(arguments: [id, spec.name, kind.rawValue, Data(filter.bytes)])
                }
            }
            extents.append(ExtentInfo(id: id, rows: part.count))
        }
        return extents
    }

    /// Stores one column of an extent.
    static func insertSegment(_ column: Tables.Column, named name: String, of extent: Int64, _ db: Database) throws {
        let bounds = SegmentCoding.bounds(column)
        let label = SegmentLabel(
            extent: extent, column: name, type: column.type.name, low: databaseValue(bounds?.low),
            high: databaseValue(bounds?.high))
        let statement = try db.cachedStatement(
            sql: "INSERT INTO segments (extent, name, type, low, high, data) VALUES (?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            extent, name, label.type, label.low, label.high, Data(SegmentCoding.encode(column, seed: label.seed)),
        ])
    }

    private static func databaseValue(_ v: Value?) -> DatabaseValue {
        switch v {
        case .long(let n)?: n.databaseValue
        // SQLite's texts end at a NUL when they are read: such a bound is left unknown.
        case .string(let s)? where !s.utf8.contains(0): s.databaseValue
        default: .null
        }
    }

    /// Adds rows outside of a source's run, as an import does.
    ///
    /// - Parameters:
    ///   - sinks: who has to get them too.
    ///   - checkpoint: where whoever brings the rows goes on, kept with them or not at all.
    package func append(
        _ batch: Batch, to table: String, run: String, now: Int64, sinks: [String] = [],
        checkpoint: (source: String, value: String)? = nil
    ) throws(WorkspaceError) {
        try write { db in
            if let checkpoint {
                try db.execute(
                    sql: RowChecksums.checkpoints.insertion("OR REPLACE"),
                    arguments: [checkpoint.source, checkpoint.value])
            }
            for extent in try Self.insert(batch, into: table, run: run, now: now, db) {
                for sink in sinks {
                    try db.execute(sql: RowChecksums.outbox.insertion(), arguments: [sink, extent.id])
                }
            }
        }
    }

    /// Puts rows in the place of all that a table held, columns included.
    package func replace(_ table: String, with batch: Batch, run: String, now: Int64) throws(WorkspaceError) {
        try write { db in
            try db.execute(
                sql: "DELETE FROM outbox WHERE extent IN (SELECT id FROM extents WHERE table_name = ?)",
                arguments: [table])
            try db.execute(sql: "DELETE FROM extents WHERE table_name = ?", arguments: [table])
            try Self.store(batch.schema, of: table, db)
            _ = try Self.insert(batch, into: table, run: run, now: now, db)
        }
    }

    /// The rows of one extent; columns are read when they are looked at.
    ///
    /// - Parameter table: the text of the column `Type`, where it is not stored.
    package func extent(_ info: ExtentInfo, schema: Schema, table: String = "") -> Batch {
        let columns = schema.columns.map { spec in
            LazyColumn {
                let column = try self.readOnce { db in try self.segment(of: info, spec.name, db) }
                let missing = Value.string(spec.name == TypeColumn.name ? table : "")
                return column
                    ?? Column(constant: spec.type == .string ? missing : .null, spec.type, count: info.rows)
            }
        }
        return Batch(schema: schema, columns: columns, count: info.rows)
    }

    /// A column of an extent; nil when it has none. Damage is told with its place: other extents and tables can be read all the same.
    private func segment(of info: ExtentInfo, _ name: String, _ db: Database) throws -> Tables.Column? {
        do {
            let statement = try db.cachedStatement(
                sql: "SELECT type, low, high, data FROM segments WHERE extent = ? AND name = ?")
            let rows = try Row.fetchCursor(statement, arguments: [info.id, name])
            guard let row = try rows.next() else { return nil }
            let typeName: String = try row.stored("type")
            guard let type = ScalarType(name: typeName) else {
                throw CorruptSegment(reason: "its type \(typeName) is not known")
            }
            let label = SegmentLabel(extent: info.id, column: name, type: typeName, low: row[1], high: row[2])
            return try row.withUnsafeData(atIndex: 3) { data in
                try (data ?? Data()).withUnsafeBytes {
                    try SegmentCoding.decode($0, type, count: info.rows, seed: label.seed)
                }
            }
        } catch let damage as CorruptSegment {
            let table = try String.fetchOne(
                db, sql: "SELECT table_name FROM extents WHERE id = ?", arguments: [info.id])
            throw WorkspaceError(
                "table \(table ?? "?"), extent \(info.id), column \(name) is damaged: \(damage.reason)",
                next: "see how far it goes with: vestige workspace verify --workspace \(path); "
                    + "other tables, and queries without this column, can be asked meanwhile")
        }
    }

    /// The extents of a table in which rows may meet the predicates.
    func extents(of table: String, matching predicates: [ScanPredicate]) throws(WorkspaceError) -> [ExtentInfo] {
        try read { db in
            var sql = "SELECT id, rows FROM extents WHERE table_name = ?"
            var arguments: [any DatabaseValueConvertible] = [table]
            for p in predicates {
                let bound: any DatabaseValueConvertible
                switch p.value {
                case .long(let n), .datetime(let n), .timespan(let n): bound = n
                case .string(let s): bound = s
                default: continue
                }
                let low = "(SELECT low FROM segments s WHERE s.extent = extents.id AND s.name = ?)"
                let high = "(SELECT high FROM segments s WHERE s.extent = extents.id AND s.name = ?)"
                func add(_ side: String, _ op: String) {
                    // An unknown bound rules nothing out.
                    sql += " AND coalesce(\(side) \(op) ?, 1)"
                    arguments += [p.column, bound]
                }
                switch p.comparison {
                case .anyOf, .term: continue
                case .equal:
                    add(low, "<=")
                    add(high, ">=")
                case .less: add(low, "<")
                case .lessOrEqual: add(low, "<=")
                case .greater: add(high, ">")
                case .greaterOrEqual: add(high, ">=")
                }
            }
            var found = try Row.fetchAll(db, sql: sql + " ORDER BY id", arguments: StatementArguments(arguments))
                .map { ExtentInfo(id: try $0.stored("id"), rows: try $0.stored("rows")) }
            for p in predicates where found.count > 1 {
                guard let (kind, hashes) = Self.wanted(p) else { continue }
                let ruledOut = try Self.ruledOut(p.column, kind, hashes, db)
                if !ruledOut.isEmpty { found.removeAll { ruledOut.contains($0.id) } }
            }
            return found
        }
    }

    /// What a filter must know for rows to meet a predicate: all terms of one of the lists; nil when no filter helps.
    private static func wanted(_ p: ScanPredicate) -> (SegmentFilter.Kind, [[UInt64]])? {
        switch (p.comparison, p.value) {
        case (.equal, .string(let text)): return (.values, [[SegmentFilter.hash(text)]])
        case (.anyOf, .array(let items)):
            let texts = items.compactMap(\.stringValue)
            return texts.count == items.count && texts.count <= 256
                ? (.values, texts.map { [SegmentFilter.hash($0)] }) : nil
        case (.term, .string(let text)): return SegmentFilter.terms(of: text).map { (.terms, [$0]) }
        default: return nil
        }
    }

    /// The extents whose filter of a column tells that no row can have what is wanted.
    private static func ruledOut(_ column: String, _ kind: SegmentFilter.Kind, _ hashes: [[UInt64]], _ db: Database)
        throws -> Set<Int64>
    {
        var out = Set<Int64>()
        let statement = try db.cachedStatement(sql: "SELECT extent, data FROM filters WHERE name = ? AND kind = ?")
        let rows = try Row.fetchCursor(statement, arguments: [column, kind.rawValue])
        while let row = try rows.next() {
            let mayHave = try row.withUnsafeData(atIndex: 1) { data in
                guard let data else { return true }
                return data.withUnsafeBytes { bytes in
                    hashes.contains { all in all.allSatisfy { SegmentFilter.mayContain($0, in: bytes) } }
                }
            }
            if !mayHave { out.insert(row[0]) }
        }
        return out
    }
}
