import Content
import Tables
import Workspace

/// How many rows of a run were what.
package struct ChangeCounts: Codable, Sendable, Equatable {
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

/// Compares what a source gives now with what its last run left behind, and stores what is new, a part at a time.
///
/// Memory holds the rows that are new and the state that was looked at since the last part was stored, and no more.
struct ChangeDetector {
    private let table: TableDefinition
    private let source: String
    private let workspace: Workspace
    /// When the rows were observed, ticks.
    private let now: Int64
    private let isKeyframe: Bool
    private let digests: RowDigests
    private let rule: BucketRule
    private let contentColumns: [String]
    private var state: SourceState
    private(set) var counts: ChangeCounts
    /// Rows to store, and where each one's entry is; rows that were removed have none.
    private(set) var pending: [Batch] = []
    private var entries: [(bucket: Int32, entry: Int32)] = []
    private var pendingBytes = 0
    /// The latest time of an event, ticks.
    private(set) var latestTime: Int64?

    /// Bytes of rows, and of state, at which a part is stored.
    private static let pendingBytesMax = 20 << 20
    private static let stateBytesMax = 48 << 20
    /// Buckets looked through at once for rows that are gone.
    private static let bucketsAtOnce = 256

    /// - Parameter counts: what a run that goes on has counted before.
    init(
        table: TableDefinition, source: String, workspace: Workspace, now: Int64, isKeyframe: Bool,
        counts: ChangeCounts = ChangeCounts()
    ) {
        self.table = table
        self.source = source
        self.workspace = workspace
        self.now = now
        self.isKeyframe = isKeyframe && table.kind == .state
        self.counts = counts
        digests = RowDigests(key: workspace.digestKey)
        rule = BucketRule(table)
        let hidden = Set(table.volatile)
        contentColumns = table.columns.map(\.name).filter { !hidden.contains($0) }
        state = SourceState(workspace: workspace, source: source)
    }

    /// Tells that a device was asked about, whatever rows it has: those that do not come are gone.
    mutating func touch(_ device: String) throws {
        let column = ColumnSpec(table.key[0], .string)
        let batch = Batch(schema: Schema([column]), rows: [[.string(device)]])
        let ids = try rule.buckets(of: batch, try digests(of: batch, columns: [column.name]), digests)
        for place in try state.places(of: ids) { state.touch(place) }
    }

    /// Takes rows in the table's own columns.
    mutating func take(_ batch: Batch) throws {
        let keys = try digests(of: batch, columns: table.key)
        let contents = try contents(of: batch)
        let buckets = try state.places(of: rule.buckets(of: batch, keys, digests))
        let isEvent = table.kind == .event
        var rows: [Int32] = []
        var marks = RowMarks(now: now)
        for row in 0..<batch.count {
            let kind: RowMarks.Kind
            let entry: Int
            let near = contents.near.map { ($0.0[row], $0.1[row]) }
            switch state.note(buckets[row], keys[row], contents.own[row], near: near, keepsContent: isEvent) {
            case .repeated:
                counts.repeated += 1
                continue
            case .added(let e):
                counts.added += 1
                (kind, entry) = (.added, e)
            case .changed(let e):
                counts.changed += 1
                (kind, entry) = (.changed, e)
            case .same(let e):
                guard isKeyframe else {
                    counts.unchanged += 1
                    continue
                }
                counts.snapshot += 1
                (kind, entry) = (.snapshot, e)
            }
            rows.append(Int32(row))
            marks.append(kind, keys[row], contents.own[row])
            entries.append((Int32(buckets[row]), Int32(entry)))
        }
        counts.read += batch.count
        if let time = table.time, let column = try batch.column(named: time), case .int64(let ticks) = column.storage,
            let last = ticks.max()
        {
            latestTime = max(latestTime ?? last, last)
        }
        if !rows.isEmpty { try keep(rows.count == batch.count ? batch : batch.gather(rows), marks) }
    }

    /// What of the rows counts as a change: a digest for each row, and the neighbours that count as the same.
    private func contents(of batch: Batch) throws -> (own: [RowDigest], near: ([RowDigest], [RowDigest])?) {
        guard !table.significance.isEmpty else { return (try digests(of: batch, columns: contentColumns), nil) }
        let shifted = try [0, 0.5, -0.5].map { shift in
            try digests(of: try Significance.steps(of: batch, table, shift: shift), columns: contentColumns)
        }
        return (shifted[0], (shifted[1], shifted[2]))
    }

    private mutating func keep(_ batch: Batch, _ marks: RowMarks) throws {
        let n = batch.count
        let system = [
            Column(constant: .datetime(now), .datetime, count: n), marks.kinds,
            Column(constant: .string(source), .string, count: n), marks.ids,
        ]
        let own = try table.schema.columns.dropFirst(system.count).map { spec in
            try batch.column(named: spec.name)
                ?? Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: n)
        }
        let whole = Batch(schema: table.schema, columns: system + own, count: n)
        pendingBytes += try whole.byteCount()
        pending.append(whole)
    }

    /// Whether a part should be stored before more is taken.
    var isFull: Bool {
        pendingBytes > Self.pendingBytesMax || entries.count >= Workspace.extentRowsMax
            || state.bytes > Self.stateBytesMax
    }

    /// Stores what there is.
    ///
    /// - Parameter progress: how the run goes on from here.
    mutating func store(progress: String) throws {
        let batch = pending.isEmpty ? nil : try Batch.concatenateCoded(pending, schema: table.schema)
        (pending, pendingBytes) = ([], 0)
        let places = entries
        entries = []
        var state = state
        self.state.clear()
        try workspace.stage(batch, of: source, started: now, progress: progress, isCoded: true) { extents in
            var next = 0
            for extent in extents {
                for row in 0..<extent.rows {
                    let (bucket, entry) = places[next + row]
                    if bucket >= 0 { state.place(Int(bucket), Int(entry), at: RowPlace(extent: extent.id, row: row)) }
                }
                next += extent.rows
            }
            return state.takeDirty()
        }
        if state.bytes <= Self.stateBytesMax / 2 { self.state = state }
    }

    /// After everything was read: what was there before and did not come is gone.
    ///
    /// - Parameter inTouchedBuckets: whether only devices that were asked about count.
    /// - Returns: how many rows are gone whose values are no longer stored anywhere; they are told of without them.
    mutating func removeUnseen(inTouchedBuckets: Bool, progress: () -> String) throws -> Int {
        guard table.kind == .state else { return 0 }
        try store(progress: progress())
        var last: Int64?
        var nameless = 0
        let keyColumns = table.key.compactMap { name in table.columns.first { $0.name == name } }
        while true {
            let ids = try workspace.incompleteBuckets(
                of: source, after: last, limit: Self.bucketsAtOnce, onlyTouched: inTouchedBuckets)
            guard let end = ids.last else { break }
            last = end
            state.clear()
            let gone = try state.removeUnseen(ids)
            let values = try workspace.rows(at: gone.map(\.place), columns: keyColumns)
            nameless += values.count { $0 == nil }
            var marks = RowMarks(now: now)
            let rows = zip(gone, values).map { entry, values -> [Value] in
                marks.append(.removed, entry.key, entry.key)
                return table.ownSchema.columns.map { column in
                    keyColumns.firstIndex(of: column).flatMap { values?[$0] } ?? .null
                }
            }
            entries += repeatElement((bucket: -1, entry: -1), count: rows.count)
            counts.removed += rows.count
            try keep(Batch(schema: table.ownSchema, rows: rows), marks)
            try store(progress: progress())
        }
        return nameless
    }
}
