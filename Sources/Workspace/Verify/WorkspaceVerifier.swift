import Foundation
import GRDB
import Tables

/// Damage that was found in a workspace.
package struct Damage: Sendable, Equatable {
    package var table: String?
    package var extent: Int64?
    package var column: String?
    package let what: String
}

/// What a workspace was found to be.
package struct VerifyReport: Sendable {
    package var tables = 0
    package var extents = 0
    package var rows = 0
    package var segments = 0
    /// Of the segments, as stored.
    package var bytes = 0
    /// Segments and rows of earlier formats, which carry no checksum: they could be read, and that is all that can be said.
    package var withoutChecksum = 0
    package fileprivate(set) var damage: [Damage] = []
}

extension Workspace {
    /// Reads everything that is stored, and compares it with its checksums and with each other. It changes nothing.
    ///
    /// - Parameter progress: gets the name of each table before its rows are read.
    package func verify(progress: (String) -> Void = { _ in }) throws(WorkspaceError) -> VerifyReport {
        try read { db in
            var verifier = Verifier(db)
            verifier.run(progress)
            return verifier.report
        }
    }
}

/// One pass over a file. Each part is looked at whatever the others were like.
private struct Verifier {
    private let db: Database
    var report = VerifyReport()
    /// Lines of SQLite's own check that are told.
    private static let structureLines = 100

    init(_ db: Database) { self.db = db }

    mutating func run(_ progress: (String) -> Void) {
        part("the file's structure") { try $0.structure() }
        part("the file's own tables") { try $0.definitions() }
        for table in RowChecksums.tables { part("table \(table.name) of the file") { try $0.sums(table) } }
        part("the list of extents") { try $0.extents(progress) }
        part("references") { try $0.references() }
        part("the state") { try $0.state() }
    }

    /// Looks at one part; one that cannot be read at all is damage too.
    private mutating func part(_ name: String, _ body: (inout Verifier) throws -> Void) {
        do { try body(&self) } catch {
            report.damage.append(Damage(what: "\(name) cannot be read: \(Self.reason(error))"))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let known as WorkspaceError: known.message
        case let segment as CorruptSegment: segment.reason
        case let row as DamagedRow: row.description
        case let database as DatabaseError: database.message ?? "SQLite error \(database.resultCode.rawValue)"
        default: "\(error)"
        }
    }

    /// What SQLite knows of its pages, their order, and its indexes.
    private mutating func structure() throws {
        for line in try String.fetchAll(db, sql: "PRAGMA integrity_check(\(Self.structureLines))") where line != "ok" {
            report.damage.append(Damage(what: "the file's structure: \(line)"))
        }
    }

    /// The file's tables are those that this program makes.
    private mutating func definitions() throws {
        let sql = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM main.sqlite_master ORDER BY 1"
        let format = try Int.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'format'")
        guard format == WorkspaceFormat.current else { return }
        let wanted = try DatabaseQueue().write { empty in
            Checksum.addFunction(to: empty)
            try WorkspaceFormat.migrate(empty)
            return Set(try String.fetchAll(empty, sql: sql))
        }
        let found = Set(try String.fetchAll(db, sql: sql))
        for line in wanted.subtracting(found).sorted() {
            let name = line.split(separator: " ").prefix(2).joined(separator: " ")
            report.damage.append(Damage(what: "the file's \(name) is not as this program makes it"))
        }
        guard let id = try Int.fetchOne(db, sql: "PRAGMA main.application_id"), id == FileShape.applicationID else {
            report.damage.append(Damage(what: "the file does not say that it is a workspace"))
            return
        }
    }

