import Content
import Tables
import Workspace

/// How many rows of a run were what.
package struct ChangeCounts: Sendable, Equatable {
    package var read = 0
    package var added = 0
    package var changed = 0
    package var removed = 0
    package var snapshot = 0
    package var unchanged = 0
    /// Rows whose key came before in the same run.
    package var repeated = 0

    /// Rows that go on to the sinks.
    package var kept: Int { added + changed + removed + snapshot }
}

/// Compares what a source gives now with what its last run left behind, and keeps what is new.
struct ChangeDetector {
    private let table: TableDefinition
    private let source: String
    /// When the rows were observed, ticks.
    private let now: Int64
    private let isKeyframe: Bool
    private let previous: [RowDigest: RowDigest]
    private var seen: Set<RowDigest> = []
    private(set) var counts = ChangeCounts()
    private(set) var batches: [Batch] = []
    private(set) var upserts: [StateEntry] = []

    /// - Parameter previous: the content's digest by the key's.
    init(table: TableDefinition, source: String, now: Int64, isKeyframe: Bool, previous: [RowDigest: RowDigest]) {
        self.table = table
        self.source = source
        self.now = now
        self.isKeyframe = isKeyframe && table.kind == .state
        self.previous = previous
    }

    /// Takes rows in the table's own columns.
    mutating func take(_ batch: Batch) throws {
        let keyBytes = try RowBytes(batch, columns: table.key)
        let hidden = Set(table.volatile)
        let contentBytes = try RowBytes(batch, columns: table.columns.map(\.name).filter { !hidden.contains($0) })
        let keyColumns = try table.key.compactMap { name in try batch.column(named: name).map { (ColumnSpec(name, $0.type), $0) } }
        let keys = try RecordWriter(Batch(schema: Schema(keyColumns.map(\.0)), columns: keyColumns.map(\.1), count: batch.count))
        let timeColumn = try table.time.flatMap { try batch.column(named: $0) }
        var rows: [Int32] = []
        var kinds: [String] = []
        var ids: [String] = []
        var buffer: [UInt8] = []
        for row in 0..<batch.count {
            buffer.removeAll(keepingCapacity: true)
            keyBytes.append(row, to: &buffer)
            let key = RowDigest(of: buffer)
            guard seen.insert(key).inserted else {
                counts.repeated += 1
                continue
            }
            buffer.removeAll(keepingCapacity: true)
            contentBytes.append(row, to: &buffer)
            let content = RowDigest(of: buffer)
            let old = previous[key]
            guard let kind = kind(old, content) else {
                counts.unchanged += 1
                continue
            }
            rows.append(Int32(row))
            kinds.append(kind)
            ids.append(rowID(key, content, kind))
            if old != content {
                let label: String
                if table.kind == .event {
                    label = String(timeColumn?[row].ticks ?? now)
                } else {
                    buffer.removeAll(keepingCapacity: true)
                    keys.appendArray(row, to: &buffer)
                    label = String(decoding: buffer, as: UTF8.self)
                }
                upserts.append(StateEntry(key: key, content: content, label: label))
            }
        }
        counts.read += batch.count
        guard !rows.isEmpty else { return }
        batches.append(try withSystemColumns(batch.gather(rows), kinds: kinds, ids: ids))
    }

    private mutating func kind(_ old: RowDigest?, _ content: RowDigest) -> String? {
        guard let old else {
            counts.added += 1
            return "Added"
        }
        if table.kind == .event { return nil }
        if old != content {
            counts.changed += 1
            return "Changed"
        }
        guard isKeyframe else { return nil }
        counts.snapshot += 1
        return "Snapshot"
    }

    /// Ends a run that read everything: what was there before and is not now was removed.
    ///
    /// - Parameter labels: gives the keys' values of some digests.
    /// - Returns: keys that the state loses.
    mutating func finish(labels: ([RowDigest]) throws -> [String]) throws -> [RowDigest] {
        guard table.kind == .state else { return [] }
        let gone = previous.keys.filter { !seen.contains($0) }.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
        guard !gone.isEmpty else { return [] }
        let keyTypes = table.key.compactMap { name in table.columns.first { $0.name == name } }
        let rows = try labels(gone).map { label -> [Value] in
            let values = (try? JSONReader.parse(label))?.arrayValue ?? []
            return table.ownSchema.columns.map { column in
                guard let i = keyTypes.firstIndex(of: column), i < values.count else { return .null }
                return values[i].converted(to: column.type)
            }
        }
        let ids = gone.map { rowID($0, $0, "Removed") }
        counts.removed += rows.count
        batches.append(
            try withSystemColumns(
                Batch(schema: table.ownSchema, rows: rows), kinds: [String](repeating: "Removed", count: rows.count), ids: ids))
        return gone
    }

    /// The same row, observed at the same time, has the same id wherever it arrives twice.
    private func rowID(_ key: RowDigest, _ content: RowDigest, _ kind: String) -> String {
        var bytes: [UInt8] = Array(kind.utf8)
        for word in [key.high, key.low, content.high, content.low, UInt64(bitPattern: now)] {
            withUnsafeBytes(of: word.bigEndian) { bytes += $0 }
        }
        return RowDigest(of: bytes).hex
    }

    private func withSystemColumns(_ batch: Batch, kinds: [String], ids: [String]) throws -> Batch {
        let n = batch.count
        let system = [
            Column(constant: .datetime(now), .datetime, count: n), Column(.string, .string(StringVector(kinds)), count: n),
            Column(constant: .string(source), .string, count: n), Column(.string, .string(StringVector(ids)), count: n),
        ]
        let own = try table.schema.columns.dropFirst(system.count).map { spec in
            try batch.column(named: spec.name) ?? Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: n)
        }
        return Batch(schema: table.schema, columns: system + own, count: n)
    }
}

extension Value {
    fileprivate var ticks: Int64? { if case .datetime(let t) = self { t } else { nil } }
}
