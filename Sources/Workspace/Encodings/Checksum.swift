import GRDB

/// XXH64, the checksum of stored bytes (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). It finds damage, every change of
/// a single byte among it; it does not find somebody who means to change a row and its checksum.
package enum Checksum {
    private static let p1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let p2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let p3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let p4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let p5: UInt64 = 0x27D4_EB2F_1656_67C5

    package static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { of($0, seed: seed) }
    }

    package static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        let count = bytes.count
        var at = 0
        var h: UInt64
        @inline(__always)
        func word() -> UInt64 {
            defer { at &+= 8 }
            return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }
        if count >= 32 {
            var (a, b) = (seed &+ p1 &+ p2, seed &+ p2)
            var (c, d) = (seed, seed &- p1)
            while at &+ 32 <= count {
                a = round(a, word())
                b = round(b, word())
                c = round(c, word())
                d = round(d, word())
            }
            h = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
            for lane in [a, b, c, d] { h = (h ^ round(0, lane)) &* p1 &+ p4 }
        } else {
            h = seed &+ p5
        }
        h &+= UInt64(count)
        while at &+ 8 <= count { h = rotate(h ^ round(0, word()), 27) &* p1 &+ p4 }
        if at &+ 4 <= count {
            let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            h = rotate(h ^ (half &* p1), 23) &* p2 &+ p3
            at &+= 4
        }
        while at < count {
            h = rotate(h ^ (UInt64(bytes[at]) &* p5), 11) &* p1
            at &+= 1
        }
        h = (h ^ h >> 33) &* p2
        h = (h ^ h >> 29) &* p3
        return h ^ h >> 32
    }

    @inline(__always)
    private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 &- n) }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* p2, 31) &* p1 }

    // MARK: Of cells

    /// The checksum of some cells, in their order. Kinds of cells are told apart, so that a cell which turns into another is noticed.
    static func of(_ cells: [DatabaseValue], seed: UInt64 = 0) -> UInt64 {
        var bytes: [UInt8] = []
        func append(_ kind: UInt8, _ word: UInt64) {
            bytes.append(kind)
            withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
        }
        for cell in cells {
            switch cell.storage {
            case .null: append(0, 0)
            case .int64(let n): append(1, UInt64(bitPattern: n))
            case .double(let x): append(2, x.bitPattern)
            case .string(let text):
                append(3, UInt64(text.utf8.count))
                bytes += text.utf8
            case .blob(let data):
                append(4, UInt64(data.count))
                append(4, data.withUnsafeBytes { of($0) })
            }
        }
        return of(bytes, seed: seed)
    }

    /// Lets statements ask for `checksum_of(…)`. It stands in statements of this program only, never in the file's schema, so that other
    /// programs can open the file.
    static func addFunction(to db: Database) {
        db.add(
            function: DatabaseFunction("checksum_of", pure: true) { cells in Int64(bitPattern: of(cells)) })
    }
}

/// Tables whose rows carry a checksum of themselves.
struct RowChecksums: Sendable {
    let name: String
    /// What the checksum is of, in this order.
    let columns: [String]
    /// Whether its rows are too many bytes to be written anew when a file of an earlier format is taken over: they stay without.
    let isLarge: Bool

    private init(_ name: String, _ columns: [String], isLarge: Bool = false) {
        self.name = name
        self.columns = columns
        self.isLarge = isLarge
    }

    static let extents = RowChecksums(
        "extents", ["id", "table_name", "rows", "time_low", "time_high", "created", "run", "columns"])
    static let meta = RowChecksums("meta", ["name", "value"])
    static let schemas = RowChecksums("tables", ["name", "columns"])
    static let filters = RowChecksums("filters", ["extent", "name", "kind", "data"], isLarge: true)
    static let state = RowChecksums("state", ["source", "bucket", "entries"], isLarge: true)
    static let staged = RowChecksums("staged", ["source", "bucket", "entries", "seen", "is_complete"], isLarge: true)
    static let progress = RowChecksums("progress", ["source", "value"])
    static let checkpoints = RowChecksums("checkpoints", ["source", "value"])
    static let outbox = RowChecksums("outbox", ["sink", "extent"])
    static let runs = RowChecksums(
        "runs", ["id", "source", "started", "ended", "rows_read", "rows_changed", "bytes", "error", "gaps"])
    static let deliveries = RowChecksums(
        "deliveries", ["sink", "rows", "bytes", "refused", "last_success", "last_failure", "error"])
    static let clock = RowChecksums("clock", ["found", "ahead", "low", "extents", "rows"])

    static let tables = [
        extents, meta, schemas, filters, state, staged, progress, checkpoints, outbox, runs, deliveries, clock,
    ]

    /// The checksum as an expression.
    var expression: String { "checksum_of(\(columns.joined(separator: ", ")))" }

    /// A statement that takes the columns' values and adds their checksum.
    ///
    /// - Parameter conflict: such as `OR REPLACE`.
    func insertion(_ conflict: String = "") -> String {
        let places = columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        return """
            INSERT \(conflict) INTO \(name) (\(columns.joined(separator: ", ")), checksum)
            VALUES (\(places), checksum_of(\(places)))
            """
    }

    /// Writes the checksums of rows that were changed.
    ///
    /// - Parameter condition: which rows; all when nil.
    func seal(_ db: Database, where condition: String? = nil, arguments: StatementArguments = []) throws {
        try db.execute(
            sql: "UPDATE \(name) SET checksum = \(expression)" + (condition.map { " WHERE \($0)" } ?? ""),
            arguments: arguments)
    }
}