    /// Rows whose checksum is not theirs.
    private mutating func sums(_ table: RowChecksums) throws {
        guard try hasColumn("checksum", table.name) else { return }
        let names = table.columns.filter {
            ["table_name", "name", "source", "sink", "extent", "bucket", "id", "found"].contains($0)
        }
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT \(names.joined(separator: ", ")), checksum IS NULL AS is_bare FROM \(table.name)
                WHERE checksum IS NOT \(table.expression)
                """)
        while let row = try rows.next() {
            if try row.stored("is_bare") {
                report.withoutChecksum += 1
                continue
            }
            let place = names.map { name in
                let cell: DatabaseValue = row[name] ?? .null
                return "\(name) \(cell.description)"
            }
            report.damage.append(
                Damage(what: "a row of the file's table \(table.name) is damaged (\(place.joined(separator: ", ")))"))
        }
    }

    private func hasColumn(_ column: String, _ table: String) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)", arguments: [table, column])
            ?? false
    }

    private mutating func extents(_ progress: (String) -> Void) throws {
        var known: [String: Schema] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT name, columns FROM tables") {
            let name: String = try row.stored("name")
            do { known[name] = try Workspace.decode(row.stored("columns"), table: name) } catch {
                report.damage.append(Damage(table: name, what: Self.reason(error)))
            }
        }
        report.tables = known.count
        let counts = try hasColumn("columns", "extents") ? "columns" : "NULL AS columns"
        var last = ""
        for row in try Row.fetchAll(
            db, sql: "SELECT id, table_name, rows, \(counts) FROM extents ORDER BY table_name, id")
        {
            let id: Int64 = try row.stored("id")
            let table: String = try row.stored("table_name")
            if table != last { progress(table) }
            last = table
            let rows: Int = try row.stored("rows")
            report.extents += 1
            report.rows += rows
            if !table.hasPrefix(Workspace.stagingPrefix), known[table] == nil {
                report.damage.append(Damage(table: table, extent: id, what: "the table is not declared"))
            }
            let columns: Int? = try row.storedIfAny("columns")
            do { try segments(of: id, table, rows: rows, columns: columns) } catch {
                report.damage.append(Damage(table: table, extent: id, what: Self.reason(error)))
            }
        }
    }

    /// The segments of an extent.
    ///
    /// - Parameter columns: how many there are; nil for an extent of an earlier format, whose segments have no checksums either.
    private mutating func segments(of extent: Int64, _ table: String, rows: Int, columns: Int?) throws {
        let found = try Row.fetchCursor(
            db, sql: "SELECT name, type, low, high, data FROM segments WHERE extent = ? ORDER BY name",
            arguments: [extent])
        var count = 0
        while let row = try found.next() {
            count += 1
            report.segments += 1
            let name: String = try row.stored("name")
            do {
                let typeName: String = try row.stored("type")
                guard let type = ScalarType(name: typeName) else {
                    throw CorruptSegment(reason: "its type \(typeName) is not known")
                }
                let seed = SegmentLabel(extent: extent, column: name, type: typeName, low: row[2], high: row[3]).seed
                try row.withUnsafeData(atIndex: 4) { data in
                    guard let data, let version = data.first else { throw CorruptSegment(reason: "it has no bytes") }
                    report.bytes += data.count
                    if version == 1 {
                        guard columns == nil else { throw CorruptSegment(reason: "its version is an earlier one") }
                        report.withoutChecksum += 1
                    }
                    _ = try data.withUnsafeBytes { try SegmentCoding.decode($0, type, count: rows, seed: seed) }
                }
            } catch {
                report.damage.append(
                    Damage(table: table, extent: extent, column: name, what: Self.reason(error)))
            }
        }
        if let columns, columns != count {
            report.damage.append(
                Damage(table: table, extent: extent, what: "it has \(count) columns where \(columns) belong"))
        }
    }

    /// What names an extent that is not there.
    private mutating func references() throws {
        for table in ["segments", "filters", "outbox"] {
            let lost = try Row.fetchAll(
                db,
                sql: """
                    SELECT extent, count(*) AS n FROM \(table) WHERE extent NOT IN (SELECT id FROM extents) GROUP BY extent
                    """)
            for row in lost {
                let n: Int = try row.stored("n")
                report.damage.append(
                    Damage(
                        extent: try row.stored("extent"),
                        what: "\(n) rows of the file's table \(table) belong to an extent that is not there"))
            }
        }
    }

    private mutating func state() throws {
        let odd = try Row.fetchAll(
            db,
            sql: """
                SELECT source, count(*) AS n FROM state WHERE length(entries) % \(StateBucket.entryBytes) <> 0 GROUP BY source
                """)
        for row in odd {
            let (source, n): (String, Int) = (try row.stored("source"), try row.stored("n"))
            report.damage.append(Damage(what: "\(n) buckets of the state of source \(source) are cut off"))
        }
        let key = try Data.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'digest-key'")
        if key.flatMap({ DigestKey($0) }) == nil {
            report.damage.append(Damage(what: "the key of the rows' digests is not there"))
        }
    }
}
